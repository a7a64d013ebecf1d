"""The one feed that the reference reads: Binance's BestBidAsk and Trades, re-published one message per datagram."""

from __future__ import annotations

import struct
from typing import NamedTuple

from market.fastpath.reference.events import QuoteEvent, TradeEvent
from market.fastpath.specification import Side

HEADER = struct.Struct("<HHHH")
BEST_BID_ASK = struct.Struct("<qqbbqqqq")
TRADES = struct.Struct("<qqbb")
GROUP = struct.Struct("<HI")
TRADE = struct.Struct("<qqqB")
SCHEMA_ID, SCHEMA_VERSION = 1, 0
TRADES_TEMPLATE, BEST_BID_ASK_TEMPLATE = 10_000, 10_001

Event = QuoteEvent | TradeEvent


class Message(NamedTuple):
    """A good message: its events in order, or skipped because its template is none of ours."""

    events: tuple[Event, ...]
    skipped: bool


def read_message(payload: bytes, instrument: int, venue: int) -> Message | None:
    """The message that a payload is, or None if it is a bad one."""
    if len(payload) < HEADER.size:
        return None
    block_length, template, schema, version = HEADER.unpack_from(payload)
    if (schema, version) != (SCHEMA_ID, SCHEMA_VERSION):
        return None
    body = payload[HEADER.size :]
    if template == BEST_BID_ASK_TEMPLATE:
        return _best_bid_ask(block_length, body, instrument, venue)
    if template == TRADES_TEMPLATE:
        return _trades(block_length, body, instrument, venue)
    return Message((), skipped=True)


def _ends_with_symbol(body: bytes, start: int) -> bool:
    """A length byte at ``start`` and as many bytes as it says, then nothing."""
    return len(body) > start and len(body) == start + 1 + body[start]


def _best_bid_ask(block_length: int, body: bytes, instrument: int, venue: int) -> Message | None:
    if block_length != BEST_BID_ASK.size or not _ends_with_symbol(body, BEST_BID_ASK.size):
        return None
    _, update_id, price_exponent, quantity_exponent, *quote = BEST_BID_ASK.unpack_from(body)
    return Message((QuoteEvent(instrument, venue, price_exponent, quantity_exponent, update_id, *quote),), False)


def _trades(block_length: int, body: bytes, instrument: int, venue: int) -> Message | None:
    entries_start = TRADES.size + GROUP.size
    if block_length != TRADES.size or len(body) < entries_start:
        return None
    entry_length, count = GROUP.unpack_from(body, TRADES.size)
    entries_end = entries_start + count * TRADE.size
    if entry_length != TRADE.size or not _ends_with_symbol(body, entries_end):
        return None
    _, _, price_exponent, quantity_exponent = TRADES.unpack_from(body)
    events = []
    for _, price, quantity, is_buyer_maker in TRADE.iter_unpack(body[entries_start:entries_end]):
        aggressor = {0: Side.BUY, 1: Side.SELL}.get(is_buyer_maker, Side.NONE)
        events.append(TradeEvent(instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity))
    return Message(tuple(events), False)
