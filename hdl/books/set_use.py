"""Which places of the sets of orders are in use, and which one a new order gets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.block_rows import BlockRows
from hdl.ethernet.content_match import lowest_set
from hdl.records import TABLES
from market.fastpath.specification import SET_ORDERS

PLACE_BITS: Final = (SET_ORDERS - 1).bit_length()


class SetUse(wiring.Component):
    """A bit per place of every set of both tables.

    Parameters
    ----------
    rows: sets of each table.

    Members
    -------
    row: per table, the set that everything is about.
    read: strobe; from two cycles later on ``masks`` has the bits of both sets, until the next.
    choose: strobe, while ``masks`` is right; from the next cycle on ``free_table`` and ``free_place`` say where a new
        order goes (rule 75), if ``has_room``.
    write: strobe: the bit of ``table`` and ``place`` becomes ``in_use``; ``masks`` stays as it was.
    clear: strobe: all bits of both sets become 0.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        super().__init__(
            {
                "row": In(range(rows)).array(TABLES),
                "read": In(1),
                "masks": Out(SET_ORDERS).array(TABLES),
                "choose": In(1),
                "free_table": Out(1),
                "free_place": Out(PLACE_BITS),
                "has_room": Out(1),
                "write": In(1),
                "table": In(1),
                "place": In(PLACE_BITS),
                "in_use": In(1),
                "clear": In(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        bit = Signal(SET_ORDERS)
        m.d.comb += bit.eq(1 << self.place)
        for table in range(TABLES):
            m.submodules[f"table_{table}"] = store = BlockRows(SET_ORDERS, self._rows)
            mask, row = self.masks[table], self.row[table]
            m.d.comb += [
                store.read.eq(self.read),
                store.read_at.eq(row),
                store.write.eq(self.clear | (self.write & (self.table == table))),
                store.write_at.eq(row),
                store.new.eq(Mux(self.clear, 0, Mux(self.in_use, mask | bit, mask & ~bit))),
                mask.eq(store.data),
            ]
        self._choose(m)
        return m

    def _choose(self, m: Module) -> None:
        """The set with fewer orders is full only if both are."""
        first, second = self.masks
        with m.If(self.choose):
            m.d.sync += [
                self.free_table.eq(_count(second) < _count(first)),
                self.has_room.eq(~(first & second).all()),
            ]
        free = Signal(SET_ORDERS)
        m.d.comb += free.eq(~Mux(self.free_table, second, first))
        m.d.comb += self.free_place.eq(lowest_set(m, free)[0])


def _count(bits: Iterable[Value]) -> Value:
    return reduce(add, bits)
