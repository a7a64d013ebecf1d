"""Coinbase Derivatives: single orders (docs/fastpath.md, rules 57 to 75)."""

from __future__ import annotations

from typing import Final

from market.fastpath.books.lines import find_book
from market.fastpath.books.orders import ASK, BID
from market.fastpath.feeds.order_messages import BUY, NO_SIDE, NONE, SELL, take_clear, take_delete, take_put, take_trade
from market.native.kernel import inline, part
from market.native.memory import load_i8, load_i32, load_i64, load_u8, load_u16
from market.wire.sbe import load_schema, offset_of
from market.wire.schemas import COINBASE_DERIVATIVES

PACKET_HEADER: Final = 24
SEQUENCE: Final = 8
CHANNEL: Final = 16
FLAGS: Final = 18
COUNT: Final = 19

_SCHEMA: Final = load_schema(COINBASE_DERIVATIVES)
_SCHEMA_ID: Final = _SCHEMA.id
_HEADER: Final = 10
_BLOCK: Final = 2
_TEMPLATE: Final = 4
_SCHEMA_AT: Final = 6
_ALIGNMENT: Final = 8
_PUT: Final = _SCHEMA.message("OrderPut").template_id
_DELETE: Final = _SCHEMA.message("OrderDelete").template_id
_TRADE: Final = _SCHEMA.message("Trade").template_id
_PUT_BLOCK: Final = _SCHEMA.message("OrderPut").block_length
_DELETE_BLOCK: Final = _SCHEMA.message("OrderDelete").block_length
_TRADE_BLOCK: Final = _SCHEMA.message("Trade").block_length


def _offset(message: str, field: str) -> int:
    return _HEADER + offset_of(_SCHEMA, message, field)


_INSTRUMENT_HEADER: Final = 22
_FLAGS: Final = _offset("OrderPut", "instrHeader.flags")
_SIDE: Final = _offset("OrderPut", "instrHeader.side")
_INSTRUMENT: Final = _offset("OrderPut", "instrHeader.instrumentId")
_ENDS: Final = 2
_CLEARS: Final = 128
_ORDER: Final = _offset("OrderPut", "orderId")
_PRICE: Final = _offset("OrderPut", "price")
_QUANTITY: Final = _offset("OrderPut", "quantity")
_TRADE_PRICE: Final = _offset("Trade", "price")
_TRADE_QUANTITY: Final = _offset("Trade", "quantity")
_WIRE_BUY: Final = 1
_WIRE_SELL: Final = -1


@inline
def _block_of_template(template: int) -> int:
    """The block length that a message must have, 0 for one that is not read."""
    if template == _PUT:
        return _PUT_BLOCK
    if template == _DELETE:
        return _DELETE_BLOCK
    return _TRADE_BLOCK if template == _TRADE else 0


@inline
def _fits(size: int, block: int, expected: int) -> bool:
    """Whether a block lies in its message, and has the length that its template must have."""
    if expected == 0:
        return _HEADER + block <= size
    return block == expected and size == (_HEADER + block + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT


@part
def check(packet: int, length: int) -> bool:
    """Whether the messages of a packet of at least a header are whole, fill it, and are as many as it says."""
    at, count = PACKET_HEADER, 0
    while at < length:
        if length - at < _HEADER:
            return False
        size = load_u16(packet, at)
        if size < _HEADER or size % _ALIGNMENT != 0 or size > length - at:
            return False
        expected = _block_of_template(load_u16(packet, at + _TEMPLATE))
        if load_u16(packet, at + _SCHEMA_AT) != _SCHEMA_ID or not _fits(size, load_u16(packet, at + _BLOCK), expected):
            return False
        at += size
        count += 1
    return count == load_u8(packet, COUNT)


@inline
def _has_instrument(message: int) -> bool:
    """Whether a message begins with an instrument header, as all do whose block has room for one."""
    return load_u16(message, _BLOCK) >= _INSTRUMENT_HEADER


@part
def take_message(engine: int, line: int, venue: int, message: int, number: int) -> bool:
    """Apply a message of a checked packet of a line; whether it counts as applied."""
    if not _has_instrument(message):
        return False
    book = find_book(engine, line, load_i32(message, _INSTRUMENT))
    if book < 0:
        return False
    cleared = load_u8(message, _FLAGS) & _CLEARS != 0 and take_clear(engine, book, venue, number)
    template, wire_side = load_u16(message, _TEMPLATE), load_i8(message, _SIDE)
    if template == _TRADE:
        aggressor = BUY if wire_side == _WIRE_BUY else SELL if wire_side == _WIRE_SELL else NONE
        return take_trade(
            engine, book, venue, load_i64(message, _TRADE_PRICE), load_i32(message, _TRADE_QUANTITY), aggressor
        )
    side, order = BID if wire_side == _WIRE_BUY else ASK if wire_side == _WIRE_SELL else NO_SIDE, message + _ORDER
    applied = False
    if template == _PUT:
        price, quantity = load_i64(message, _PRICE), load_i32(message, _QUANTITY)
        applied = take_put(engine, line, book, venue, number, order, side, price, quantity)
    elif template == _DELETE:
        applied = take_delete(engine, line, book, venue, number, order, side)
    return applied or cleared


@inline
def ends_transaction(message: int) -> bool:
    """Whether a transaction ends behind a message."""
    return _has_instrument(message) and load_u8(message, _FLAGS) & _ENDS != 0
