"""Coinbase's JSON streams: Advanced Trade and Exchange, level 2 books and trades.

One source is one connection: Advanced Trade numbers a connection's messages across its channels.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, inline, shared
from market.native.memory import get, load_u8, put
from market.wire import markets
from market.wire.coinbase_advanced import (
    EVENTS_LATER,
    EVENTS_NONE,
    channel_field,
    events_field,
)
from market.wire.coinbase_exchange import add_exchange, exchange_field, type_field
from market.wire.coinbase_fields import (
    ASKS,
    BIDS,
    BOOK,
    BOOK_SNAPSHOT,
    CHANNEL,
    EARLY,
    EVENTS,
    MARKET,
    MARKS,
    NO_NAME,
    SEQUENCE,
    TIME_NS,
    TYPE,
    UNNAMED,
    clear_trade,
    read_number_word,
    read_time,
)
from market.wire.json_walk import ends_with_value, enter_object, next_member, read_key
from market.wire.lines import DECODE_LINES, decode_each_line
from market.wire.records import Rows, Words
from market.wire.staging import MISSING_FIELD, STAGE_TABLE, decode_whole
from market.wire.text import OK, OPEN_BRACKET, QUOTE_MARK, packed, skip_value

_CHANNEL_LOW, _ = packed("channel")
_TIME_LOW, _TIME_HIGH = packed("timestamp")
_SEQUENCE_LOW, _SEQUENCE_HIGH = packed("sequence_num")
_EVENTS_LOW, _ = packed("events")
_TYPE_LOW, _ = packed("type")
_ANY_NUMBER: Final = ord("9")


@inline
def _field(at: int, cursor: int, low: int, high: int, length: int) -> tuple[int, int]:
    """Value of a key of the outer object, of either API."""
    first = load_u8(at, 0)
    if length == 7 and low == _CHANNEL_LOW and first == QUOTE_MARK:
        return channel_field(at, cursor)
    if length == 4 and low == _TYPE_LOW and first == QUOTE_MARK:
        return type_field(at, cursor)
    if length == 6 and low == _EVENTS_LOW and first == OPEN_BRACKET:
        return events_field(at, cursor)
    if length == 12 and low == _SEQUENCE_LOW and high == _SEQUENCE_HIGH and first <= _ANY_NUMBER:
        return read_number_word(at, cursor, SEQUENCE)
    if length == 9 and low == _TIME_LOW and high == _TIME_HIGH and first == QUOTE_MARK:
        return read_time(at, cursor, TIME_NS)
    if get(cursor, CHANNEL) != NO_NAME:
        return skip_value(at)
    return exchange_field(at, cursor, low, high, length)


@shared
def _read_outer(at: int, cursor: int) -> tuple[int, int]:
    put(cursor, EVENTS, EVENTS_NONE)
    put(cursor, EARLY, 0)
    put(cursor, BIDS, -1)
    put(cursor, ASKS, -1)
    clear_trade(cursor)
    more, at, reason = enter_object(at)
    while more:
        low, high, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        at, reason = _field(at, cursor, low, high, length)
        more, at, reason = next_member(at, reason)
    return at, reason


@shared
def _read_message(at: int, end: int, cursor: int) -> int:
    for slot in (CHANNEL, TYPE, TIME_NS, SEQUENCE):
        put(cursor, slot, -1)
    put(cursor, MARKET, UNNAMED)
    put(cursor, MARKS, 0)
    reason = OK
    for _ in range(2):
        behind, reason = _read_outer(at, cursor)
        reason = ends_with_value(behind, end, reason)
        again = get(cursor, EARLY) != 0 if get(cursor, CHANNEL) == NO_NAME else get(cursor, EVENTS) == EVENTS_LATER
        if reason != OK or not again:
            break
    if reason != OK:
        return reason
    if get(cursor, CHANNEL) == NO_NAME:
        return add_exchange(cursor)
    sequence = get(cursor, SEQUENCE)
    if sequence < 0 or get(cursor, EVENTS) == EVENTS_LATER:
        return MISSING_FIELD
    table = get(cursor, STAGE_TABLE)
    if sequence == 0 or sequence > get(table, markets.SEQUENCE):
        put(table, markets.SEQUENCE, sequence)
    return OK


@inline
def _may_be_book(cursor: int) -> bool:
    """Whether an Exchange message that was refused may have been one of a book."""
    kind = get(cursor, TYPE)
    return get(cursor, CHANNEL) == NO_NAME and (kind == NO_NAME or kind == BOOK or kind == BOOK_SNAPSHOT)


@inline
def decode_message(
    at: int, end: int, receive_ns: int, table: int, records: int, bids: int, asks: int, room: int, cursor: int
) -> bool:
    """Decode one message; see ``lines.Decoder``."""
    hole = get(table, markets.HOLE)
    sequence = get(table, markets.SEQUENCE)
    done = decode_whole(_read_message, at, end, receive_ns, table, records, bids, asks, room, cursor)
    if not done:
        put(table, markets.SEQUENCE, sequence)
    if not done or not _may_be_book(cursor):
        put(table, markets.HOLE, hole)
    return done


@entry(DECODE_LINES)
def decode_lines(
    block: bytes,
    maximum_jump_ns: int,
    market_words: Words,
    records: Rows,
    bids: Rows,
    asks: Rows,
    cursor: Words,
    lag_ns: int,
) -> int:
    """Decode recorded lines of Coinbase JSON; parameters and result as ``lines.decode_each_line``."""
    return decode_each_line(decode_message, block, maximum_jump_ns, market_words, records, bids, asks, cursor, lag_ns)
