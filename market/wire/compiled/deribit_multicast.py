"""Kernels for deribit_multicast.xml, written by ``market.wire.sbe.generator``; change the schema instead."""

from __future__ import annotations

from typing import Final

from market.native.kernel import part
from market.native.memory import get, load_i64, load_u8, load_u16, load_u32, put
from market.wire.binary import (
    BLOCK_LENGTH,
    COUNT,
    OK,
    SINK_ADDRESS,
    SINK_ROOM,
    SINK_SLOT,
    SINK_USED,
    STRIDE,
    TOO_LONG,
    TRUNCATED,
)

ROW_WIDTH: Final = 24
"""Columns of the widest row."""


BOOK: Final = 1001
BOOK_INSTRUMENT_ID: Final = 6
BOOK_TIMESTAMP_MS: Final = 7
BOOK_PREV_CHANGE_ID: Final = 8
BOOK_CHANGE_ID: Final = 9
BOOK_IS_LAST: Final = 10
BOOK_CHANGES_START: Final = 11
BOOK_CHANGES_COUNT: Final = 12
BOOK_CHANGES_SIDE: Final = 0
BOOK_CHANGES_CHANGE: Final = 1
BOOK_CHANGES_PRICE: Final = 2
BOOK_CHANGES_AMOUNT: Final = 3
BOOK_CHANGES_WIDTH: Final = 4


@part
def decode_book(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """Book: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 29 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u32(at, 0))
    put(row, 7, load_i64(at, 4))
    put(row, 8, load_i64(at, 12))
    put(row, 9, load_i64(at, 20))
    put(row, 10, load_u8(at, 28))
    at += block
    if end - at < 8:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u16(at, 2)
    at += 8
    if count > 0 and stride < 18:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, SINK_USED)
    if count > get(sink, SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, SINK_ADDRESS) + start * 32
    for _ in range(count):
        put(entry, 0, load_u8(at, 0))
        put(entry, 1, load_u8(at, 1))
        put(entry, 2, load_i64(at, 2))
        put(entry, 3, load_i64(at, 10))
        entry += 32
        at += stride
    put(row, 11, start)
    put(row, 12, count)
    put(sink, SINK_USED, start + count)
    return OK, at


TRADES: Final = 1002
TRADES_INSTRUMENT_ID: Final = 6
TRADES_TRADES_START: Final = 7
TRADES_TRADES_COUNT: Final = 8
TRADES_TRADES_DIRECTION: Final = 0
TRADES_TRADES_PRICE: Final = 1
TRADES_TRADES_AMOUNT: Final = 2
TRADES_TRADES_TIMESTAMP_MS: Final = 3
TRADES_TRADES_MARK_PRICE: Final = 4
TRADES_TRADES_INDEX_PRICE: Final = 5
TRADES_TRADES_TRADE_SEQ: Final = 6
TRADES_TRADES_TRADE_ID: Final = 7
TRADES_TRADES_TICK_DIRECTION: Final = 8
TRADES_TRADES_LIQUIDATION: Final = 9
TRADES_TRADES_IV: Final = 10
TRADES_TRADES_BLOCK_TRADE_ID: Final = 11
TRADES_TRADES_COMBO_TRADE_ID: Final = 12
TRADES_TRADES_WIDTH: Final = 13


@part
def decode_trades(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """Trades: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 4 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u32(at, 0))
    at += block
    if end - at < 8:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u16(at, 2)
    at += 8
    if count > 0 and stride < 83:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, 2 * SINK_SLOT + SINK_USED)
    if count > get(sink, 2 * SINK_SLOT + SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, 2 * SINK_SLOT + SINK_ADDRESS) + start * 104
    for _ in range(count):
        put(entry, 0, load_u8(at, 0))
        put(entry, 1, load_i64(at, 1))
        put(entry, 2, load_i64(at, 9))
        put(entry, 3, load_i64(at, 17))
        put(entry, 4, load_i64(at, 25))
        put(entry, 5, load_i64(at, 33))
        put(entry, 6, load_i64(at, 41))
        put(entry, 7, load_i64(at, 49))
        put(entry, 8, load_u8(at, 57))
        put(entry, 9, load_u8(at, 58))
        put(entry, 10, load_i64(at, 59))
        put(entry, 11, load_i64(at, 67))
        put(entry, 12, load_i64(at, 75))
        entry += 104
        at += stride
    put(row, 7, start)
    put(row, 8, count)
    put(sink, 2 * SINK_SLOT + SINK_USED, start + count)
    return OK, at


