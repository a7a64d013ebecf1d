"""From rows of an order-by-order feed to L3 books, and from their tops to quotes: the part in front of the merge.

A quote is made at the end of a transaction that changed the top, when a snapshot joins, and, without quantities, when
the book is given up. Quotes carry ``2 x number of the message + 1``, withdrawals ``2 x number``. A trade carries the
number of its message, which no other trade of the channel has.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.ladder import NO_PRICE
from market.book.order_book import (
    CROSSED,
    IN_TRANSACTION,
    LAST_SEQUENCE,
    QUOTED,
    SYNCHRONISED,
    TOP_ASK,
    TOP_ASK_LOTS,
    TOP_BID,
    TOP_BID_LOTS,
    best_orders,
    keep_best_in_window,
    tally,
)
from market.book.order_synchroniser import APPLIED, GIVEN_UP, JOINED, abandon_snapshot, on_gap, take_update
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, cycle_counter, get, put
from market.wire import order_records as orders
from market.wire import records
from market.wire.instruments import instrument_row
from market.wire.levels import scale_lots
from market.wire.record_output import (
    add_ignored,
    add_quote,
    add_record,
    add_rejected,
    aim_output,
    begin_packet,
    charge,
    has_room,
    records_used,
)
from market.wire.records import Reject, Rows, Words

_OK: Final = int(Reject.NONE)

# Words of the desk: markets whose transaction has not ended.
_OPEN: Final = 0
"""How many there are; their numbers follow, then a word per market: the channel + 1 of its transaction, 0 if none."""
_LIST: Final = 1


def new_desk(count: int) -> Words:
    """The desk of so many markets, with none open."""
    return np.zeros(_LIST + 2 * count, dtype=np.int64)


@inline
def _mark(desk: int, count: int, market: int, channel: int) -> None:
    """Remember that a market's transaction is open."""
    flag = _LIST + count + market
    if get(desk, flag) == 0:
        put(desk, _LIST + get(desk, _OPEN), market)
        put(desk, _OPEN, get(desk, _OPEN) + 1)
    put(desk, flag, channel + 1)


@inline
def _lots(instruments: int, market: int, price: int, units: int) -> int:
    """A quantity in lots, 0 if it is too large to convert."""
    if units == 0:
        return 0
    lots, reason = scale_lots(instrument_row(instruments, market), price, units)
    return lots if reason == _OK else 0


@part
def _quote(out: int, market: int, row: int, identifier: int, bid: int, bid_lots: int, ask: int, ask_lots: int) -> None:
    record = add_quote(out, market)
    put(record, records.EVENT_NS, get(row, orders.EVENT_NS))
    put(record, records.FIRST_ID, identifier)
    put(record, records.LAST_ID, identifier)
    put(record, records.BID_PRICE, bid)
    put(record, records.BID_QUANTITY, bid_lots)
    put(record, records.ASK_PRICE, ask)
    put(record, records.ASK_QUANTITY, ask_lots)


@part
def _show_top(book: int, market: int, row: int, instruments: int, out: int) -> None:
    """A quote if the top is another than the last one given out."""
    keep_best_in_window(book)
    bid, bid_units, ask, ask_units = best_orders(book)
    if bid != NO_PRICE and ask != NO_PRICE and bid >= ask:
        tally(book, CROSSED)
    same = get(book, TOP_BID) == bid and get(book, TOP_BID_LOTS) == bid_units
    if get(book, QUOTED) != 0 and same and get(book, TOP_ASK) == ask and get(book, TOP_ASK_LOTS) == ask_units:
        return
    put(book, QUOTED, 1)
    put(book, TOP_BID, bid)
    put(book, TOP_BID_LOTS, bid_units)
    put(book, TOP_ASK, ask)
    put(book, TOP_ASK_LOTS, ask_units)
    bid_lots, ask_lots = _lots(instruments, market, bid, bid_units), _lots(instruments, market, ask, ask_units)
    sequence = max(get(row, orders.SEQUENCE), get(book, LAST_SEQUENCE))
    _quote(out, market, row, 2 * sequence + 1, bid, bid_lots, ask, ask_lots)


