"""Rows of an order-by-order feed as rows of a tape: transactions, with snapshots joined by the venue's own numbers.

A transaction's trades are written before its other operations, whatever the order of its messages: an own order's place
is that at the transaction's beginning for all of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.ladder import ASK, BID, NO_PRICE, best_tick, next_level
from market.book.order_book import (
    BUFFER_ROWS,
    LAST_SEQUENCE,
    SYNCHRONISED,
    keep_best_in_window,
    order_count,
    side_of,
    store_of,
)
from market.book.order_store import (
    NONE,
    find_order,
    first_at,
    level_lots,
    order_lots,
    order_side,
    order_tick,
)
from market.book.order_synchroniser import GIVEN_UP, JOINED, abandon_snapshot, on_gap, take_update
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.wire import order_records as orders
from market.wire.instruments import instrument_row
from market.wire.levels import scale_lots
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL, Reject, Rows, Words
from sim.backtest.layout import (
    EXCHANGE_NS,
    OPERATION_WIDTH,
    ORDERS,
    ORDERS_START,
    RECEIVE_NS,
    RESTATES,
    TAPE_GAP,
    TAPE_KIND,
    TAPE_MARKET,
    TAPE_ORDERS,
    TAPE_WIDTH,
)
from sim.backtest.operations import (
    AGGRESSOR_WORD,
    CLEAR,
    DELETE,
    KIND_WORD,
    LEVEL_LOTS_WORD,
    LOTS_WORD,
    ORDER_WORD,
    PRICE_WORD,
    PUT,
    REDUCE,
    SIDE_WORD,
    TRADE,
    WAS_PRICE_WORD,
    identifier_of,
    order_after,
    priority_of,
)
from sim.matching.layout import LARGEST_LOTS

_OK: Final = int(Reject.NONE)

STAGED_ROWS: Final = 1 << 15
STAGED_WIDTH: Final = OPERATION_WIDTH + 1
_NEXT: Final = OPERATION_WIDTH

# Words of the desk, the first of them addresses.
_STAGE: Final = 0
_OUT: Final = 1
_TAPE: Final = 2
_INSTRUMENTS: Final = 3
_STAGED: Final = 4
"""Operations of transactions that have not ended."""
OUT_USED: Final = 5
TAPE_USED: Final = 6
_OPEN: Final = 7
"""Markets whose transaction has not ended; their numbers follow from _LIST on."""
_LIST: Final = 8

# Words of a market, behind the list.
_HEAD: Final = 0
_TAIL: Final = 1
_CHANNEL: Final = 2
"""Of the open transaction, + 1; 0 for none."""
_EVENT_NS: Final = 3
_RECEIVE_NS: Final = 4
_MARKET_WORDS: Final = 6
MOST_ORDERS: Final = 5
"""Most orders that stood at once."""


def new_desk(markets: int) -> Words:
    """The desk of so many markets, with none open."""
    desk = np.zeros(_LIST + (1 + _MARKET_WORDS) * markets, dtype=np.int64)
    rows = market_words(desk, markets)
    rows[:, _HEAD] = rows[:, _TAIL] = NONE
    return desk


def market_words(desk: Words, markets: int) -> Rows:
    """What a desk knows of its markets, a row for each."""
    return desk[_LIST + markets :].reshape(markets, _MARKET_WORDS)


@inline
def _market_at(desk: int, count: int, market: int) -> int:
    return desk + 8 * (_LIST + count + _MARKET_WORDS * market)


@inline
def _staged_at(desk: int, index: int) -> int:
    return get(desk, _STAGE) + 8 * STAGED_WIDTH * index


@part
def _stage(desk: int, count: int, market: int, row: int, kind: int, side: int, price: int, lots: int) -> int:
    """Note an operation of a market's transaction, which it opens; gives its address."""
    words = _market_at(desk, count, market)
    if get(words, _CHANNEL) == 0:
        put(desk, _LIST + get(desk, _OPEN), market)
        put(desk, _OPEN, get(desk, _OPEN) + 1)
    put(words, _CHANNEL, get(row, orders.CHANNEL) + 1)
    index = get(desk, _STAGED)
    put(desk, _STAGED, index + 1)
    if get(words, _TAIL) == NONE:
        put(words, _HEAD, index)
    else:
        put(_staged_at(desk, get(words, _TAIL)), _NEXT, index)
    put(words, _TAIL, index)
    put(words, _EVENT_NS, max(get(row, orders.EVENT_NS), get(words, _EVENT_NS)))
    put(words, _RECEIVE_NS, get(row, orders.RECEIVE_NS))
    staged = _staged_at(desk, index)
    put(staged, KIND_WORD, kind)
    put(staged, SIDE_WORD, side)
    put(staged, PRICE_WORD, price)
    put(staged, LOTS_WORD, lots)
    put(staged, ORDER_WORD, get(row, orders.ORDER))
    put(staged, LEVEL_LOTS_WORD, 0)
    put(staged, WAS_PRICE_WORD, NO_PRICE)
    put(staged, AGGRESSOR_WORD, 0)
    put(staged, _NEXT, NONE)
    return staged


