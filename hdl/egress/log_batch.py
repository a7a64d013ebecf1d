"""Collects messages of the log into payloads for datagrams."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.egress.writer import PAYLOAD_WORDS_BITS, WORD_BYTES
from hdl.octet_stream import octet_stream
from hdl.records import WORD_BITS
from hdl.replay_buffer import ReplayBuffer

BATCH_WORDS: Final = 1_472 // WORD_BYTES
"""Words of a payload that an Ethernet frame of the usual size can carry."""
_DEPTH: Final = 256


class LogBatch(wiring.Component):
    """Whole messages, each filled up with zero bytes to a multiple of eight, as many as fit into one datagram.

    A message of more than ``BATCH_WORDS`` makes a datagram of its own, of up to 189 words.

    Members
    -------
    log: messages as bytes.
    pending: a batch of ``words`` words waits: the log rests, or no further message fits.
    word, there, take, rewind: the batch's words, as in ``ReplayBuffer``.
    begin: strobe: the batch is being sent; it does not grow until ``rewind`` or ``sent``.
    sent: strobe: the batch's words, all taken, are given up.
    idle: nothing is held.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "log": In(octet_stream()),
                "pending": Out(1),
                "words": Out(PAYLOAD_WORDS_BITS),
                "word": Out(WORD_BITS),
                "there": Out(1),
                "take": In(1),
                "rewind": In(1),
                "begin": In(1),
                "sent": In(1),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Counts words from the batch's start; ``next_end`` is the end of a message that waits for the next batch."""
        m = Module()
        m.submodules.buffer = buffer = ReplayBuffer(_DEPTH, WORD_BITS)
        assembled, lane = Signal(WORD_BITS), Signal(range(WORD_BYTES))
        full, ends_message = Signal(), Signal()
        end, next_end = Signal(PAYLOAD_WORDS_BITS), Signal(range(_DEPTH + 1))
        has_next, sending, passes, rests = Signal(), Signal(), Signal(), Signal()
        stored = Signal(range(_DEPTH + 1))
        log = self.log
        m.d.comb += [
            passes.eq(full & buffer.words.ready),
            log.ready.eq((~full | passes) & ~has_next & ~(passes & ends_message)),
            buffer.words.payload.eq(assembled),
            buffer.words.valid.eq(full),
            rests.eq(~log.valid & ~full & (lane == 0) & (stored == end)),
        ]
        with m.If(passes):
            m.d.sync += [full.eq(0), assembled.eq(0)]
        with m.If(log.valid & log.ready):
            filled = Mux(full, 0, assembled)
            m.d.sync += [
                assembled.eq(filled),
                assembled.word_select(lane, 8).eq(log.payload.data),
                lane.eq(lane + 1),
                full.eq(lane.all() | log.payload.last),
                ends_message.eq(log.payload.last),
            ]
            with m.If(log.payload.last):
                m.d.sync += lane.eq(0)
        self._boundaries(m, passes & ends_message, stored, end, next_end, has_next, sending)
        may_grow = ~rests & ~has_next & (stored <= BATCH_WORDS)
        m.d.sync += self.pending.eq((end != 0) & ~may_grow & ~sending & ~self.begin)
        m.d.sync += stored.eq(stored + passes - Mux(self.sent, end, 0))
        m.d.comb += [
            self.words.eq(end),
            self.word.eq(buffer.word),
            self.there.eq(buffer.there),
            buffer.take.eq(self.take),
            buffer.rewind.eq(self.rewind),
            buffer.release.eq(self.sent),
            self.idle.eq((stored == 0) & ~full & (lane == 0) & ~log.valid),
        ]
        return m

    def _boundaries(
        self,
        m: Module,
        message_ends: Signal,
        stored: Signal,
        end: Signal,
        next_end: Signal,
        has_next: Signal,
        sending: Signal,
    ) -> None:
        """Ends of messages, in words from the batch's start; ``stored`` is without the word that ends one now."""
        with m.If(self.begin):
            m.d.sync += sending.eq(1)
        with m.Elif(self.rewind | self.sent):
            m.d.sync += sending.eq(0)
        with m.If(self.sent):
            m.d.sync += [end.eq(Mux(has_next, next_end - end, 0)), has_next.eq(0)]
            with m.If(message_ends):
                m.d.sync += end.eq(stored + 1 - end)
        with m.Elif(message_ends):
            with m.If((end == 0) | ((stored < BATCH_WORDS) & ~sending & ~self.begin)):
                m.d.sync += end.eq(stored + 1)
            with m.Else():
                m.d.sync += [next_end.eq(stored + 1), has_next.eq(1)]
