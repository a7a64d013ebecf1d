"""Deribit Starbase: single orders (docs/fastpath.md, rules 57 to 75)."""

from __future__ import annotations

from typing import Final

from market.fastpath.books.lines import find_book
from market.fastpath.feeds.order_messages import BUY, SELL, take_delete, take_put, take_reduction, take_trade
from market.native.kernel import inline, part
from market.native.memory import load_i64, load_u16, load_u32
from market.wire.sbe import load_schema, offset_of
from market.wire.schemas import DERIBIT_STARBASE

PACKET_HEADER: Final = 24
SEQUENCE: Final = 8
CHANNEL: Final = 16
FLAGS: Final = 20
COUNT: Final = 22

_SCHEMA: Final = load_schema(DERIBIT_STARBASE)
_HEADER: Final = 16
_TEMPLATE: Final = 2
_MESSAGE_FLAGS: Final = 6
_ENDS: Final = 2
_ALIGNMENT: Final = 8
_BID_PUT: Final = _SCHEMA.message("BidPut").template_id
_ASK_PUT: Final = _SCHEMA.message("AskPut").template_id
_BID_REDUCED: Final = _SCHEMA.message("BidQtyReduced").template_id
_ASK_REDUCED: Final = _SCHEMA.message("AskQtyReduced").template_id
_BID_DELETE: Final = _SCHEMA.message("BidDelete").template_id
_ASK_DELETE: Final = _SCHEMA.message("AskDelete").template_id
_TRADE: Final = _SCHEMA.message("Trade").template_id
_ASK_PARITY: Final = 1
"""Templates of asks are odd, those of bids even."""


def _size(message: str) -> int:
    """Length of a message with its header, padded."""
    return -(-(_HEADER + _SCHEMA.message(message).block_length) // _ALIGNMENT) * _ALIGNMENT


def _offset(message: str, field: str) -> int:
    return _HEADER + offset_of(_SCHEMA, message, field)


_PUT_SIZE: Final = _size("BidPut")
_REDUCED_SIZE: Final = _size("BidQtyReduced")
_DELETE_SIZE: Final = _size("BidDelete")
_TRADE_SIZE: Final = _size("Trade")
_INSTRUMENT: Final = _offset("BidPut", "instrumentId")
"""At the same place in all messages that are read."""
_ORDER: Final = _offset("BidPut", "orderId")
_QUANTITY: Final = _offset("BidPut", "quantityMantissa")
_PRICE: Final = _offset("BidPut", "price")
_FILL_QUANTITY: Final = _offset("Trade", "fillQtyMantissa")
_FILL_PRICE: Final = _offset("Trade", "fillPrice")
_MAKER_FLAGS: Final = _offset("Trade", "makerFlags")
_MAKER_SELLS: Final = 1


@inline
def _size_of_template(template: int) -> int:
    """The length that a message must have, 0 for one that is not read."""
    if template == _BID_PUT or template == _ASK_PUT:
        return _PUT_SIZE
    if template == _BID_REDUCED or template == _ASK_REDUCED:
        return _REDUCED_SIZE
    if template == _BID_DELETE or template == _ASK_DELETE:
        return _DELETE_SIZE
    return _TRADE_SIZE if template == _TRADE else 0


@part
def check(packet: int, length: int) -> bool:
    """Whether the messages of a packet of at least a header are whole, fill it, and are as many as it says."""
    at, count = PACKET_HEADER, 0
    while at < length:
        if length - at < _HEADER:
            return False
        size = load_u16(packet, at)
        expected = _size_of_template(load_u16(packet, at + _TEMPLATE))
        if size < _HEADER or size % _ALIGNMENT != 0 or size > length - at or (expected != 0 and size != expected):
            return False
        at += size
        count += 1
    return count == load_u16(packet, COUNT)


@part
def take_message(engine: int, line: int, venue: int, message: int, number: int) -> bool:
    """Apply a message of a checked packet of a line; whether it counts as applied."""
    template = load_u16(message, _TEMPLATE)
    if _size_of_template(template) == 0:
        return False
    book = find_book(engine, line, load_i64(message, _INSTRUMENT))
    if book < 0:
        return False
    if template == _TRADE:
        aggressor = BUY if load_u32(message, _MAKER_FLAGS) & _MAKER_SELLS else SELL
        price, quantity = load_i64(message, _FILL_PRICE), load_i64(message, _FILL_QUANTITY)
        return take_trade(engine, book, venue, price, quantity, aggressor)
    side, order = template & _ASK_PARITY, message + _ORDER
    if template <= _ASK_PUT:
        price, quantity = load_i64(message, _PRICE), load_i64(message, _QUANTITY)
        return take_put(engine, line, book, venue, number, order, side, price, quantity)
    if template <= _ASK_REDUCED:
        return take_reduction(engine, line, book, venue, number, order, side, load_i64(message, _QUANTITY))
    return take_delete(engine, line, book, venue, number, order, side)


@inline
def ends_transaction(message: int) -> bool:
    """Whether a transaction ends behind a message."""
    return load_u16(message, _MESSAGE_FLAGS) & _ENDS != 0
