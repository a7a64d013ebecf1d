"""Bybit's JSON streams (v5 public): order books of any depth and trades.

``orderbook.1`` states the best prices and is a QUOTE, numbered by ``seq``; deeper books are snapshots and diffs,
numbered by ``u``. One source carries one deeper book per symbol. Trades of derivatives are known by UUIDs, which tell
no order, and have identifier -1. Source: Bybit API documentation, "Orderbook" and "Trade" of the public streams.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, inline, shared
from market.native.memory import get, load_u8, put
from market.wire.json_walk import (
    ends_with_value,
    enter_array,
    enter_object,
    next_element,
    next_member,
    read_key,
    read_text,
)
from market.wire.levels import read_levels, read_number
from market.wire.lines import DECODE_LINES, decode_each_line
from market.wire.markets import PRICE_DECIMALS, QUANTITY_DECIMALS
from market.wire.records import (
    AGGRESSOR_BUY,
    AGGRESSOR_NONE,
    AGGRESSOR_SELL,
    DIFF,
    SNAPSHOT,
    Rows,
    Words,
)
from market.wire.staging import (
    MISSING_FIELD,
    STAGE_OWN,
    add_book,
    add_quote,
    add_trade,
    ask_room,
    ask_rows,
    bid_room,
    bid_rows,
    decode_whole,
    market_at,
    market_named,
    note_unknown,
)
from market.wire.text import (
    OK,
    POINT,
    QUOTE_MARK,
    pack_text,
    packed,
    read_integer,
    read_string,
    skip_value,
)

_CHANNEL: Final = STAGE_OWN
_MARKET: Final = STAGE_OWN + 1
_DEPTH: Final = STAGE_OWN + 2
_KIND: Final = STAGE_OWN + 3
_TIME_MS: Final = STAGE_OWN + 4
_DATA: Final = STAGE_OWN + 5
"""Whether there was data, and whether it came before the topic: the message is then read again."""
_BIDS: Final = STAGE_OWN + 6
_ASKS: Final = STAGE_OWN + 7
_UPDATE_ID: Final = STAGE_OWN + 8
_SEQUENCE: Final = STAGE_OWN + 9

_NONE: Final = 0
_READ: Final = 1
_LATER: Final = 2

_NO_TOPIC: Final = -1
_OTHER: Final = 0
_BOOK: Final = 1
_TRADES: Final = 2

_BOOK_LOW, _BOOK_HIGH = packed("orderbook.")
_TRADE_LOW, _TRADE_HIGH = packed("publicTrade.")
_SNAPSHOT_LOW, _ = packed("snapshot")
_DELTA_LOW, _ = packed("delta")
_TOPIC_LOW, _ = packed("topic")
_TYPE_LOW, _ = packed("type")
_DATA_LOW, _ = packed("data")
_TIME_LOW, _ = packed("ts")
_SEQUENCE_LOW, _ = packed("seq")
_BUY_LOW, _ = packed("Buy")
_SELL_LOW, _ = packed("Sell")
_BOOK_PREFIX: Final = len("orderbook.")
_TRADE_PREFIX: Final = len("publicTrade.")
_RESTARTED: Final = 1
"""Update id of the snapshot that follows a restart of the service, whatever its type says."""
_MILLISECOND_NS: Final = 1_000_000


@inline
def _topic_field(at: int, cursor: int) -> tuple[int, int]:
    """``orderbook.DEPTH.SYMBOL`` or ``publicTrade.SYMBOL``; other topics are of no interest."""
    length, end, reason = read_string(at)
    if reason != OK:
        return end, reason
    put(cursor, _CHANNEL, _OTHER)
    symbol = end
    low, high = pack_text(at + 1, min(length, _BOOK_PREFIX))
    if low == _BOOK_LOW and high == _BOOK_HIGH:
        depth, point, number = read_integer(at + 1 + _BOOK_PREFIX)
        if number == OK and load_u8(point, 0) == POINT:
            put(cursor, _CHANNEL, _BOOK)
            put(cursor, _DEPTH, depth)
            symbol = point + 1
    low, high = pack_text(at + 1, min(length, _TRADE_PREFIX))
    if low == _TRADE_LOW and high == _TRADE_HIGH:
        put(cursor, _CHANNEL, _TRADES)
        symbol = at + 1 + _TRADE_PREFIX
    if get(cursor, _CHANNEL) != _OTHER:
        put(cursor, _MARKET, market_named(cursor, symbol, end - 1 - symbol))
    return end, OK


@inline
def _type_field(at: int, cursor: int) -> tuple[int, int]:
    low, _, length, end, reason = read_text(at)
    if low == _SNAPSHOT_LOW and length == 8:
        put(cursor, _KIND, SNAPSHOT)
    elif low == _DELTA_LOW and length == 5:
        put(cursor, _KIND, DIFF)
    return end, reason


@inline
def _integer_field(at: int, cursor: int, slot: int) -> tuple[int, int]:
    value, end, reason = read_integer(at)
    put(cursor, slot, value)
    return end, reason


@shared
def _read_book(at: int, cursor: int) -> tuple[int, int]:
    """The data of a book: its levels into the free rows, its numbers into the cursor."""
    market = market_at(cursor, get(cursor, _MARKET))
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        if length == 1 and (low == ord("b") or low == ord("a")):
            is_bid = low == ord("b")
            rows = bid_rows(cursor) if is_bid else ask_rows(cursor)
            room = bid_room(cursor) if is_bid else ask_room(cursor)
            count, at, reason = read_levels(at, market, rows, room)
            put(cursor, _BIDS if is_bid else _ASKS, count)
        elif length == 1 and low == ord("u"):
            at, reason = _integer_field(at, cursor, _UPDATE_ID)
        elif length == 3 and low == _SEQUENCE_LOW:
            at, reason = _integer_field(at, cursor, _SEQUENCE)
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    return at, reason


@inline
def _read_trade_id(at: int) -> tuple[int, int, int]:
    """A quoted number, -1 for a quoted UUID: (identifier, address behind it, reject code)."""
    _, end, reason = read_string(at)
    if reason != OK:
        return -1, end, reason
    value, behind, reason = read_integer(at + 1)
    return value if reason == OK and behind == end - 1 else -1, end, OK


@shared
def _read_trade(at: int, cursor: int) -> tuple[int, int]:
    """One trade of the data, as a record."""
    market = market_at(cursor, get(cursor, _MARKET))
    price = quantity = time_ms = trade_id = -1
    has_id = False
    side = AGGRESSOR_NONE
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        key = low if length == 1 else 0
        if key == ord("p"):
            price, _, at, reason = read_number(at, get(market, PRICE_DECIMALS))
        elif key == ord("v"):
            quantity, _, at, reason = read_number(at, get(market, QUANTITY_DECIMALS))
        elif key == ord("T"):
            time_ms, at, reason = read_integer(at)
        elif key == ord("i"):
            trade_id, at, reason = _read_trade_id(at)
            has_id = True
        elif key == ord("S"):
            low, _, length, at, reason = read_text(at)
            if low == _BUY_LOW and length == 3:
                side = AGGRESSOR_BUY
            elif low == _SELL_LOW and length == 4:
                side = AGGRESSOR_SELL
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    if reason != OK:
        return at, reason
    if min(price, quantity, time_ms) < 0 or not has_id or side == AGGRESSOR_NONE:
        return at, MISSING_FIELD
    event_ns = time_ms * _MILLISECOND_NS
    return at, add_trade(cursor, get(cursor, _MARKET), event_ns, price, quantity, side, trade_id)


@inline
def _data_field(at: int, cursor: int) -> tuple[int, int]:
    """The data by the channel of the topic."""
    channel = get(cursor, _CHANNEL)
    if channel == _NO_TOPIC:
        put(cursor, _DATA, _LATER)
        return skip_value(at)
    put(cursor, _DATA, _READ)
    if channel == _OTHER or get(cursor, _MARKET) < 0:
        return skip_value(at)
    if channel == _BOOK:
        return _read_book(at, cursor)
    more, at, reason = enter_array(at)
    while more:
        at, reason = _read_trade(at, cursor)
        more, at, reason = next_element(at, reason)
    return at, reason


@inline
def _read_frame(at: int, cursor: int) -> tuple[int, int]:
    """The outer object."""
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        if length == 4 and low == _DATA_LOW:
            at, reason = _data_field(at, cursor)
        elif length == 5 and low == _TOPIC_LOW and load_u8(at, 0) == QUOTE_MARK:
            at, reason = _topic_field(at, cursor)
        elif length == 4 and low == _TYPE_LOW and load_u8(at, 0) == QUOTE_MARK:
            at, reason = _type_field(at, cursor)
        elif length == 2 and low == _TIME_LOW and get(cursor, _CHANNEL) != _OTHER:
            at, reason = _integer_field(at, cursor, _TIME_MS)
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    return at, reason


@inline
def _add_book(cursor: int) -> int:
    """The record of a book message, by its depth and type."""
    depth = get(cursor, _DEPTH)
    update_id = get(cursor, _UPDATE_ID)
    number = get(cursor, _SEQUENCE) if depth == 1 else update_id
    bids = get(cursor, _BIDS)
    asks = get(cursor, _ASKS)
    kind = SNAPSHOT if update_id == _RESTARTED else get(cursor, _KIND)
    if min(number, bids, asks, get(cursor, _TIME_MS)) < 0 or kind < 0:
        return MISSING_FIELD
    event_ns = get(cursor, _TIME_MS) * _MILLISECOND_NS
    market = get(cursor, _MARKET)
    if depth == 1:
        return add_quote(cursor, market, event_ns, number, bids, asks)
    return add_book(cursor, kind, market, event_ns, number, number, -1, bids, asks, -1, 0)


@shared
def _read_message(at: int, end: int, cursor: int) -> int:
    for slot in (_CHANNEL, _MARKET, _KIND, _TIME_MS, _BIDS, _ASKS, _UPDATE_ID, _SEQUENCE):
        put(cursor, slot, -1)
    reason = OK
    for _ in range(2):
        put(cursor, _DATA, _NONE)
        behind, reason = _read_frame(at, cursor)
        reason = ends_with_value(behind, end, reason)
        if reason != OK or get(cursor, _DATA) != _LATER or get(cursor, _CHANNEL) <= _OTHER:
            break
    if reason != OK or get(cursor, _CHANNEL) <= _OTHER:
        return reason
    if get(cursor, _MARKET) < 0:
        note_unknown(cursor)
        return OK
    if get(cursor, _DATA) != _READ:
        return MISSING_FIELD
    return _add_book(cursor) if get(cursor, _CHANNEL) == _BOOK else OK


@inline
def decode_message(
    at: int, end: int, receive_ns: int, table: int, records: int, bids: int, asks: int, room: int, cursor: int
) -> bool:
    """Decode one message; see ``lines.Decoder``."""
    return decode_whole(_read_message, at, end, receive_ns, table, records, bids, asks, room, cursor)


@entry(DECODE_LINES)
def decode_lines(
    block: bytes,
    maximum_jump_ns: int,
    markets: Words,
    records: Rows,
    bids: Rows,
    asks: Rows,
    cursor: Words,
    lag_ns: int,
) -> int:
    """Decode recorded lines of Bybit JSON; parameters and result as ``lines.decode_each_line``."""
    return decode_each_line(decode_message, block, maximum_jump_ns, markets, records, bids, asks, cursor, lag_ns)
