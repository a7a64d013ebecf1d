"""Joining snapshots and updates of an L3 feed into a book that is right or says that it is not.

Updates that come before a snapshot wait for it. A snapshot says which update was the last in it; it joins if every
later one is at hand: the channel has been complete since, and none of the waiting ones was given up. A gap in the
channel, an update that cannot be, and a store without room give the book up until the next snapshot.
"""

from __future__ import annotations

from typing import Final

from market.book.order_book import (
    BUFFER,
    BUFFER_FROM,
    BUFFER_ROWS,
    BUFFERED,
    BUILDING,
    GAPS,
    IMPOSSIBLE,
    IN_TRANSACTION,
    LAST_SEQUENCE,
    OVERFLOWS,
    RESYNCS,
    SNAPSHOT_COUNT,
    SNAPSHOT_SEQUENCE,
    SNAPSHOTS,
    STALE,
    STALE_SNAPSHOTS,
    STARTED,
    SYNCHRONISED,
    UNKNOWN_ORDERS,
    UPDATES,
    clear_orders,
    delete_order,
    lost_order_levels,
    order_count,
    put_order,
    reduce_quantity,
    tally,
)
from market.book.order_store import DONE, FULL, UNKNOWN
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.order_records import (
    CLEAR,
    COUNT,
    DELETE,
    ENDS,
    KEEPS_PLACE,
    KIND,
    ORDER,
    ORDER_WIDTH,
    PRICE,
    PRIORITY,
    PUT,
    QUANTITY,
    REDUCE,
    SEQUENCE,
    SIDE,
    SINCE,
    SNAPSHOT_BEGIN,
    SNAPSHOT_END,
    SNAPSHOT_PUT,
)

UNCHANGED: Final = 0
"""The row changed nothing that a quote could show."""
APPLIED: Final = 1
"""The book may have another top."""
JOINED: Final = 2
"""A snapshot joined: the book is known again."""
GIVEN_UP: Final = 3
"""The book was known and is not any more."""


@part
def give_up(book: int, sequence: int) -> int:
    """The book is not known after the message of a number; gives GIVEN_UP, or UNCHANGED if it was not before."""
    put(book, BUILDING, 0)
    put(book, BUFFERED, 0)
    put(book, IN_TRANSACTION, 0)
    put(book, BUFFER_FROM, sequence + 1)
    if get(book, SYNCHRONISED) == 0:
        return UNCHANGED
    tally(book, GAPS)
    put(book, SYNCHRONISED, 0)
    return GIVEN_UP


@part
def _count_failure(book: int, outcome: int) -> None:
    tally(book, UNKNOWN_ORDERS if outcome == UNKNOWN else OVERFLOWS if outcome == FULL else IMPOSSIBLE)


@part
def _put(book: int, row: int) -> int:
    return put_order(
        book,
        get(row, ORDER),
        get(row, SIDE),
        get(row, PRICE),
        get(row, QUANTITY),
        get(row, PRIORITY),
        get(row, KEEPS_PLACE) != 0,
    )


@part
def _operate(book: int, row: int) -> int:
    """Apply an update; gives an ``Outcome``."""
    kind = get(row, KIND)
    if kind == PUT:
        return _put(book, row)
    if kind == REDUCE:
        return reduce_quantity(book, get(row, ORDER), get(row, SIDE), get(row, QUANTITY))
    if kind == DELETE:
        return delete_order(book, get(row, ORDER), get(row, SIDE))
    clear_orders(book)
    return DONE


@part
def _apply(book: int, row: int) -> bool:
    """Apply an update to a known book; false when the book cannot be right any more."""
    tally(book, UPDATES)
    if get(row, SEQUENCE) <= get(book, LAST_SEQUENCE):
        tally(book, STALE)
        return True
    if get(row, KIND) != CLEAR:
        # A message that clears the book may also put an order into it: that row follows with the same number.
        put(book, LAST_SEQUENCE, get(row, SEQUENCE))
    put(book, IN_TRANSACTION, 1 - get(row, ENDS))
    outcome = _operate(book, row)
    if outcome != DONE:
        _count_failure(book, outcome)
        return False
    if lost_order_levels(book) != 0:
        tally(book, OVERFLOWS)
        return False
    return True


