"""Scaling: the table of exponents, the largest mantissas, and mantissas times a power of ten."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Array, Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, address_of, delayed
from hdl.decision.command_fields import command_field
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import SCALING_FIELDS, assign, bundle
from hdl.parameters import CoreParameters
from market.fastpath.specification import SCALING_SHIFT_LIMIT

_EXPONENTS = {"price_exponent": "priceExponent", "quantity_exponent": "quantityExponent"}
_SHIFTS = {"price_shift": "priceShift", "quantity_shift": "quantityShift"}
_FACTOR_BITS: Final = 18
"""Of a multiplier."""
_LEAST_FACTOR_BITS: Final = 6
"""Fewer bits than that are left to logic."""


def scaled(mantissa: Value, shift: Value, bits: int) -> Value:
    """The low ``bits`` of mantissa x 10^shift, as a sum of three shifted copies.

    100 is 64 + 32 + 4, and 1,000 is 1,024 - 32 + 8.
    """
    low = mantissa[:bits]

    def times(power: int) -> Value:
        return low.shift_left(power)[:bits]

    # by the two bits one after the other: a choice by the number would decode it first
    odd, high = shift[0], shift[1]
    first = Mux(high, Mux(odd, times(10), times(6)), Mux(odd, times(3), low))
    second = Mux(high, times(5) ^ odd.replicate(bits), Mux(odd, times(1), 0))
    third = Mux(high, Mux(odd, times(3), times(2)), 0)
    return (first + second + third + (high & odd))[:bits]


def multiplied(mantissa: Value, shift: Value, bits: int) -> Value:
    """The same as ``scaled``, by multipliers of 18 bits, and by logic for what is left above them."""
    low = mantissa[:bits]
    power = Array([10**k for k in range(SCALING_SHIFT_LIMIT + 1)])[shift]
    whole = bits if bits % _FACTOR_BITS >= _LEAST_FACTOR_BITS else bits // _FACTOR_BITS * _FACTOR_BITS
    total: Value = scaled(low[whole:], shift, bits - whole).shift_left(whole) if bits > whole else Const(0)
    for start in range(0, whole, _FACTOR_BITS):
        total = total + (low[start : start + _FACTOR_BITS] * power).shift_left(start)
    return total[:bits]


def top_mantissa(sizes: Any, shift: Value) -> Value:
    """The largest mantissa whose value has P bits."""
    return Array([sizes[f"top{k}"] for k in range(SCALING_SHIFT_LIMIT + 1)])[shift]


def top_value(sizes: Any, shift: Value) -> Value:
    """The value of the largest mantissa."""
    return Array([sizes[f"top{k}"] * 10**k for k in range(SCALING_SHIFT_LIMIT + 1)])[shift]


class ScalingRead(wiring.Signature):
    """A reader of the scaling table: ``row`` is that of ``instrument`` and ``venue``, in the same cycle."""

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "instrument": Out(parameters.instrument_bits),
                "venue": Out(parameters.venue_bits),
                "row": In(bundle(SCALING_FIELDS)),
            }
        )


class ScalingTable(wiring.Component):
    """Scaling rows with two readers.

    Members
    -------
    address: what the row becomes that ``load`` reads and ``write`` writes.
    load: strobe; the row is in ``row`` from the next cycle on.
    write: strobe; the row in ``message``, a ScalingRow, is stored in the next cycle.
    reader: the second reader, without registers.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "row": Out(bundle(SCALING_FIELDS)),
                "write": In(1),
                "message": In(parameters.control_bytes * 8),
                "reader": In(ScalingRead(parameters)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        depth = 1 << self._parameters.instrument_bits + self._parameters.venue_bits
        m.submodules.rows = rows = RowMemory(SCALING_FIELDS, depth, reads=2)
        address = address_of(m, self.address, self._parameters, copy=0)
        place = Cat(address.instrument, address.venue)
        m.d.comb += [
            rows.address[0].eq(place),
            rows.address[1].eq(Cat(self.reader.instrument, self.reader.venue)),
            rows.write_address.eq(place),
            rows.write.eq(delayed(m, self.write, "writing")),
            rows.write_row.known.eq(1),
        ]
        for name, source in (_EXPONENTS | _SHIFTS).items():
            m.d.comb += getattr(rows.write_row, name).eq(command_field(self.message, "ScalingRow", source))
        m.d.comb += assign(self.reader.row, rows.read[1], SCALING_FIELDS)
        with m.If(self.load):
            m.d.sync += assign(self.row, rows.read[0], SCALING_FIELDS)
        return m
