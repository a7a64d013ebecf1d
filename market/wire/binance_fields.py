"""The fields of Binance's JSON messages, each read by the first character or length of its key."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
from market.native.memory import get, load_u8, put
from market.wire.levels import quantity_decimals, read_levels
from market.wire.markets import PRICE_DECIMALS, find_market, market_row
from market.wire.records import (
    DIFF,
    IGNORED,
    QUOTE,
    TRADE,
    Reject,
)
from market.wire.text import (
    OK,
    OPEN_BRACKET,
    QUOTE_MARK,
    pack_text,
    packed,
    read_integer,
    read_quoted_decimal,
    read_string,
    skip_value,
)

# What has been seen of a message, as bits.
_HAS_BIDS: Final = 1
_HAS_ASKS: Final = 2
_HAS_BID_QUANTITY: Final = 4
_HAS_ASK_QUANTITY: Final = 8
_HAS_FIRST_ID: Final = 16
HAS_LAST_ID: Final = 32
_HAS_PRICE: Final = 64
_HAS_QUANTITY: Final = 128
_HAS_SIDE: Final = 256
HAS_SNAPSHOT_ID: Final = 512
_HAS_TRADE_ID: Final = 1024
_HAS_BID_PRICE: Final = 2048
_HAS_ASK_PRICE: Final = 4096
NEEDS_SECOND_PASS: Final = 8192
HAS_SYMBOL: Final = 16384
HAS_EVENT: Final = 32768

DIFF_FIELDS: Final = _HAS_BIDS | _HAS_ASKS | _HAS_FIRST_ID | HAS_LAST_ID | HAS_SYMBOL
SNAPSHOT_FIELDS: Final = _HAS_BIDS | _HAS_ASKS | HAS_SNAPSHOT_ID
QUOTE_FIELDS: Final = _HAS_BID_PRICE | _HAS_ASK_PRICE | _HAS_BID_QUANTITY | _HAS_ASK_QUANTITY | HAS_LAST_ID | HAS_SYMBOL
ANY_QUOTE_FIELD: Final = HAS_LAST_ID | _HAS_BID_PRICE | _HAS_ASK_PRICE
TRADE_FIELDS: Final = _HAS_PRICE | _HAS_QUANTITY | _HAS_SIDE | _HAS_TRADE_ID | HAS_SYMBOL

# Where one message is put together before its record is written: words of the cursor's scratch.
READ_SEEN: Final = 0
READ_EVENT: Final = 1
READ_MARKET: Final = 2
READ_FIRST_ID: Final = 3
READ_LAST_ID: Final = 4
READ_PREVIOUS_ID: Final = 5
READ_EVENT_TIME: Final = 6
READ_BID_PRICE: Final = 7
READ_BID_QUANTITY: Final = 8
READ_ASK_PRICE: Final = 9
READ_ASK_QUANTITY: Final = 10
READ_PRICE: Final = 11
READ_QUANTITY: Final = 12
READ_BUYER_IS_MAKER: Final = 13
READ_TRADE_ID: Final = 14
READ_BIDS: Final = 15
READ_ASKS: Final = 16
READ_NUMBER_REASON: Final = 17
READ_NAME: Final = 18
"""First of four words for a symbol that stands in the message in small letters."""

_DEPTH_LOW, _DEPTH_HIGH = packed("depthUpdate")
_TICKER_LOW, _TICKER_HIGH = packed("bookTicker")
_TRADE_LOW, _TRADE_HIGH = packed("trade")
_AGGREGATE_LOW, _AGGREGATE_HIGH = packed("aggTrade")
_LAST_UPDATE_LOW, _LAST_UPDATE_HIGH = packed("lastUpdateId")
_BIDS_LOW, _ = packed("bids")
_ASKS_LOW, _ = packed("asks")
DATA_LOW, _ = packed("data")
STREAM_LOW, _ = packed("stream")
_PREVIOUS_LOW, _ = packed("pu")
_SYMBOL_LOW, _ = packed("symbol")
MICROSECONDS_FROM: Final = 10**15
UNKNOWN_SYMBOL: Final = int(Reject.UNKNOWN_SYMBOL)
MISSING_FIELD: Final = int(Reject.MISSING_FIELD)
_TRUE: Final = ord("t")


@inline
def _see(scratch: int, field: int) -> None:
    put(scratch, READ_SEEN, get(scratch, READ_SEEN) | field)


@inline
def _fail(scratch: int, reason: int) -> None:
    """Remember the first number that could not be read; it counts only if the message needs it."""
    if get(scratch, READ_NUMBER_REASON) == OK:
        put(scratch, READ_NUMBER_REASON, reason)


@inline
def _integer_field(at: int, scratch: int, slot: int, field: int) -> tuple[int, int]:
    value, end, reason = read_integer(at)
    if reason != OK:
        _fail(scratch, reason)
        return skip_value(at)
    put(scratch, slot, value)
    _see(scratch, field)
    return end, OK


@inline
def _decimal_field(at: int, table: int, scratch: int, slot: int, field: int, is_price: bool) -> tuple[int, int]:
    """A quoted price or quantity, in the market's ticks, lots or contracts."""
    market = get(scratch, READ_MARKET)
    if market < 0:
        if get(scratch, READ_SEEN) & HAS_SYMBOL == 0:
            _see(scratch, NEEDS_SECOND_PASS)
        return skip_value(at)
    row = market_row(table, market)
    decimals = get(row, PRICE_DECIMALS) if is_price else quantity_decimals(row)
    value, end, reason = read_quoted_decimal(at, decimals)
    if reason != OK:
        _fail(scratch, reason)
        return skip_value(at)
    put(scratch, slot, value)
    _see(scratch, field)
    return end, OK


