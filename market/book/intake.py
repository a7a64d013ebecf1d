"""From decoded records to books: the one place that turns a record's kind into a book update."""

from __future__ import annotations

from market.book.book import BOOK_WORDS
from market.book.synchroniser import on_diff, on_gap, on_snapshot
from market.book.top import CHANGED, SAME, on_stated_quote
from market.native.kernel import entry, inline
from market.native.memory import address_of, get
from market.wire.records import (
    ASK_PRICE,
    ASK_QUANTITY,
    ASKS,
    ASKS_START,
    BID_PRICE,
    BID_QUANTITY,
    BIDS,
    BIDS_START,
    CHECKSUM,
    DIFF,
    FIRST_ID,
    GAP,
    KIND,
    LAST_ID,
    MARKET,
    PREVIOUS_ID,
    QUOTE,
    SHAPE,
    SNAPSHOT,
    WIDTH,
    Rows,
    Words,
)


@inline
def take_record(book: int, row: int, bids: int, asks: int) -> int:
    """Apply one diff, snapshot, quote or gap record to its book; SAME, CHANGED or WITHDRAWN."""
    kind = get(row, KIND)
    if kind == QUOTE:
        return on_stated_quote(
            book,
            get(row, LAST_ID),
            get(row, BID_PRICE),
            get(row, BID_QUANTITY),
            get(row, ASK_PRICE),
            get(row, ASK_QUANTITY),
        )
    bid_rows = bids + 16 * get(row, BIDS_START)
    ask_rows = asks + 16 * get(row, ASKS_START)
    if kind == DIFF:
        return on_diff(
            book,
            get(row, FIRST_ID),
            get(row, LAST_ID),
            get(row, PREVIOUS_ID),
            bid_rows,
            get(row, BIDS),
            ask_rows,
            get(row, ASKS),
            get(row, CHECKSUM),
            get(row, SHAPE),
        )
    if kind == SNAPSHOT:
        return on_snapshot(
            book,
            get(row, LAST_ID),
            bid_rows,
            get(row, BIDS),
            ask_rows,
            get(row, ASKS),
            get(row, CHECKSUM),
            get(row, SHAPE),
        )
    return on_gap(book) if kind == GAP else SAME


@entry("int64(int64[::1], int64[:, ::1], int64, int64[:, ::1], int64[:, ::1])")
def take_records(books: Words, records: Rows, count: int, bids: Rows, asks: Rows) -> int:
    """Apply a batch of one source's records to its books, in order; returns how often a top changed.

    ``books`` is of ``new_books``, one per market of the source.
    """
    base = address_of(books)
    rows = address_of(records)
    changes = 0
    for index in range(count):
        row = rows + 8 * WIDTH * index
        market = get(row, MARKET)
        if market >= 0:
            change = take_record(base + 8 * BOOK_WORDS * market, row, address_of(bids), address_of(asks))
            changes += change == CHANGED
    return changes
