"""Binance's JSON streams and REST snapshots: spot, USD-M and COIN-M futures.

Reads depth updates, bookTicker, trade and aggTrade, bare or inside a combined-stream frame, and REST depth
snapshots. Other events are well-formed but ignored. Fields may come in any order; when prices come
before the symbol that scales them, the object is read a second time.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import (
    entry,
    inline,
    shared,
)
from market.native.memory import (
    get,
    load_i64,
    load_u8,
    put,
    store_8,
)
from market.wire.binance_fields import (
    ANY_QUOTE_FIELD,
    DATA_LOW,
    DIFF_FIELDS,
    HAS_EVENT,
    HAS_SNAPSHOT_ID,
    HAS_SYMBOL,
    MICROSECONDS_FROM,
    MISSING_FIELD,
    NEEDS_SECOND_PASS,
    QUOTE_FIELDS,
    READ_ASK_PRICE,
    READ_ASK_QUANTITY,
    READ_ASKS,
    READ_BID_PRICE,
    READ_BID_QUANTITY,
    READ_BIDS,
    READ_BUYER_IS_MAKER,
    READ_EVENT,
    READ_EVENT_TIME,
    READ_FIRST_ID,
    READ_LAST_ID,
    READ_MARKET,
    READ_NAME,
    READ_NUMBER_REASON,
    READ_PREVIOUS_ID,
    READ_PRICE,
    READ_QUANTITY,
    READ_SEEN,
    READ_TRADE_ID,
    SNAPSHOT_FIELDS,
    STREAM_LOW,
    TRADE_FIELDS,
    UNKNOWN_SYMBOL,
    long_field,
    short_field,
)
from market.wire.levels import TOO_LONG, scale_lots
from market.wire.lines import (
    DECODE_LINES,
    close_record,
    decode_each_line,
    open_record,
)
from market.wire.markets import MAXIMUM_SYMBOL, find_market, market_count, market_row
from market.wire.records import (
    AGGRESSOR,
    AGGRESSOR_BUY,
    AGGRESSOR_SELL,
    ASK_PRICE,
    ASK_QUANTITY,
    ASKS,
    ASKS_START,
    BID_PRICE,
    BID_QUANTITY,
    BIDS,
    BIDS_START,
    CURSOR_ASKS,
    CURSOR_BIDS,
    CURSOR_SCRATCH,
    EVENT_NS,
    FIRST_ID,
    IGNORED,
    LAST_ID,
    MARKET,
    PREVIOUS_ID,
    PRICE,
    QUANTITY,
    QUOTE,
    SNAPSHOT,
    TRADE,
    TRADE_ID,
    Rows,
    Words,
)
from market.wire.text import (
    CLOSE_BRACE,
    COLON,
    COMMA,
    MALFORMED,
    NEGATIVE,
    OK,
    OPEN_BRACE,
    QUOTE_MARK,
    pack_text,
    packed,
    read_string,
    skip_value,
)

_AT_SIGN: Final = ord("@")
_FRAME_BYTES: Final = 9
_STREAM_START, _ = packed('{"stream')
_DATA_START, _ = packed('{"data":')


@shared
def _read_object(
    at: int, table: int, scratch: int, bids: int, asks: int, bids_room: int, asks_room: int
) -> tuple[int, int]:
    """Read one event object into the scratch; (address after its closing brace, reject code)."""
    if load_u8(at, 0) != OPEN_BRACE:
        return at, MALFORMED
    at += 1
    while True:
        if load_u8(at, 0) != QUOTE_MARK:
            return at, MALFORMED
        if load_u8(at, 1) > QUOTE_MARK and load_u8(at, 2) == QUOTE_MARK:
            if load_u8(at, 3) != COLON:
                return at, MALFORMED
            key = load_u8(at, 1)
            at, reason = short_field(key, at + 4, table, scratch, bids, asks, bids_room, asks_room)
        else:
            length, end, reason = read_string(at)
            if reason != OK or load_u8(end, 0) != COLON:
                return end, MALFORMED
            low, high = pack_text(at + 1, length)
            at, reason = long_field(end + 1, table, scratch, low, high, length, bids, asks, bids_room, asks_room)
        if reason != OK:
            return at, reason
        separator = load_u8(at, 0)
        at += 1
        if separator == CLOSE_BRACE:
            return at, OK
        if separator != COMMA:
            return at, MALFORMED


@inline
def _reset(scratch: int, market: int) -> None:
    put(scratch, READ_SEEN, 0)
    put(scratch, READ_EVENT, IGNORED)
    put(scratch, READ_MARKET, market)
    put(scratch, READ_FIRST_ID, -1)
    put(scratch, READ_PREVIOUS_ID, -1)
    put(scratch, READ_EVENT_TIME, 0)
    put(scratch, READ_NUMBER_REASON, OK)


@inline
def _read_event(
    at: int, table: int, scratch: int, market: int, bids: int, asks: int, bids_room: int, asks_room: int
) -> tuple[int, int]:
    """Read one event object of a market, -1 when only its symbol tells; twice if that came after its prices."""
    _reset(scratch, market)
    end, reason = _read_object(at, table, scratch, bids, asks, bids_room, asks_room)
    if reason == OK and get(scratch, READ_SEEN) & NEEDS_SECOND_PASS != 0 and get(scratch, READ_MARKET) >= 0:
        _reset(scratch, get(scratch, READ_MARKET))
        end, reason = _read_object(at, table, scratch, bids, asks, bids_room, asks_room)
    return end, reason


@shared
def _market_of_stream(at: int, table: int, scratch: int) -> tuple[int, int, int]:
    """Market that a stream name such as ``btcusdt@depth`` begins with, -1 for none: snapshots name no symbol."""
    length, end, reason = read_string(at)
    name = scratch + 8 * READ_NAME
    position = 0
    while position < min(length, MAXIMUM_SYMBOL) and load_u8(at, 1 + position) != _AT_SIGN:
        letter = load_u8(at, 1 + position)
        if ord("a") <= letter <= ord("z"):
            letter -= 32
        store_8(name, position, letter)
        position += 1
    return find_market(table, name, position), end, reason


@inline
def _is_frame(at: int, end: int) -> bool:
    """Whether a message is the frame of a combined stream, by its first key."""
    if end - at < _FRAME_BYTES:
        return False
    start = load_i64(at, 0)
    return start == _DATA_START or (start == _STREAM_START and load_u8(at, 8) == QUOTE_MARK)


@inline
def _read_message(
    at: int, end: int, table: int, scratch: int, bids: int, asks: int, bids_room: int, asks_room: int
) -> tuple[int, int]:
    """Read a bare event, or the ``data`` of a combined-stream frame."""
    market = 0 if market_count(table) == 1 else -1
    if not _is_frame(at, end):
        return _read_event(at, table, scratch, market, bids, asks, bids_room, asks_room)
    _reset(scratch, market)
    at += 1
    while True:
        length, after, reason = read_string(at)
        if reason != OK or load_u8(after, 0) != COLON:
            return after, MALFORMED
        low, _ = pack_text(at + 1, length)
        if length == 4 and low == DATA_LOW:
            at, reason = _read_event(after + 1, table, scratch, market, bids, asks, bids_room, asks_room)
        elif length == 6 and low == STREAM_LOW and market_count(table) > 1:
            market, at, reason = _market_of_stream(after + 1, table, scratch)
        else:
            at, reason = skip_value(after + 1)
        if reason != OK:
            return at, reason
        separator = load_u8(at, 0)
        at += 1
        if separator == CLOSE_BRACE:
            return at, OK
        if separator != COMMA:
            return at, MALFORMED


@inline
def _kind(scratch: int) -> int:
    """What the message is: by its event name, else by its fields."""
    seen = get(scratch, READ_SEEN)
    if seen & HAS_EVENT != 0:
        return get(scratch, READ_EVENT)
    if seen & HAS_SNAPSHOT_ID != 0:
        return SNAPSHOT
    # A spot bookTicker names no event: a symbol with any part of a quote is one.
    return QUOTE if seen & HAS_SYMBOL != 0 and seen & ANY_QUOTE_FIELD != 0 else IGNORED


@inline
def _verdict(scratch: int, kind: int) -> int:
    """Reject code of a message that was read to its end."""
    seen = get(scratch, READ_SEEN)
    if kind == IGNORED:
        return OK
    if get(scratch, READ_MARKET) < 0:
        return UNKNOWN_SYMBOL
    if get(scratch, READ_NUMBER_REASON) != OK:
        return get(scratch, READ_NUMBER_REASON)
    needed = DIFF_FIELDS
    if kind == SNAPSHOT:
        needed = SNAPSHOT_FIELDS
    elif kind == QUOTE:
        needed = QUOTE_FIELDS
    elif kind == TRADE:
        needed = TRADE_FIELDS
    return OK if seen & needed == needed else MISSING_FIELD


@inline
def _convert(scratch: int, market: int, price: int, quantity: int) -> int:
    """Scale a stated quantity to lots in place; needs a positive price."""
    if get(scratch, price) == 0:
        return NEGATIVE
    lots, reason = scale_lots(market, get(scratch, price), get(scratch, quantity))
    put(scratch, quantity, lots)
    return reason


@inline
def _write_prices(row: int, scratch: int, table: int, kind: int) -> int:
    """Columns of a quote or trade; a reject code when a price is zero or contracts do not convert."""
    market = market_row(table, get(scratch, READ_MARKET))
    if kind == QUOTE:
        reason = _convert(scratch, market, READ_BID_PRICE, READ_BID_QUANTITY)
        if reason == OK:
            reason = _convert(scratch, market, READ_ASK_PRICE, READ_ASK_QUANTITY)
        put(row, BID_PRICE, get(scratch, READ_BID_PRICE))
        put(row, BID_QUANTITY, get(scratch, READ_BID_QUANTITY))
        put(row, ASK_PRICE, get(scratch, READ_ASK_PRICE))
        put(row, ASK_QUANTITY, get(scratch, READ_ASK_QUANTITY))
        return reason
    reason = _convert(scratch, market, READ_PRICE, READ_QUANTITY)
    put(row, PRICE, get(scratch, READ_PRICE))
    put(row, QUANTITY, get(scratch, READ_QUANTITY))
    put(row, AGGRESSOR, AGGRESSOR_SELL if get(scratch, READ_BUYER_IS_MAKER) != 0 else AGGRESSOR_BUY)
    put(row, TRADE_ID, get(scratch, READ_TRADE_ID))
    return reason


@inline
def _write_record(row: int, scratch: int, table: int, cursor: int, kind: int) -> int:
    """Fill a record's columns from the scratch; returns a reject code."""
    event_time = get(scratch, READ_EVENT_TIME)
    put(row, EVENT_NS, event_time * (1_000 if event_time >= MICROSECONDS_FROM else 1_000_000))
    put(row, MARKET, get(scratch, READ_MARKET))
    put(row, FIRST_ID, get(scratch, READ_FIRST_ID))
    put(row, PREVIOUS_ID, get(scratch, READ_PREVIOUS_ID))
    if kind == IGNORED:
        return OK
    if kind == TRADE:
        put(row, LAST_ID, get(scratch, READ_TRADE_ID))
        return _write_prices(row, scratch, table, kind)
    put(row, LAST_ID, get(scratch, READ_LAST_ID))
    if kind == QUOTE:
        return _write_prices(row, scratch, table, kind)
    put(row, BIDS_START, get(cursor, CURSOR_BIDS))
    put(row, BIDS, get(scratch, READ_BIDS))
    put(row, ASKS_START, get(cursor, CURSOR_ASKS))
    put(row, ASKS, get(scratch, READ_ASKS))
    put(cursor, CURSOR_BIDS, get(cursor, CURSOR_BIDS) + get(scratch, READ_BIDS))
    put(cursor, CURSOR_ASKS, get(cursor, CURSOR_ASKS) + get(scratch, READ_ASKS))
    return OK


