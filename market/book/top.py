"""A venue's top of book, from whichever of depth and stated quotes is newer.

Venues state their best bid and offer in a stream of its own (Binance bookTicker) that runs ahead of the
depth stream. The newer update id wins; with equal ids the later arrival does. Where both carry the same
id they must agree: that is counted, as a running proof that the book is right.
"""

from __future__ import annotations

from typing import Final

from market.book.book import (
    CHECKS,
    EQUAL,
    LAST_ID,
    LATE_CHECKS,
    LATE_EQUAL,
    NEEDS_BOOK,
    OLD_QUOTES,
    PENDING_ID,
    PENDING_TOP,
    QUOTED,
    QUOTES,
    RING,
    RING_ENTRIES,
    RING_NEXT,
    RING_ROW,
    STATED_ASK,
    STATED_BID,
    STATED_ID,
    SYNCHRONISED,
    TOP_ASK,
    TOP_ASK_QUANTITY,
    TOP_BID,
    TOP_BID_QUANTITY,
    TOP_ID,
    WITHDRAWALS,
    best_of_book,
    count,
)
from market.native.kernel import inline, part
from market.native.memory import get, put

SAME: Final = 0
CHANGED: Final = 1
"""There is a quote to act on: the TOP words of the header."""
WITHDRAWN: Final = 2
"""There is no quote any more; TOP quantities are 0."""


@inline
def _differs(book: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    return (
        get(book, TOP_BID) != bid
        or get(book, TOP_BID_QUANTITY) != bid_quantity
        or get(book, TOP_ASK) != ask
        or get(book, TOP_ASK_QUANTITY) != ask_quantity
    )


@inline
def _set_top(book: int, update_id: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> None:
    put(book, TOP_ID, update_id)
    put(book, TOP_BID, bid)
    put(book, TOP_BID_QUANTITY, bid_quantity)
    put(book, TOP_ASK, ask)
    put(book, TOP_ASK_QUANTITY, ask_quantity)
    put(book, QUOTED, 1)


@inline
def _equals(row: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    """Whether four words hold exactly this top of book."""
    return get(row, 0) == bid and get(row, 1) == bid_quantity and get(row, 2) == ask and get(row, 3) == ask_quantity


@part
def _check_against_stated(book: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> None:
    """Compare the book with the stated quote of its id, now or when that arrives."""
    update_id = get(book, LAST_ID)
    put(book, PENDING_ID, -1)
    if update_id < 0:
        return
    if get(book, STATED_ID) < update_id:
        put(book, PENDING_ID, update_id)
        put(book, PENDING_TOP, bid)
        put(book, PENDING_TOP + 1, bid_quantity)
        put(book, PENDING_TOP + 2, ask)
        put(book, PENDING_TOP + 3, ask_quantity)
        return
    position = get(book, RING_NEXT)
    for _ in range(RING_ENTRIES):
        position = (position - 1) & (RING_ENTRIES - 1)
        row = book + 8 * (RING + RING_ROW * position)
        if get(row, 0) <= update_id:
            if get(row, 0) == update_id:
                count(book, CHECKS)
                put(book, EQUAL, get(book, EQUAL) + _equals(row + 8, bid, bid_quantity, ask, ask_quantity))
            return


@inline
def take_from_book(book: int) -> int:
    """After an applied update: make the book's best prices the top unless a newer quote was stated."""
    bid, bid_quantity, ask, ask_quantity = best_of_book(book)
    _check_against_stated(book, bid, bid_quantity, ask, ask_quantity)
    if get(book, QUOTED) == 0:
        if get(book, STATED_ID) <= get(book, LAST_ID):
            _set_top(book, get(book, LAST_ID), bid, bid_quantity, ask, ask_quantity)
        else:
            newest = book + 8 * (RING + RING_ROW * ((get(book, RING_NEXT) - 1) & (RING_ENTRIES - 1)))
            _set_top(book, get(newest, 0), get(newest, 1), get(newest, 2), get(newest, 3), get(newest, 4))
        return CHANGED
    if get(book, LAST_ID) < get(book, TOP_ID) or not _differs(book, bid, bid_quantity, ask, ask_quantity):
        return SAME
    _set_top(book, get(book, LAST_ID), bid, bid_quantity, ask, ask_quantity)
    return CHANGED


@part
def on_stated_quote(book: int, update_id: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> int:
    """Take a best bid and offer as the venue states it; returns SAME or CHANGED.

    An unchanged quote with a new id is CHANGED too: it is an event, and keeps the quote from going stale. One with
    a known id is a repetition and is dropped.
    """
    count(book, QUOTES)
    if 0 <= update_id <= get(book, STATED_ID):
        count(book, OLD_QUOTES)
        return SAME
    put(book, STATED_ID, update_id)
    put(book, STATED_BID, bid)
    put(book, STATED_ASK, ask)
    row = book + 8 * (RING + RING_ROW * get(book, RING_NEXT))
    put(row, 0, update_id)
    put(row, 1, bid)
    put(row, 2, bid_quantity)
    put(row, 3, ask)
    put(row, 4, ask_quantity)
    put(book, RING_NEXT, (get(book, RING_NEXT) + 1) & (RING_ENTRIES - 1))
    if get(book, PENDING_ID) == update_id and get(book, SYNCHRONISED) != 0:
        equal = _equals(book + 8 * PENDING_TOP, bid, bid_quantity, ask, ask_quantity)
        count(book, LATE_CHECKS)
        put(book, LATE_EQUAL, get(book, LATE_EQUAL) + equal)
        put(book, PENDING_ID, -1)
    if get(book, NEEDS_BOOK) != 0 and get(book, SYNCHRONISED) == 0:
        return SAME
    if get(book, QUOTED) != 0 and update_id < get(book, TOP_ID):
        count(book, OLD_QUOTES)
        return SAME
    _set_top(book, update_id, bid, bid_quantity, ask, ask_quantity)
    return CHANGED


@inline
def withdraw(book: int) -> int:
    """Take the quote back; WITHDRAWN if there was one."""
    put(book, PENDING_ID, -1)
    if get(book, QUOTED) == 0:
        return SAME
    count(book, WITHDRAWALS)
    put(book, QUOTED, 0)
    put(book, TOP_BID_QUANTITY, 0)
    put(book, TOP_ASK_QUANTITY, 0)
    return WITHDRAWN
