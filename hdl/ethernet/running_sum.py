"""The sum of RFC 1071 over bytes that come one per cycle."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class RunningSum(wiring.Component):
    """Adds bytes with one 8-bit adder: the halves of the sum change places with every byte.

    Members
    -------
    start: strobe: the sum becomes ``initial``; the next byte belongs to its upper half.
    add: strobe: ``octet`` is added.
    total: the sum, in one of its values below 2^16 that are equal modulo 65,535. Without what the last byte carried:
        complete after two more bytes of 0.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "initial": In(16),
                "add": In(1),
                "octet": In(8),
                "total": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One addition per byte."""
        m = Module()
        next_half, other_half = Signal(8), Signal(8)
        carry, next_is_lower = Signal(), Signal()
        added = Signal(9)
        m.d.comb += [
            added.eq(next_half + self.octet + carry),
            self.total.eq(Mux(next_is_lower, Cat(next_half, other_half), Cat(other_half, next_half))),
        ]
        with m.If(self.start):
            m.d.sync += [Cat(other_half, next_half).eq(self.initial), carry.eq(0), next_is_lower.eq(0)]
        with m.Elif(self.add):
            m.d.sync += [
                next_half.eq(other_half),
                Cat(other_half, carry).eq(added),
                next_is_lower.eq(~next_is_lower),
            ]
        return m