@inline
def _withdraw(book: int, market: int, row: int, out: int) -> None:
    """Take the quote back, if there is one."""
    if get(book, QUOTED) != 0:
        put(book, QUOTED, 0)
        _quote(out, market, row, 2 * get(row, orders.SEQUENCE), NO_PRICE, 0, NO_PRICE, 0)


@part
def _end_transactions(books: int, words: int, desk: int, count: int, row: int, instruments: int, out: int) -> None:
    """Show the tops of the channel's markets whose transaction ends."""
    channel = get(row, orders.CHANNEL)
    kept = 0
    for index in range(get(desk, _OPEN)):
        market = get(desk, _LIST + index)
        if get(desk, _LIST + count + market) == channel + 1:
            put(desk, _LIST + count + market, 0)
            book = books + 8 * words * market
            put(book, IN_TRANSACTION, 0)
            if get(book, SYNCHRONISED) != 0:
                _show_top(book, market, row, instruments, out)
        else:
            put(desk, _LIST + kept, market)
            kept += 1
    put(desk, _OPEN, kept)


@part
def _trade(out: int, market: int, row: int, instruments: int) -> None:
    price = get(row, orders.PRICE)
    record = add_record(out, records.TRADE, market)
    put(record, records.EVENT_NS, get(row, orders.EVENT_NS))
    put(record, records.PRICE, price)
    put(record, records.QUANTITY, _lots(instruments, market, price, get(row, orders.QUANTITY)))
    put(record, records.AGGRESSOR, get(row, orders.SIDE))
    put(record, records.TRADE_ID, get(row, orders.SEQUENCE))


@part
def _take_book_row(books: int, words: int, desk: int, count: int, row: int, instruments: int, out: int) -> None:
    """An update, a part of a snapshot, or a loss of a market's book."""
    market = get(row, orders.MARKET)
    book = books + 8 * words * market
    kind = get(row, orders.KIND)
    if kind == orders.SNAPSHOT_LOST:
        abandon_snapshot(book)
        return
    change = on_gap(book, get(row, orders.SEQUENCE)) if kind == orders.GAP else take_update(book, row)
    if change == GIVEN_UP:
        _withdraw(book, market, row, out)
    elif change == APPLIED or (change == JOINED and get(book, IN_TRANSACTION) != 0):
        _mark(desk, count, market, get(row, orders.CHANNEL))
    elif change == JOINED:
        _show_top(book, market, row, instruments, out)


@entry(
    "int64(int64[:, ::1], int64, int64, int64[::1], int64, int64, int64[::1], int64[::1], int64[:, ::1], "
    "int64[:, ::1], int64[:, ::1], int64[::1])"
)
def take_orders(
    rows: Rows,
    first: int,
    count: int,
    books: Words,
    book_count: int,
    book_words: int,
    instruments: Words,
    desk: Words,
    out_records: Rows,
    bids: Rows,
    asks: Rows,
    cursor: Words,
) -> int:
    """Apply rows to their books and write quotes and trades; gives the index of the first row that is left.

    Parameters
    ----------
    rows: of an ``OrderBatch``. first, count: rows to take.
    books: of ``new_order_books``, ``book_count`` of ``book_words`` words each. instruments: of ``instrument_table``.
    desk: of ``new_desk``.
    out_records ... cursor: of a ``Batch``.
    """
    out = aim_output(out_records, bids, asks, cursor)
    table, base, open_markets = address_of(instruments), address_of(books), address_of(desk)
    for index in range(first, count):
        row = address_of(rows) + 8 * orders.ORDER_WIDTH * index
        if not has_room(out, 2 + get(open_markets, _OPEN), 0):
            return index
        begin = cycle_counter()
        used = records_used(out)
        begin_packet(out, get(row, orders.RECEIVE_NS), get(row, orders.LINE))
        kind = get(row, orders.KIND)
        if kind == orders.REJECTED:
            add_rejected(out, get(row, orders.REASON))
        elif kind == orders.IGNORED:
            add_ignored(out)
        elif kind == orders.TRADE:
            _trade(out, get(row, orders.MARKET), row, table)
        else:
            _take_book_row(base, book_words, open_markets, book_count, row, table, out)
        if get(row, orders.ENDS) != 0:
            _end_transactions(base, book_words, open_markets, book_count, row, table, out)
        charge(out, used, get(row, orders.CYCLES) + cycle_counter() - begin)
    return count