TICKER: Final = 1003
TICKER_INSTRUMENT_ID: Final = 6
TICKER_INSTRUMENT_STATE: Final = 7
TICKER_TIMESTAMP_MS: Final = 8
TICKER_OPEN_INTEREST: Final = 9
TICKER_MIN_SELL_PRICE: Final = 10
TICKER_MAX_BUY_PRICE: Final = 11
TICKER_LAST_PRICE: Final = 12
TICKER_INDEX_PRICE: Final = 13
TICKER_MARK_PRICE: Final = 14
TICKER_BEST_BID_PRICE: Final = 15
TICKER_BEST_BID_AMOUNT: Final = 16
TICKER_BEST_ASK_PRICE: Final = 17
TICKER_BEST_ASK_AMOUNT: Final = 18
TICKER_CURRENT_FUNDING: Final = 19
TICKER_FUNDING8H: Final = 20
TICKER_ESTIMATED_DELIVERY_PRICE: Final = 21
TICKER_DELIVERY_PRICE: Final = 22
TICKER_SETTLEMENT_PRICE: Final = 23


@part
def decode_ticker(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """Ticker: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 133 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u32(at, 0))
    put(row, 7, load_u8(at, 4))
    put(row, 8, load_i64(at, 5))
    put(row, 9, load_i64(at, 13))
    put(row, 10, load_i64(at, 21))
    put(row, 11, load_i64(at, 29))
    put(row, 12, load_i64(at, 37))
    put(row, 13, load_i64(at, 45))
    put(row, 14, load_i64(at, 53))
    put(row, 15, load_i64(at, 61))
    put(row, 16, load_i64(at, 69))
    put(row, 17, load_i64(at, 77))
    put(row, 18, load_i64(at, 85))
    put(row, 19, load_i64(at, 93))
    put(row, 20, load_i64(at, 101))
    put(row, 21, load_i64(at, 109))
    put(row, 22, load_i64(at, 117))
    put(row, 23, load_i64(at, 125))
    at += block
    return OK, at


SNAPSHOT: Final = 1004
SNAPSHOT_INSTRUMENT_ID: Final = 6
SNAPSHOT_TIMESTAMP_MS: Final = 7
SNAPSHOT_CHANGE_ID: Final = 8
SNAPSHOT_IS_BOOK_COMPLETE: Final = 9
SNAPSHOT_IS_LAST_IN_BOOK: Final = 10
SNAPSHOT_LEVELS_START: Final = 11
SNAPSHOT_LEVELS_COUNT: Final = 12
SNAPSHOT_LEVELS_SIDE: Final = 0
SNAPSHOT_LEVELS_PRICE: Final = 1
SNAPSHOT_LEVELS_AMOUNT: Final = 2
SNAPSHOT_LEVELS_WIDTH: Final = 3


@part
def decode_snapshot(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """Snapshot: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 22 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u32(at, 0))
    put(row, 7, load_i64(at, 4))
    put(row, 8, load_i64(at, 12))
    put(row, 9, load_u8(at, 20))
    put(row, 10, load_u8(at, 21))
    at += block
    if end - at < 8:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u16(at, 2)
    at += 8
    if count > 0 and stride < 17:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, SINK_SLOT + SINK_USED)
    if count > get(sink, SINK_SLOT + SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, SINK_SLOT + SINK_ADDRESS) + start * 24
    for _ in range(count):
        put(entry, 0, load_u8(at, 0))
        put(entry, 1, load_i64(at, 1))
        put(entry, 2, load_i64(at, 9))
        entry += 24
        at += stride
    put(row, 11, start)
    put(row, 12, count)
    put(sink, SINK_SLOT + SINK_USED, start + count)
    return OK, at
