"""Finds a destination in all rows at once."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring

from hdl.ethernet.row_match import KEY_BITS, match_members

LOOKUP_CYCLES: Final = 2
"""From ``lookup`` to ``answered``."""
_NIBBLE_BITS: Final = 4
_NIBBLE_VALUES: Final = 1 << _NIBBLE_BITS
WRITE_CYCLES: Final = _NIBBLE_VALUES + LOOKUP_CYCLES + 1
"""From ``write`` to ``done``."""


class ContentMatch(wiring.Component):
    """A memory that is addressed by content, of one bit per row, nibble of the key, and value of the nibble.

    All rows are compared in one cycle, and the lowest match is chosen in the next. Writing a row takes a cycle per
    value of a nibble; ``match_members`` says what the members are.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        super().__init__(match_members(rows))

    def elaborate(self, platform: object) -> Module:
        """A lookup while a row is written is done with the one that follows the write."""
        m = Module()
        value, writing = Signal(_NIBBLE_BITS), Signal()
        key, asked = Signal(KEY_BITS), Signal()
        matches, compared = Signal(self._rows), Signal()
        with m.If(self.lookup):
            m.d.sync += [key.eq(self.key), asked.eq(1)]
        with m.Elif(compared):
            m.d.sync += asked.eq(0)
        matches_now = self._stores(m, Mux(self.lookup, self.key, key), value, writing)
        again = self._write_sequence(m, value, writing)
        compares = (self.lookup & ~writing) | again
        m.d.sync += [compared.eq(compares), self.answered.eq(compared & asked & ~self.lookup)]
        with m.If(compares):
            m.d.sync += matches.eq(matches_now)
        lowest, any_match = lowest_set(m, matches)
        with m.If(compared):
            m.d.sync += [self.index.eq(lowest), self.found.eq(any_match)]
        with m.If(self.lookup):
            m.d.sync += self.found.eq(0)
        return m

    def _stores(self, m: Module, key: Any, value: Signal, writing: Signal) -> Any:
        """The rows that match in every nibble. While a row is written, each value's bit of it is replaced."""
        bit = Signal(self._rows)
        m.d.comb += bit.bit_select(self.write_row, 1).eq(1)
        matches: Any = None
        for start in range(0, KEY_BITS, _NIBBLE_BITS):
            nibble = slice(start, start + _NIBBLE_BITS)
            store = memory.Memory(shape=unsigned(self._rows), depth=_NIBBLE_VALUES, init=[])
            m.submodules[f"key_{start}"] = store
            read, write = store.read_port(domain="comb"), store.write_port()
            has_value = self.write_enabled & (self.write_key[nibble] == value)
            m.d.comb += [
                read.addr.eq(Mux(writing, value, key[nibble])),
                write.addr.eq(value),
                write.data.eq(Mux(has_value, read.data | bit, read.data & ~bit)),
                write.en.eq(writing),
            ]
            matches = read.data if matches is None else matches & read.data
        return matches

    def _write_sequence(self, m: Module, value: Signal, writing: Signal) -> Signal:
        """All values of a nibble, then a strobe to look up again, then ``done``."""
        again, steps = Signal(), Signal(LOOKUP_CYCLES)
        with m.If(self.write):
            m.d.sync += [writing.eq(1), value.eq(0)]
        with m.Elif(writing):
            m.d.sync += [value.eq(value + 1), writing.eq(~value.all())]
        m.d.sync += [again.eq(writing & value.all()), steps.eq(Cat(again, steps))]
        m.d.comb += self.done.eq(steps[-1])
        return again


def lowest_set(m: Module, bits: Signal) -> tuple[Any, Any]:
    """Number of the lowest set bit, and whether there is one; in steps of four bits, so that depth is logarithmic."""
    level: list[tuple[Any, Any]] = [(bit, None) for bit in bits]
    while len(level) > 1:
        level = [_lowest_of(m, level[at : at + 4]) for at in range(0, len(level), 4)]
    present, number = level[0]
    return (0 if number is None else number), present


def _lowest_of(m: Module, group: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    present, choice = Signal(), Signal(2)
    m.d.comb += present.eq(Cat(*(member for member, _ in group)).any())
    for at in reversed(range(len(group))):
        with m.If(group[at][0]):
            m.d.comb += choice.eq(at)
    if group[0][1] is None:
        return present, choice
    return present, Cat(Array([number for _, number in group])[choice], choice)
