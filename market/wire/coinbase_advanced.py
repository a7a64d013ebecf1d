"""Coinbase Advanced Trade: ``{"channel":...,"timestamp":...,"sequence_num":...,"events":[...]}``.

``sequence_num`` counts all messages of the connection from 0 on: a step above one means that messages are missing, and
every book is given up; a smaller number is out of order and left out; 0 begins a new connection. Source: Coinbase
Advanced Trade WebSocket documentation, "Sequence numbers", "Level2 channel" and "Market trades channel".
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
from market.native.memory import get, put
from market.wire import markets
from market.wire.coinbase_fields import (
    ASKS,
    BIDS,
    BOOK,
    CHANNEL,
    EARLY,
    EVENT_TYPE,
    EVENTS,
    MARKET,
    NO_MARKET,
    NO_NAME,
    OTHER,
    PRICE,
    QUANTITY,
    SEQUENCE,
    SIDE,
    SIDE_ASK,
    SIDE_BID,
    TIME_NS,
    TRADE_ID,
    TRADE_NS,
    TRADES,
    UNNAMED,
    add_gaps,
    clear_trade,
    name_market,
    put_trade,
    read_number_word,
    read_scaled,
    read_side,
    read_time,
)
from market.wire.json_walk import enter_array, enter_object, next_element, next_member, read_key, read_text
from market.wire.levels import store_level
from market.wire.records import CURSOR_RECORDS, DIFF, SNAPSHOT
from market.wire.staging import (
    MISSING_FIELD,
    STAGE_TABLE,
    add_book,
    ask_room,
    ask_rows,
    bid_room,
    bid_rows,
    market_at,
    note_unknown,
    reverse_records,
)
from market.wire.text import OK, packed, skip_value

EVENTS_NONE: Final = 0
EVENTS_READ: Final = 1
EVENTS_LATER: Final = 2

_BOOK_LOW, _ = packed("l2_data")
_TRADES_LOW, _TRADES_HIGH = packed("market_trades")
_TYPE_LOW, _ = packed("type")
_PRODUCT_LOW, _PRODUCT_HIGH = packed("product_id")
_UPDATES_LOW, _ = packed("updates")
_TRADE_LIST_LOW, _ = packed("trades")
_SNAPSHOT_LOW, _ = packed("snapshot")
_UPDATE_LOW, _ = packed("update")
_SIDE_LOW, _ = packed("side")
_LEVEL_PRICE_LOW, _LEVEL_PRICE_HIGH = packed("price_level")
_LEVEL_QUANTITY_LOW, _LEVEL_QUANTITY_HIGH = packed("new_quantity")
_PRICE_LOW, _ = packed("price")
_SIZE_LOW, _ = packed("size")
_TIME_LOW, _ = packed("time")
_TRADE_ID_LOW, _ = packed("trade_id")


@shared
def channel_field(at: int, cursor: int) -> tuple[int, int]:
    """Value of ``channel``."""
    low, high, length, end, reason = read_text(at)
    channel = OTHER
    if length == 7 and low == _BOOK_LOW:
        channel = BOOK
    elif length == 13 and low == _TRADES_LOW and high == _TRADES_HIGH:
        channel = TRADES
    put(cursor, CHANNEL, channel)
    return end, reason


@shared
def _read_update(at: int, cursor: int) -> tuple[int, int]:
    """One change of a level, stored behind those of its side."""
    clear_trade(cursor)
    more, at, reason = enter_object(at)
    while more:
        low, high, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        is_price = length == 11 and low == _LEVEL_PRICE_LOW and high == _LEVEL_PRICE_HIGH
        if is_price or (length == 12 and low == _LEVEL_QUANTITY_LOW and high == _LEVEL_QUANTITY_HIGH):
            at, reason = read_scaled(at, cursor, is_price)
        elif length == 4 and low == _SIDE_LOW:
            at, reason = read_side(at, cursor)
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    if reason != OK:
        return at, reason
    return at, _store_update(cursor)


@inline
def _store_update(cursor: int) -> int:
    side = get(cursor, SIDE)
    price = get(cursor, PRICE)
    quantity = get(cursor, QUANTITY)
    if min(price, quantity) < 0 or (side != SIDE_BID and side != SIDE_ASK):
        return MISSING_FIELD
    market = market_at(cursor, get(cursor, MARKET))
    slot = BIDS if side == SIDE_BID else ASKS
    count = get(cursor, slot)
    rows = bid_rows(cursor) if side == SIDE_BID else ask_rows(cursor)
    room = bid_room(cursor) if side == SIDE_BID else ask_room(cursor)
    put(cursor, slot, count + 1)
    return store_level(market, rows, count, room, price, quantity)


@shared
def _updates_field(at: int, cursor: int) -> tuple[int, int]:
    if get(cursor, CHANNEL) != BOOK or get(cursor, MARKET) < 0:
        put(cursor, EARLY, 1)
        return skip_value(at)
    put(cursor, BIDS, 0)
    put(cursor, ASKS, 0)
    more, at, reason = enter_array(at)
    while more:
        at, reason = _read_update(at, cursor)
        more, at, reason = next_element(at, reason)
    return at, reason


@shared
def _read_trade(at: int, cursor: int) -> tuple[int, int]:
    """One trade, as a record; read a second time when its prices came before its product."""
    put(cursor, MARKET, UNNAMED)
    end = at
    for _ in range(2):
        clear_trade(cursor)
        put(cursor, EARLY, 0)
        more, end, reason = enter_object(at)
        while more:
            low, high, length, end, reason = read_key(end)
            if reason != OK:
                return end, reason
            end, reason = _trade_field(end, cursor, low, high, length)
            more, end, reason = next_member(end, reason)
        if reason != OK:
            return end, reason
        if get(cursor, EARLY) == 0 or get(cursor, MARKET) < 0:
            break
    if get(cursor, MARKET) == UNNAMED:
        return end, MISSING_FIELD
    if get(cursor, MARKET) == NO_MARKET:
        note_unknown(cursor)
        return end, OK
    return end, put_trade(cursor)


@inline
def _trade_field(at: int, cursor: int, low: int, high: int, length: int) -> tuple[int, int]:
    if length == 10 and low == _PRODUCT_LOW and high == _PRODUCT_HIGH:
        return name_market(at, cursor)
    is_price = length == 5 and low == _PRICE_LOW
    if is_price or (length == 4 and low == _SIZE_LOW):
        return read_scaled(at, cursor, is_price)
    if length == 4 and low == _SIDE_LOW:
        return read_side(at, cursor)
    if length == 4 and low == _TIME_LOW:
        return read_time(at, cursor, TRADE_NS)
    if length == 8 and low == _TRADE_ID_LOW:
        return read_number_word(at, cursor, TRADE_ID)
    return skip_value(at)


@shared
def _trades_field(at: int, cursor: int) -> tuple[int, int]:
    """Trades of an update, listed newest first, as records oldest first.

    Those of a snapshot were made before the subscription and are left out.
    """
    if get(cursor, EVENT_TYPE) < 0:
        put(cursor, EARLY, 1)
        return skip_value(at)
    put(cursor, BIDS, 0)
    if get(cursor, EVENT_TYPE) == SNAPSHOT:
        return skip_value(at)
    first = get(cursor, CURSOR_RECORDS)
    more, at, reason = enter_array(at)
    while more:
        at, reason = _read_trade(at, cursor)
        more, at, reason = next_element(at, reason)
    put(cursor, EARLY, 0)
    reverse_records(cursor, first)
    return at, reason


@inline
def _event_field(at: int, cursor: int, low: int, high: int, length: int) -> tuple[int, int]:
    is_book = get(cursor, CHANNEL) == BOOK
    if length == 4 and low == _TYPE_LOW:
        low, _, length, end, reason = read_text(at)
        if length == 8 and low == _SNAPSHOT_LOW:
            put(cursor, EVENT_TYPE, SNAPSHOT)
        elif length == 6 and low == _UPDATE_LOW:
            put(cursor, EVENT_TYPE, DIFF)
        return end, reason
    if is_book and length == 10 and low == _PRODUCT_LOW and high == _PRODUCT_HIGH:
        return name_market(at, cursor)
    if is_book and length == 7 and low == _UPDATES_LOW:
        return _updates_field(at, cursor)
    if not is_book and length == 6 and low == _TRADE_LIST_LOW:
        return _trades_field(at, cursor)
    return skip_value(at)


@shared
def _read_event(at: int, cursor: int) -> tuple[int, int]:
    """One event, as records; read a second time when something came before what it needs."""
    put(cursor, MARKET, UNNAMED)
    put(cursor, EVENT_TYPE, -1)
    put(cursor, BIDS, -1)
    end = at
    for _ in range(2):
        put(cursor, EARLY, 0)
        more, end, reason = enter_object(at)
        while more:
            low, high, length, end, reason = read_key(end)
            if reason != OK:
                return end, reason
            end, reason = _event_field(end, cursor, low, high, length)
            more, end, reason = next_member(end, reason)
        if reason != OK:
            return end, reason
        if get(cursor, EARLY) == 0 or get(cursor, MARKET) == NO_MARKET:
            break
    return end, _add_event(cursor)


@inline
def _add_event(cursor: int) -> int:
    """The record of a book's event; trades were added one by one."""
    kind = get(cursor, EVENT_TYPE)
    if get(cursor, CHANNEL) == BOOK and get(cursor, MARKET) == NO_MARKET:
        note_unknown(cursor)
        return OK
    if kind < 0 or get(cursor, BIDS) < 0:
        return MISSING_FIELD
    if get(cursor, CHANNEL) != BOOK:
        return OK
    market = get(cursor, MARKET)
    bids = get(cursor, BIDS)
    asks = get(cursor, ASKS)
    return add_book(cursor, kind, market, get(cursor, TIME_NS), -1, -1, -1, bids, asks, -1, 0)


@shared
def events_field(at: int, cursor: int) -> tuple[int, int]:
    """Value of ``events``; needs channel, time and sequence number before it."""
    sequence = get(cursor, SEQUENCE)
    channel = get(cursor, CHANNEL)
    if channel == NO_NAME or sequence < 0 or get(cursor, TIME_NS) < 0:
        put(cursor, EVENTS, EVENTS_LATER)
        return skip_value(at)
    put(cursor, EVENTS, EVENTS_READ)
    last = get(get(cursor, STAGE_TABLE), markets.SEQUENCE)
    if sequence != 0 and sequence <= last:
        return skip_value(at)
    reason = OK
    if last >= 0 and sequence != last + 1:
        reason = add_gaps(cursor)
    if reason != OK:
        return at, reason
    if channel == OTHER:
        return skip_value(at)
    more, at, reason = enter_array(at)
    while more:
        at, reason = _read_event(at, cursor)
        more, at, reason = next_element(at, reason)
    return at, reason
