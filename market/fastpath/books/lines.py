"""Lines: the sequence of a channel's packets, what a gap breaks, and the events at the end of a transaction."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.admission import invalidate, reject, reject_quote
from market.fastpath.books.orders import ASK, BID, best
from market.fastpath.events import apply_quote
from market.fastpath.specification import RejectReason
from market.native.kernel import inline, part, shared
from market.native.memory import get, put

_UNKNOWN: Final = int(RejectReason.UNKNOWN)
_EXPONENT: Final = int(RejectReason.EXPONENT)
_EMPTY: Final = int(RejectReason.EMPTY)
_NO_LINE: Final = 0


@part
def find_line(engine: int, venue: int, feed: int, channel: int) -> int:
    """Address of the lowest enabled line of a channel, or 0."""
    line = state.line_row(engine, 0)
    for _ in range(get(engine, state.LINES_IN_USE)):
        found = get(line, state.LINE_ENABLED) != 0 and get(line, state.LINE_CHANNEL) == channel
        if found and get(line, state.LINE_VENUE) == venue and get(line, state.LINE_FEED) == feed:
            return line
        line += state.LINE_WORDS * state.WORD
    return _NO_LINE


@inline
def line_number(engine: int, line: int) -> int:
    """Number of the line at an address."""
    return (line - state.line_row(engine, 0)) // (state.LINE_WORDS * state.WORD)


@part
def find_book(engine: int, line: int, wire_instrument: int) -> int:
    """Number of the lowest enabled book row of a wire instrument on a line, or -1."""
    number = line_number(engine, line)
    row = state.book_row(engine, 0)
    for book in range(get(engine, state.BOOKS_IN_USE)):
        found = get(row, state.BOOK_ENABLED) != 0 and get(row, state.BOOK_WIRE) == wire_instrument
        if found and get(row, state.BOOK_LINE) == number:
            return book
        row += state.BOOK_WORDS * state.WORD
    return -1


@inline
def quote_of_book(engine: int, row: int, venue: int) -> tuple[int, int]:
    """Addresses of the instrument of a book row, and of its venue's quote."""
    instrument = state.instrument_row(engine, get(row, state.BOOK_INSTRUMENT))
    return instrument, state.quote_of(instrument, venue)


@part
def _withdraw(engine: int, row: int, venue: int) -> None:
    """The event of a book that broke: a quote without quantities that no sequence can be too old for."""
    state.bump(engine, state.QUOTE_EVENTS)
    instrument, quote = quote_of_book(engine, row, venue)
    if not get(quote, state.SCALED):
        reject(engine, _UNKNOWN)
        return
    differs = get(row, state.BOOK_PRICE_EXPONENT) != get(quote, state.PRICE_EXPONENT)
    differs |= get(row, state.BOOK_QUANTITY_EXPONENT) != get(quote, state.QUANTITY_EXPONENT)
    reject_quote(engine, instrument, quote, venue, _EXPONENT if differs else _EMPTY)
    put(quote, state.SEQUENCE, 0)
    put(quote, state.SEQUENCE_KNOWN, 0)


@part
def break_book(engine: int, row: int, venue: int) -> None:
    """A live book is not known any more."""
    put(row, state.BOOK_STATE, state.UNLOADED)
    _withdraw(engine, row, venue)


@part
def unload_book(engine: int, row: int) -> None:
    """A control message takes a book away: without an event, as a reset does it."""
    if get(row, state.BOOK_STATE) == state.LIVE:
        venue = get(state.line_row(engine, get(row, state.BOOK_LINE)), state.LINE_VENUE)
        instrument, quote = quote_of_book(engine, row, venue)
        invalidate(instrument, quote, venue)
        put(quote, state.SEQUENCE, 0)
        put(quote, state.SEQUENCE_KNOWN, 0)
    put(row, state.BOOK_STATE, state.UNLOADED)


