"""Decoded records of one recording as rows of a tape: snapshots joined with the updates that came before them."""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.continuity import APPLY, DROP, judge
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.wire import records
from market.wire.records import Rows, Words
from sim.backtest.layout import (
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    EXCHANGE_NS,
    QUOTE_ASK,
    QUOTE_ASK_LOTS,
    QUOTE_BID,
    QUOTE_BID_LOTS,
    RECEIVE_NS,
    TAPE_DIFF,
    TAPE_GAP,
    TAPE_KIND,
    TAPE_MARKET,
    TAPE_OLDER_DIFF,
    TAPE_QUOTE,
    TAPE_SNAPSHOT,
    TAPE_TRADE,
    TAPE_WIDTH,
    TRADE_AGGRESSOR,
    TRADE_ID,
    TRADE_LOTS,
    TRADE_PRICE,
)

# Words of a market while its records are joined.
RULE: Final = 0
IN_BAND: Final = 1
_SYNCHRONISED: Final = 2
_LAST_ID: Final = 3
_FRESH: Final = 4
_BOOK_NS: Final = 5
"""Exchange time of the book's last row: a book does not go back."""
_TRADE: Final = 6
_WAITING: Final = 7
"""Index of the first record that may hold an update that waits for a snapshot."""
JOIN_WORDS: Final = 8

# Words of the settings.
AHEAD_NS: Final = 0
LEAST_NS: Final = 1
TAKES_QUOTES: Final = 2
SETTINGS_WORDS: Final = 3

ID: Final = TAPE_WIDTH
"""Column after those of the tape: the update id of a row of the book or a quote."""
JOINED_WIDTH: Final = TAPE_WIDTH + 1


@inline
def _exchange_ns(settings: int, record: int, receive_ns: int) -> int:
    """When a record happened, on the receiver's clock: at the latest the least latency before it was received."""
    latest = receive_ns - get(settings, LEAST_NS)
    stated = get(record, records.EVENT_NS)
    return min(stated - get(settings, AHEAD_NS), latest) if stated > 0 else latest


@part
def _emit_book(tape: int, count: int, kind: int, settings: int, join: int, record: int, receive_ns: int) -> int:
    """Write a row of the book; returns the rows then."""
    row = tape + 8 * JOINED_WIDTH * count
    time_ns = max(_exchange_ns(settings, record, receive_ns), get(join, _BOOK_NS))
    put(join, _BOOK_NS, time_ns)
    put(row, TAPE_KIND, kind)
    put(row, TAPE_MARKET, max(get(record, records.MARKET), 0))
    put(row, EXCHANGE_NS, time_ns)
    put(row, RECEIVE_NS, receive_ns)
    put(row, BIDS_START, get(record, records.BIDS_START))
    put(row, ASKS_START, get(record, records.ASKS_START))
    put(row, BIDS, get(record, records.BIDS) if kind != TAPE_GAP else 0)
    put(row, ASKS, get(record, records.ASKS) if kind != TAPE_GAP else 0)
    put(row, ID, get(record, records.LAST_ID))
    return count + 1


@part
def _emit_quote(tape: int, count: int, settings: int, record: int, receive_ns: int) -> int:
    """Write a stated quote; returns the rows then."""
    row = tape + 8 * JOINED_WIDTH * count
    put(row, TAPE_KIND, TAPE_QUOTE)
    put(row, TAPE_MARKET, get(record, records.MARKET))
    put(row, EXCHANGE_NS, _exchange_ns(settings, record, receive_ns))
    put(row, RECEIVE_NS, receive_ns)
    put(row, QUOTE_BID, get(record, records.BID_PRICE))
    put(row, QUOTE_BID_LOTS, get(record, records.BID_QUANTITY))
    put(row, QUOTE_ASK, get(record, records.ASK_PRICE))
    put(row, QUOTE_ASK_LOTS, get(record, records.ASK_QUANTITY))
    put(row, ID, get(record, records.LAST_ID))
    return count + 1


@part
def _emit_trade(tape: int, count: int, settings: int, join: int, record: int, receive_ns: int) -> int:
    """Write a trade unless it was there before; returns the rows then."""
    trade_id = get(record, records.TRADE_ID)
    if 0 <= trade_id <= get(join, _TRADE):
        return count
    put(join, _TRADE, max(trade_id, get(join, _TRADE)))
    row = tape + 8 * JOINED_WIDTH * count
    put(row, TAPE_KIND, TAPE_TRADE)
    put(row, TAPE_MARKET, get(record, records.MARKET))
    put(row, EXCHANGE_NS, _exchange_ns(settings, record, receive_ns))
    put(row, RECEIVE_NS, receive_ns)
    put(row, TRADE_PRICE, get(record, records.PRICE))
    put(row, TRADE_LOTS, get(record, records.QUANTITY))
    put(row, TRADE_AGGRESSOR, get(record, records.AGGRESSOR))
    put(row, TRADE_ID, trade_id)
    return count + 1


