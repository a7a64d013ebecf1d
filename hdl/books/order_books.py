"""Order books: their orders, the totals of their prices, and what an operation may change of them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.order_store import OrderStore
from hdl.books.price_window import PriceWindow
from hdl.books.records import BOOK_NUMBER_BITS, BookSide
from hdl.books.tick_division import TickDivision
from hdl.books.top_of_book import TopOfBook
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, sizes_layout


class BookOperation(IntEnum):
    """What is asked of a book."""

    PUT = 0
    """An order, new or stated anew, has this side, price and quantity."""
    REDUCE = 1
    """An order has this smaller or equal quantity."""
    DELETE = 2
    CLEAR = 3
    """The book has no orders."""
    BEST = 4
    """Best bid and ask."""


class _Change(IntEnum):
    """Why the total of a price changes."""

    TAKE_OUT = 0
    """The order is taken out, for good or to be put in anew."""
    REDUCE = 1
    PUT_IN = 2
    PUT_BACK = 3
    """The order is put in again as it was: the operation is refused."""


class OrderBooks(wiring.Component):
    """All order books of a build (rules 73 to 75).

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    start: strobe, only while ``ready``, with what follows up to ``quantity``.
    operation: a ``BookOperation``. book: which book of those with memory for orders.
    side: a ``BookSide``; with NONE an operation on an order is refused.
    order, price, quantity: any 64 bits.
    base, tick: of the book's row, from ``start`` until ``done``.
    done: strobe. taken: with it, whether the book took the operation; else nothing has changed.
    best_bid, best_bid_quantity, best_ask, best_ask_quantity: from the ``done`` of a BEST on until the next; zeros for a
        side without orders.
    ready: may be with ``done``; only CLEAR goes on after it.

    Latency
    -------
    From ``start`` to ``done``, with 1,024 prices: DELETE and REDUCE 10 to 13 cycles, 9 for an unknown order; PUT 16 to
    18; BEST 8; CLEAR 1, and ready again after one cycle per set, 64 at least.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        quantity = unsigned(parameters.price_bits)
        super().__init__(
            {
                "sizes": In(sizes_layout(parameters)),
                "start": In(1),
                "operation": In(range(len(BookOperation))),
                "book": In(BOOK_NUMBER_BITS),
                "side": In(2),
                "order": In(WORD_BITS),
                "price": In(signed(WORD_BITS)),
                "quantity": In(signed(WORD_BITS)),
                "base": In(parameters.price_bits),
                "tick": In(parameters.price_bits),
                "ready": Out(1),
                "done": Out(1),
                "taken": Out(1),
                "best_bid": Out(signed(WORD_BITS)),
                "best_bid_quantity": Out(quantity),
                "best_ask": Out(signed(WORD_BITS)),
                "best_ask_quantity": Out(quantity),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.store = self._store = OrderStore(self._parameters)
        m.submodules.window = self._window = PriceWindow(self._parameters)
        m.submodules.division = self._division = TickDivision(self._parameters)
        m.submodules.top = self._top = TopOfBook(self._parameters)
        self._operation, self._side = Signal(range(len(BookOperation))), Signal(2)
        self._quantity, self._book = Signal(self._parameters.price_bits), Signal.like(self._store.book)
        self._amount, self._is_more = Signal.like(self._quantity), Signal()
        self._change = Signal(range(len(_Change)))
        refused = self._take(m)
        self._connect(m)
        m.d.sync += self.done.eq(0)
        with m.FSM(name="operation"):
            self._begin(m)
            self._find(m, refused)
            self._apply(m)
            self._place(m)
            with m.State("PUT BACK"):
                self._load(m, _Change.PUT_BACK, self._store.held.quantity)
            with m.State("BEST"), m.If(self._top.done):
                self._finish(m, taken=True)
        return m

    def _take(self, m: Module) -> Signal:
        """Keep the operation; whether its side or quantity is one that no book takes, two cycles later."""
        bits = len(self._quantity)
        too_wide, bad_quantity, refused = Signal(), Signal(), Signal()
        with m.If(self.start):
            m.d.sync += [
                self._operation.eq(self.operation),
                self._book.eq(self.book),
                self._side.eq(self.side),
                self._quantity.eq(self.quantity),
                too_wide.eq(self.quantity[bits:].any()),
            ]
        m.d.sync += bad_quantity.eq(too_wide | (self._quantity == 0) | (self._quantity > self.sizes.top0))
        is_delete = self._operation == BookOperation.DELETE
        m.d.comb += refused.eq((self._side == BookSide.NONE) | (bad_quantity & ~is_delete))
        return refused

    def _connect(self, m: Module) -> None:
        """What does not depend on where an operation stands."""
        store, window, division, top = self._store, self._window, self._division, self._top
        reduces = self._change == _Change.REDUCE
        m.d.comb += [
            store.set_mask.eq(self.sizes.set_mask),
            store.book.eq(self.book),
            store.order.eq(self.order),
            store.kept.side.eq(self._side),
            store.kept.index.eq(Mux(reduces, store.held.index, division.index)),
            store.kept.quantity.eq(self._quantity),
            window.top.eq(self.sizes.top0),
            window.book.eq(Mux(self.start, self.book, self._book)),
            window.side.eq(self._side),
            window.index.eq(store.held.index),
            window.amount.eq(self._amount),
            window.adds.eq((self._change == _Change.PUT_IN) | (self._change == _Change.PUT_BACK)),
            division.price.eq(self.price),
            division.base.eq(self.base),
            division.tick.eq(self.tick),
            division.tick_shift.eq(self.sizes.tick_shift),
            top.base.eq(self.base),
            top.tick.eq(self.tick),
            top.found.eq(window.found),
            top.side.eq(window.found_side),
            top.has_orders.eq(window.has_orders),
            top.index.eq(window.found_index),
            top.total.eq(window.total),
            self.best_bid.eq(top.bid),
            self.best_bid_quantity.eq(top.bid_quantity),
            self.best_ask.eq(top.ask),
            self.best_ask_quantity.eq(top.ask_quantity),
        ]

    def _begin(self, m: Module) -> None:
        """An operation on an order looks for it and divides at the same time."""
        store, window = self._store, self._window
        with m.State("READY"):
            m.d.comb += self.ready.eq(~store.clearing & ~window.clearing)
            with m.If(self.start), m.Switch(self.operation):
                with m.Case(BookOperation.CLEAR):
                    m.d.comb += [store.clear.eq(1), window.clear.eq(1)]
                    self._finish(m, taken=True)
                with m.Case(BookOperation.BEST):
                    m.d.comb += window.search.eq(1)
                    m.next = "BEST"
                with m.Default():
                    m.d.comb += [store.find.eq(1), self._division.start.eq(1)]
                    m.next = "FIND"

    def _find(self, m: Module, refused: Signal) -> None:
        """A known order is taken out before it is put in anew, so that only one total has to fit."""
        store = self._store
        less = Signal(len(self._quantity) + 1)
        m.d.comb += less.eq(store.held.quantity - self._quantity)
        with m.State("FIND"), m.If(store.found | store.missed):
            with m.If(refused | (store.found & (store.held.side != self._side))):
                self._finish(m, taken=False)
            with m.Elif(store.found & (self._operation == BookOperation.REDUCE)):
                m.d.sync += self._is_more.eq(less[-1])
                self._load(m, _Change.REDUCE, less)
            with m.Elif(store.found):
                self._load(m, _Change.TAKE_OUT, store.held.quantity)
            with m.Elif(self._operation == BookOperation.PUT):
                m.next = "PLACE"
            with m.Else():
                self._finish(m, taken=True)

    def _apply(self, m: Module) -> None:
        """The total is read, changed, and stored if the book takes it."""
        store, window = self._store, self._window
        with m.State("READ"):
            m.next = "ADD"
        with m.State("ADD"):
            m.next = "STORE"
        with m.State("STORE"), m.Switch(self._change):
            with m.Case(_Change.TAKE_OUT):
                m.d.comb += window.commit.eq(1)
                m.next = "TAKEN OUT"
                with m.If(self._operation == BookOperation.DELETE):
                    m.d.comb += store.drop.eq(1)
                    self._finish(m, taken=True)
            with m.Case(_Change.REDUCE):
                m.d.comb += [window.commit.eq(~self._is_more), store.keep.eq(~self._is_more)]
                self._finish(m, taken=~self._is_more)
            with m.Case(_Change.PUT_IN):
                fits = window.fits & ~self._division.uneven & (store.found | store.has_room)
                m.d.comb += [window.commit.eq(fits), store.keep.eq(fits)]
                self._finish(m, taken=fits)
                with m.If(store.found & ~fits):
                    self._put_back(m)
            with m.Case(_Change.PUT_BACK):
                m.d.comb += window.commit.eq(1)
                self._finish(m, taken=False)

    def _place(self, m: Module) -> None:
        """Where the price is, for an order that is not or no longer in the window."""
        store, division = self._store, self._division
        is_ask = self._side == BookSide.ASK
        with m.State("TAKEN OUT"):
            m.next = "PLACE"
        with m.State("PLACE"), m.If(division.done):
            with m.If(Mux(is_ask, division.below, division.above)):
                self._finish(m, taken=False)
                with m.If(store.found):
                    self._put_back(m)
            with m.Elif(division.below | division.above):
                m.d.comb += store.drop.eq(store.found)
                self._finish(m, taken=True)
            with m.Else():
                m.d.comb += self._window.index.eq(division.index)
                self._load(m, _Change.PUT_IN, self._quantity)

    def _load(self, m: Module, change: _Change, amount: Value) -> None:
        m.d.comb += self._window.load.eq(1)
        m.d.sync += [self._change.eq(change), self._amount.eq(amount)]
        m.next = "READ"

    def _put_back(self, m: Module) -> None:
        m.d.sync += self.done.eq(0)
        m.next = "PUT BACK"

    def _finish(self, m: Module, taken: Any) -> None:
        m.d.sync += [self.done.eq(1), self.taken.eq(taken)]
        m.next = "READY"
