"""Control messages about lines, wire instruments and books (docs/fastpath.md, rules 54, 55, 71, 76 to 79)."""

from __future__ import annotations

from market.fastpath.reference.lines import Book, BookState, Line
from market.fastpath.reference.messages import ControlMessage
from market.fastpath.reference.order_book import BookSide, CannotTake, OrderBook
from market.fastpath.reference.rows import is_flag
from market.fastpath.reference.state import State
from market.fastpath.specification import Feed, Refusal, Side

BOOK_SIDES = {Side.BUY: BookSide.BID, Side.SELL: BookSide.ASK}


def unload(state: State, book: Book) -> None:
    """Take a book away without an event."""
    if book.state is BookState.LIVE:
        state.forget_quote(book.instrument, state.lines.lines[book.line].venue)
    book.state = BookState.UNLOADED


def forget_line(state: State, number: int) -> None:
    """Forget where a line stands, and unload its books."""
    for book in state.lines.of_line(number):
        unload(state, book)
    if number in state.lines.lines:
        state.lines.lines[number].expected = None


def write_line_row(state: State, message: ControlMessage) -> Refusal:
    """A channel that is followed."""
    if message["line"] >= state.sizes.lines or not state.has_venue(message["venue"]):
        return Refusal.UNKNOWN_ROW
    if message["feed"] not in set(Feed) - {Feed.BINANCE_SBE} or not is_flag(message["enabled"]):
        return Refusal.BAD_VALUE
    forget_line(state, message["line"])
    state.lines.lines[message["line"]] = Line(
        message["venue"], Feed(message["feed"]), message["wire_channel"], bool(message["enabled"])
    )
    return Refusal.NONE


def write_book_row(state: State, message: ControlMessage) -> Refusal:
    """A wire instrument that is known."""
    number, sizes = message["book"], state.sizes
    if number >= sizes.books or message["line"] >= sizes.lines or not state.has_instrument(message["instrument"]):
        return Refusal.UNKNOWN_ROW
    exponents = message["price_exponent"], message["quantity_exponent"]
    if not (1 <= message["tick"] <= sizes.top and is_flag(message["enabled"])):
        return Refusal.BAD_VALUE
    if not all(-9 <= exponent <= 0 for exponent in exponents):
        return Refusal.BAD_VALUE
    if number in state.lines.books:
        unload(state, state.lines.books[number])
    state.lines.books[number] = Book(
        message["line"],
        message["wire_instrument"],
        message["instrument"],
        message["tick"],
        *exponents,
        bool(message["enabled"]),
    )
    return Refusal.NONE


def clear_book(state: State, message: ControlMessage) -> Refusal:
    """Begin to load a book."""
    if message["book"] >= state.sizes.order_books:
        return Refusal.UNKNOWN_ROW
    if not 0 <= message["base"] <= state.sizes.top:
        return Refusal.BAD_VALUE
    book = state.lines.books.get(message["book"])
    line = state.lines.lines.get(book.line) if book else None
    if book is None or line is None or not (book.enabled and line.enabled) or line.feed is Feed.DERIBIT_LEGACY:
        return Refusal.BOOK_STATE
    unload(state, book)
    book.state = BookState.LOADING
    book.passed = (line.expected or 0) - 1
    book.orders = OrderBook(state.sizes, message["base"], book.tick)
    book.sent = None
    return Refusal.NONE


def load_order(state: State, message: ControlMessage) -> Refusal:
    """Put an order into a loading book; a quantity of 0 deletes it."""
    if message["book"] >= state.sizes.order_books:
        return Refusal.UNKNOWN_ROW
    if message["side"] not in BOOK_SIDES or not 0 <= message["quantity"] <= state.sizes.top:
        return Refusal.BAD_VALUE
    book = state.lines.books.get(message["book"])
    if book is None or book.state is not BookState.LOADING or book.orders is None:
        return Refusal.BOOK_STATE
    side = BOOK_SIDES[Side(message["side"])]
    try:
        if message["quantity"]:
            book.orders.put(message["order"], side, message["price"], message["quantity"])
        else:
            book.orders.delete(message["order"], side)
    except CannotTake:
        return Refusal.BOOK_ORDER
    return Refusal.NONE


def ready_book(state: State, message: ControlMessage) -> Refusal:
    """Make a book live, if nothing that may concern it is missing."""
    if message["book"] >= state.sizes.order_books:
        return Refusal.UNKNOWN_ROW
    book = state.lines.books.get(message["book"])
    if book is None or book.state is not BookState.LOADING:
        return Refusal.BOOK_STATE
    expected = state.lines.lines[book.line].expected
    if expected is None or not book.passed <= message["number"] < expected:
        return Refusal.WRONG_NUMBER
    book.state = BookState.LIVE
    return Refusal.NONE