@part
def _emit(desk: int, kind: int, market: int, event_ns: int, receive_ns: int, first: int, restates: int) -> None:
    """Write a row of the tape over the operations from the first on."""
    row = get(desk, _TAPE) + 8 * TAPE_WIDTH * get(desk, TAPE_USED)
    put(row, TAPE_KIND, kind)
    put(row, TAPE_MARKET, market)
    put(row, EXCHANGE_NS, event_ns)
    put(row, RECEIVE_NS, receive_ns)
    put(row, ORDERS_START, first)
    put(row, ORDERS, get(desk, OUT_USED) - first)
    put(row, RESTATES, restates)
    put(row, 7, 0)
    put(desk, TAPE_USED, get(desk, TAPE_USED) + 1)


@part
def _copy(desk: int, staged: int) -> None:
    out = get(desk, _OUT) + 8 * OPERATION_WIDTH * get(desk, OUT_USED)
    for word in range(OPERATION_WIDTH):
        put(out, word, get(staged, word))
    put(desk, OUT_USED, get(desk, OUT_USED) + 1)


@part
def _end_market(desk: int, count: int, market: int) -> None:
    """Write a market's transaction, trades first."""
    words, first = _market_at(desk, count, market), get(desk, OUT_USED)
    for trades in range(2):
        index = get(words, _HEAD)
        while index != NONE:
            staged = _staged_at(desk, index)
            if (get(staged, KIND_WORD) == TRADE) == (trades == 0):
                _copy(desk, staged)
            index = get(staged, _NEXT)
    if get(desk, OUT_USED) > first:
        _emit(desk, TAPE_ORDERS, market, get(words, _EVENT_NS), get(words, _RECEIVE_NS), first, 0)
    put(words, _HEAD, NONE)
    put(words, _TAIL, NONE)
    put(words, _EVENT_NS, 0)


@part
def _end_transactions(desk: int, count: int, channel: int) -> None:
    """Write the transactions of a channel, -1: of all of them."""
    kept = 0
    for index in range(get(desk, _OPEN)):
        market = get(desk, _LIST + index)
        words = _market_at(desk, count, market)
        if channel < 0 or get(words, _CHANNEL) == channel + 1:
            _end_market(desk, count, market)
            put(words, _CHANNEL, 0)
        else:
            put(desk, _LIST + kept, market)
            kept += 1
    put(desk, _OPEN, kept)
    if kept == 0:
        put(desk, _STAGED, 0)


@inline
def _lots_of(desk: int, market: int, price: int, units: int) -> int:
    """A quantity in lots, 0 if it is too large to convert."""
    lots, reason = scale_lots(instrument_row(get(desk, _INSTRUMENTS), market), price, units)
    return min(lots, LARGEST_LOTS) if reason == _OK else 0


