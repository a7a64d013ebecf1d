"""Control messages about lines, wire instruments and books: each is applied whole, or refused and changes nothing.

``message`` is the address of a whole message whose length has been checked. All return a ``Refusal``.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import layout, state
from market.fastpath.books.lines import mark_pending, unload_book, unload_line
from market.fastpath.books.orders import ASK, BID, clear_memory, delete_order, put_order
from market.fastpath.rows import ACCEPTED, BAD_VALUE, UNKNOWN_ROW, is_count, is_flag
from market.fastpath.specification import BOOK_EXPONENT_LEAST, Feed, Refusal, Side
from market.native.kernel import inline, shared
from market.native.memory import get, load_i8, load_i32, load_i64, load_u8, load_u16, put

_BOOK_STATE: Final = int(Refusal.BOOK_STATE)
_WRONG_NUMBER: Final = int(Refusal.WRONG_NUMBER)
_BOOK_ORDER: Final = int(Refusal.BOOK_ORDER)
_FEED_FIRST: Final = int(Feed.STARBASE)
_FEED_LAST: Final = int(Feed.DERIBIT_LEGACY)
_DERIBIT_LEGACY: Final = int(Feed.DERIBIT_LEGACY)
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)


@shared
def write_line_row(engine: int, message: int) -> int:
    """Which channel of a venue's feed is followed."""
    number, venue = load_u16(message, layout.LINE_ROW_LINE), load_u8(message, layout.LINE_ROW_VENUE)
    if number >= get(engine, state.LINES) or venue >= get(engine, state.VENUES):
        return UNKNOWN_ROW
    feed, enabled = load_u8(message, layout.LINE_ROW_FEED), load_u8(message, layout.LINE_ROW_ENABLED)
    if not is_flag(enabled) or feed < _FEED_FIRST or feed > _FEED_LAST:
        return BAD_VALUE
    unload_line(engine, number)
    line = state.line_row(engine, number)
    put(line, state.LINE_ENABLED, enabled)
    put(line, state.LINE_VENUE, venue)
    put(line, state.LINE_FEED, feed)
    put(line, state.LINE_CHANNEL, load_i32(message, layout.LINE_ROW_WIRE_CHANNEL))
    put(engine, state.LINES_IN_USE, max(get(engine, state.LINES_IN_USE), number + 1))
    return ACCEPTED


@inline
def _is_exponent(value: int) -> bool:
    return BOOK_EXPONENT_LEAST <= value <= 0


@shared
def write_book_row(engine: int, message: int) -> int:
    """Which wire instrument of a line is which instrument."""
    book, line = load_u16(message, layout.BOOK_ROW_BOOK), load_u16(message, layout.BOOK_ROW_LINE)
    instrument = load_u16(message, layout.BOOK_ROW_INSTRUMENT)
    if book >= get(engine, state.BOOKS) or line >= get(engine, state.LINES):
        return UNKNOWN_ROW
    if instrument >= get(engine, state.INSTRUMENTS):
        return UNKNOWN_ROW
    tick, enabled = load_i64(message, layout.BOOK_ROW_TICK), load_u8(message, layout.BOOK_ROW_ENABLED)
    price_exponent = load_i8(message, layout.BOOK_ROW_PRICE_EXPONENT)
    quantity_exponent = load_i8(message, layout.BOOK_ROW_QUANTITY_EXPONENT)
    if tick < 1 or not is_count(engine, tick) or not is_flag(enabled):
        return BAD_VALUE
    if not _is_exponent(price_exponent) or not _is_exponent(quantity_exponent):
        return BAD_VALUE
    row = state.book_row(engine, book)
    unload_book(engine, row)
    put(row, state.BOOK_ENABLED, enabled)
    put(row, state.BOOK_LINE, line)
    put(row, state.BOOK_WIRE, load_i64(message, layout.BOOK_ROW_WIRE_INSTRUMENT))
    put(row, state.BOOK_INSTRUMENT, instrument)
    put(row, state.BOOK_TICK, tick)
    put(row, state.BOOK_PRICE_EXPONENT, price_exponent)
    put(row, state.BOOK_QUANTITY_EXPONENT, quantity_exponent)
    put(engine, state.BOOKS_IN_USE, max(get(engine, state.BOOKS_IN_USE), book + 1))
    return ACCEPTED


@shared
def clear_book(engine: int, message: int) -> int:
    """Begin to load a book."""
    book, base = load_u16(message, layout.BOOK_CLEAR_BOOK), load_i64(message, layout.BOOK_CLEAR_BASE)
    if book >= get(engine, state.ORDER_BOOKS):
        return UNKNOWN_ROW
    if not is_count(engine, base):
        return BAD_VALUE
    row = state.book_row(engine, book)
    line = state.line_row(engine, get(row, state.BOOK_LINE))
    if not get(row, state.BOOK_ENABLED) or not get(line, state.LINE_ENABLED):
        return _BOOK_STATE
    if get(line, state.LINE_FEED) == _DERIBIT_LEGACY:
        return _BOOK_STATE
    unload_book(engine, row)
    clear_memory(engine, state.book_memory(engine, book))
    put(row, state.BOOK_STATE, state.LOADING)
    put(row, state.BOOK_PASSED, get(line, state.LINE_EXPECTED) - 1)
    put(row, state.BOOK_BASE, base)
    put(row, state.BOOK_SPAN, get(engine, state.BOOK_TICKS) * get(row, state.BOOK_TICK))
    put(row, state.BOOK_SENT, 0)
    return ACCEPTED


@shared
def load_order(engine: int, message: int) -> int:
    """Put an order into a loading book, or delete it."""
    book, quantity = load_u16(message, layout.BOOK_ORDER_BOOK), load_i64(message, layout.BOOK_ORDER_QUANTITY)
    if book >= get(engine, state.ORDER_BOOKS):
        return UNKNOWN_ROW
    stated = load_u8(message, layout.BOOK_ORDER_SIDE)
    if not is_count(engine, quantity) or (stated != _BUY and stated != _SELL):
        return BAD_VALUE
    row = state.book_row(engine, book)
    if get(row, state.BOOK_STATE) != state.LOADING:
        return _BOOK_STATE
    memory, identifier = state.book_memory(engine, book), message + layout.BOOK_ORDER_ORDER
    side = BID if stated == _BUY else ASK
    if quantity == 0:
        taken = delete_order(engine, memory, identifier, side)
    else:
        price = load_i64(message, layout.BOOK_ORDER_PRICE)
        taken = put_order(engine, row, memory, identifier, side, price, quantity)
    return ACCEPTED if taken else _BOOK_ORDER


@shared
def ready_book(engine: int, message: int) -> int:
    """Make a loaded book live, if it holds all messages that may concern it."""
    book, number = load_u16(message, layout.BOOK_READY_BOOK), load_i64(message, layout.BOOK_READY_NUMBER)
    if book >= get(engine, state.ORDER_BOOKS):
        return UNKNOWN_ROW
    row = state.book_row(engine, book)
    if get(row, state.BOOK_STATE) != state.LOADING:
        return _BOOK_STATE
    line = state.line_row(engine, get(row, state.BOOK_LINE))
    if not get(line, state.LINE_KNOWN) or not get(row, state.BOOK_PASSED) <= number < get(line, state.LINE_EXPECTED):
        return _WRONG_NUMBER
    put(row, state.BOOK_STATE, state.LIVE)
    mark_pending(line, book)
    return ACCEPTED
