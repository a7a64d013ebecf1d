"""Kraken WebSocket v2: ``{"channel": ..., "type": ..., "data": [...]}`` with levels as objects."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
from market.native.memory import get, load_u8, put
from market.wire.json_walk import (
    ends_with_value,
    enter_array,
    enter_object,
    next_element,
    next_member,
    read_count,
    read_key,
    read_text,
)
from market.wire.levels import pack_shape, read_number, store_level, wider_shape
from market.wire.markets import PRICE_DECIMALS, QUANTITY_DECIMALS
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL, DIFF, SNAPSHOT
from market.wire.staging import (
    MISSING_FIELD,
    STAGE_OWN,
    add_book,
    add_trade,
    ask_room,
    ask_rows,
    bid_room,
    bid_rows,
    market_at,
    market_named,
    note_unknown,
)
from market.wire.text import BAD_NUMBER, OK, QUOTE_MARK, packed, read_string, skip_value
from market.wire.timestamps import read_iso_time

_CHANNEL: Final = STAGE_OWN
_KIND: Final = STAGE_OWN + 1
_DATA: Final = STAGE_OWN + 2
"""Whether there was data, and whether it came before its channel or type: the message is then read again."""
_MARKET: Final = STAGE_OWN + 3
_EARLY: Final = STAGE_OWN + 4
"""Whether prices came before the symbol that scales them: the object is then read a second time."""
_BIDS: Final = STAGE_OWN + 5
_ASKS: Final = STAGE_OWN + 6
_TIME_NS: Final = STAGE_OWN + 7
_CHECKSUM: Final = STAGE_OWN + 8
_SHAPE: Final = STAGE_OWN + 9
_PRICE: Final = STAGE_OWN + 10
_QUANTITY: Final = STAGE_OWN + 11
_SIDE: Final = STAGE_OWN + 12
_TRADE_ID: Final = STAGE_OWN + 13

_NONE: Final = 0
_READ: Final = 1
_LATER: Final = 2

_NO_CHANNEL: Final = -1
_OTHER: Final = 0
_BOOK: Final = 1
_TRADES: Final = 2
_NO_MARKET: Final = -1
_UNNAMED: Final = -2

_BOOK_LOW, _ = packed("book")
_TRADE_LOW, _ = packed("trade")
_CHANNEL_LOW, _ = packed("channel")
_TYPE_LOW, _ = packed("type")
_DATA_LOW, _ = packed("data")
_SNAPSHOT_LOW, _ = packed("snapshot")
_UPDATE_LOW, _ = packed("update")
_SYMBOL_LOW, _ = packed("symbol")
_BIDS_LOW, _ = packed("bids")
_ASKS_LOW, _ = packed("asks")
_PRICE_LOW, _ = packed("price")
_QUANTITY_LOW, _ = packed("qty")
_CHECKSUM_LOW, _ = packed("checksum")
_TIME_LOW, _TIME_HIGH = packed("timestamp")
_SIDE_LOW, _ = packed("side")
_TRADE_ID_LOW, _ = packed("trade_id")
_BUY_LOW, _ = packed("buy")
_SELL_LOW, _ = packed("sell")


@shared
def _read_level(at: int, market: int, rows: int, count: int, room: int) -> tuple[int, int, int]:
    """One ``{"price":45285.2,"qty":0.00100000}`` into the rows: (its shape, address behind it, reject code)."""
    price = quantity = -1
    price_digits = quantity_digits = 0
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return 0, at, reason
        if length == 5 and low == _PRICE_LOW:
            price, price_digits, at, reason = read_number(at, get(market, PRICE_DECIMALS))
        elif length == 3 and low == _QUANTITY_LOW:
            quantity, quantity_digits, at, reason = read_number(at, get(market, QUANTITY_DECIMALS))
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    if reason != OK:
        return 0, at, reason
    if price < 0 or quantity < 0:
        return 0, at, MISSING_FIELD
    return pack_shape(price_digits, quantity_digits, 0), at, store_level(market, rows, count, room, price, quantity)


@shared
def _levels_field(at: int, cursor: int, is_bid: bool) -> tuple[int, int]:
    if get(cursor, _MARKET) < 0:
        put(cursor, _EARLY, 1)
        return skip_value(at)
    market = market_at(cursor, get(cursor, _MARKET))
    rows = bid_rows(cursor) if is_bid else ask_rows(cursor)
    room = bid_room(cursor) if is_bid else ask_room(cursor)
    shape = get(cursor, _SHAPE)
    count = 0
    more, at, reason = enter_array(at)
    while more:
        level_shape, at, reason = _read_level(at, market, rows, count, room)
        shape = wider_shape(shape, level_shape)
        count += 1
        more, at, reason = next_element(at, reason)
    put(cursor, _SHAPE, shape)
    put(cursor, _BIDS if is_bid else _ASKS, count)
    return at, reason


@shared
def _scaled_field(at: int, cursor: int, is_price: bool) -> tuple[int, int]:
    """A price or quantity of a trade."""
    if get(cursor, _MARKET) < 0:
        put(cursor, _EARLY, 1)
        return skip_value(at)
    market = market_at(cursor, get(cursor, _MARKET))
    value, _, at, reason = read_number(at, get(market, PRICE_DECIMALS if is_price else QUANTITY_DECIMALS))
    put(cursor, _PRICE if is_price else _QUANTITY, value)
    return at, reason


@inline
def _side_field(at: int, cursor: int) -> tuple[int, int]:
    low, _, length, end, reason = read_text(at)
    if low == _BUY_LOW and length == 3:
        put(cursor, _SIDE, AGGRESSOR_BUY)
    elif low == _SELL_LOW and length == 4:
        put(cursor, _SIDE, AGGRESSOR_SELL)
    return end, reason


@inline
def _symbol_field(at: int, cursor: int) -> tuple[int, int]:
    length, end, reason = read_string(at)
    if reason == OK:
        put(cursor, _MARKET, market_named(cursor, at + 1, length))
    return end, reason


@inline
def _count_field(at: int, cursor: int, slot: int) -> tuple[int, int]:
    value, at, reason = read_count(at)
    put(cursor, slot, value)
    return at, reason


@inline
def _item_field(at: int, cursor: int, low: int, high: int, length: int) -> tuple[int, int]:
    """Value of one key of a book or trade."""
    if length == 6 and low == _SYMBOL_LOW:
        return _symbol_field(at, cursor)
    if length == 4 and (low == _BIDS_LOW or low == _ASKS_LOW):
        return _levels_field(at, cursor, low == _BIDS_LOW)
    if length == 8 and (low == _CHECKSUM_LOW or low == _TRADE_ID_LOW):
        return _count_field(at, cursor, _CHECKSUM if low == _CHECKSUM_LOW else _TRADE_ID)
    if length == 9 and low == _TIME_LOW and high == _TIME_HIGH:
        time_ns, at, reason = read_iso_time(at)
        put(cursor, _TIME_NS, time_ns)
        return at, reason
    if (length == 5 and low == _PRICE_LOW) or (length == 3 and low == _QUANTITY_LOW):
        return _scaled_field(at, cursor, low == _PRICE_LOW)
    if length == 4 and low == _SIDE_LOW:
        return _side_field(at, cursor)
    return skip_value(at)


@shared
def _read_fields(at: int, cursor: int) -> tuple[int, int]:
    """All fields of one element of the data."""
    put(cursor, _EARLY, 0)
    put(cursor, _SHAPE, 0)
    put(cursor, _TIME_NS, 0)
    put(cursor, _SIDE, AGGRESSOR_NONE)
    for slot in (_BIDS, _ASKS, _CHECKSUM, _PRICE, _QUANTITY, _TRADE_ID):
        put(cursor, slot, -1)
    more, at, reason = enter_object(at)
    while more:
        low, high, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        at, reason = _item_field(at, cursor, low, high, length)
        more, at, reason = next_member(at, reason)
    return at, reason


@inline
def _depth_of(levels: int) -> int:
    """The least depth on offer that holds so many levels."""
    if levels <= 10:
        return 10
    if levels <= 25:
        return 25
    if levels <= 100:
        return 100
    return 500 if levels <= 500 else 1000


@inline
def _add_book(cursor: int) -> int:
    kind = get(cursor, _KIND)
    bids = get(cursor, _BIDS)
    asks = get(cursor, _ASKS)
    checksum = get(cursor, _CHECKSUM)
    # An update may leave out the side that did not change.
    if kind == SNAPSHOT and min(bids, asks) < 0:
        return MISSING_FIELD
    if kind < 0 or max(bids, asks) < 0 or checksum < 0:
        return MISSING_FIELD
    if checksum >= 1 << 32:
        return BAD_NUMBER
    bids = max(bids, 0)
    asks = max(asks, 0)
    depth = _depth_of(max(bids, asks)) if kind == SNAPSHOT else 0
    shape = wider_shape(get(cursor, _SHAPE), pack_shape(0, 0, depth))
    return add_book(cursor, kind, get(cursor, _MARKET), get(cursor, _TIME_NS), -1, -1, -1, bids, asks, checksum, shape)


@inline
def _add_trade(cursor: int) -> int:
    price = get(cursor, _PRICE)
    quantity = get(cursor, _QUANTITY)
    side = get(cursor, _SIDE)
    trade_id = get(cursor, _TRADE_ID)
    if min(price, quantity, trade_id) < 0 or side == AGGRESSOR_NONE:
        return MISSING_FIELD
    return add_trade(cursor, get(cursor, _MARKET), get(cursor, _TIME_NS), price, quantity, side, trade_id)


@shared
def _read_item(at: int, cursor: int) -> tuple[int, int]:
    """One element of the data, as a record."""
    put(cursor, _MARKET, _UNNAMED)
    end = at
    reason = OK
    for _ in range(2):
        end, reason = _read_fields(at, cursor)
        if reason != OK or get(cursor, _EARLY) == 0 or get(cursor, _MARKET) < 0:
            break
    if reason != OK:
        return end, reason
    if get(cursor, _MARKET) == _UNNAMED:
        return end, MISSING_FIELD
    if get(cursor, _MARKET) == _NO_MARKET:
        note_unknown(cursor)
        return end, OK
    return end, _add_book(cursor) if get(cursor, _CHANNEL) == _BOOK else _add_trade(cursor)


@inline
def _data_field(at: int, cursor: int) -> tuple[int, int]:
    """The data by its channel."""
    channel = get(cursor, _CHANNEL)
    if channel == _NO_CHANNEL or (channel != _OTHER and get(cursor, _KIND) < 0):
        put(cursor, _DATA, _LATER)
        return skip_value(at)
    put(cursor, _DATA, _READ)
    # A snapshot of trades is of those before the subscription.
    if channel == _OTHER or (channel == _TRADES and get(cursor, _KIND) == SNAPSHOT):
        return skip_value(at)
    more, at, reason = enter_array(at)
    while more:
        at, reason = _read_item(at, cursor)
        more, at, reason = next_element(at, reason)
    return at, reason


@shared
def _name_field(at: int, cursor: int, is_channel: bool) -> tuple[int, int]:
    """The channel or the type."""
    low, _, length, end, reason = read_text(at)
    if is_channel:
        channel = _OTHER
        if length == 4 and low == _BOOK_LOW:
            channel = _BOOK
        elif length == 5 and low == _TRADE_LOW:
            channel = _TRADES
        put(cursor, _CHANNEL, channel)
    elif length == 8 and low == _SNAPSHOT_LOW:
        put(cursor, _KIND, SNAPSHOT)
    elif length == 6 and low == _UPDATE_LOW:
        put(cursor, _KIND, DIFF)
    return end, reason


@inline
def _read_outer(at: int, cursor: int) -> tuple[int, int]:
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        if length == 4 and low == _DATA_LOW:
            at, reason = _data_field(at, cursor)
        elif length == 7 and low == _CHANNEL_LOW and load_u8(at, 0) == QUOTE_MARK:
            at, reason = _name_field(at, cursor, True)
        elif length == 4 and low == _TYPE_LOW and load_u8(at, 0) == QUOTE_MARK:
            at, reason = _name_field(at, cursor, False)
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    return at, reason


@shared
def read_frame(at: int, end: int, cursor: int) -> int:
    """Read one v2 message, or an event of v1, which is ignored; a ``staging.Reader``."""
    put(cursor, _CHANNEL, _NO_CHANNEL)
    put(cursor, _KIND, -1)
    reason = OK
    for _ in range(2):
        put(cursor, _DATA, _NONE)
        behind, reason = _read_outer(at, cursor)
        reason = ends_with_value(behind, end, reason)
        if reason != OK or get(cursor, _DATA) != _LATER or get(cursor, _CHANNEL) <= _OTHER:
            break
    if reason != OK or get(cursor, _CHANNEL) <= _OTHER:
        return reason
    return OK if get(cursor, _DATA) == _READ else MISSING_FIELD
