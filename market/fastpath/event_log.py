"""The event log: one LogStep message per step, for a shadow engine that must follow this one.

A record in the log area is one word with the message's length, then the message, padded to 8 bytes.
Room for a step is checked before the step, never here.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import layout, state
from market.fastpath.specification import StepKind
from market.native.kernel import inline, part
from market.native.memory import get, load_u8, put, store_8, store_16, store_64

PAYLOAD_LIMIT: Final = 1_472
"""Bytes of a control message or datagram that are logged: what one Ethernet frame can carry. A longer
control message is refused whatever it says, and so is what is kept of it."""
_QUOTE: Final = int(StepKind.QUOTE)
_TRADE: Final = int(StepKind.TRADE)


@inline
def log_room(payload: int) -> int:
    """Bytes of the log area that a step with that many bytes of payload takes."""
    return 8 + (layout.LOG_STEP_PAYLOAD + min(payload, PAYLOAD_LIMIT) + 7 & -8)


@inline
def has_log_room(engine: int, payload: int) -> bool:
    """Whether a step with that many bytes of payload fits into the log area, or no log is kept."""
    capacity = get(engine, state.EVENT_LOG_CAPACITY)
    return capacity == 0 or capacity - get(engine, state.EVENT_LOG_USED) >= log_room(payload)


@part
def begin_log(engine: int, kind: int, channel: int, payload: int) -> int:
    """Append a record for the present step; returns where its payload goes."""
    used = get(engine, state.EVENT_LOG_USED)
    record = engine + get(engine, state.EVENT_LOG) + used
    put(record, 0, layout.LOG_STEP_PAYLOAD + payload)
    put(record, 1, layout.LOG_STEP_HEADER)
    message = record + 8
    store_64(message, layout.LOG_STEP_NUMBER, get(engine, state.STEP))
    store_64(message, layout.LOG_STEP_TIME, get(engine, state.TIME))
    store_64(message, layout.LOG_STEP_KIND, 0)
    store_8(message, layout.LOG_STEP_KIND, kind)
    store_16(message, layout.LOG_STEP_CHANNEL, channel)
    store_16(message, layout.LOG_STEP_LENGTH, payload)
    put(engine, state.EVENT_LOG_USED, used + log_room(payload))
    return message + layout.LOG_STEP_PAYLOAD


@inline
def log_bytes(engine: int, kind: int, channel: int, address: int, length: int) -> None:
    """Log the present step with the bytes that it was made of."""
    if get(engine, state.EVENT_LOG_CAPACITY):
        kept = min(length, PAYLOAD_LIMIT)
        payload = begin_log(engine, kind, channel, kept)
        for at in range(kept):
            store_8(payload, at, load_u8(address, at))


@inline
def log_quote(
    engine: int,
    instrument: int,
    venue: int,
    price_exponent: int,
    quantity_exponent: int,
    sequence: int,
    bid_price: int,
    bid_quantity: int,
    ask_price: int,
    ask_quantity: int,
) -> None:
    """Log the present step as a QuoteEvent message."""
    if get(engine, state.EVENT_LOG_CAPACITY):
        payload = begin_log(engine, _QUOTE, 0, layout.QUOTE_EVENT_SIZE)
        store_64(payload, 0, layout.QUOTE_EVENT_HEADER)
        store_64(payload, layout.QUOTE_EVENT_INSTRUMENT, 0)
        store_16(payload, layout.QUOTE_EVENT_INSTRUMENT, instrument)
        store_8(payload, layout.QUOTE_EVENT_VENUE, venue)
        store_8(payload, layout.QUOTE_EVENT_PRICE_EXPONENT, price_exponent)
        store_8(payload, layout.QUOTE_EVENT_QUANTITY_EXPONENT, quantity_exponent)
        store_64(payload, layout.QUOTE_EVENT_SEQUENCE, sequence)
        store_64(payload, layout.QUOTE_EVENT_BID_PRICE, bid_price)
        store_64(payload, layout.QUOTE_EVENT_BID_QUANTITY, bid_quantity)
        store_64(payload, layout.QUOTE_EVENT_ASK_PRICE, ask_price)
        store_64(payload, layout.QUOTE_EVENT_ASK_QUANTITY, ask_quantity)


@inline
def log_trade(
    engine: int,
    instrument: int,
    venue: int,
    price_exponent: int,
    quantity_exponent: int,
    price: int,
    quantity: int,
    aggressor: int,
) -> None:
    """Log the present step as a TradeEvent message."""
    if get(engine, state.EVENT_LOG_CAPACITY):
        payload = begin_log(engine, _TRADE, 0, layout.TRADE_EVENT_SIZE)
        store_64(payload, 0, layout.TRADE_EVENT_HEADER)
        store_64(payload, layout.TRADE_EVENT_INSTRUMENT, 0)
        store_16(payload, layout.TRADE_EVENT_INSTRUMENT, instrument)
        store_8(payload, layout.TRADE_EVENT_VENUE, venue)
        store_8(payload, layout.TRADE_EVENT_PRICE_EXPONENT, price_exponent)
        store_8(payload, layout.TRADE_EVENT_QUANTITY_EXPONENT, quantity_exponent)
        store_8(payload, layout.TRADE_EVENT_AGGRESSOR, aggressor)
        store_64(payload, layout.TRADE_EVENT_PRICE, price)
        store_64(payload, layout.TRADE_EVENT_QUANTITY, quantity)