@part
def _restate(desk: int, count: int, market: int, book: int, row: int) -> None:
    """Write all orders of a book that is known again, best price first, each queue in its order."""
    _end_market(desk, count, market)
    store, first = store_of(book), get(desk, OUT_USED)
    for side in range(2):
        ladder = side_of(book, side)
        tick = best_tick(ladder)
        while tick != NO_PRICE:
            order = first_at(store, side, tick)
            while order != NONE:
                lots = _lots_of(desk, market, tick, order_lots(store, order))
                if lots > 0:
                    out = get(desk, _OUT) + 8 * OPERATION_WIDTH * get(desk, OUT_USED)
                    put(out, KIND_WORD, PUT)
                    put(out, SIDE_WORD, side)
                    put(out, PRICE_WORD, tick)
                    put(out, LOTS_WORD, lots)
                    put(out, ORDER_WORD, identifier_of(store, order))
                    put(out, LEVEL_LOTS_WORD, _lots_of(desk, market, tick, level_lots(store, side, tick)))
                    put(out, WAS_PRICE_WORD, NO_PRICE)
                    put(out, AGGRESSOR_WORD, 0)
                    put(desk, OUT_USED, get(desk, OUT_USED) + 1)
                order = order_after(store, order)
            tick = next_level(ladder, tick)
    _emit(desk, TAPE_ORDERS, market, get(row, orders.EVENT_NS), get(row, orders.RECEIVE_NS), first, 1)


@part
def _change(
    desk: int, count: int, market: int, book: int, row: int, side: int, tick: int, units: int, priority: int
) -> None:
    """Note what an update that was applied made of its order, which stood so before; a tick of NO_PRICE: did not."""
    store = store_of(book)
    order = find_order(store, get(row, orders.ORDER))
    now_tick = NO_PRICE
    now_side, now_units, now_priority = side, 0, priority
    if order != NONE:
        now_side, now_tick, now_units = order_side(store, order), order_tick(store, order), order_lots(store, order)
        now_priority = priority_of(store, order)
    if tick != NO_PRICE:
        stays = now_tick == tick and now_side == side and now_units <= units
        lots = _lots_of(desk, market, tick, now_units) if now_tick == tick else 0
        if stays and (get(row, orders.KEEPS_PLACE) != 0 or now_priority == priority):
            if now_units < units:
                staged = _stage(desk, count, market, row, REDUCE if lots > 0 else DELETE, side, tick, lots)
                put(staged, LEVEL_LOTS_WORD, _lots_of(desk, market, tick, level_lots(store, side, tick)))
            return
        staged = _stage(desk, count, market, row, DELETE, side, tick, 0)
        put(staged, LEVEL_LOTS_WORD, _lots_of(desk, market, tick, level_lots(store, side, tick)))
    if now_tick != NO_PRICE:
        lots = _lots_of(desk, market, now_tick, now_units)
        if lots > 0:
            staged = _stage(desk, count, market, row, PUT, now_side, now_tick, lots)
            put(staged, WAS_PRICE_WORD, tick)
            put(staged, LEVEL_LOTS_WORD, _lots_of(desk, market, now_tick, level_lots(store, now_side, now_tick)))


