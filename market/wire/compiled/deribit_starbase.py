"""Kernels for deribit_starbase.xml, written by ``market.wire.sbe.generator``; change the schema instead."""

from __future__ import annotations

from typing import Final

from market.native.kernel import part
from market.native.memory import load_i8, load_i32, load_i64, load_u32, put
from market.wire.binary import BLOCK_LENGTH, OK

ROW_WIDTH: Final = 14
"""Columns of the widest row."""


BID_PUT: Final = 20
BID_PUT_ORDER_ID: Final = 6
BID_PUT_INSTRUMENT_ID: Final = 7
BID_PUT_QUANTITY_MANTISSA: Final = 8
BID_PUT_PRICE: Final = 9
BID_PUT_SORT_ORDER_ID: Final = 10


@part
def decode_bid_put(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """BidPut: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 40 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    put(row, 9, load_i64(at, 24))
    put(row, 10, load_i64(at, 32))
    at += block
    return OK, at


ASK_PUT: Final = 21
ASK_PUT_ORDER_ID: Final = 6
ASK_PUT_INSTRUMENT_ID: Final = 7
ASK_PUT_QUANTITY_MANTISSA: Final = 8
ASK_PUT_PRICE: Final = 9
ASK_PUT_SORT_ORDER_ID: Final = 10


@part
def decode_ask_put(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """AskPut: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 40 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    put(row, 9, load_i64(at, 24))
    put(row, 10, load_i64(at, 32))
    at += block
    return OK, at


BID_QUANTITY_REDUCED: Final = 22
BID_QUANTITY_REDUCED_ORDER_ID: Final = 6
BID_QUANTITY_REDUCED_INSTRUMENT_ID: Final = 7
BID_QUANTITY_REDUCED_QUANTITY_MANTISSA: Final = 8


@part
def decode_bid_quantity_reduced(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """BidQtyReduced: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 24 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    at += block
    return OK, at


ASK_QUANTITY_REDUCED: Final = 23
ASK_QUANTITY_REDUCED_ORDER_ID: Final = 6
ASK_QUANTITY_REDUCED_INSTRUMENT_ID: Final = 7
ASK_QUANTITY_REDUCED_QUANTITY_MANTISSA: Final = 8


@part
def decode_ask_quantity_reduced(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """AskQtyReduced: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 24 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    at += block
    return OK, at


BID_DELETE: Final = 24
BID_DELETE_ORDER_ID: Final = 6
BID_DELETE_INSTRUMENT_ID: Final = 7


@part
def decode_bid_delete(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """BidDelete: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 16 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    at += block
    return OK, at


ASK_DELETE: Final = 25
ASK_DELETE_ORDER_ID: Final = 6
ASK_DELETE_INSTRUMENT_ID: Final = 7


@part
def decode_ask_delete(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """AskDelete: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 16 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    at += block
    return OK, at


TRADE_SUMMARY: Final = 30
TRADE_SUMMARY_INSTRUMENT_ID: Final = 6
TRADE_SUMMARY_TAKER_ORDER_ID: Final = 7
TRADE_SUMMARY_TOTAL_FILLED_MANTISSA: Final = 8
TRADE_SUMMARY_DEEPEST_PRICE: Final = 9
TRADE_SUMMARY_MARK_PRICE: Final = 10
TRADE_SUMMARY_INDEX_PRICE: Final = 11
TRADE_SUMMARY_TRADE_COUNT: Final = 12
TRADE_SUMMARY_TAKER_FLAGS: Final = 13


@part
def decode_trade_summary(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """TradeSummary: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 56 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    put(row, 9, load_i64(at, 24))
    put(row, 10, load_i64(at, 32))
    put(row, 11, load_i64(at, 40))
    put(row, 12, load_i32(at, 48))
    put(row, 13, load_u32(at, 52))
    at += block
    return OK, at


TRADE: Final = 31
TRADE_MATCH_ID: Final = 6
TRADE_INSTRUMENT_ID: Final = 7
TRADE_MAKER_ORDER_ID: Final = 8
TRADE_FILL_QTY_MANTISSA: Final = 9
TRADE_FILL_PRICE: Final = 10
TRADE_MAKER_FLAGS: Final = 11


@part
def decode_trade(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """Trade: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 44 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    put(row, 9, load_i64(at, 24))
    put(row, 10, load_i64(at, 32))
    put(row, 11, load_u32(at, 40))
    at += block
    return OK, at


INSTRUMENT_INFO: Final = 14
INSTRUMENT_INFO_INSTRUMENT_ID: Final = 6
INSTRUMENT_INFO_MIN_SELL_PRICE: Final = 7
INSTRUMENT_INFO_MAX_BUY_PRICE: Final = 8
INSTRUMENT_INFO_INDEX_PRICE: Final = 9
INSTRUMENT_INFO_MARK_PRICE: Final = 10


@part
def decode_instrument_info(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """InstrumentInfo: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 40 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    put(row, 9, load_i64(at, 24))
    put(row, 10, load_i64(at, 32))
    at += block
    return OK, at


INSTRUMENT_STATUS: Final = 16
INSTRUMENT_STATUS_INSTRUMENT_ID: Final = 6
INSTRUMENT_STATUS_TRADING_STATUS: Final = 7


@part
def decode_instrument_status(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """InstrumentStatusUpdate: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 9 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i8(at, 8))
    at += block
    return OK, at


SNAPSHOT_HEADER: Final = 100
SNAPSHOT_HEADER_INSTRUMENT_ID: Final = 6
SNAPSHOT_HEADER_INCREMENTAL_TIMESTAMP: Final = 7
SNAPSHOT_HEADER_INCREMENTAL_SEQ_NUM: Final = 8


@part
def decode_snapshot_header(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """SnapshotHeader: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 24 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    at += block
    return OK, at


SNAPSHOT_TRAILER: Final = 101
SNAPSHOT_TRAILER_INSTRUMENT_ID: Final = 6
SNAPSHOT_TRAILER_TIMESTAMP: Final = 7
SNAPSHOT_TRAILER_INCREMENT_SEQ_NUM: Final = 8


@part
def decode_snapshot_trailer(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """SnapshotTrailer: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 24 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_i64(at, 0))
    put(row, 7, load_i64(at, 8))
    put(row, 8, load_i64(at, 16))
    at += block
    return OK, at
