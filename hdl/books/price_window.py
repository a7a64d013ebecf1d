"""Totals of the prices in the windows of all books, and the best price of each side."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.block_rows import BlockRows
from hdl.books.level_bits import LevelBits
from hdl.books.levels import book_shape, index_shape, position_of
from hdl.parameters import CoreParameters

COMMIT_CYCLES: Final = 3
"""From ``load`` to the cycle in which the change may be committed."""


class PriceWindow(wiring.Component):
    """The total of each price and side (rule 73), 0 where there are no orders.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    top: the largest total.
    book: what ``load``, ``search`` and ``clear`` are about.
    load: strobe: the total at ``side`` and ``index`` is to be changed.
    amount, adds: in the second and third cycle after it, how: so much more, or so much less of what is there.
    fits: in the third cycle after it: the changed total is at most ``top``.
    commit: strobe, in that cycle: the change is made. In the next cycle nothing may be loaded.
    search: strobe: look for the best of both sides.
    found: strobe, 4 cycles later for the bids, 5 for the asks (``found_side``): the best price has the number
        ``found_index``, if the side ``has_orders``.
    total: in the second cycle after ``found``, what the price has.
    clear: strobe: the book has no orders. Nothing may be asked for while ``clearing``, a level from the next cycle on:
        64 cycles with 1,024 prices.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        index, total = index_shape(parameters), unsigned(parameters.price_bits)
        super().__init__(
            {
                "top": In(total),
                "book": In(book_shape(parameters)),
                "load": In(1),
                "side": In(1),
                "index": In(index),
                "amount": In(total),
                "adds": In(1),
                "fits": Out(1),
                "commit": In(1),
                "search": In(1),
                "found": Out(1),
                "found_side": Out(1),
                "has_orders": Out(1),
                "found_index": Out(index),
                "total": Out(total),
                "clear": In(1),
                "clearing": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A book that is cleared keeps its totals: that of a price not in use counts as 0."""
        m = Module()
        m.submodules.bits = bits = LevelBits(self._parameters)
        for name in ("book", "load", "side", "commit", "search", "clear"):
            m.d.comb += getattr(bits, name).eq(getattr(self, name))
        position, book, level = position_of(self.side, self.index), Signal.like(self.book), Signal(1 + len(self.index))
        m.d.comb += [bits.position.eq(position), self.clearing.eq(bits.clearing)]
        with m.If(self.load | self.search):
            m.d.sync += book.eq(self.book)
        with m.If(self.load):
            m.d.sync += level.eq(Cat(position, self.side))
        m.d.sync += self.found.eq(bits.best)
        with m.If(bits.best):
            m.d.sync += [
                self.found_side.eq(bits.best_side),
                self.has_orders.eq(bits.has_orders),
                self.found_index.eq(position_of(bits.best_side, bits.best_position)),
            ]
        best_at = Cat(position_of(self.found_side, self.found_index), self.found_side, book)
        read_at = Mux(self.found, best_at, Cat(position, self.side, self.book))
        self._totals(m, self.load | self.found, read_at, Cat(level, book), self._changed(m, bits))
        return m

    def _changed(self, m: Module, bits: LevelBits) -> Value:
        """The sum is there when it becomes known whether there was anything to add to."""
        loaded, changes, changed = Signal(), Signal(), Signal(len(self.total) + 1)
        m.d.sync += [loaded.eq(self.load), changes.eq(loaded)]
        with m.If(changes):
            # one chain adds or subtracts; its lowest bit is the carry
            takes = ~self.adds
            sum_ = Cat(takes, self.total) + Cat(takes, self.amount ^ takes.replicate(len(self.amount)))
            m.d.sync += changed.eq(sum_[1:])
        m.d.comb += [
            bits.in_use.eq(self.adds | (self.total != self.amount)),
            self.fits.eq(~bits.was_in_use | (changed <= self.top)),
        ]
        return Mux(bits.was_in_use, changed[:-1], self.amount)

    def _totals(self, m: Module, reads: Value, read_at: Value, write_at: Value, changed: Value) -> None:
        """A total is written in the cycle after its commit, from registers: its memory may be far away."""
        depth = self._parameters.capacity.order_books << 1 + len(self.index)
        m.submodules.totals = totals = BlockRows(len(self.total), depth)
        m.d.sync += totals.write.eq(self.commit)
        m.d.comb += [
            totals.read.eq(reads),
            totals.read_at.eq(read_at),
            totals.write_at.eq(write_at),
            totals.new.eq(changed),
            self.total.eq(totals.data),
        ]
