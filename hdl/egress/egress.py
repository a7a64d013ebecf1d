"""The way out: messages and the log as Ethernet frames, triggers before the log."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.egress.byte_writer import ByteWriter
from hdl.egress.log_batch import LogBatch
from hdl.egress.settings import HEADERS_BYTES, egress_layout
from hdl.egress.word_writer import WordWriter
from hdl.egress.writer import WORD_BYTES
from hdl.octet_stream import octet_stream
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, FrameBus, word_stream
from hdl.replay_buffer import ReplayBuffer
from market.fastpath import layout

MESSAGE_WORDS: Final = 64
"""Words of messages that are held; a status is 35 words."""
_LEAST_MESSAGE_WORDS: Final = layout.ACKNOWLEDGE_SIZE // WORD_BYTES
_TRIGGER_WORDS: Final = layout.TRIGGER_SIZE // WORD_BYTES
_LAST_BEATS: Final = 2
"""Of the market's frame, behind the one with the byte that decides: the longest symbol that venues have, and the check
sequence."""
_WORDS_BEHIND: Final = 14
"""From a decision in a paced core to the first word of its trigger, less the market's last beats."""
_COMPACT_BEHIND: Final = 9
"""The same of a compact core."""
_COMPACT_WORD_CYCLES: Final = 4
"""From one word of a compact core to the next."""
_WORD_CYCLES: Final = 3
"""From a word's arrival to the cycle in which its beat is chosen."""


