"""Binance spot stream messages (SBE), re-published as one message per UDP datagram.

Binance itself sends them inside TLS and WebSocket: a gateway re-publishes them. BestBidAsk makes a
quote event, Trades one trade event per entry; the depth messages are skipped. The symbol at the
end is measured, not read: the channel names the instrument.
"""

from __future__ import annotations

from typing import Final

from market.fastpath.events import apply_quote, apply_trade
from market.fastpath.feeds.verdict import BAD, GOOD, SKIPPED
from market.fastpath.specification import Side
from market.native.kernel import inline, part
from market.native.memory import load_i8, load_i64, load_u8, load_u16, load_u32
from market.wire.sbe import load_schema, offset_of, stride_of
from market.wire.schemas import BINANCE_STREAM

_SCHEMA: Final = load_schema(BINANCE_STREAM)
_SCHEMA_ID: Final = _SCHEMA.id
_VERSION: Final = _SCHEMA.version
_HEADER: Final = _SCHEMA.header.size
_SYMBOL_LENGTH: Final = 1
_GROUP_HEADER: Final = _SCHEMA.message("TradesStreamEvent").groups["trades"].dimension.size

_QUOTE: Final = _SCHEMA.message("BestBidAskStreamEvent").template_id
_QUOTE_BLOCK: Final = _SCHEMA.message("BestBidAskStreamEvent").block_length
_SEQUENCE: Final = _HEADER + offset_of(_SCHEMA, "BestBidAskStreamEvent", "bookUpdateId")
_QUOTE_PRICE_EXPONENT: Final = _HEADER + offset_of(_SCHEMA, "BestBidAskStreamEvent", "priceExponent")
_QUOTE_QUANTITY_EXPONENT: Final = _HEADER + offset_of(_SCHEMA, "BestBidAskStreamEvent", "qtyExponent")
_BID_PRICE: Final = _HEADER + offset_of(_SCHEMA, "BestBidAskStreamEvent", "bidPrice")
_BID_QUANTITY: Final = _HEADER + offset_of(_SCHEMA, "BestBidAskStreamEvent", "bidQty")
_ASK_PRICE: Final = _HEADER + offset_of(_SCHEMA, "BestBidAskStreamEvent", "askPrice")
_ASK_QUANTITY: Final = _HEADER + offset_of(_SCHEMA, "BestBidAskStreamEvent", "askQty")

_TRADES: Final = _SCHEMA.message("TradesStreamEvent").template_id
_TRADES_BLOCK: Final = _SCHEMA.message("TradesStreamEvent").block_length
_TRADES_PRICE_EXPONENT: Final = _HEADER + offset_of(_SCHEMA, "TradesStreamEvent", "priceExponent")
_TRADES_QUANTITY_EXPONENT: Final = _HEADER + offset_of(_SCHEMA, "TradesStreamEvent", "qtyExponent")
_TRADES_GROUP: Final = _HEADER + _TRADES_BLOCK
_TRADES_STRIDE: Final = stride_of(_SCHEMA, "TradesStreamEvent", "trades")
_TRADE_PRICE: Final = offset_of(_SCHEMA, "TradesStreamEvent", "price", "trades")
_TRADE_QUANTITY: Final = offset_of(_SCHEMA, "TradesStreamEvent", "qty", "trades")
_TRADE_BUYER_IS_MAKER: Final = offset_of(_SCHEMA, "TradesStreamEvent", "isBuyerMaker", "trades")
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)
_NONE: Final = int(Side.NONE)


@inline
def _ends_in_symbol(message: int, length: int, at: int) -> bool:
    """Whether the message has its symbol at ``at``, and nothing behind it."""
    return length > at and length == at + _SYMBOL_LENGTH + load_u8(message, at)


@inline
def _check_trades(message: int, length: int, block_length: int) -> bool:
    entries = _TRADES_GROUP + _GROUP_HEADER
    if block_length != _TRADES_BLOCK or length < entries or load_u16(message, _TRADES_GROUP) != _TRADES_STRIDE:
        return False
    return _ends_in_symbol(message, length, entries + load_u32(message, _TRADES_GROUP + 2) * _TRADES_STRIDE)


@part
def check(message: int, length: int) -> int:
    """``GOOD``, ``SKIPPED`` or ``BAD`` for a datagram of ``length`` bytes."""
    if length < _HEADER or load_u16(message, 4) != _SCHEMA_ID or load_u16(message, 6) != _VERSION:
        return BAD
    block_length, template = load_u16(message, 0), load_u16(message, 2)
    if template == _QUOTE:
        whole = block_length == _QUOTE_BLOCK and _ends_in_symbol(message, length, _HEADER + _QUOTE_BLOCK)
        return GOOD if whole else BAD
    if template == _TRADES:
        return GOOD if _check_trades(message, length, block_length) else BAD
    return SKIPPED


@inline
def _aggressor(buyer_is_maker: int) -> int:
    if buyer_is_maker == 1:
        return _SELL
    return _BUY if buyer_is_maker == 0 else _NONE


@part
def apply_trades(engine: int, instrument: int, venue: int, message: int) -> None:
    """One trade event per entry."""
    price_exponent = load_i8(message, _TRADES_PRICE_EXPONENT)
    quantity_exponent = load_i8(message, _TRADES_QUANTITY_EXPONENT)
    entry = message + _TRADES_GROUP + _GROUP_HEADER
    for _ in range(load_u32(message, _TRADES_GROUP + 2)):
        price, quantity = load_i64(entry, _TRADE_PRICE), load_i64(entry, _TRADE_QUANTITY)
        aggressor = _aggressor(load_u8(entry, _TRADE_BUYER_IS_MAKER))
        apply_trade(engine, instrument, venue, price_exponent, quantity_exponent, price, quantity, aggressor)
        entry += _TRADES_STRIDE


@part
def apply(engine: int, instrument: int, venue: int, message: int) -> None:
    """The events of a datagram that ``check`` called ``GOOD``, within a step."""
    if load_u16(message, 2) == _TRADES:
        apply_trades(engine, instrument, venue, message)
        return
    apply_quote(
        engine,
        instrument,
        venue,
        load_i8(message, _QUOTE_PRICE_EXPONENT),
        load_i8(message, _QUOTE_QUANTITY_EXPONENT),
        load_i64(message, _SEQUENCE),
        load_i64(message, _BID_PRICE),
        load_i64(message, _BID_QUANTITY),
        load_i64(message, _ASK_PRICE),
        load_i64(message, _ASK_QUANTITY),
    )
