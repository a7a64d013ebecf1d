"""What a message of an order-by-order feed does to a book, whatever its format.

``number`` is the message's own; ``order`` the address of its order id. All return whether the message counts as
applied: a book that is not live takes none, and one that cannot take a message breaks.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.books.lines import break_book, mark_pending
from market.fastpath.books.orders import delete_order, is_side, put_order, reduce_order
from market.fastpath.events import apply_trade
from market.fastpath.specification import Side
from market.native.kernel import inline, part, shared
from market.native.memory import get, put

BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
NONE: Final = int(Side.NONE)
NO_SIDE: Final = -1
"""The side of a message that states none; a book cannot take it."""


@inline
def _is_open(engine: int, book: int, number: int) -> bool:
    """Whether a book takes messages; one that is loading notes that it did not."""
    row = state.book_row(engine, book)
    if get(row, state.BOOK_STATE) == state.LOADING:
        put(row, state.BOOK_PASSED, number)
    return get(row, state.BOOK_STATE) == state.LIVE


@part
def _settle(engine: int, line: int, book: int, venue: int, taken: bool) -> bool:
    """After a message for a live book: an event may be due, or the book is broken."""
    if taken:
        mark_pending(line, book)
    else:
        break_book(engine, state.book_row(engine, book), venue)
    return True


@part
def take_put(
    engine: int, line: int, book: int, venue: int, number: int, order: int, side: int, price: int, quantity: int
) -> bool:
    """An order, new or stated anew."""
    if not _is_open(engine, book, number):
        return False
    row, memory = state.book_row(engine, book), state.book_memory(engine, book)
    taken = is_side(side) and put_order(engine, row, memory, order, side, price, quantity)
    return _settle(engine, line, book, venue, taken)


@part
def take_reduction(
    engine: int, line: int, book: int, venue: int, number: int, order: int, side: int, quantity: int
) -> bool:
    """An order's new, smaller quantity."""
    if not _is_open(engine, book, number):
        return False
    taken = reduce_order(engine, state.book_memory(engine, book), order, side, quantity)
    return _settle(engine, line, book, venue, taken)


@part
def take_delete(engine: int, line: int, book: int, venue: int, number: int, order: int, side: int) -> bool:
    """The end of an order."""
    if not _is_open(engine, book, number):
        return False
    taken = is_side(side) and delete_order(engine, state.book_memory(engine, book), order, side)
    return _settle(engine, line, book, venue, taken)


@part
def take_clear(engine: int, book: int, venue: int, number: int) -> bool:
    """A message that empties the book on its way: the book breaks."""
    if not _is_open(engine, book, number):
        return False
    break_book(engine, state.book_row(engine, book), venue)
    return True


@shared
def take_trade(engine: int, book: int, venue: int, price: int, quantity: int, aggressor: int) -> bool:
    """A trade of a known instrument, whatever its book's state."""
    row = state.book_row(engine, book)
    price_exponent, quantity_exponent = get(row, state.BOOK_PRICE_EXPONENT), get(row, state.BOOK_QUANTITY_EXPONENT)
    instrument = get(row, state.BOOK_INSTRUMENT)
    apply_trade(engine, instrument, venue, price_exponent, quantity_exponent, price, quantity, aggressor)
    return True
