"""Doubles of the wire as mantissas, exactly (docs/fastpath.md, rule 68)."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.records import WORD_BITS
from market.fastpath.specification import BOOK_EXPONENT_LEAST

DECIMALS_LIMIT: Final = -BOOK_EXPONENT_LEAST
LATENCY: Final = DECIMALS_LIMIT + 24
"""Cycles from ``start`` to ``done``, at most."""

_FRACTION_BITS: Final = 52
_FIELD_BITS: Final = 11
_BIAS: Final = 1_075
"""The exponent field of a double, less this, is the power of two of its significand as a whole number."""
_PRODUCT_BITS: Final = _FRACTION_BITS + 1 + (5**DECIMALS_LIMIT).bit_length()
_COUNT_BITS: Final = 60
"""Mantissas are below 10^18 and fit; what does not is above all of them."""
_ABOVE_ALL: Final = 1 << _COUNT_BITS
_STRIDE: Final = 8
"""Bits that a long shift goes in one cycle."""


class DoubleConverter(wiring.Component):
    """``floor(value * 10^decimals + 1/2)``: the significand times 5^decimals, shifted, and rounded.

    A shift to the right goes on until nothing is left, one to the left until it is too much; both are seen a cycle
    late.

    Members
    -------
    start: strobe, if no conversion is under way, with the double's ``bits`` and ``decimals``, at most 9.
    done: strobe, at most ``LATENCY`` cycles later. mantissa: from then on; 0 for an absent double and for zeros, -1 for
        a negative number and for what is none, and some number of 2^60 or more if there is no mantissa as large.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "bits": In(WORD_BITS),
                "decimals": In(range(DECIMALS_LIMIT + 1)),
                "done": Out(1),
                "mantissa": Out(signed(WORD_BITS)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Twice the value is what is multiplied and shifted: the last bit shifted out is the half that rounds up."""
        m = Module()
        product, shift = Signal(_PRODUCT_BITS), Signal(signed(_FIELD_BITS + 2))
        factors, is_nothing, is_bad = Signal(range(DECIMALS_LIMIT + 1)), Signal(), Signal()
        is_left, is_empty, too_large = Signal(), Signal(), Signal()
        m.d.sync += [
            self.done.eq(0),
            is_empty.eq(product == 0),
            too_large.eq(product[_COUNT_BITS + 1 :].any() | (too_large & is_left)),
        ]
        with m.FSM(name="conversion"):
            with m.State("IDLE"), m.If(self.start):
                self._take(m, product, shift, is_nothing, is_bad)
                m.d.sync += [factors.eq(self.decimals), is_left.eq(0)]
                m.next = "BIAS"
            with m.State("BIAS"):
                m.d.sync += shift.eq(shift + factors - (_BIAS - 1))
                m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                with m.If(factors == 0):
                    m.d.sync += is_left.eq(~shift[-1])
                    m.next = "SHIFT"
                with m.Else():
                    m.d.sync += [product.eq(product + (product << 2)), factors.eq(factors - 1)]
                with m.If(is_nothing | is_bad):
                    m.d.sync += self.mantissa.eq(Mux(is_nothing, 0, -1))
                    self._finish(m)
            with m.State("SHIFT"):
                self._shift(m, product, shift)
                with m.If((shift == 0) | is_empty | (too_large & is_left)):
                    m.d.sync += product.eq(product)
                    m.next = "ROUND"
            with m.State("ROUND"):
                count = (product[: _COUNT_BITS + 1] + 1) >> 1
                m.d.sync += self.mantissa.eq(Mux(too_large, _ABOVE_ALL, count))
                self._finish(m)
        return m

    def _take(self, m: Module, product: Signal, shift: Signal, is_nothing: Signal, is_bad: Signal) -> None:
        """Significand and power of two; a number without the leading bit has the least power, too."""
        fraction, field = self.bits[:_FRACTION_BITS], self.bits[_FRACTION_BITS : _FRACTION_BITS + _FIELD_BITS]
        is_normal = field.any()
        m.d.sync += [
            product.eq(Cat(fraction, is_normal)),
            shift.eq(Cat(field[0] | ~is_normal, field[1:])),
            is_nothing.eq(self.bits.all() | ~self.bits[:-1].any()),
            is_bad.eq(field.all() | self.bits[-1]),
        ]

    def _shift(self, m: Module, product: Signal, shift: Signal) -> None:
        """One step towards no shift: to the right if it is negative."""
        is_right = shift[-1]
        is_long = Mux(is_right, shift <= -_STRIDE, shift >= _STRIDE)
        with m.If(is_right):
            m.d.sync += [
                product.eq(Mux(is_long, product >> _STRIDE, product >> 1)),
                shift.eq(shift + Mux(is_long, _STRIDE, 1)),
            ]
        with m.Else():
            m.d.sync += [
                product.eq(Mux(is_long, product << _STRIDE, product << 1)),
                shift.eq(shift - Mux(is_long, _STRIDE, 1)),
            ]

    def _finish(self, m: Module) -> None:
        m.d.sync += self.done.eq(1)
        m.next = "IDLE"
