"""Writes frames one byte per cycle."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import wiring

from hdl.egress.settings import HEADERS_BYTES
from hdl.egress.writer import PAYLOAD_WORDS_BITS, WORD_BYTES, started_headers, writer_members
from hdl.ethernet.check_sequence import INITIAL_REMAINDER, REMAINDER_BITS, next_remainder
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS

_SEQUENCE_BYTES: Final = 4


class ByteWriter(wiring.Component):
    """Writer of frames for the 8-bit bus; ``writer_members`` says what its members are."""

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(writer_members(parameters))

    def elaborate(self, platform: object) -> Module:
        """Headers, payload, check sequence; each byte is chosen in the cycle before it is on ``tx``."""
        m = Module()
        tx = self.tx
        headers = Array(started_headers(m, self.settings, self.start, self.words, self.port, "sync"))
        position, lane = Signal(range(HEADERS_BYTES)), Signal(range(WORD_BYTES))
        left, sequence_at = Signal(PAYLOAD_WORDS_BITS), Signal(range(_SEQUENCE_BYTES))
        remainder, current = Signal(REMAINDER_BITS), Signal(REMAINDER_BITS)
        octet, in_sequence, is_last, begins = Signal(8), Signal(), Signal(), Signal()
        # what is left of the word that is being written; the next one is not asked for in the cycle that needs it
        rest, takes = Signal(WORD_BITS - 8), Signal()
        spoiled, begun = Signal(), Signal()
        puts, move, stops = Signal(), Signal(), Signal()
        m.d.comb += move.eq(~tx.valid | self.tx_ready)
        passes = move & puts

        with m.FSM(name="frame"):
            with m.State("FREE"):
                m.d.comb += [self.free.eq(move), puts.eq(self.start), octet.eq(headers[0])]
                m.d.sync += [position.eq(1), lane.eq(0), sequence_at.eq(0), left.eq(self.words), spoiled.eq(0)]
                m.d.sync += begins.eq(1)
                with m.If(passes):
                    m.next = "HEADERS"
            with m.State("HEADERS"):
                m.d.comb += [puts.eq(1), stops.eq(self.spoil | spoiled), octet.eq(headers[position])]
                with m.If(move):
                    m.d.sync += position.eq(position + 1)
                    with m.If(stops):
                        m.next = "SEQUENCE"
                    with m.Elif(position == HEADERS_BYTES - 1):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [
                    puts.eq(1),
                    stops.eq(self.spoil | spoiled | (begins & ~self.there)),
                    octet.eq(Mux(begins, self.word[:8], rest[:8])),
                ]
                with m.If(move):
                    m.d.comb += takes.eq(begins)
                    m.d.sync += [lane.eq(lane + 1), rest.eq(Mux(begins, self.word[8:], rest >> 8))]
                    m.d.sync += begins.eq(lane.all())
                    with m.If(stops):
                        m.next = "SEQUENCE"
                    with m.Elif(lane.all()):
                        m.d.sync += left.eq(left - 1)
                        with m.If(left == 1):
                            m.next = "SEQUENCE"
            with m.State("SEQUENCE"):
                m.d.comb += [puts.eq(1), in_sequence.eq(1)]
                with m.If(move & sequence_at.all()):
                    m.d.comb += is_last.eq(1)
                    m.next = "FREE"

        m.d.sync += self.take.eq(takes & ~stops)
        ends = in_sequence | stops
        m.d.comb += tx.count.eq(1)
        with m.If(stops):
            m.d.sync += spoiled.eq(1)
        m.d.sync += [self.done.eq(is_last), self.good.eq(~spoiled)]
        with m.If(move):
            m.d.sync += tx.valid.eq(puts)
        # the remainder follows one byte behind; in the check sequence it is what is left of it
        m.d.comb += current.eq(Mux(sequence_at == 0, next_remainder(remainder, tx.data), remainder))
        with m.If(passes):
            sequence_octet = current[:8] ^ (~(spoiled | stops)).replicate(8)
            m.d.sync += [
                tx.data.eq(Mux(ends, sequence_octet, octet)),
                tx.first.eq(~begun),
                tx.last.eq(is_last),
                tx.error.eq(is_last & spoiled),
                begun.eq(~is_last),
                remainder.eq(Mux(begun, Mux(ends, current >> 8, current), INITIAL_REMAINDER)),
            ]
            with m.If(ends):
                m.d.sync += sequence_at.eq(sequence_at + 1)
        return m
