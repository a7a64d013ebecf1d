"""The place of a packet in the sequence of its line (docs/fastpath.md, rules 59 to 61)."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import EXPECTED_BITS, packet_layout
from hdl.decision.compare import above, at_most

PLACE_CYCLES: Final = 3
_COUNT_BITS: Final = 16
_WRAP_BITS: Final = 32
"""Numbers of packets begin again from 0 beyond so many bits."""


class PacketPlace(wiring.Component):
    """Compares a packet's number with the one that its line expects; outputs are of the inputs 3 cycles before.

    Members
    -------
    packet: a packet's header.
    counts_packets: its number is one of packets, modulo 2^32, and not that of its first message.
    known, expected: the line's next number, and whether it has one.
    old: nothing in the packet is new. The others count if it is not old:
    number: the packet's place. next: the line's next number behind the packet.
    gap: what comes before it is missing. loses: messages before it may be. old_messages: so many at its head are old.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "packet": In(packet_layout),
                "counts_packets": In(1),
                "known": In(1),
                "expected": In(EXPECTED_BITS),
                "old": Out(1),
                "number": Out(EXPECTED_BITS),
                "next": Out(EXPECTED_BITS),
                "gap": Out(1),
                "loses": Out(1),
                "old_messages": Out(_COUNT_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """First where the line is and where the packet ends, then their differences, then the place."""
        m = Module()
        number, count = self.packet.number[:EXPECTED_BITS], self.packet.count
        base, behind_it = Signal(EXPECTED_BITS), Signal(EXPECTED_BITS)
        known, known_later = Signal(), Signal()
        m.d.sync += [
            known.eq(self.known),
            base.eq(Mux(self.known, self.expected, 0)),
            behind_it.eq(number + Mux(count == 0, 1, count)),
        ]
        ends_below, beyond, old_messages = Signal(), Signal(), Signal(_COUNT_BITS)
        ahead = Signal(signed(_WRAP_BITS + 1))
        base_later, base_and_one = Signal(EXPECTED_BITS), Signal(EXPECTED_BITS)
        from_base = (number - base)[:_WRAP_BITS].as_signed()
        m.d.sync += [
            known_later.eq(known),
            ends_below.eq(at_most(behind_it, base)),
            beyond.eq(above(number, base)),
            old_messages.eq(base[:_COUNT_BITS] - number[:_COUNT_BITS]),
            ahead.eq(Mux(known, from_base, Cat(number[:_WRAP_BITS], Const(0, 1)).as_signed())),
            base_later.eq(base),
            base_and_one.eq(base + 1),
        ]
        is_beyond = Mux(self.counts_packets, (ahead > 0), beyond)
        m.d.sync += [
            self.old.eq(known_later & Mux(self.counts_packets, ahead < 0, ends_below)),
            self.gap.eq(known_later & is_beyond),
            self.loses.eq(~self.counts_packets & (~known_later | is_beyond)),
            self.old_messages.eq(Mux(self.counts_packets | ~known_later | beyond, 0, old_messages)),
            self.number.eq(Mux(self.counts_packets, base_later + ahead, number)),
            self.next.eq(Mux(self.counts_packets, base_and_one, number) + Mux(self.counts_packets, ahead, count)),
        ]
        return m
