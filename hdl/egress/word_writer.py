"""Writes frames eight bytes per cycle."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hdl.egress.settings import HEADERS_BYTES
from hdl.egress.writer import PAYLOAD_WORDS_BITS, WORD_BYTES, started_headers, writer_members
from hdl.ethernet.check_sequence import INITIAL_REMAINDER, REMAINDER_BITS, next_remainder
from hdl.parameters import CoreParameters

_HEADER_BEATS: Final = HEADERS_BYTES // WORD_BYTES
_CARRY_BYTES: Final = HEADERS_BYTES % WORD_BYTES
"""Bytes that headers and each word leave for the next beat; those of the headers are a UDP checksum of 0."""
_LAST_BYTES: Final = _CARRY_BYTES + 4


class WordWriter(wiring.Component):
    """Writer of frames for the 64-bit bus; ``writer_members`` says what its members are.

    Payloads are whole words, so that every last beat has two bytes of payload and the check sequence.

    A paced core has a beat in as many cycles as its line takes for it, rounded down, so that a frame may begin long
    before its words are there; the line's side has each beat before it needs it, and ``valid`` is low in between.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._is_paced, self._beat_cycles = parameters.paced, parameters.beat_cycles
        super().__init__(writer_members(parameters))

    def elaborate(self, platform: object) -> Module:
        """Headers, payload, last beat; each beat is chosen in the cycle before it is on ``tx``."""
        m = Module()
        tx = self.tx
        octets = started_headers(m, self.settings, self.start, self.words, self.port, "comb")
        starts = range(0, HEADERS_BYTES - _CARRY_BYTES, WORD_BYTES)
        headers = Array([Cat(*octets[start : start + WORD_BYTES]) for start in starts])
        position, left = Signal(range(_HEADER_BEATS)), Signal(PAYLOAD_WORDS_BITS)
        next_position, upcoming = Signal(range(_HEADER_BEATS)), Signal(8 * WORD_BYTES)
        remainder = Signal(REMAINDER_BITS, init=INITIAL_REMAINDER)
        beat, carry = Signal(8 * WORD_BYTES), Signal(8 * _CARRY_BYTES)
        puts, move, is_last = Signal(), Signal(), Signal()
        stops, spoiled, begun = Signal(), Signal(), Signal()
        may_move, is_missing = ~tx.valid | self.tx_ready, ~self.there
        if self._is_paced:
            is_time = self._is_time(m, move & puts)
            may_move, is_missing = may_move & is_time, is_missing & is_time
        m.d.comb += move.eq(may_move)

        # the next beat of headers is ready in a register
        m.d.comb += next_position.eq(0)
        m.d.sync += [position.eq(next_position), upcoming.eq(headers[next_position])]

        with m.FSM(name="frame"):
            with m.State("FREE"):
                m.d.comb += [self.free.eq(move), puts.eq(self.start), beat.eq(upcoming)]
                m.d.sync += [carry.eq(0), left.eq(self.words), spoiled.eq(0)]
                with m.If(move & puts):
                    m.d.comb += next_position.eq(1)
                    m.next = "HEADERS"
            with m.State("HEADERS"):
                m.d.comb += [puts.eq(1), stops.eq(self.spoil | spoiled), beat.eq(upcoming)]
                m.d.comb += next_position.eq(Mux(move, position + 1, position))
                with m.If(move):
                    with m.If(stops):
                        m.next = "FREE"
                    with m.Elif(position == _HEADER_BEATS - 1):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [
                    puts.eq(1),
                    stops.eq(self.spoil | spoiled | is_missing),
                    beat.eq(Cat(carry, self.word[: -len(carry)])),
                    self.take.eq(move & ~stops),
                ]
                with m.If(move):
                    m.d.sync += [left.eq(left - 1), carry.eq(self.word[-len(carry) :])]
                    with m.If(stops):
                        m.next = "FREE"
                    with m.Elif(left == 1):
                        m.next = "LAST"
            with m.State("LAST"):
                m.d.comb += [puts.eq(1), is_last.eq(1)]
                with m.If(move):
                    m.next = "FREE"

        ends = is_last | stops
        m.d.sync += [self.done.eq(move & ends), self.good.eq(is_last)]
        with m.If(stops):
            m.d.sync += spoiled.eq(1)
        with m.If(move):
            m.d.sync += tx.valid.eq(puts)
        if self._is_paced:
            with m.Elif(self.tx_ready):
                m.d.sync += tx.valid.eq(0)
        with m.If(move & puts):
            sequence = next_remainder(remainder, carry) ^ is_last.replicate(REMAINDER_BITS)
            m.d.sync += [
                tx.data.eq(Mux(ends, Cat(carry, sequence), beat)),
                tx.count.eq(Mux(ends, _LAST_BYTES, WORD_BYTES)),
                tx.first.eq(~begun),
                tx.last.eq(ends),
                tx.error.eq(stops),
                begun.eq(~ends),
                remainder.eq(Mux(ends, INITIAL_REMAINDER, next_remainder(remainder, beat))),
            ]
        return m

    def _is_time(self, m: Module, passes: Value) -> Value:
        """Whether the beat before is long enough ago."""
        pause = Signal(range(self._beat_cycles))
        with m.If(passes):
            m.d.sync += pause.eq(self._beat_cycles - 1)
        with m.Elif(pause != 0):
            m.d.sync += pause.eq(pause - 1)
        return pause == 0
