"""Kernels for binance_stream.xml, written by ``market.wire.sbe.generator``; change the schema instead."""

from __future__ import annotations

from typing import Final

from market.native.kernel import part
from market.native.memory import get, load_i8, load_i64, load_u8, load_u16, load_u32, put, store_8, store_64
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

ROW_WIDTH: Final = 17
"""Columns of the widest row."""


TRADES: Final = 10000
TRADES_EVENT_TIME: Final = 6
TRADES_TRANSACT_TIME: Final = 7
TRADES_PRICE_EXPONENT: Final = 8
TRADES_QTY_EXPONENT: Final = 9
TRADES_TRADES_START: Final = 10
TRADES_TRADES_COUNT: Final = 11
TRADES_SYMBOL_OFFSET: Final = 12
TRADES_SYMBOL_LENGTH: Final = 13
TRADES_TRADES_ID: Final = 0
TRADES_TRADES_PRICE: Final = 1
TRADES_TRADES_QTY: Final = 2
TRADES_TRADES_IS_BUYER_MAKER: Final = 3
TRADES_TRADES_WIDTH: Final = 4


@part
def decode_trades(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """TradesStreamEvent: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 18 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i8(at, 16))
    put(row, 9, load_i8(at, 17))
    at += block
    if end - at < 6:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u32(at, 2)
    at += 6
    if count > 0 and stride < 25:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, 2 * SINK_SLOT + SINK_USED)
    if count > get(sink, 2 * SINK_SLOT + SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, 2 * SINK_SLOT + SINK_ADDRESS) + start * 32
    for _ in range(count):
        put(entry, 0, load_i64(at, 0))
        put(entry, 1, load_i64(at, 8))
        put(entry, 2, load_i64(at, 16))
        put(entry, 3, load_u8(at, 24))
        entry += 32
        at += stride
    put(row, 10, start)
    put(row, 11, count)
    put(sink, 2 * SINK_SLOT + SINK_USED, start + count)
    if end - at < 1 or end - at - 1 < load_u8(at, 0):
        return TRUNCATED, at
    put(row, 12, at + 1 - origin)
    put(row, 13, load_u8(at, 0))
    at += 1 + load_u8(at, 0)
    return OK, at


TRADES_BLOCK: Final = 18


@part
def write_trades(at: int, values: int) -> None:
    """A block of TradesStreamEvent at ``at``, 18 bytes, from the 4 words at ``values``."""
    store_64(at, 0, get(values, 0))
    store_64(at, 8, get(values, 1))
    store_8(at, 16, get(values, 2))
    store_8(at, 17, get(values, 3))


TRADES_TRADES_BLOCK: Final = 25


@part
def write_trades_trades(at: int, values: int) -> None:
    """A block of trades at ``at``, 25 bytes, from the 4 words at ``values``."""
    store_64(at, 0, get(values, 0))
    store_64(at, 8, get(values, 1))
    store_64(at, 16, get(values, 2))
    store_8(at, 24, get(values, 3))


BEST_BID_ASK: Final = 10001
BEST_BID_ASK_EVENT_TIME: Final = 6
BEST_BID_ASK_BOOK_UPDATE_ID: Final = 7
BEST_BID_ASK_PRICE_EXPONENT: Final = 8
BEST_BID_ASK_QTY_EXPONENT: Final = 9
BEST_BID_ASK_BID_PRICE: Final = 10
BEST_BID_ASK_BID_QTY: Final = 11
BEST_BID_ASK_ASK_PRICE: Final = 12
BEST_BID_ASK_ASK_QTY: Final = 13
BEST_BID_ASK_SYMBOL_OFFSET: Final = 14
BEST_BID_ASK_SYMBOL_LENGTH: Final = 15


@part
def decode_best_bid_ask(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """BestBidAskStreamEvent: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 50 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i8(at, 16))
    put(row, 9, load_i8(at, 17))
    put(row, 10, load_i64(at, 18))
    put(row, 11, load_i64(at, 26))
    put(row, 12, load_i64(at, 34))
    put(row, 13, load_i64(at, 42))
    at += block
    if end - at < 1 or end - at - 1 < load_u8(at, 0):
        return TRUNCATED, at
    put(row, 14, at + 1 - origin)
    put(row, 15, load_u8(at, 0))
    at += 1 + load_u8(at, 0)
    return OK, at


BEST_BID_ASK_BLOCK: Final = 50


@part
def write_best_bid_ask(at: int, values: int) -> None:
    """A block of BestBidAskStreamEvent at ``at``, 50 bytes, from the 8 words at ``values``."""
    store_64(at, 0, get(values, 0))
    store_64(at, 8, get(values, 1))
    store_8(at, 16, get(values, 2))
    store_8(at, 17, get(values, 3))
    store_64(at, 18, get(values, 4))
    store_64(at, 26, get(values, 5))
    store_64(at, 34, get(values, 6))
    store_64(at, 42, get(values, 7))


