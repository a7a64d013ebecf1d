"""A product against a bound, one bit per cycle: what the gate need not multiply."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.records import DURATION_BITS, WORD_BITS

FACTOR_BITS: Final = DURATION_BITS
HIGH_BITS: Final = 32
BOUND_BITS: Final = WORD_BITS + HIGH_BITS


class ProductOrder(wiring.Component):
    """Which of product and bound is larger.

    The product comes out of a serial multiplication lowest bit first and is compared on the way; the highest bit in
    which it differs from the bound decides.

    Members
    -------
    value: what the load strobes take. load_multiplicand, load_multiplier, load_bound, load_bound_high: strobes.
        ``load_bound`` clears the bits that ``load_bound_high`` sets (bit 64 on).
    start: strobe: multiply and compare. The product must fit 64 bits, or 96 if the bound's high bits were loaded.
    done: strobe; then above and below say which is larger, until the next start. Both low: they are equal.

    Latency
    -------
    ``done`` 65 cycles after ``start``, 97 with high bits.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "value": In(WORD_BITS),
                "load_multiplicand": In(1),
                "load_multiplier": In(1),
                "load_bound": In(1),
                "load_bound_high": In(1),
                "start": In(1),
                "done": Out(1),
                "above": Out(1),
                "below": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The sum loses its lowest bit, a bit of the product, in every cycle."""
        m = Module()
        multiplicand, multiplier = Signal(FACTOR_BITS), Signal(FACTOR_BITS)
        rest, total = Signal(FACTOR_BITS), Signal(FACTOR_BITS + 1)
        bound, has_high = Signal(BOUND_BITS), Signal()
        left = Signal(range(BOUND_BITS + 1))
        m.d.comb += total.eq(rest + Mux(multiplier[0], multiplicand, 0))
        with m.If(left != 0):
            m.d.sync += [
                rest.eq(total[1:]),
                multiplier.eq(multiplier >> 1),
                bound.eq(bound >> 1),
                left.eq(left - 1),
                self.done.eq(left == 1),
            ]
            with m.If(total[0] != bound[0]):
                m.d.sync += [self.above.eq(total[0]), self.below.eq(bound[0])]
        with m.Else():
            m.d.sync += self.done.eq(0)
        with m.If(self.load_multiplicand):
            m.d.sync += multiplicand.eq(self.value)
        with m.If(self.load_multiplier):
            m.d.sync += multiplier.eq(self.value)
        with m.If(self.load_bound):
            m.d.sync += [bound.eq(self.value), has_high.eq(0)]
        with m.If(self.load_bound_high):
            m.d.sync += [bound[WORD_BITS:].eq(self.value), has_high.eq(1)]
        with m.If(self.start):
            m.d.sync += [
                left.eq(Mux(has_high, BOUND_BITS, WORD_BITS)),
                rest.eq(0),
                self.above.eq(0),
                self.below.eq(0),
            ]
        return m
