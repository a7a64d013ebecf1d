"""How far each order book is, and what it last said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from amaranth.hdl import Cat, Module, Shape, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import LINE_NUMBER_BITS
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import Fields, assign, bundle
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS

_COMPARED_BITS: Final = 16


def top_fields(parameters: CoreParameters) -> Fields:
    """Best prices of a book, somewhere in its window, and their totals."""
    price = unsigned(parameters.price_bits + parameters.capacity.book_ticks.bit_length())
    quantity = unsigned(parameters.price_bits)
    return {"bid": price, "bid_quantity": quantity, "ask": price, "ask_quantity": quantity}


class BookStates(wiring.Component):
    """The books with memory for orders, which are the lowest row numbers; all unloaded at power-on.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    number: the book that is read, in the same cycle, and changed; one without memory is never loading or live.
    is_live, is_loading, passed, base: of that book. here: its bit.
    live, loading, due: per book; due: live, and its top may have changed.
    line_of: per book, its line. line, on_line: per book, whether it is on a line.
    set_line, set_loading, set_live, set_unloaded, set_passed: strobes that change the book, with ``new_line``,
        ``new_base``, ``new_passed``. A book that begins to load has said nothing; one that becomes live is due.
    touch, settle: strobes: the book is due, is no longer due.
    unload: per book, a strobe.
    top: a top. differed: whether that of the cycle before was another one than the book last said, or it said none.
        tell: strobe: it says that one.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters, self._books = parameters, parameters.capacity.order_books
        books = self._books
        super().__init__(
            {
                "number": In(range(parameters.capacity.books)),
                "is_live": Out(1),
                "is_loading": Out(1),
                "passed": Out(signed(WORD_BITS)),
                "base": Out(parameters.price_bits),
                "here": Out(books),
                "live": Out(books),
                "loading": Out(books),
                "due": Out(books),
                "line_of": Out(LINE_NUMBER_BITS).array(books),
                "line": In(LINE_NUMBER_BITS),
                "on_line": Out(books),
                "set_line": In(1),
                "new_line": In(LINE_NUMBER_BITS),
                "set_loading": In(1),
                "new_base": In(parameters.price_bits),
                "set_live": In(1),
                "set_unloaded": In(1),
                "set_passed": In(1),
                "new_passed": In(signed(WORD_BITS)),
                "touch": In(1),
                "settle": In(1),
                "unload": In(books),
                "top": In(bundle(top_fields(parameters))),
                "differed": Out(1),
                "tell": In(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Bits and lines in registers, which are all looked at together; numbers in memories."""
        m = Module()
        pending = Signal(self._books)
        m.d.comb += [
            self.is_live.eq((self.live & self.here).any()),
            self.is_loading.eq((self.loading & self.here).any()),
            self.due.eq(pending & self.live),
        ]
        for book, its_line in enumerate(self.line_of):
            here = self.here[book]
            m.d.comb += [here.eq(self.number == book), self.on_line[book].eq(its_line == self.line)]
            with m.If(here & self.set_line):
                m.d.sync += its_line.eq(self.new_line)
            with m.If(here & self.set_loading):
                m.d.sync += self.loading[book].eq(1)
            with m.If(here & self.set_live):
                m.d.sync += Cat(self.live[book], self.loading[book]).eq(0b01)
            with m.If(self.unload[book] | (here & self.set_unloaded)):
                m.d.sync += Cat(self.live[book], self.loading[book]).eq(0)
            with m.If(here & (self.touch | self.set_live)):
                m.d.sync += pending[book].eq(1)
            with m.If(here & self.settle):
                m.d.sync += pending[book].eq(0)
        self._numbers(m)
        return m

    def _numbers(self, m: Module) -> None:
        fields, told = top_fields(self._parameters), Signal(self._books)
        m.submodules.passed = passed = RowMemory({"number": signed(WORD_BITS)}, self._books)
        m.submodules.base = base = RowMemory({"price": unsigned(self._parameters.price_bits)}, self._books)
        m.submodules.tops = tops = RowMemory(fields, self._books)
        for store, write in ((passed, self.set_passed), (base, self.set_loading), (tops, self.tell)):
            m.d.comb += [
                store.address[0].eq(self.number),
                store.write_address.eq(self.number),
                store.write.eq(write & self.here.any()),
            ]
        told_here, same = (
            Signal(),
            Signal(sum(-(-Shape.cast(shape).width // _COMPARED_BITS) for shape in fields.values())),
        )
        m.d.sync += [told_here.eq((told & self.here).any()), same.eq(Cat(*self._compare(tops.read[0])))]
        m.d.comb += [
            passed.write_row.number.eq(self.new_passed),
            self.passed.eq(passed.read[0].number),
            base.write_row.price.eq(self.new_base),
            self.base.eq(base.read[0].price),
            *assign(tops.write_row, self.top, fields),
            self.differed.eq(~same.all() | ~told_here),
        ]
        with m.If(self.tell):
            m.d.sync += told.eq(told | self.here)
        with m.If(self.set_loading):
            m.d.sync += told.eq(told & ~self.here)

    def _compare(self, told: Any) -> Iterator[Any]:
        """Whether the two tops are the same, a few bits at a time."""
        for name in top_fields(self._parameters):
            mine, last = getattr(self.top, name), getattr(told, name)
            for start in range(0, len(mine), _COMPARED_BITS):
                yield mine[start : start + _COMPARED_BITS] == last[start : start + _COMPARED_BITS]