@inline
def decode_message(
    at: int, end: int, receive_ns: int, table: int, records: int, bids: int, asks: int, room: int, cursor: int
) -> bool:
    """Decode the message at ``at`` that ends at ``end``, where a byte below 32 must stand; see ``lines.Decoder``."""
    scratch = cursor + 8 * CURSOR_SCRATCH
    bids_used = get(cursor, CURSOR_BIDS)
    asks_used = get(cursor, CURSOR_ASKS)
    after, reason = _read_message(
        at, end, table, scratch, bids + 16 * bids_used, asks + 16 * asks_used, room - bids_used, room - asks_used
    )
    if reason == OK and after != end:
        reason = MALFORMED
    kind = IGNORED
    if reason == OK:
        kind = _kind(scratch)
        reason = _verdict(scratch, kind)
        if reason == TOO_LONG and (bids_used > 0 or asks_used > 0):
            return False
    row = open_record(records, cursor, receive_ns)
    if reason == OK:
        reason = _write_record(row, scratch, table, cursor, kind)
    close_record(cursor, row, kind, reason)
    return True


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
    """Decode recorded lines of Binance JSON; parameters and result as ``lines.decode_each_line``."""
    return decode_each_line(decode_message, block, maximum_jump_ns, markets, records, bids, asks, cursor, lag_ns)
