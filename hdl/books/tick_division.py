"""Which number a price has in a book's window: a division by the tick."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.levels import index_shape
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS


class TickDivision(wiring.Component):
    """``(price - base) / tick`` (rule 73), one bit per cycle.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    start: strobe: a new ``price``. base, tick: from the next cycle on until ``done``.
    tick_shift: binary logarithm of the prices in the window.
    done: level until the next ``start``: the others are right.
    below, above: the price lies before or behind the window.
    index: number of the price or of the next one below it, if it is neither.
    uneven: from the next cycle on: it is not that price itself.

    Latency
    -------
    ``done`` 2 cycles after ``start`` and one more per bit of ``index``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._price_bits = parameters.price_bits
        index = index_shape(parameters)
        super().__init__(
            {
                "start": In(1),
                "price": In(signed(WORD_BITS)),
                "base": In(self._price_bits),
                "tick": In(self._price_bits),
                "tick_shift": In(4),
                "done": Out(1),
                "below": Out(1),
                "above": Out(1),
                "index": Out(index),
                "uneven": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The quotient moves into the low bits of the dividend as these move into the remainder above them."""
        m = Module()
        bits, digits = self._price_bits, len(self.index)
        dividend, left = Signal(signed(WORD_BITS + 1)), Signal(range(digits + 1))
        subtracts, checks, beyond = Signal(), Signal(), Signal()
        remainder, wide = dividend[digits : digits + bits], dividend[digits - 1 : digits + bits]
        rest = Signal(signed(bits + 2))
        m.d.comb += rest.eq(wide - self.tick)
        m.d.sync += [subtracts.eq(self.start), checks.eq(subtracts), self.uneven.eq(remainder.any())]
        with m.If(checks):
            m.d.sync += [
                self.below.eq(dividend < 0),
                beyond.eq(dividend[digits + bits :].any() | (remainder >= self.tick)),
            ]
        with m.If(left != 0):
            left_over = Mux(rest < 0, wide[:bits], rest[:bits])
            m.d.sync += [
                dividend[: digits + bits].eq(Cat(rest >= 0, dividend[: digits - 1], left_over)),
                left.eq(left - 1),
                self.done.eq(left == 1),
            ]
        with m.If(subtracts):
            m.d.sync += [dividend.eq(dividend - self.base), left.eq(digits)]
        # an operation may end before its division does
        with m.If(self.start):
            m.d.sync += [dividend.eq(self.price), left.eq(0), self.done.eq(0)]
        m.d.comb += [
            self.index.eq(dividend),
            self.above.eq(~self.below & (beyond | (self.index >> self.tick_shift).any())),
        ]
        return m
