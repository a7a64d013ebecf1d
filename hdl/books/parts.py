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
from hdl.records import WORD_BITS
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
    """The components, an event that is put out (``put``, if there is ``room``), and registers.

    There is a ``converter`` if there is a feed with doubles.

    ``round``: books that are still to be dealt with, and ``each``: the one that is. ``on_line``: books of the packet's
    line, ``due``: those that a transaction's end is about. ``quote``: numbers of the next event that has some, all zero
    for one that has none. ``number``: of the message that ends a transaction. ``broke``: the message has broken its
    book. ``differs``: the top is not what was said last. ``waiting``: a command waits to be dealt with, or is, about
    ``command_book``; ``its_line`` is the line that it is about.
    """

    def __init__(self, m: Module, parameters: CoreParameters, orders: Any) -> None:
        m.submodules.rows = self.rows = BookRows(parameters)
        m.submodules.states = self.states = BookStates(parameters)
        m.submodules.reader = self.reader = MessageReader(parameters)
        m.submodules.orders = self.orders = orders
        self.converter: DoubleConverter | None = None
        if parameters.has_feed(Feed.DERIBIT_LEGACY):
            m.submodules.converter = self.converter = DoubleConverter()
        books = parameters.capacity.order_books
        self.event, self.put, self.room = Signal(event_layout), Signal(), Signal()
        self.round, self.each = Signal(books), Signal(range(parameters.capacity.books))
        self.selected = Signal(range(parameters.capacity.books))
        self.command_book = Signal(range(parameters.capacity.books))
        self.on_line = Signal(books)
        self.quote = {name: Signal(signed(WORD_BITS), name=f"quote_{name}") for name in ("sequence", *TOP_OF_QUOTE)}
        self.number, self.broke, self.differs = Signal(WORD_BITS), Signal(), Signal()
        self.waiting, self.refusal, self.its_line = Signal(), Signal(REFUSAL_BITS), Signal(line_layout)
        self.due = Signal(books)
        m.d.comb += self.due.eq(self.states.due & self.on_line)
        self._lowest_due, _ = lowest_set(m, self.due)
        self._lowest_of_round, _ = lowest_set(m, self.round)
        self.message = self.reader.messages.payload
        self.operation = self.message.operation

    def select(self, m: Module, number: Any) -> None:
        """Row and book that are read and changed in this cycle."""
        m.d.comb += [self.selected.eq(number), self.rows.number.eq(number), self.states.number.eq(number)]

    def give(self, m: Module, kind: EventKind) -> Any:
        """Put an event out in this cycle; whether there was room."""
        m.d.comb += [self.event.kind.eq(kind), self.put.eq(1)]
        return self.room

    def clear_quote(self, m: Module) -> None:
        """The next event has no numbers."""
        m.d.sync += [register.eq(0) for register in self.quote.values()]

    def begin_round(self, m: Module, books: Any) -> None:
        """These books are to be dealt with."""
        m.d.sync += self.round.eq(books)

    def next_of_round(self, m: Module) -> None:
        """The lowest book of the round becomes ``each``."""
        m.d.sync += [self.each.eq(self._lowest_of_round), self.round.eq(self.round & (self.round - 1))]

    def choose_due(self, m: Module) -> None:
        """The lowest book that is due becomes ``each``."""
        m.d.sync += self.each.eq(self._lowest_due)

    def start(self, m: Module, operation: Any) -> None:
        """An operation on the selected book begins in this cycle, if the orders are ready."""
        m.d.comb += [self.orders.start.eq(self.orders.ready), self.orders.operation.eq(operation)]
