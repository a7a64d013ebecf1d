"""Writes down every step in order, as LogStep messages."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.log.payload_ring import PayloadRing
from hdl.octet_stream import octet_stream
from hdl.parameters import BYTE, CoreParameters
from hdl.records import CHANNEL_NUMBER_BITS, LENGTH_BITS, TIME_BITS, WORD_BITS, PayloadBus
from hdl.replay_buffer import ReplayBuffer
from market.fastpath import layout
from market.fastpath.specification import StepKind

STEP_KIND_BITS: Final = 3
PAYLOAD_LIMIT: Final = 1_472
"""Bytes of a control message that are logged, as of a datagram."""
RING_BYTES: Final = 16_384
CONTROL_RING_BYTES: Final = 2_048
STEPS: Final = 256
"""Steps that may wait to be read."""
_chosen_layout: Final = data.StructLayout(
    {
        "valid": unsigned(1),
        "is_payload": unsigned(1),
        "is_datagram": unsigned(1),
        "last": unsigned(1),
        "lane": unsigned(3),
        "header": unsigned(BYTE),
    }
)
"""A byte of the log: of the header, or in a lane of the row that is being read."""
_ON_THE_WAY: Final = 2
"""Bytes of a control message that may still come when the next one is let in."""


class EventLog(wiring.Component):
    """Collects the payload of each frame and the bytes of each control message while they arrive, and logs steps.

    Parameters
    ----------
    parameters: the build.
    ring_bytes: bytes of datagrams that may wait, a power of two; each takes whole beats.
    steps: steps that may wait, a power of two.

    Members
    -------
    payload, length, end: the receiver's; ``end`` after the last beat.
    accepted, refused: strobes, from the cycle after ``end`` on and before the next one: that frame is the step
        ``number`` at ``time`` on ``channel``, or is none.
    octet: strobe: a byte of a control message passes, ``octet_data``, and with ``octet_last`` its last.
    control_accepted, control_refused: strobes, from two cycles after the last byte on and before the next message's
        first: that message is the step ``number`` at ``time``, or is none. ``control_kind`` is its ``StepKind``:
        CONTROL, or QUOTE or TRADE for an event. Not in the cycle of ``accepted``.
    control_room: a control message of any length fits, if it begins now.
    log: LogStep messages, at most one byte per cycle.
    lost: steps that found no room and are not in the log.
    idle: everything is logged.
    """

    def __init__(self, parameters: CoreParameters, ring_bytes: int = RING_BYTES, steps: int = STEPS) -> None:
        self._parameters, self._steps = parameters, steps
        self._rows = ring_bytes // parameters.bus_bytes
        super().__init__(
            {
                "payload": In(PayloadBus(parameters)),
                "length": In(LENGTH_BITS),
                "end": In(1),
                "accepted": In(1),
                "refused": In(1),
                "octet": In(1),
                "octet_data": In(BYTE),
                "octet_last": In(1),
                "control_accepted": In(1),
                "control_refused": In(1),
                "control_kind": In(STEP_KIND_BITS),
                "number": In(WORD_BITS),
                "time": In(TIME_BITS),
                "channel": In(CHANNEL_NUMBER_BITS),
                "control_room": Out(1),
                "log": Out(octet_stream()),
                "lost": Out(32),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A ring each for datagrams and control messages, a queue of steps for both, and one reader."""
        m = Module()
        m.submodules.datagrams = datagrams = PayloadRing(self._parameters.bus_bits, self._rows)
        m.submodules.controls = controls = PayloadRing(BYTE, CONTROL_RING_BYTES, reserve=PAYLOAD_LIMIT + _ON_THE_WAY)
        step_layout = self._step_layout()
        width = Value.cast(Signal(step_layout)).shape().width
        m.submodules.queue = queue = ReplayBuffer(self._steps, width)
        datagram_length, control_length = Signal(LENGTH_BITS), Signal(LENGTH_BITS)
        self._collect_control(m, controls, control_length)
        with m.If(self.end):
            m.d.sync += datagram_length.eq(self.length)
        m.d.comb += [
            datagrams.write.eq(self.payload.valid),
            datagrams.data.eq(self.payload.data),
            datagrams.close.eq(self.end),
        ]

        step = Signal(step_layout)
        fits = Signal()
        asked = self.accepted | self.control_accepted
        m.d.comb += [
            step.number.eq(self.number),
            step.time.eq(self.time),
            step.kind.eq(Mux(self.accepted, StepKind.DATAGRAM, self.control_kind)),
            step.channel.eq(Mux(self.accepted, self.channel, 0)),
            step.length.eq(Mux(self.accepted, datagram_length, control_length)),
            step.start.eq(Mux(self.accepted, datagrams.start, controls.start)),
            fits.eq(queue.words.ready & ~Mux(self.accepted, datagrams.lost, controls.lost)),
            queue.words.payload.eq(step),
            queue.words.valid.eq(asked & fits),
            datagrams.keep.eq(self.accepted & fits),
            datagrams.drop.eq(self.refused | (self.accepted & ~fits)),
            self.control_room.eq(controls.roomy),
            controls.keep.eq(self.control_accepted & fits),
            controls.drop.eq(self.control_refused | (self.control_accepted & ~fits)),
        ]
        with m.If(asked & ~fits):
            m.d.sync += self.lost.eq(self.lost + 1)
        self._read(m, queue, step_layout, datagrams, controls)
        return m

    def _step_layout(self) -> data.StructLayout:
        return data.StructLayout(
            {
                "number": unsigned(WORD_BITS),
                "time": unsigned(TIME_BITS),
                "kind": unsigned(STEP_KIND_BITS),
                "channel": unsigned(CHANNEL_NUMBER_BITS),
                "length": unsigned(LENGTH_BITS),
                "start": range(max(self._rows, CONTROL_RING_BYTES)),
            }
        )

    def _collect_control(self, m: Module, controls: PayloadRing, length: Signal) -> None:
        """The bytes of a message up to the log's limit; the region is closed in the cycle after the last byte."""
        inside, ended = Signal(LENGTH_BITS), Signal()
        keeps = Signal()
        m.d.comb += [
            keeps.eq(self.octet & (inside != PAYLOAD_LIMIT)),
            controls.write.eq(keeps),
            controls.data.eq(self.octet_data),
            controls.close.eq(ended),
        ]
        m.d.sync += ended.eq(self.octet & self.octet_last)
        with m.If(keeps):
            m.d.sync += inside.eq(inside + 1)
        with m.If(self.octet & self.octet_last):
            m.d.sync += [length.eq(inside + keeps), inside.eq(0)]

    def _read(
        self,
        m: Module,
        queue: ReplayBuffer,
        step_layout: data.StructLayout,
        datagrams: PayloadRing,
        controls: PayloadRing,
    ) -> None:
        """Header bytes of the step at hand, then its payload from its ring; four stages that move together."""
        step = Signal(step_layout)
        is_datagram = step.kind == StepKind.DATAGRAM
        position, left = Signal(range(layout.LOG_STEP_PAYLOAD)), Signal(LENGTH_BITS)
        row, lane = Signal(range(self._row_limit)), Signal(range(self._parameters.bus_bytes))
        reads, done, moves = Signal(), Signal(), Signal()
        chosen = Signal(_chosen_layout)
        m.d.comb += [
            moves.eq(~self.log.valid | self.log.ready),
            chosen.header.eq(Array(_header_octets(step))[position]),
            chosen.is_datagram.eq(is_datagram),
            chosen.lane.eq(lane),
        ]
        with m.FSM(name="reader"):
            with m.State("REST"), m.If(queue.there):
                m.d.comb += queue.take.eq(1)
                m.d.sync += [step.eq(queue.word), position.eq(0), lane.eq(0)]
                m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.comb += queue.release.eq(1)
                m.d.sync += [row.eq(step.start), left.eq(step.length)]
                m.next = "HEADER"
            with m.State("HEADER"):
                is_last = position == layout.LOG_STEP_PAYLOAD - 1
                m.d.comb += [reads.eq(1), chosen.valid.eq(1), chosen.last.eq(is_last & (left == 0))]
                with m.If(moves):
                    m.d.sync += position.eq(position + 1)
                    with m.If(chosen.last):
                        m.d.comb += done.eq(1)
                        m.next = "REST"
                    with m.Elif(is_last):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [reads.eq(1), chosen.valid.eq(1), chosen.is_payload.eq(1), chosen.last.eq(left == 1)]
                with m.If(moves):
                    m.d.sync += [left.eq(left - 1), lane.eq(Mux(is_datagram, lane + 1, 0))]
                    with m.If(~is_datagram | lane.all() | (self._parameters.bus_bytes == 1)):
                        m.d.sync += row.eq(row + 1)
                    with m.If(left == 1):
                        m.d.comb += done.eq(1)
                        m.next = "REST"
        is_chosen = self._put_out(m, chosen, moves, datagrams, controls)
        m.d.comb += self.idle.eq(~datagrams.unread & ~controls.unread & ~is_chosen & ~self.log.valid)
        self._track(m, datagrams, row, moves, reads & is_datagram, datagrams.keep, done & is_datagram)
        self._track(m, controls, row, moves, reads & ~is_datagram, controls.keep, done & ~is_datagram)

    def _put_out(self, m: Module, chosen: Signal, moves: Signal, datagrams: PayloadRing, controls: PayloadRing) -> Any:
        """The byte that was chosen, in step with its ring's memory and the register behind; whether there is one."""
        asked, found = Signal(_chosen_layout), Signal(_chosen_layout)
        row, octet = Signal(self._parameters.bus_bits), Signal(BYTE)
        log = self.log
        of_ring = Mux(found.is_datagram, row.word_select(found.lane, BYTE), octet)
        with m.If(moves):
            m.d.sync += [
                asked.eq(chosen),
                found.eq(asked),
                row.eq(datagrams.read_data),
                octet.eq(controls.read_data),
                log.valid.eq(found.valid),
                log.payload.last.eq(found.last),
                log.payload.data.eq(Mux(found.is_payload, of_ring, found.header)),
            ]
        return asked.valid | found.valid

    @property
    def _row_limit(self) -> int:
        return max(self._rows, CONTROL_RING_BYTES)

    def _track(
        self, m: Module, ring: PayloadRing, row: Signal, moves: Signal, reads: Any, keeps: Any, done: Any
    ) -> None:
        """Tells a ring where the reader is, and whether it will come back."""
        waiting = Signal(range(self._steps + 3))
        m.d.sync += waiting.eq(waiting + keeps - done)
        m.d.comb += [
            ring.row.eq(row),
            ring.fetch.eq(moves),
            ring.reading.eq(reads),
            ring.unread.eq(waiting != 0),
        ]


def _header_octets(step: Any) -> list[Any]:
    """The bytes of a LogStep before its payload, the payload's length included."""
    octets: list[Any] = [Const(0, BYTE)] * layout.LOG_STEP_PAYLOAD
    fields = {
        0: Const(layout.LOG_STEP_HEADER, WORD_BITS),
        layout.LOG_STEP_NUMBER: step.number,
        layout.LOG_STEP_TIME: step.time,
        layout.LOG_STEP_KIND: step.kind,
        layout.LOG_STEP_CHANNEL: step.channel,
        layout.LOG_STEP_LENGTH: step.length,
    }
    for start, field in fields.items():
        for at in range(0, len(field), BYTE):
            octets[start + at // BYTE] = Cat(field[at : at + BYTE])
    return octets
