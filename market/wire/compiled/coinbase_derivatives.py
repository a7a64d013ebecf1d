"""Kernels for coinbase_derivatives.xml, written by ``market.wire.sbe.generator``; change the schema instead."""

from __future__ import annotations

from typing import Final

from market.native.kernel import part
from market.native.memory import load_i8, load_i16, load_i32, load_i64, load_u8, load_u16, load_u32, put
from market.wire.binary import BLOCK_LENGTH, OK

ROW_WIDTH: Final = 18
"""Columns of the widest row."""


ORDER_PUT: Final = 20
ORDER_PUT_INSTR_HEADER_FLAGS: Final = 6
ORDER_PUT_INSTR_HEADER_SIDE: Final = 7
ORDER_PUT_INSTR_HEADER_INSTRUMENT_ID: Final = 8
ORDER_PUT_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
ORDER_PUT_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
ORDER_PUT_INSTR_HEADER_RESERVED: Final = 11
ORDER_PUT_INSTR_HEADER_TRANSACT_TIME: Final = 12
ORDER_PUT_ORDER_ID: Final = 13
ORDER_PUT_PRICE: Final = 14
ORDER_PUT_QUANTITY: Final = 15


@part
def decode_order_put(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """OrderPut: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 42 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    put(row, 14, load_i64(at, 30))
    put(row, 15, load_i32(at, 38))
    at += block
    return OK, at


ORDER_DELETE: Final = 21
ORDER_DELETE_INSTR_HEADER_FLAGS: Final = 6
ORDER_DELETE_INSTR_HEADER_SIDE: Final = 7
ORDER_DELETE_INSTR_HEADER_INSTRUMENT_ID: Final = 8
ORDER_DELETE_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
ORDER_DELETE_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
ORDER_DELETE_INSTR_HEADER_RESERVED: Final = 11
ORDER_DELETE_INSTR_HEADER_TRANSACT_TIME: Final = 12
ORDER_DELETE_ORDER_ID: Final = 13


@part
def decode_order_delete(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """OrderDelete: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 30 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    at += block
    return OK, at


IMPLIED_ORDER_UPDATE: Final = 22
IMPLIED_ORDER_UPDATE_INSTR_HEADER_FLAGS: Final = 6
IMPLIED_ORDER_UPDATE_INSTR_HEADER_SIDE: Final = 7
IMPLIED_ORDER_UPDATE_INSTR_HEADER_INSTRUMENT_ID: Final = 8
IMPLIED_ORDER_UPDATE_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
IMPLIED_ORDER_UPDATE_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
IMPLIED_ORDER_UPDATE_INSTR_HEADER_RESERVED: Final = 11
IMPLIED_ORDER_UPDATE_INSTR_HEADER_TRANSACT_TIME: Final = 12
IMPLIED_ORDER_UPDATE_BEST_PRICE: Final = 13
IMPLIED_ORDER_UPDATE_NEXT_PRICE: Final = 14
IMPLIED_ORDER_UPDATE_BEST_QTY: Final = 15
IMPLIED_ORDER_UPDATE_NEXT_QTY: Final = 16


@part
def decode_implied_order_update(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """ImpliedOrderUpdate: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 46 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    put(row, 14, load_i64(at, 30))
    put(row, 15, load_i32(at, 38))
    put(row, 16, load_i32(at, 42))
    at += block
    return OK, at


TRADE: Final = 30
TRADE_INSTR_HEADER_FLAGS: Final = 6
TRADE_INSTR_HEADER_SIDE: Final = 7
TRADE_INSTR_HEADER_INSTRUMENT_ID: Final = 8
TRADE_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
TRADE_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
TRADE_INSTR_HEADER_RESERVED: Final = 11
TRADE_INSTR_HEADER_TRANSACT_TIME: Final = 12
TRADE_MATCH_ID: Final = 13
TRADE_BUY_ORDER_ID: Final = 14
TRADE_SELL_ORDER_ID: Final = 15
TRADE_PRICE: Final = 16
TRADE_QUANTITY: Final = 17


@part
def decode_trade(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """Trade: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 58 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    put(row, 14, load_i64(at, 30))
    put(row, 15, load_i64(at, 38))
    put(row, 16, load_i64(at, 46))
    put(row, 17, load_i32(at, 54))
    at += block
    return OK, at


TRADE_AMEND: Final = 31
TRADE_AMEND_INSTR_HEADER_FLAGS: Final = 6
TRADE_AMEND_INSTR_HEADER_SIDE: Final = 7
TRADE_AMEND_INSTR_HEADER_INSTRUMENT_ID: Final = 8
TRADE_AMEND_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
TRADE_AMEND_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
TRADE_AMEND_INSTR_HEADER_RESERVED: Final = 11
TRADE_AMEND_INSTR_HEADER_TRANSACT_TIME: Final = 12
TRADE_AMEND_MATCH_ID: Final = 13
TRADE_AMEND_BUY_ORDER_ID: Final = 14
TRADE_AMEND_SELL_ORDER_ID: Final = 15
TRADE_AMEND_OLD_PRICE: Final = 16
TRADE_AMEND_NEW_PRICE: Final = 17


@part
def decode_trade_amend(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """TradeAmend: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 62 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    put(row, 14, load_i64(at, 30))
    put(row, 15, load_i64(at, 38))
    put(row, 16, load_i64(at, 46))
    put(row, 17, load_i64(at, 54))
    at += block
    return OK, at


TRADE_BUST: Final = 32
TRADE_BUST_INSTR_HEADER_FLAGS: Final = 6
TRADE_BUST_INSTR_HEADER_SIDE: Final = 7
TRADE_BUST_INSTR_HEADER_INSTRUMENT_ID: Final = 8
TRADE_BUST_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
TRADE_BUST_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
TRADE_BUST_INSTR_HEADER_RESERVED: Final = 11
TRADE_BUST_INSTR_HEADER_TRANSACT_TIME: Final = 12
TRADE_BUST_MATCH_ID: Final = 13
TRADE_BUST_BUY_ORDER_ID: Final = 14
TRADE_BUST_SELL_ORDER_ID: Final = 15


@part
def decode_trade_bust(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """TradeBust: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 46 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    put(row, 14, load_i64(at, 30))
    put(row, 15, load_i64(at, 38))
    at += block
    return OK, at


TRADE_SUMMARY: Final = 33
TRADE_SUMMARY_INSTR_HEADER_FLAGS: Final = 6
TRADE_SUMMARY_INSTR_HEADER_SIDE: Final = 7
TRADE_SUMMARY_INSTR_HEADER_INSTRUMENT_ID: Final = 8
TRADE_SUMMARY_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
TRADE_SUMMARY_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
TRADE_SUMMARY_INSTR_HEADER_RESERVED: Final = 11
TRADE_SUMMARY_INSTR_HEADER_TRANSACT_TIME: Final = 12
TRADE_SUMMARY_AGGRESSOR_ORDER_ID: Final = 13
TRADE_SUMMARY_AGGRESSOR_RECEIVE_TIME: Final = 14
TRADE_SUMMARY_VWAP_PRICE: Final = 15
TRADE_SUMMARY_DEEPEST_PRICE: Final = 16
TRADE_SUMMARY_QUANTITY: Final = 17


@part
def decode_trade_summary(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """TradeSummary: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 58 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    put(row, 14, load_i64(at, 30))
    put(row, 15, load_i64(at, 38))
    put(row, 16, load_i64(at, 46))
    put(row, 17, load_i32(at, 54))
    at += block
    return OK, at


TRADING_STATUS_UPDATE: Final = 17
TRADING_STATUS_UPDATE_INSTR_HEADER_FLAGS: Final = 6
TRADING_STATUS_UPDATE_INSTR_HEADER_SIDE: Final = 7
TRADING_STATUS_UPDATE_INSTR_HEADER_INSTRUMENT_ID: Final = 8
TRADING_STATUS_UPDATE_INSTR_HEADER_INSTR_SEQ_NUM: Final = 9
TRADING_STATUS_UPDATE_INSTR_HEADER_TRADING_SESSION_DATE: Final = 10
TRADING_STATUS_UPDATE_INSTR_HEADER_RESERVED: Final = 11
TRADING_STATUS_UPDATE_INSTR_HEADER_TRANSACT_TIME: Final = 12
TRADING_STATUS_UPDATE_LIMIT_DOWN_PRICE: Final = 13
TRADING_STATUS_UPDATE_LIMIT_UP_PRICE: Final = 14
TRADING_STATUS_UPDATE_TRADING_STATUS: Final = 15


@part
def decode_trading_status_update(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """TradingStatusUpdate: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 39 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u8(at, 0))
    put(row, 7, load_i8(at, 1))
    put(row, 8, load_i32(at, 2))
    put(row, 9, load_u32(at, 6))
    put(row, 10, load_u16(at, 10))
    put(row, 11, load_i16(at, 12))
    put(row, 12, load_i64(at, 14))
    put(row, 13, load_i64(at, 22))
    put(row, 14, load_i64(at, 30))
    put(row, 15, load_i8(at, 38))
    at += block
    return OK, at


ORDER_SNAPSHOT: Final = 120
ORDER_SNAPSHOT_SNAPSHOT_SEQ_NUM: Final = 6
ORDER_SNAPSHOT_QUANTITY: Final = 7
ORDER_SNAPSHOT_TRANSACT_TIME: Final = 8
ORDER_SNAPSHOT_ORDER_ID: Final = 9
ORDER_SNAPSHOT_PRICE: Final = 10


@part
def decode_order_snapshot(at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """OrderSnapshot: the root block at ``at``, to the row at ``row``; the reason, and where it ends."""
    if block < 30 or block > end - at:
        return BLOCK_LENGTH, at
    put(row, 6, load_u16(at, 0))
    put(row, 7, load_i32(at, 2))
    put(row, 8, load_i64(at, 6))
    put(row, 9, load_i64(at, 14))
    put(row, 10, load_i64(at, 22))
    at += block
    return OK, at