@shared
def _levels_field(
    at: int, table: int, scratch: int, slot: int, field: int, rows: int, capacity: int
) -> tuple[int, int]:
    market = get(scratch, READ_MARKET)
    if market < 0:
        if get(scratch, READ_SEEN) & HAS_SYMBOL == 0:
            _see(scratch, NEEDS_SECOND_PASS)
        return skip_value(at)
    count, end, reason = read_levels(at, market_row(table, market), rows, capacity)
    if reason != OK:
        _fail(scratch, reason)
        return skip_value(at)
    put(scratch, slot, count)
    _see(scratch, field)
    return end, OK


@inline
def _symbol_field(at: int, table: int, scratch: int) -> tuple[int, int]:
    length, end, reason = read_string(at)
    if reason == OK:
        put(scratch, READ_MARKET, find_market(table, at + 1, length))
        _see(scratch, HAS_SYMBOL)
    return end, reason


@inline
def _event_field(at: int, scratch: int) -> tuple[int, int]:
    length, end, reason = read_string(at)
    if reason == OK:
        low, high = pack_text(at + 1, length)
        event = IGNORED
        if low == _DEPTH_LOW and high == _DEPTH_HIGH and length == 11:
            event = DIFF
        elif low == _TICKER_LOW and high == _TICKER_HIGH and length == 10:
            event = QUOTE
        elif (low == _TRADE_LOW and length == 5) or (low == _AGGREGATE_LOW and length == 8):
            event = TRADE
        put(scratch, READ_EVENT, event)
        _see(scratch, HAS_EVENT)
    return end, reason


@inline
def long_field(
    at: int,
    table: int,
    scratch: int,
    low: int,
    high: int,
    length: int,
    bids: int,
    asks: int,
    bids_room: int,
    asks_room: int,
) -> tuple[int, int]:
    """Value of a key of two or more characters."""
    if length == 2 and low == _PREVIOUS_LOW:
        return _integer_field(at, scratch, READ_PREVIOUS_ID, 0)
    if length == 4 and low == _BIDS_LOW:
        return _levels_field(at, table, scratch, READ_BIDS, _HAS_BIDS, bids, bids_room)
    if length == 4 and low == _ASKS_LOW:
        return _levels_field(at, table, scratch, READ_ASKS, _HAS_ASKS, asks, asks_room)
    if length == 6 and low == _SYMBOL_LOW:
        return _symbol_field(at, table, scratch)
    if length == 12 and low == _LAST_UPDATE_LOW and high == _LAST_UPDATE_HIGH:
        return _integer_field(at, scratch, READ_LAST_ID, HAS_SNAPSHOT_ID)
    return skip_value(at)


@inline
def _decimal_key(key: int) -> tuple[int, int, bool]:
    """Slot and field of a key whose value is a quoted number, and whether it is a price; slot -1 for other keys."""
    if key == ord("b"):
        return READ_BID_PRICE, _HAS_BID_PRICE, True
    if key == ord("a"):
        return READ_ASK_PRICE, _HAS_ASK_PRICE, True
    if key == ord("B"):
        return READ_BID_QUANTITY, _HAS_BID_QUANTITY, False
    if key == ord("A"):
        return READ_ASK_QUANTITY, _HAS_ASK_QUANTITY, False
    if key == ord("p"):
        return READ_PRICE, _HAS_PRICE, True
    if key == ord("q"):
        return READ_QUANTITY, _HAS_QUANTITY, False
    return -1, 0, False


@inline
def _integer_key(key: int) -> tuple[int, int]:
    """Slot and field of a key whose value is a number without marks; slot -1 for any other key."""
    if key == ord("u"):
        return READ_LAST_ID, HAS_LAST_ID
    if key == ord("E"):
        return READ_EVENT_TIME, 0
    if key == ord("U"):
        return READ_FIRST_ID, _HAS_FIRST_ID
    if key == ord("t"):
        return READ_TRADE_ID, _HAS_TRADE_ID
    return -1, 0


@inline
def _named_field(key: int, at: int, table: int, scratch: int) -> tuple[int, int]:
    """A string, a truth value, or what is not needed."""
    if key == ord("s"):
        return _symbol_field(at, table, scratch)
    if key == ord("e"):
        return _event_field(at, scratch)
    if key == ord("m"):
        put(scratch, READ_BUYER_IS_MAKER, load_u8(at, 0) == _TRUE)
        _see(scratch, _HAS_SIDE)
    return skip_value(at)


@inline
def short_field(
    key: int, at: int, table: int, scratch: int, bids: int, asks: int, bids_room: int, asks_room: int
) -> tuple[int, int]:
    """Value of a key of one character, which means different things by how its value begins.

    ``b`` and ``a`` are levels of a depth update, prices of a bookTicker, or order numbers of a trade
    (the first of which stands in for a number of the trade itself).
    """
    first = load_u8(at, 0)
    if first == QUOTE_MARK:
        slot, field, is_price = _decimal_key(key)
        if slot >= 0:
            return _decimal_field(at, table, scratch, slot, field, is_price)
    elif first == OPEN_BRACKET:
        if key == ord("b"):
            return _levels_field(at, table, scratch, READ_BIDS, _HAS_BIDS, bids, bids_room)
        if key == ord("a"):
            return _levels_field(at, table, scratch, READ_ASKS, _HAS_ASKS, asks, asks_room)
    elif key == ord("a") and get(scratch, READ_SEEN) & _HAS_TRADE_ID == 0:
        key = ord("t")
    slot, field = _integer_key(key)
    if slot >= 0:
        return _integer_field(at, scratch, slot, field)
    return _named_field(key, at, table, scratch)