DEPTH_SNAPSHOT: Final = 10002
DEPTH_SNAPSHOT_EVENT_TIME: Final = 6
DEPTH_SNAPSHOT_BOOK_UPDATE_ID: Final = 7
DEPTH_SNAPSHOT_PRICE_EXPONENT: Final = 8
DEPTH_SNAPSHOT_QTY_EXPONENT: Final = 9
DEPTH_SNAPSHOT_BIDS_START: Final = 10
DEPTH_SNAPSHOT_BIDS_COUNT: Final = 11
DEPTH_SNAPSHOT_ASKS_START: Final = 12
DEPTH_SNAPSHOT_ASKS_COUNT: Final = 13
DEPTH_SNAPSHOT_SYMBOL_OFFSET: Final = 14
DEPTH_SNAPSHOT_SYMBOL_LENGTH: Final = 15
DEPTH_SNAPSHOT_BIDS_PRICE: Final = 0
DEPTH_SNAPSHOT_BIDS_QTY: Final = 1
DEPTH_SNAPSHOT_BIDS_WIDTH: Final = 2
DEPTH_SNAPSHOT_ASKS_PRICE: Final = 0
DEPTH_SNAPSHOT_ASKS_QTY: Final = 1
DEPTH_SNAPSHOT_ASKS_WIDTH: Final = 2


@part
def decode_depth_snapshot(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """DepthSnapshotStreamEvent: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 18 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i8(at, 16))
    put(row, 9, load_i8(at, 17))
    at += block
    if end - at < 4:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u16(at, 2)
    at += 4
    if count > 0 and stride < 16:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, SINK_USED)
    if count > get(sink, SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, SINK_ADDRESS) + start * 16
    for _ in range(count):
        put(entry, 0, load_i64(at, 0))
        put(entry, 1, load_i64(at, 8))
        entry += 16
        at += stride
    put(row, 10, start)
    put(row, 11, count)
    put(sink, SINK_USED, start + count)
    if end - at < 4:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u16(at, 2)
    at += 4
    if count > 0 and stride < 16:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, SINK_SLOT + SINK_USED)
    if count > get(sink, SINK_SLOT + SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, SINK_SLOT + SINK_ADDRESS) + start * 16
    for _ in range(count):
        put(entry, 0, load_i64(at, 0))
        put(entry, 1, load_i64(at, 8))
        entry += 16
        at += stride
    put(row, 12, start)
    put(row, 13, count)
    put(sink, SINK_SLOT + SINK_USED, start + count)
    if end - at < 1 or end - at - 1 < load_u8(at, 0):
        return TRUNCATED, at
    put(row, 14, at + 1 - origin)
    put(row, 15, load_u8(at, 0))
    at += 1 + load_u8(at, 0)
    return OK, at


DEPTH_DIFF: Final = 10003
DEPTH_DIFF_EVENT_TIME: Final = 6
DEPTH_DIFF_FIRST_BOOK_UPDATE_ID: Final = 7
DEPTH_DIFF_LAST_BOOK_UPDATE_ID: Final = 8
DEPTH_DIFF_PRICE_EXPONENT: Final = 9
DEPTH_DIFF_QTY_EXPONENT: Final = 10
DEPTH_DIFF_BIDS_START: Final = 11
DEPTH_DIFF_BIDS_COUNT: Final = 12
DEPTH_DIFF_ASKS_START: Final = 13
DEPTH_DIFF_ASKS_COUNT: Final = 14
DEPTH_DIFF_SYMBOL_OFFSET: Final = 15
DEPTH_DIFF_SYMBOL_LENGTH: Final = 16
DEPTH_DIFF_BIDS_PRICE: Final = 0
DEPTH_DIFF_BIDS_QTY: Final = 1
DEPTH_DIFF_BIDS_WIDTH: Final = 2
DEPTH_DIFF_ASKS_PRICE: Final = 0
DEPTH_DIFF_ASKS_QTY: Final = 1
DEPTH_DIFF_ASKS_WIDTH: Final = 2


@part
def decode_depth_diff(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """DepthDiffStreamEvent: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 26 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    put(row, 9, load_i8(at, 24))
    put(row, 10, load_i8(at, 25))
    at += block
    if end - at < 4:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u16(at, 2)
    at += 4
    if count > 0 and stride < 16:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, SINK_USED)
    if count > get(sink, SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, SINK_ADDRESS) + start * 16
    for _ in range(count):
        put(entry, 0, load_i64(at, 0))
        put(entry, 1, load_i64(at, 8))
        entry += 16
        at += stride
    put(row, 11, start)
    put(row, 12, count)
    put(sink, SINK_USED, start + count)
    if end - at < 4:
        return TRUNCATED, at
    stride = load_u16(at, 0)
    count = load_u16(at, 2)
    at += 4
    if count > 0 and stride < 16:
        return STRIDE, at
    if stride * count > end - at:
        return COUNT, at
    start = get(sink, SINK_SLOT + SINK_USED)
    if count > get(sink, SINK_SLOT + SINK_ROOM) - start:
        return TOO_LONG, at
    entry = get(sink, SINK_SLOT + SINK_ADDRESS) + start * 16
    for _ in range(count):
        put(entry, 0, load_i64(at, 0))
        put(entry, 1, load_i64(at, 8))
        entry += 16
        at += stride
    put(row, 13, start)
    put(row, 14, count)
    put(sink, SINK_SLOT + SINK_USED, start + count)
    if end - at < 1 or end - at - 1 < load_u8(at, 0):
        return TRUNCATED, at
    put(row, 15, at + 1 - origin)
    put(row, 16, load_u8(at, 0))
    at += 1 + load_u8(at, 0)
    return OK, at