@part
def unload_line(engine: int, number: int) -> None:
    """Forget where a line stands, and unload its books."""
    line = state.line_row(engine, number)
    put(line, state.LINE_KNOWN, 0)
    put(line, state.LINE_EXPECTED, 0)
    put(line, state.LINE_PENDING, 0)
    for book in range(get(engine, state.BOOKS_IN_USE)):
        row = state.book_row(engine, book)
        if get(row, state.BOOK_LINE) == number:
            unload_book(engine, row)


@part
def _lose(engine: int, line: int, venue: int, before: int) -> None:
    """Messages before a number may be missing: live books break, loading ones must come to that number."""
    number = line_number(engine, line)
    for book in range(get(engine, state.BOOKS_IN_USE)):
        row = state.book_row(engine, book)
        if get(row, state.BOOK_LINE) == number:
            if get(row, state.BOOK_STATE) == state.LIVE:
                break_book(engine, row, venue)
            elif get(row, state.BOOK_STATE) == state.LOADING:
                put(row, state.BOOK_PASSED, before - 1)


@part
def is_duplicate(line: int, end: int) -> bool:
    """Whether a packet whose last number is below ``end`` has nothing new; a packet without a line never is."""
    return line != _NO_LINE and get(line, state.LINE_KNOWN) != 0 and end <= get(line, state.LINE_EXPECTED)


@part
def place_messages(engine: int, line: int, venue: int, number: int, count: int) -> int:
    """Take a packet of numbered messages into its line's sequence; gives how many of them are old."""
    known, expected = get(line, state.LINE_KNOWN), get(line, state.LINE_EXPECTED)
    put(line, state.LINE_KNOWN, 1)
    put(line, state.LINE_EXPECTED, number + count)
    if known and number <= expected:
        return expected - number
    if known:
        state.bump(engine, state.GAPS)
    _lose(engine, line, venue, number)
    return 0


@shared
def state_quote(
    engine: int, row: int, venue: int, sequence: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int
) -> None:
    """A quote event of a book row's instrument."""
    apply_quote(
        engine,
        get(row, state.BOOK_INSTRUMENT),
        venue,
        get(row, state.BOOK_PRICE_EXPONENT),
        get(row, state.BOOK_QUANTITY_EXPONENT),
        sequence,
        bid,
        bid_quantity,
        ask,
        ask_quantity,
    )


@part
def _state_top(engine: int, book: int, row: int, venue: int, number: int) -> None:
    memory = state.book_memory(engine, book)
    bid, bid_quantity = best(engine, row, memory, BID)
    ask, ask_quantity = best(engine, row, memory, ASK)
    same = get(row, state.SENT_BID) == bid and get(row, state.SENT_BID_QUANTITY) == bid_quantity
    same &= get(row, state.SENT_ASK) == ask and get(row, state.SENT_ASK_QUANTITY) == ask_quantity
    if same and get(row, state.BOOK_SENT):
        return
    put(row, state.BOOK_SENT, 1)
    put(row, state.SENT_BID, bid)
    put(row, state.SENT_BID_QUANTITY, bid_quantity)
    put(row, state.SENT_ASK, ask)
    put(row, state.SENT_ASK_QUANTITY, ask_quantity)
    state_quote(engine, row, venue, number, bid, bid_quantity, ask, ask_quantity)


@part
def end_transaction(engine: int, line: int, venue: int, number: int) -> None:
    """Make the events of books whose top changed; ``number`` is that of the message that ends the transaction."""
    pending = get(line, state.LINE_PENDING)
    if pending == 0:
        return
    put(line, state.LINE_PENDING, 0)
    this = line_number(engine, line)
    for book in range(get(engine, state.ORDER_BOOKS)):
        row = state.book_row(engine, book)
        live = get(row, state.BOOK_STATE) == state.LIVE and get(row, state.BOOK_LINE) == this
        if pending >> book & 1 and live:
            _state_top(engine, book, row, venue, number)


@inline
def mark_pending(line: int, book: int) -> None:
    """A book of the line may have another top."""
    put(line, state.LINE_PENDING, get(line, state.LINE_PENDING) | 1 << book)