@part
def _take_diff(
    tape: int, count: int, settings: int, join: int, record: int, receive_ns: int, index: int
) -> int:  # fmt: skip
    """Write an update that continues the book; one that does not is a gap, and waits for a snapshot."""
    verdict = judge(
        get(join, RULE),
        get(join, _FRESH) != 0,
        get(join, _LAST_ID),
        get(record, records.FIRST_ID),
        get(record, records.LAST_ID),
        get(record, records.PREVIOUS_ID),
    )
    if verdict == DROP:
        return count
    if verdict == APPLY:
        put(join, _FRESH, 0)
        put(join, _LAST_ID, get(record, records.LAST_ID))
        return _emit_book(tape, count, TAPE_DIFF, settings, join, record, receive_ns)
    put(join, _SYNCHRONISED, 0)
    put(join, _WAITING, index)
    return _emit_book(tape, count, TAPE_GAP, settings, join, record, receive_ns)


@part
def _take_snapshot(
    tape: int, count: int, settings: int, join: int, base: int, index: int, receive_ns: int
) -> int:  # fmt: skip
    """Write a snapshot and the updates that waited for it; returns the rows then."""
    record = base + 8 * records.WIDTH * index
    in_band = get(join, IN_BAND) != 0
    if get(join, _SYNCHRONISED) != 0 and not in_band and get(record, records.LAST_ID) <= get(join, _LAST_ID):
        return count
    put(join, _SYNCHRONISED, 1)
    put(join, _FRESH, 1)
    put(join, _LAST_ID, get(record, records.LAST_ID))
    count = _emit_book(tape, count, TAPE_SNAPSHOT, settings, join, record, receive_ns)
    if not in_band:
        for earlier in range(get(join, _WAITING), index):
            waiting = base + 8 * records.WIDTH * earlier
            own = get(waiting, records.MARKET) == get(record, records.MARKET)
            if own and get(waiting, records.KIND) == records.DIFF and get(join, _SYNCHRONISED) != 0:
                count = _take_diff(tape, count, settings, join, waiting, receive_ns, earlier)
    return count


@part
def _lose(
    tape: int, count: int, settings: int, join: int, record: int, receive_ns: int, index: int
) -> int:  # fmt: skip
    if get(join, _SYNCHRONISED) == 0:
        return count
    put(join, _SYNCHRONISED, 0)
    put(join, _WAITING, index)
    return _emit_book(tape, count, TAPE_GAP, settings, join, record, receive_ns)


@entry("int64(int64[:, ::1], int64[::1], int64[:, ::1], int64[:, ::1])")
def join_records(record_rows: Rows, setting_words: Words, join_rows: Rows, tape_rows: Rows) -> int:
    """Write the rows of a tape in the order of receipt; returns how many.

    Parameters
    ----------
    record_rows: int64[n, records.WIDTH], all records of one recording.
    setting_words: int64[SETTINGS_WORDS]. join_rows: int64[markets, JOIN_WORDS] of ``new_join``.
    tape_rows: int64[2 n, JOINED_WIDTH], filled.
    """
    base, settings = address_of(record_rows), address_of(setting_words)
    joins, tape = address_of(join_rows), address_of(tape_rows)
    count = clock = 0
    for index in range(record_rows.shape[0]):
        record = base + 8 * records.WIDTH * index
        kind, market = get(record, records.KIND), get(record, records.MARKET)
        if kind == records.REJECTED or kind == records.IGNORED or market < 0 or market >= join_rows.shape[0]:
            continue
        clock = max(clock, get(record, records.RECEIVE_NS))
        join = joins + 8 * JOIN_WORDS * market
        if kind == records.TRADE:
            count = _emit_trade(tape, count, settings, join, record, clock)
        elif kind == records.DIFF and get(join, _SYNCHRONISED) != 0:
            count = _take_diff(tape, count, settings, join, record, clock, index)
        elif kind == records.SNAPSHOT:
            count = _take_snapshot(tape, count, settings, join, base, index, clock)
        elif kind == records.QUOTE and get(settings, TAKES_QUOTES) != 0:
            count = _emit_quote(tape, count, settings, record, clock)
        elif kind == records.GAP:
            count = _lose(tape, count, settings, join, record, clock, index)
    return count


@entry("int64(int64[:, ::1], int64[::1], int64)")
def settle_quotes(joined_rows: Rows, order: Words, markets: int) -> int:
    """Say which quotes are newer than the book, and which updates older than a quote, in the order of the exchange.

    Quotes that are not become rows of kind 0; returns how many rows are left. ``order``: rows in that order.
    """
    rows, left = address_of(joined_rows), 0
    books, quotes = np.full(markets, -1, dtype=np.int64), np.full(markets, -1, dtype=np.int64)
    for place in range(order.shape[0]):
        row = rows + 8 * JOINED_WIDTH * order[place]
        kind, market, identifier = get(row, TAPE_KIND), get(row, TAPE_MARKET), get(row, ID)
        left += 1
        if kind == TAPE_QUOTE:
            if identifier <= max(books[market], quotes[market]):
                put(row, TAPE_KIND, 0)
                left -= 1
            else:
                quotes[market] = identifier
        elif kind == TAPE_DIFF:
            books[market] = identifier
            if identifier < quotes[market]:
                put(row, TAPE_KIND, TAPE_OLDER_DIFF)
        elif kind == TAPE_SNAPSHOT or kind == TAPE_GAP:
            books[market] = max(identifier, quotes[market]) if kind == TAPE_GAP else identifier
            quotes[market] = -1
    return left


def clear_join(rows: Rows) -> None:
    """Make rows of JOIN_WORDS ready for the first record; the rule and the kind of snapshots stay."""
    rows[:, _SYNCHRONISED:] = 0
    rows[:, _LAST_ID] = rows[:, _TRADE] = -1
