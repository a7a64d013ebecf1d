"""One venue's L3 book of one market: orders by id, price levels with a cached best, and where it stands in its feed.

Every operation keeps the ladders' quantities equal to the sums of the orders at each price. An operation that cannot be
(an unknown order, a full store, a quantity that is not positive) changes nothing and says so; the synchroniser then
gives the book up.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.ladder import (
    ASK,
    BASE,
    BID,
    LOST,
    NO_PRICE,
    SIDE_WORDS,
    WINDOW,
    best_tick,
    centre_windows,
    clear_side,
    set_level,
)
from market.book.order_store import (
    DONE,
    NONE,
    ORDERS,
    UNKNOWN,
    WRONG,
    add_order,
    can_stand,
    clear_store,
    find_order,
    level_lots,
    new_store,
    order_lots,
    order_side,
    order_tick,
    reduce_order,
    remove_order,
    store_words,
)
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.wire.order_records import ORDER_WIDTH
from market.wire.records import Words

# Words of the header.
SYNCHRONISED: Final = 0
STARTED: Final = 1
"""Whether a snapshot ever joined: a later one is a resynchronisation."""
LAST_SEQUENCE: Final = 2
"""Number of the last update in the book."""
BUILDING: Final = 3
"""Whether a snapshot is being read."""
SNAPSHOT_SEQUENCE: Final = 4
SNAPSHOT_COUNT: Final = 5
BUFFERED: Final = 6
"""Updates that wait for a snapshot."""
BUFFER_FROM: Final = 7
"""Number from which on all updates are kept."""
IN_TRANSACTION: Final = 8
"""Whether updates were applied since the last end of a transaction."""

UPDATES: Final = 16
SNAPSHOTS: Final = 17
"""Snapshots that joined."""
GAPS: Final = 18
"""Times that the book was given up."""
RESYNCS: Final = 19
STALE: Final = 20
"""Updates that the snapshot already held."""
STALE_SNAPSHOTS: Final = 21
"""Snapshots too old for the updates that are kept, or incomplete."""
UNKNOWN_ORDERS: Final = 22
OVERFLOWS: Final = 23
"""Orders, levels or waiting updates that found no room."""
IMPOSSIBLE: Final = 24
"""Quantities and prices that cannot be."""
CROSSED: Final = 25
"""Ends of transactions at which best bid and ask met."""
WINDOW_MOVES: Final = 26

TOP_BID: Final = 32
TOP_BID_LOTS: Final = 33
TOP_ASK: Final = 34
TOP_ASK_LOTS: Final = 35
QUOTED: Final = 36
"""Whether the top was given out as a quote."""

BUFFER_ROWS: Final = 4096
HEADER_WORDS: Final = 64
BUFFER: Final = HEADER_WORDS
_BIDS: Final = BUFFER + BUFFER_ROWS * ORDER_WIDTH
_ASKS: Final = _BIDS + SIDE_WORDS
_STORE: Final = _ASKS + SIDE_WORDS


def order_book_words(capacity: int) -> int:
    """Words of a book of at most so many orders."""
    return _STORE + store_words(capacity)


@inline
def side_of(book: int, side: int) -> int:
    """Address of the ladder of bids (1) or asks (0)."""
    return book + 8 * (_BIDS if side == BID else _ASKS)


@inline
def store_of(book: int) -> int:
    """Address of the orders."""
    return book + 8 * _STORE


@inline
def tally(book: int, counter: int) -> None:
    """Add one to a counter of the header."""
    put(book, counter, get(book, counter) + 1)


@inline
def order_count(book: int) -> int:
    """Orders in the book."""
    return get(store_of(book), ORDERS)


@inline
def _show(book: int, side: int, tick: int) -> None:
    set_level(side_of(book, side), tick, level_lots(store_of(book), side, tick))


@part
def delete_order(book: int, identifier: int, side: int) -> int:
    """Take an order out; gives an ``Outcome``."""
    store = store_of(book)
    order = find_order(store, identifier)
    if order == NONE or order_side(store, order) != side:
        return UNKNOWN
    tick = order_tick(store, order)
    remove_order(store, order)
    _show(book, side, tick)
    return DONE


@part
def reduce_quantity(book: int, identifier: int, side: int, lots: int) -> int:
    """Give an order a smaller quantity where it stands; gives an ``Outcome``."""
    store = store_of(book)
    order = find_order(store, identifier)
    if order == NONE or order_side(store, order) != side:
        return UNKNOWN
    outcome = reduce_order(store, order, lots)
    if outcome == DONE:
        _show(book, side, order_tick(store, order))
    return outcome


@part
def put_order(book: int, identifier: int, side: int, tick: int, lots: int, priority: int, keeps_place: bool) -> int:
    """Have an order stand with this price, quantity and priority; gives an ``Outcome``.

    ``keeps_place``: an order of the same price and no larger quantity stays where it is in the queue.
    """
    store = store_of(book)
    if side != BID and side != ASK:
        return WRONG
    order = find_order(store, identifier)
    if order != NONE:
        old_side, old_tick = order_side(store, order), order_tick(store, order)
        if old_side != side:
            return UNKNOWN
        if keeps_place and old_tick == tick and lots <= order_lots(store, order):
            return reduce_quantity(book, identifier, side, lots)
        if not can_stand(store, side, tick, lots):
            return WRONG
        remove_order(store, order)
        _show(book, side, old_tick)
    outcome = add_order(store, identifier, side, tick, lots, priority)
    if outcome == DONE:
        _show(book, side, tick)
    return outcome


@part
def clear_orders(book: int) -> None:
    """Empty the book; the windows stay where they are."""
    for side in range(2):
        ladder = side_of(book, side)
        clear_side(ladder, side, get(ladder, BASE))
    clear_store(store_of(book))


@inline
def lost_order_levels(book: int) -> int:
    """Levels that found no room: above 0 the book is incomplete."""
    return get(side_of(book, BID), LOST) + get(side_of(book, ASK), LOST)


@inline
def keep_best_in_window(book: int) -> None:
    """Move the windows after the mid; called at most once per transaction."""
    if centre_windows(side_of(book, BID), side_of(book, ASK)):
        tally(book, WINDOW_MOVES)


@part
def best_orders(book: int) -> tuple[int, int, int, int]:
    """Best bid and ask with the sums of their orders; an empty side is (NO_PRICE, 0)."""
    store = store_of(book)
    bid, ask = best_tick(side_of(book, BID)), best_tick(side_of(book, ASK))
    bid_lots = level_lots(store, BID, bid) if bid != NO_PRICE else 0
    ask_lots = level_lots(store, ASK, ask) if ask != NO_PRICE else 0
    return bid, bid_lots, ask, ask_lots


@entry("void(int64[::1], int64, int64)")
def _clear_books(books: Words, words: int, count: int) -> None:
    for index in range(count):
        book = address_of(books) + 8 * words * index
        clear_side(side_of(book, BID), BID, WINDOW // 2)
        clear_side(side_of(book, ASK), ASK, WINDOW // 2)


def new_order_books(count: int, capacity: int) -> Words:
    """Fresh books as one int64 array of ``order_book_words(capacity)`` words each, not synchronised."""
    words = order_book_words(capacity)
    books = np.zeros(count * words, dtype=np.int64)
    _clear_books(books, words, count)
    for index in range(count):
        book = books[index * words : (index + 1) * words]
        book[LAST_SEQUENCE] = -1
        new_store(book[_STORE:], capacity)
    return books
