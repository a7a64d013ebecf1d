"""What the states of the book unit share: its components, and the registers of what is under way."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal, signed

from hdl.books.book_rows import BookRows
from hdl.books.book_states import BookStates
from hdl.books.doubles import DoubleConverter
from hdl.books.line_table import line_layout
from hdl.books.message_reader import MessageReader
from hdl.books.records import EventKind, event_layout
from hdl.ethernet.content_match import lowest_set
from hdl.parameters import CoreParameters
from hdl.records import SIDE_BITS, WORD_BITS
from market.fastpath.specification import Feed

REFUSAL_BITS: Final = 4

TOP_OF_QUOTE: Final = {
    "bid_price": "bid",
    "bid_quantity": "bid_quantity",
    "ask_price": "ask",
    "ask_quantity": "ask_quantity",
}
"""What the numbers of a book's top are called in a quote."""


class Parts:
    """The components, an event that is put out (``put``; only if there is ``room``), and registers.

    There is a ``converter`` if there is a feed with doubles.

    ``selected``: the book whose row and state are read and changed. ``round``: books that are still to be dealt with.
    ``unload``: books that are no more live or loading in the next cycle. ``on_line``: books of the packet's line,
    ``due``: those that a transaction's end is about, ``others_due``: apart from the selected one. ``stated``: numbers
    that were converted. ``says_top``, ``says_trade``, ``says_stated``: whose numbers an event has that is put out; else
    it has none. ``number``, ``aggressor``, ``ends``: of the message that is dealt with. ``waiting``: a command waits to
    be dealt with, or is, about ``command_book``; ``its_line`` is the line that it is about.
    """

    def __init__(self, m: Module, parameters: CoreParameters, orders: Any) -> None:
        m.submodules.rows = self.rows = BookRows(parameters)
        m.submodules.states = self.states = BookStates(parameters)
        m.submodules.reader = self.reader = MessageReader(parameters)
        m.submodules.orders = self.orders = orders
        self.converter: DoubleConverter | None = None
        if parameters.has_feed(Feed.DERIBIT_LEGACY):
            m.submodules.converter = self.converter = DoubleConverter()
        books, numbers = parameters.capacity.order_books, range(parameters.capacity.books)
        self.event, self.put, self.room = Signal(event_layout), Signal(), Signal()
        self.selected, self.command_book = Signal(numbers), Signal(numbers)
        self.round, self.on_line, self.due = Signal(books), Signal(books), Signal(books)
        self.others_due, self.unload = Signal(), Signal(books)
        self.stated = {name: Signal(signed(WORD_BITS), name=f"stated_{name}") for name in TOP_OF_QUOTE}
        self.says_top, self.says_trade, self.says_stated = Signal(), Signal(), Signal()
        self.number, self.ends = Signal(WORD_BITS), Signal()
        self.aggressor = Signal(SIDE_BITS)
        self.waiting, self.refusal, self.its_line = Signal(), Signal(REFUSAL_BITS), Signal(line_layout)
        self.message = self.reader.messages.payload
        self.operation = self.message.operation
        m.d.comb += [
            self.rows.number.eq(self.selected),
            self.states.number.eq(self.selected),
            self.due.eq(self.states.due & self.on_line),
        ]
        m.d.sync += self.others_due.eq((self.due & ~self.states.here).any())
        self._lowest_due, _ = lowest_set(m, self.due)
        self._lowest_of_round, _ = lowest_set(m, self.round)

    def give(self, m: Module, kind: Any) -> None:
        """Put an event out in this cycle."""
        m.d.comb += [self.event.kind.eq(kind), self.put.eq(1)]

    def withdraw(self, m: Module) -> None:
        """The selected book is live no more, and says so."""
        self.give(m, EventKind.WITHDRAW)
        m.d.comb += self.states.set_unloaded.eq(1)

    def next_of_round(self, m: Module) -> None:
        """The lowest book of the round is selected, and leaves it."""
        m.d.sync += [self.selected.eq(self._lowest_of_round), self.round.eq(self.round & (self.round - 1))]

    def select_due(self, m: Module) -> None:
        """The lowest book that is due is selected."""
        m.d.sync += self.selected.eq(self._lowest_due)

    def start(self, m: Module, operation: Any) -> None:
        """An operation on the selected book begins in this cycle; they are ready whenever none is under way."""
        m.d.comb += [self.orders.start.eq(1), self.orders.operation.eq(operation)]