@part
def _take_book_row(desk: int, count: int, book: int, row: int) -> None:
    """An update, a part of a snapshot, or a loss of a market's book."""
    market, kind, store = get(row, orders.MARKET), get(row, orders.KIND), store_of(book)
    if kind == orders.SNAPSHOT_LOST:
        abandon_snapshot(book)
        return
    known = get(book, SYNCHRONISED) != 0
    is_new = get(row, orders.SEQUENCE) > get(book, LAST_SEQUENCE)
    side, tick, units, priority = 0, NO_PRICE, 0, 0
    order = find_order(store, get(row, orders.ORDER)) if known else NONE
    if order != NONE:
        side, tick, units = order_side(store, order), order_tick(store, order), order_lots(store, order)
        priority = priority_of(store, order)
    change = on_gap(book, get(row, orders.SEQUENCE)) if kind == orders.GAP else take_update(book, row)
    words = _market_at(desk, count, market)
    put(words, MOST_ORDERS, max(get(words, MOST_ORDERS), order_count(book)))
    if change == GIVEN_UP:
        _end_market(desk, count, market)
        first = get(desk, OUT_USED)
        _emit(desk, TAPE_GAP, market, get(row, orders.EVENT_NS), get(row, orders.RECEIVE_NS), first, 0)
    elif change == JOINED:
        keep_best_in_window(book)
        _restate(desk, count, market, book, row)
    elif known and is_new and kind == orders.CLEAR:
        _stage(desk, count, market, row, CLEAR, 0, NO_PRICE, 0)
    elif known and is_new and kind != orders.GAP:
        keep_best_in_window(book)
        _change(desk, count, market, book, row, side, tick, units, priority)


@part
def _take_trade(desk: int, count: int, row: int) -> None:
    market, price, aggressor = get(row, orders.MARKET), get(row, orders.PRICE), get(row, orders.SIDE)
    lots = _lots_of(desk, market, price, get(row, orders.QUANTITY))
    side = ASK if aggressor == AGGRESSOR_BUY else BID if aggressor == AGGRESSOR_SELL else -1
    if lots > 0:
        put(_stage(desk, count, market, row, TRADE, side, price, lots), AGGRESSOR_WORD, aggressor)


@entry(
    "int64(int64[:, ::1], int64, int64[::1], int64, int64, int64[::1], int64[::1], int64[:, ::1], int64[:, ::1], "
    "int64[:, ::1])"
)
def join_orders(
    rows: Rows,
    first: int,
    books: Words,
    book_count: int,
    book_words: int,
    instruments: Words,
    desk_words: Words,
    staged: Rows,
    operations: Rows,
    tape: Rows,
) -> int:
    """Write transactions and gaps; gives the index of the first row that is left because there may be no room.

    Parameters
    ----------
    rows: of an ``OrderBatch``, taken from ``first`` on. A transaction that does not end is never written.
    books: of ``new_order_books``, ``book_count`` of ``book_words`` words each. instruments: of ``instrument_table``.
    desk_words: of ``new_desk``. staged: int64[STAGED_ROWS, OPERATION_WIDTH + 1], kept between calls.
    operations: int64[n, OPERATION_WIDTH], n above STAGED_ROWS, BUFFER_ROWS and the orders of a book together.
    tape: int64[m, TAPE_WIDTH], m above twice the markets. Both are written from the first row on; the desk says how
        many.
    """
    desk, base = address_of(desk_words), address_of(books)
    put(desk, _STAGE, address_of(staged))
    put(desk, _OUT, address_of(operations))
    put(desk, _TAPE, address_of(tape))
    put(desk, _INSTRUMENTS, address_of(instruments))
    put(desk, OUT_USED, 0)
    put(desk, TAPE_USED, 0)
    for index in range(first, rows.shape[0]):
        row = address_of(rows) + 8 * orders.ORDER_WIDTH * index
        kind, market = get(row, orders.KIND), get(row, orders.MARKET)
        if get(desk, TAPE_USED) + get(desk, _OPEN) + 4 > tape.shape[0]:
            return index
        if get(desk, _STAGED) + 2 > STAGED_ROWS:
            _end_transactions(desk, book_count, -1)
        if 0 <= market < book_count and kind != orders.REJECTED and kind != orders.IGNORED:
            book = base + 8 * book_words * market
            if get(desk, OUT_USED) + get(desk, _STAGED) + order_count(book) + BUFFER_ROWS + 8 > operations.shape[0]:
                return index
            if kind == orders.TRADE:
                _take_trade(desk, book_count, row)
            else:
                _take_book_row(desk, book_count, book, row)
        if get(row, orders.ENDS) != 0:
            _end_transactions(desk, book_count, get(row, orders.CHANNEL))
    return rows.shape[0]