def lead_cycles(parameters: CoreParameters) -> int:
    """Cycles for which a paced core holds an expected trigger's frame back; at least one.

    With the headers out the first word is there, and each further one before its beat.
    """
    beat = parameters.beat_cycles
    words_behind, slower = _WORDS_BEHIND, 0
    if parameters.compact:
        words_behind, slower = _COMPACT_BEHIND, max(0, _COMPACT_WORD_CYCLES - beat)
    first_word = words_behind + _LAST_BEATS * beat
    return max(1, first_word + slower * (_TRIGGER_WORDS - 1) - HEADERS_BYTES // WORD_BYTES * beat + _WORD_CYCLES)


class Egress(wiring.Component):
    """Sends each message in a datagram of its own, in order, and the log in batches when nothing else waits.

    Datagrams have an IPv4 checksum and no UDP checksum; the shortest, an acknowledgement's, needs no padding. In
    those of the log each message is filled up with zero bytes to a multiple of eight.

    On the 8-bit bus a trigger's frame begins on ``trigger_early``, in the hope that its words come before the headers
    are out. It is spoiled if they do not, on ``abort``, or if another message comes first; the message is
    then sent as any other. So it is in a paced core, some cycles after ``trigger_early``: nothing is sent if it is
    aborted before. On the 64-bit bus with a beat per cycle, where the headers take less time than a trigger's last
    words, frames begin when their message is whole, and ``trigger_early`` keeps the line free. A log frame in progress
    is spoiled in the cycle after ``trigger_early``, or by a trigger's first word, and sent again. A spoiled frame ends
    at once, with an inverted check sequence and ``error``.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    settings: addresses and ports; may only change while ``idle``, and must be there eight cycles before a frame.
    trigger_early: strobe: a trigger will come, if its frame turns out to be good. On the 8-bit bus its first byte is
        on ``tx`` in the next cycle, if nothing is held or being sent.
    abort: strobe: that trigger will not come; its frame ends two cycles later, in a paced core with its next beat.
    words: messages, their length by the block length in their first word.
    log: log messages.
    tx: frames without preamble; a beat passes in a cycle of ``valid`` and ``tx_ready``, and within a frame ``valid``
        stays set, but for the cycles behind each beat of a paced core. Gaps between frames are for who takes them.
    idle: nothing is held or being sent.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "settings": In(egress_layout),
                "trigger_early": In(1),
                "abort": In(1),
                "words": In(word_stream()),
                "log": In(octet_stream()),
                "tx": Out(FrameBus(parameters)),
                "tx_ready": In(1),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One frame at a time; what is sent stays in its buffer until its check sequence is."""
        m = Module()
        is_byte_wide = self._parameters.bus_bytes == 1
        m.submodules.writer = writer = ByteWriter(self._parameters) if is_byte_wide else WordWriter(self._parameters)
        m.submodules.messages = messages = ReplayBuffer(MESSAGE_WORDS, WORD_BITS + 1)
        m.submodules.batch = batch = LogBatch()
        wiring.connect(m, wiring.flipped(self.log), batch.log)
        wiring.connect(m, writer.tx, wiring.flipped(self.tx))
        whole, may_start = Signal(range(MESSAGE_WORDS // _LEAST_MESSAGE_WORDS + 1)), Signal()
        expects, needs_whole, is_trigger = Signal(), Signal(init=not is_byte_wide), Signal()
        # with each word goes whether it would be the first one of a trigger
        brings_trigger = Signal()
        arrives = self.words.valid & self.words.ready
        m.d.comb += [
            messages.words.valid.eq(self.words.valid),
            messages.words.payload.eq(Cat(self.words.payload.data, brings_trigger)),
            self.words.ready.eq(messages.words.ready),
            writer.settings.eq(self.settings),
            writer.tx_ready.eq(self.tx_ready),
            brings_trigger.eq(self.words.payload.data[16:32] == layout.TEMPLATE_TRIGGER),
            is_trigger.eq(messages.word[WORD_BITS]),
        ]
        # known a cycle late: who decides is far away
        aborted, spoils = Signal(), Signal()
        held_back, is_whole_enough = None, ~needs_whole | (whole != 0)
        if self._parameters.paced:
            held_back, is_announced = self._announced(m, aborted, writer.start)
            is_whole_enough |= is_trigger & is_announced & ~held_back
        m.d.comb += may_start.eq(messages.there & is_whole_enough)
        # whose words the writer is given: that of the state, without asking for it
        of_log, to_come = Signal(), Signal()
        m.d.comb += [
            writer.word.eq(Mux(of_log, batch.word, messages.word[:WORD_BITS])),
            writer.there.eq(Mux(of_log, batch.there, messages.there & (is_trigger | ~to_come))),
        ]
        m.d.sync += [aborted.eq(self.abort), writer.spoil.eq(spoils)]
        m.d.sync += whole.eq(whole + (arrives & self.words.payload.last) - messages.release)
        with m.If(self.trigger_early):
            m.d.sync += expects.eq(1)
        with m.If(aborted | (arrives & self.words.payload.first)):
            m.d.sync += expects.eq(0)

        with m.FSM(name="sends"):
            with m.State("NOTHING"):
                m.d.sync += [of_log.eq(0), to_come.eq(0)]
                self._choose(m, writer, messages, batch, may_start, expects, held_back, of_log, to_come)
            with m.State("TRIGGER-TO-COME"):
                if self._parameters.paced:
                    # its first word may be taken in the cycle in which it is there
                    m.d.comb += messages.take.eq(writer.take)
                with m.If(messages.there & is_trigger):
                    m.d.sync += to_come.eq(0)
                    m.next = "MESSAGE"
                with m.Elif(messages.there | aborted):
                    m.d.comb += spoils.eq(1)
                    m.next = "SPOILED"
                with m.If(writer.done):
                    m.next = "NOTHING"
            with m.State("SPOILED"), m.If(writer.done):
                m.next = "NOTHING"
            with m.State("MESSAGE"):
                m.d.comb += [
                    messages.take.eq(writer.take),
                    messages.release.eq(writer.done & writer.good),
                    messages.rewind.eq(writer.done & ~writer.good),
                ]
                with m.If(writer.done):
                    m.d.sync += needs_whole.eq(~writer.good | (not is_byte_wide))
                    m.next = "NOTHING"
            with m.State("LOG"):
                m.d.comb += [
                    spoils.eq(expects | (messages.there & is_trigger)),
                    batch.take.eq(writer.take),
                    batch.sent.eq(writer.done & writer.good),
                    batch.rewind.eq(writer.done & ~writer.good),
                ]
                with m.If(writer.done):
                    m.next = "NOTHING"
        return m

    def _choose(
        self,
        m: Module,
        writer: Any,
        messages: Any,
        batch: Any,
        may_start: Signal,
        expects: Signal,
        held_back: Value | None,
        of_log: Signal,
        to_come: Signal,
    ) -> None:
        """What is sent next: a message, a trigger that is expected, or a batch of the log."""
        expected = expects | self.trigger_early
        block_length = messages.word[:16]
        m.d.comb += [
            writer.port.eq(Mux(messages.there | expected, self.settings.message_port, self.settings.log_port)),
            writer.words.eq(batch.words),
            self.idle.eq(writer.free & ~self.tx.valid & messages.empty & batch.idle & ~expected & ~self.words.valid),
        ]
        with m.If(messages.there):
            m.d.comb += writer.words.eq(block_length // WORD_BYTES + 1)
        with m.Elif(expected):
            m.d.comb += writer.words.eq(_TRIGGER_WORDS)
        with m.If(writer.free):
            with m.If(~messages.empty):
                m.d.comb += writer.start.eq(may_start)
                with m.If(may_start):
                    m.next = "MESSAGE"
            with m.Elif(expected):
                if self._parameters.bus_bytes == 1 or held_back is not None:
                    with nullcontext() if held_back is None else m.If(~held_back):
                        m.d.comb += writer.start.eq(1)
                        m.d.sync += [expects.eq(0), to_come.eq(1)]
                        m.next = "TRIGGER-TO-COME"
            with m.Elif(batch.pending):
                m.d.comb += [writer.start.eq(1), batch.begin.eq(1)]
                m.d.sync += of_log.eq(1)
                m.next = "LOG"

    def _announced(self, m: Module, aborted: Signal, start: Signal) -> tuple[Value, Signal]:
        """Whether an expected trigger's frame is not to begin yet, or no more; whether there is such a trigger."""
        lead = lead_cycles(self._parameters)
        left, announced = Signal(range(max(2, lead))), Signal()
        with m.If(self.trigger_early):
            m.d.sync += [left.eq(lead - 1), announced.eq(1)]
        with m.Else():
            with m.If(left != 0):
                m.d.sync += left.eq(left - 1)
            with m.If(aborted | start):
                m.d.sync += announced.eq(0)
        return self.trigger_early | (left != 0) | aborted, announced
