"""Orders of all books by their ids: two tables of sets, and an order is in one set of either."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.block_rows import BlockRows
from hdl.books.levels import book_shape, held_layout
from hdl.books.set_use import PLACE_BITS, SetUse
from hdl.ethernet.check_sequence import INITIAL_REMAINDER, REMAINDER_BITS, next_remainder
from hdl.parameters import CoreParameters
from hdl.records import SET_BITS, TABLES, WORD_BITS
from market.fastpath.specification import SET_ORDERS

_LANES: Final = 2
"""Places of a set that are compared at once, in both tables."""
_LANE_BITS: Final = (_LANES - 1).bit_length()
_ROWS: Final = SET_ORDERS // _LANES
_SECOND_TABLE_BIT: Final = REMAINDER_BITS // 2
LEAST_FIND_CYCLES: Final = 6
"""From ``find`` to ``found`` for an order in the first row of its set; each further row takes one more."""
MISS_CYCLES: Final = LEAST_FIND_CYCLES + _ROWS - 2
"""From ``find`` to ``missed``."""


class OrderStore(wiring.Component):
    """Where orders are kept (rules 74 and 75), and what is known of each.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    set_mask: sets in use of each table of a book, less one.
    book: what ``find`` and ``clear`` are about.
    find: strobe: look for ``order`` in the book.
    found: level: the order is there; ``held`` is what is kept of it. missed: level: it is not; ``has_room`` says
        whether there is a place for it. One of them follows a ``find``, and holds until the next.
    keep: strobe, while ``found``, or ``missed`` and ``has_room``: ``kept``, in the next cycle, is what is kept of the
        order from now on.
    drop: strobe, while ``found``: the order is no longer there. At most one of the two after a ``find``.
    clear: strobe: the book has no orders. Nothing may be asked for while ``clearing``, a level from the next cycle on:
        one cycle per set in use.

    Latency
    -------
    ``found`` 6 to 9 cycles after ``find``, ``missed`` 8.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._books = parameters.capacity.order_books
        self._sets = parameters.capacity.book_orders // (TABLES * SET_ORDERS)
        held = held_layout(parameters)
        super().__init__(
            {
                "set_mask": In(SET_BITS),
                "book": In(book_shape(parameters)),
                "find": In(1),
                "order": In(WORD_BITS),
                "found": Out(1),
                "missed": Out(1),
                "held": Out(held),
                "has_room": Out(1),
                "keep": In(1),
                "kept": In(held),
                "drop": In(1),
                "clear": In(1),
                "clearing": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A row of both sets is read per cycle and compared two cycles later; what is known of the order is read last.

        No memory is read while it is written: what it would answer then does not matter.
        """
        m = Module()
        self._book, self._order = Signal.like(self.book), Signal(WORD_BITS)
        self._chosen = [Signal((self._sets - 1).bit_length(), name=f"set_{table}") for table in range(TABLES)]
        self._table, self._place = Signal(), Signal(PLACE_BITS)
        # memories may be far away: they are written one cycle later
        self._keeps, drops = Signal(), Signal()
        m.d.sync += [self._keeps.eq(self.keep), drops.eq(self.drop)]
        self._address(m)
        (reads, read_row), _, (compares, compared_row), (decides, decided_row) = self._stages(m)
        m.submodules.use = use = SetUse(self._books * self._sets)
        m.d.comb += [row.eq(Cat(number, self._book)) for row, number in zip(use.row, self._chosen, strict=True)]
        m.d.comb += [
            use.read.eq(reads),
            use.choose.eq(compares),
            use.write.eq(self._keeps | drops),
            use.table.eq(self._table),
            use.place.eq(self._place),
            use.in_use.eq(self._keeps),
            use.clear.eq(self.clearing),
            self.has_room.eq(use.has_room),
        ]
        hits = Signal(TABLES * _LANES)
        for number, equal in enumerate(self._ids(m, reads, read_row)):
            table, lane = divmod(number, _LANES)
            in_use = use.masks[table].word_select(compared_row, _LANES)[lane]
            m.d.sync += hits[number].eq(equal & in_use & compares)
        self._decide(m, hits, decides, decided_row, use)
        return m

    def _address(self, m: Module) -> None:
        """The order's two sets, or one after the other the same of both tables to clear."""
        crc = ~next_remainder(Const(INITIAL_REMAINDER, REMAINDER_BITS), self.order)
        with m.If(self.find | self.clear):
            m.d.sync += self._book.eq(self.book)
        with m.If(self.find):
            m.d.sync += self._order.eq(self.order)
        mask = self.set_mask[: len(self._chosen[0])]
        for table, chosen in enumerate(self._chosen):
            with m.If(self.find):
                m.d.sync += chosen.eq(crc[table * _SECOND_TABLE_BIT :] & mask)
            with m.Elif(self.clear):
                m.d.sync += chosen.eq(0)
            with m.Elif(self.clearing):
                m.d.sync += chosen.eq(chosen + 1)
        with m.If(self.clear):
            m.d.sync += self.clearing.eq(1)
        with m.Elif(self._chosen[0] == mask):
            m.d.sync += self.clearing.eq(0)

    def _stages(self, m: Module) -> list[tuple[Signal, Signal]]:
        """Per stage of the search, whether a row is in it, and which: read, arriving, compared, decided about."""
        names = ("read", "arriving", "compared", "decided")
        stages = [(Signal(name=f"is_{name}"), Signal(range(_ROWS), name=f"row_{name}")) for name in names]
        reads, row = stages[0]
        with m.If(reads):
            m.d.sync += [row.eq(row + 1), reads.eq(row != _ROWS - 1)]
        with m.If(self.find):
            m.d.sync += [row.eq(0), reads.eq(1)]
        for (was_there, was_row), (there, row) in pairwise(stages):
            m.d.sync += [there.eq(was_there), row.eq(was_row)]
        return stages

    def _ids(self, m: Module, reads: Signal, read_row: Signal) -> list[Value]:
        """Whether the ids of the compared row are the order's; table by table, and in it lane by lane."""
        equal = []
        for table, chosen in enumerate(self._chosen):
            for lane in range(_LANES):
                ids = BlockRows(WORD_BITS, self._books * self._sets * _ROWS)
                m.submodules[f"ids_{table}_{lane}"] = ids
                is_here = (self._table == table) & (self._place[:_LANE_BITS] == lane)
                m.d.comb += [
                    ids.read.eq(reads),
                    ids.read_at.eq(Cat(read_row, chosen, self._book)),
                    ids.write.eq(self._keeps & is_here),
                    ids.write_at.eq(Cat(self._place[_LANE_BITS:], chosen, self._book)),
                    ids.new.eq(self._order),
                ]
                equal.append(ids.data == self._order)
        return equal

    def _decide(self, m: Module, hits: Signal, decides: Signal, row: Signal, use: SetUse) -> None:
        """The order is in the place that hit, or would go to the free place if none of the last row did."""
        table, lane, hit, fetched = Signal(), Signal(_LANE_BITS), Signal(), Signal()
        m.d.comb += [
            table.eq(hits[_LANES:].any()),
            lane.eq(hits[1] | hits[_LANES + 1]),
            hit.eq(hits.any()),
        ]
        read_at = Cat(lane, row, Mux(table, *reversed(self._chosen)), table, self._book)
        write_at = Cat(self._place, Mux(self._table, *reversed(self._chosen)), self._table, self._book)
        for name in self.held.shape().members:
            field = self.held[name]
            rows = BlockRows(len(field), self._books * TABLES * self._sets * SET_ORDERS)
            m.submodules[f"rows_of_{name}"] = rows
            m.d.comb += [
                rows.read.eq(hit),
                rows.read_at.eq(read_at),
                rows.write.eq(self._keeps),
                rows.write_at.eq(write_at),
                rows.new.eq(self.kept[name]),
                field.eq(rows.data),
            ]
        m.d.sync += fetched.eq(hit)
        settled = Signal()
        with m.If(hit):
            m.d.sync += [self._table.eq(table), self._place.eq(Cat(lane, row)), settled.eq(1)]
        with m.Elif(decides & (row == _ROWS - 1) & ~settled):
            m.d.sync += [self._table.eq(use.free_table), self._place.eq(use.free_place), self.missed.eq(1)]
        with m.If(fetched):
            m.d.sync += self.found.eq(1)
        with m.If(self.find):
            m.d.sync += [self.found.eq(0), self.missed.eq(0), settled.eq(0)]