@part
def _keep(book: int, row: int) -> None:
    """Keep an update until a snapshot comes; without room the older ones are given up."""
    used = get(book, BUFFERED)
    if used == BUFFER_ROWS:
        tally(book, OVERFLOWS)
        put(book, BUFFER_FROM, get(row, SEQUENCE))
        used = 0
    at = book + 8 * (BUFFER + ORDER_WIDTH * used)
    for word in range(ORDER_WIDTH):
        put(at, word, get(row, word))
    put(book, BUFFERED, used + 1)


@inline
def _begin(book: int, row: int) -> None:
    if get(book, SYNCHRONISED) != 0:
        return
    clear_orders(book)
    put(book, BUILDING, 1)
    put(book, SNAPSHOT_SEQUENCE, get(row, SEQUENCE))
    put(book, SNAPSHOT_COUNT, get(row, COUNT))


@inline
def _build(book: int, row: int) -> None:
    if get(book, BUILDING) == 0:
        return
    outcome = _put(book, row)
    if outcome != DONE:
        _count_failure(book, outcome)
        put(book, BUILDING, 0)
    elif lost_order_levels(book) != 0:
        tally(book, OVERFLOWS)
        put(book, BUILDING, 0)


@part
def _is_usable(book: int, row: int) -> bool:
    """Whether the snapshot that ends is whole and every update after it is at hand."""
    sequence = get(book, SNAPSHOT_SEQUENCE)
    if get(row, SEQUENCE) != sequence:
        return False
    if get(book, SNAPSHOT_COUNT) >= 0 and get(book, SNAPSHOT_COUNT) != order_count(book):
        return False
    return get(row, SINCE) >= 0 and sequence + 1 >= max(get(row, SINCE), get(book, BUFFER_FROM))


@part
def _end(book: int, row: int) -> int:
    if get(book, BUILDING) == 0:
        return UNCHANGED
    put(book, BUILDING, 0)
    if not _is_usable(book, row):
        tally(book, STALE_SNAPSHOTS)
        return UNCHANGED
    put(book, LAST_SEQUENCE, get(book, SNAPSHOT_SEQUENCE))
    put(book, IN_TRANSACTION, 0)
    waiting = book + 8 * BUFFER
    newest = waiting + 8 * ORDER_WIDTH * (get(book, BUFFERED) - 1)
    for _ in range(get(book, BUFFERED)):
        if not _apply(book, waiting):
            tally(book, GAPS)
            give_up(book, get(newest, SEQUENCE))
            return UNCHANGED
        waiting += 8 * ORDER_WIDTH
    put(book, BUFFERED, 0)
    put(book, SYNCHRONISED, 1)
    tally(book, SNAPSHOTS)
    if get(book, STARTED) != 0:
        tally(book, RESYNCS)
    put(book, STARTED, 1)
    return JOINED


@part
def on_gap(book: int, sequence: int) -> int:
    """Messages up to a number are missing or unreadable; gives GIVEN_UP or UNCHANGED.

    A snapshot that came ahead of the updates may hold them already.
    """
    if get(book, SYNCHRONISED) != 0 and sequence <= get(book, LAST_SEQUENCE):
        return UNCHANGED
    return give_up(book, sequence)


@part
def abandon_snapshot(book: int) -> None:
    """A part of the snapshot that is being read is missing."""
    if get(book, BUILDING) != 0:
        put(book, BUILDING, 0)
        tally(book, STALE_SNAPSHOTS)


@part
def take_update(book: int, row: int) -> int:
    """Take an update or a part of a snapshot; says what became of the book."""
    kind = get(row, KIND)
    if kind == SNAPSHOT_BEGIN:
        _begin(book, row)
        return UNCHANGED
    if kind == SNAPSHOT_PUT:
        _build(book, row)
        return UNCHANGED
    if kind == SNAPSHOT_END:
        return _end(book, row)
    if get(book, SYNCHRONISED) == 0:
        _keep(book, row)
        return UNCHANGED
    if not _apply(book, row):
        return give_up(book, get(row, SEQUENCE))
    return APPLIED
