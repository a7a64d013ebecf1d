"""From decoded records to a book and its detector, in one pass."""

from __future__ import annotations

from market.book.book import (
    BOOK_WORDS,
    QUOTED,
    SYNCHRONISED,
    TOP_ASK,
    TOP_ASK_QUANTITY,
    TOP_BID,
    TOP_BID_QUANTITY,
    ask_side,
    bid_side,
)
from market.book.intake import take_record
from market.book.ladder import best_tick
from market.book.top import CHANGED, WITHDRAWN
from market.detector.depth_walk import walk_side
from market.detector.layout import NONE, STATE, Words
from market.detector.streaming import on_book, on_gap, on_top, on_trade, on_withdrawn
from market.detector.walls import ASKS, BIDS
from market.native.kernel import entry, part, shared
from market.native.memory import address_of, get
from market.wire.records import (
    AGGRESSOR,
    DIFF,
    GAP,
    IGNORED,
    KIND,
    MARKET,
    PRICE,
    QUANTITY,
    RECEIVE_NS,
    REJECTED,
    SNAPSHOT,
    TRADE,
    TRADE_ID,
    WIDTH,
    Rows,
)


@shared
def see_depth(detector: int, book: int, time_ns: int) -> None:
    """Take a synchronised and quoted book as it stands after a depth update."""
    bids, asks = bid_side(book), ask_side(book)
    bid_lots, bid_worth = walk_side(detector, BIDS, bids, best_tick(bids))
    ask_lots, ask_worth = walk_side(detector, ASKS, asks, best_tick(asks))
    on_book(
        detector,
        NONE,
        time_ns,
        get(book, TOP_BID),
        get(book, TOP_BID_QUANTITY),
        get(book, TOP_ASK),
        get(book, TOP_ASK_QUANTITY),
        bid_lots,
        ask_lots,
        bid_worth,
        ask_worth,
        NONE,
        NONE,
    )


@part
def see_record(detector: int, book: int, row: int, change: int) -> None:
    """Take a record that its book has taken already, with what that changed about the top.

    The book drops quotes and updates that it knows; trades are told from each other here.
    """
    kind, time_ns = get(row, KIND), get(row, RECEIVE_NS)
    if kind == TRADE:
        on_trade(detector, get(row, TRADE_ID), time_ns, get(row, PRICE), get(row, QUANTITY), get(row, AGGRESSOR))
    elif kind == GAP:
        on_gap(detector)
    elif change == WITHDRAWN:
        on_withdrawn(detector)
    elif (kind == DIFF or kind == SNAPSHOT) and get(book, SYNCHRONISED) != 0 and get(book, QUOTED) != 0:
        see_depth(detector, book, time_ns)
    elif change == CHANGED:
        on_top(
            detector,
            NONE,
            time_ns,
            get(book, TOP_BID),
            get(book, TOP_BID_QUANTITY),
            get(book, TOP_ASK),
            get(book, TOP_ASK_QUANTITY),
        )


@part
def take_detector_record(detector: int, book: int, row: int, bids: int, asks: int) -> int:
    """Take one record into its book and that market's detector; returns SAME, CHANGED or WITHDRAWN for the top.

    ``bids`` and ``asks`` are the addresses of the batch's level rows.
    """
    change = take_record(book, row, bids, asks) if get(row, KIND) != TRADE else 0
    see_record(detector, book, row, change)
    return change


@entry("int64(int64[::1], int64[::1], int64, int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], int64[::1])")
def take_detector_records(
    detector: Words,
    books: Words,
    market: int,
    records: Rows,
    count: int,
    bids: Rows,
    asks: Rows,
    states: Words,
) -> int:
    """Take one market's records of a batch into its book and detector, in order; returns how many.

    Parameters
    ----------
    detector, books: state of one market's detector, and the books of ``new_books`` that it is number ``market`` of.
    records, count, bids, asks: the batch.
    states: int64[n], ``State`` after each of the market's records that is neither ignored nor rejected, while there
        is room.
    """
    base = address_of(detector)
    book = address_of(books) + 8 * BOOK_WORDS * market
    taken = 0
    for index in range(count):
        row = address_of(records) + 8 * WIDTH * index
        kind = get(row, KIND)
        if get(row, MARKET) == market and kind != IGNORED and kind != REJECTED:
            take_detector_record(base, book, row, address_of(bids), address_of(asks))
            if taken < len(states):
                states[taken] = get(base, STATE)
            taken += 1
    return taken
