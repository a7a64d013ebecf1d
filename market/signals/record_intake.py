"""From decoded records to a book and its signals, in one pass."""

from __future__ import annotations

from market.book.book import BOOK_WORDS, TOP_ASK, TOP_ASK_QUANTITY, TOP_BID, TOP_BID_QUANTITY
from market.book.intake import take_record
from market.book.top import CHANGED, WITHDRAWN
from market.native.kernel import entry, part
from market.native.memory import address_of, get
from market.signals.layout import Rows, Values, Words
from market.signals.reading import read
from market.signals.streaming import advance, before_update, on_book, on_top, on_trade, on_withdrawn
from market.wire.records import (
    AGGRESSOR,
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    DIFF,
    FIRST_ID,
    IGNORED,
    KIND,
    LAST_ID,
    MARKET,
    PREVIOUS_ID,
    PRICE,
    QUANTITY,
    QUOTE,
    RECEIVE_NS,
    REJECTED,
    TRADE,
    WIDTH,
)


@part
def take_signal_record(signals: int, book: int, row: int, bids: int, asks: int) -> int:
    """Take one record into its book and that market's signals; returns SAME, CHANGED or WITHDRAWN for the top.

    ``bids`` and ``asks`` are the addresses of the batch's level rows.
    """
    kind = get(row, KIND)
    now = advance(signals, get(row, RECEIVE_NS))
    if kind == TRADE:
        on_trade(signals, get(row, PRICE), get(row, QUANTITY), get(row, AGGRESSOR), now)
        return 0
    if kind == DIFF:
        before_update(
            signals,
            book,
            get(row, FIRST_ID),
            get(row, LAST_ID),
            get(row, PREVIOUS_ID),
            bids + 16 * get(row, BIDS_START),
            get(row, BIDS),
            asks + 16 * get(row, ASKS_START),
            get(row, ASKS),
            now,
        )
    change = take_record(book, row, bids, asks)
    if change == CHANGED:
        bid, bid_quantity = get(book, TOP_BID), get(book, TOP_BID_QUANTITY)
        on_top(signals, bid, bid_quantity, get(book, TOP_ASK), get(book, TOP_ASK_QUANTITY), now)
    elif change == WITHDRAWN:
        on_withdrawn(signals, now)
    if kind != QUOTE:
        on_book(signals, book)
    return change


@entry(
    "int64(int64[::1], int64[::1], int64, int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], "
    "float64[:, ::1], int64[::1])"
)
def take_signal_records(
    signals: Words,
    books: Words,
    market: int,
    records: Rows,
    count: int,
    bids: Rows,
    asks: Rows,
    out: Values,
    read_at: Words,
) -> int:
    """Take one market's records of a batch into its book and signals, in order.

    Parameters
    ----------
    signals, books: state of one market's signals, and the books of ``new_books`` that it is number ``market`` of.
    records, count, bids, asks: the batch.
    out, read_at: float64[n, WIDTH] and int64[n]: a reading after each of the market's records that is neither
        ignored nor rejected, with the record's index, while there are rows.

    Returns the number of readings.
    """
    base = address_of(signals)
    book = address_of(books) + 8 * BOOK_WORDS * market
    readings = 0
    for index in range(count):
        row = address_of(records) + 8 * WIDTH * index
        kind = get(row, KIND)
        if get(row, MARKET) == market and kind != IGNORED and kind != REJECTED:
            take_signal_record(base, book, row, address_of(bids), address_of(asks))
            if readings < len(out):
                read(base, out, readings)
                read_at[readings] = index
                readings += 1
    return readings
