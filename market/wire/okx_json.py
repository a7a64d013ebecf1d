"""OKX's JSON streams (v5 public): order books, best bid and offer, trades.

Channels ``books``, ``books-l2-tbt`` and ``books50-l2-tbt`` are snapshots and diffs, chained by ``prevSeqId``;
``bbo-tbt`` is a QUOTE. One source carries one of the books per symbol. Recordings from before sequence numbers were
sent have none (-1), and only their checksum shows a gap; a checksum of 0 is none, since OKX sends 0 in its place
from 2026-06-23 on. Source: OKX API v5 guide, "WS / Order book channel" and "WS / Trades channel".
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
    read_count,
    read_key,
    read_signed,
    read_text,
)
from market.wire.levels import read_number, read_wide_levels
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
    QUOTE_MARK,
    packed,
    read_string,
    skip_value,
)

_CHANNEL: Final = STAGE_OWN
_MARKET: Final = STAGE_OWN + 1
_KIND: Final = STAGE_OWN + 2
_DATA: Final = STAGE_OWN + 3
"""Whether there was data, and whether it came before its channel or action: the message is then read again."""
_BIDS: Final = STAGE_OWN + 4
_ASKS: Final = STAGE_OWN + 5
_TIME_MS: Final = STAGE_OWN + 6
_SEQUENCE: Final = STAGE_OWN + 7
_PREVIOUS: Final = STAGE_OWN + 8
_CHECKSUM: Final = STAGE_OWN + 9

_NONE: Final = 0
_READ: Final = 1
_LATER: Final = 2

_NO_CHANNEL: Final = -1
_OTHER: Final = 0
_BOOK: Final = 1
_BEST: Final = 2
_TRADES: Final = 3

_BOOKS_LOW, _ = packed("books")
_BOOKS_TICK_LOW, _BOOKS_TICK_HIGH = packed("books-l2-tbt")
_BOOKS50_LOW, _BOOKS50_HIGH = packed("books50-l2-tbt")
_BEST_LOW, _ = packed("bbo-tbt")
_TRADES_LOW, _ = packed("trades")
_ALL_TRADES_LOW, _ALL_TRADES_HIGH = packed("trades-all")
_ARGUMENT_LOW, _ = packed("arg")
_ACTION_LOW, _ = packed("action")
_DATA_LOW, _ = packed("data")
_CHANNEL_LOW, _ = packed("channel")
_SYMBOL_LOW, _ = packed("instId")
_SNAPSHOT_LOW, _ = packed("snapshot")
_UPDATE_LOW, _ = packed("update")
_BIDS_LOW, _ = packed("bids")
_ASKS_LOW, _ = packed("asks")
_TIME_LOW, _ = packed("ts")
_SEQUENCE_LOW, _ = packed("seqId")
_PREVIOUS_LOW, _PREVIOUS_HIGH = packed("prevSeqId")
_CHECKSUM_LOW, _ = packed("checksum")
_PRICE_LOW, _ = packed("px")
_QUANTITY_LOW, _ = packed("sz")
_TRADE_ID_LOW, _ = packed("tradeId")
_SIDE_LOW, _ = packed("side")
_BUY_LOW, _ = packed("buy")
_SELL_LOW, _ = packed("sell")
_MASK: Final = 0xFFFFFFFF
_MILLISECOND_NS: Final = 1_000_000


@inline
def _channel_field(at: int, cursor: int) -> tuple[int, int]:
    low, high, length, end, reason = read_text(at)
    channel = _OTHER
    if (
        (length == 5 and low == _BOOKS_LOW)
        or (length == 12 and low == _BOOKS_TICK_LOW and high == _BOOKS_TICK_HIGH)
        or (length == 14 and low == _BOOKS50_LOW and high == _BOOKS50_HIGH)
    ):
        channel = _BOOK
    elif length == 7 and low == _BEST_LOW:
        channel = _BEST
    elif (length == 6 and low == _TRADES_LOW) or (length == 10 and low == _ALL_TRADES_LOW and high == _ALL_TRADES_HIGH):
        channel = _TRADES
    put(cursor, _CHANNEL, channel)
    return end, reason


@shared
def _read_argument(at: int, cursor: int) -> tuple[int, int]:
    """The subscription that the message answers: channel and symbol."""
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        if length == 7 and low == _CHANNEL_LOW and load_u8(at, 0) == QUOTE_MARK:
            at, reason = _channel_field(at, cursor)
        elif length == 6 and low == _SYMBOL_LOW and load_u8(at, 0) == QUOTE_MARK:
            length, end, reason = read_string(at)
            put(cursor, _MARKET, market_named(cursor, at + 1, length))
            at = end
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    return at, reason


@inline
def _action_field(at: int, cursor: int) -> tuple[int, int]:
    low, _, length, end, reason = read_text(at)
    if length == 8 and low == _SNAPSHOT_LOW:
        put(cursor, _KIND, SNAPSHOT)
    elif length == 6 and low == _UPDATE_LOW:
        put(cursor, _KIND, DIFF)
    return end, reason


@inline
def _number_field(at: int, cursor: int, low: int, high: int, length: int) -> tuple[int, int]:
    """Times, sequence numbers and checksum of a book."""
    if length == 2 and low == _TIME_LOW:
        value, at, reason = read_count(at)
        put(cursor, _TIME_MS, value)
        return at, reason
    slot = -1
    if length == 5 and low == _SEQUENCE_LOW:
        slot = _SEQUENCE
    elif length == 9 and low == _PREVIOUS_LOW and high == _PREVIOUS_HIGH:
        slot = _PREVIOUS
    elif length == 8 and low == _CHECKSUM_LOW:
        slot = _CHECKSUM
    if slot < 0:
        return skip_value(at)
    value, at, reason = read_signed(at)
    if slot == _CHECKSUM:
        value = value & _MASK if value != 0 else -1
    put(cursor, slot, value)
    return at, reason


@shared
def _read_book(at: int, cursor: int) -> tuple[int, int]:
    """One book of the data, as a record."""
    market = market_at(cursor, get(cursor, _MARKET))
    for slot in (_BIDS, _ASKS, _TIME_MS, _SEQUENCE, _PREVIOUS, _CHECKSUM):
        put(cursor, slot, -1)
    more, at, reason = enter_object(at)
    while more:
        low, high, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        if length == 4 and (low == _BIDS_LOW or low == _ASKS_LOW):
            is_bid = low == _BIDS_LOW
            rows = bid_rows(cursor) if is_bid else ask_rows(cursor)
            room = bid_room(cursor) if is_bid else ask_room(cursor)
            count, _, at, reason = read_wide_levels(at, market, rows, room)
            put(cursor, _BIDS if is_bid else _ASKS, count)
        else:
            at, reason = _number_field(at, cursor, low, high, length)
        more, at, reason = next_member(at, reason)
    return at, _add_book(cursor) if reason == OK else reason


@inline
def _add_book(cursor: int) -> int:
    bids = get(cursor, _BIDS)
    asks = get(cursor, _ASKS)
    kind = get(cursor, _KIND)
    best = get(cursor, _CHANNEL) == _BEST
    if min(bids, asks, get(cursor, _TIME_MS)) < 0 or (kind < 0 and not best):
        return MISSING_FIELD
    market = get(cursor, _MARKET)
    event_ns = get(cursor, _TIME_MS) * _MILLISECOND_NS
    sequence = get(cursor, _SEQUENCE)
    if best:
        return add_quote(cursor, market, event_ns, sequence, bids, asks)
    previous = get(cursor, _PREVIOUS)
    return add_book(cursor, kind, market, event_ns, sequence, sequence, previous, bids, asks, get(cursor, _CHECKSUM), 0)


@shared
def _read_trade(at: int, cursor: int) -> tuple[int, int]:
    """One trade of the data, as a record."""
    market = market_at(cursor, get(cursor, _MARKET))
    price = quantity = time_ms = trade_id = -1
    side = AGGRESSOR_NONE
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        if length == 2 and low == _PRICE_LOW:
            price, _, at, reason = read_number(at, get(market, PRICE_DECIMALS))
        elif length == 2 and low == _QUANTITY_LOW:
            quantity, _, at, reason = read_number(at, get(market, QUANTITY_DECIMALS))
        elif length == 2 and low == _TIME_LOW:
            time_ms, at, reason = read_count(at)
        elif length == 7 and low == _TRADE_ID_LOW:
            trade_id, at, reason = read_count(at)
        elif length == 4 and low == _SIDE_LOW:
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
    if min(price, quantity, time_ms, trade_id) < 0 or side == AGGRESSOR_NONE:
        return at, MISSING_FIELD
    event_ns = time_ms * _MILLISECOND_NS
    return at, add_trade(cursor, get(cursor, _MARKET), event_ns, price, quantity, side, trade_id)


@inline
def _data_field(at: int, cursor: int) -> tuple[int, int]:
    """The data by its channel."""
    channel = get(cursor, _CHANNEL)
    if channel == _NO_CHANNEL or (channel == _BOOK and get(cursor, _KIND) < 0):
        put(cursor, _DATA, _LATER)
        return skip_value(at)
    put(cursor, _DATA, _READ)
    if channel == _OTHER or get(cursor, _MARKET) < 0:
        return skip_value(at)
    more, at, reason = enter_array(at)
    while more:
        if channel == _TRADES:
            at, reason = _read_trade(at, cursor)
        else:
            at, reason = _read_book(at, cursor)
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
        elif length == 3 and low == _ARGUMENT_LOW:
            at, reason = _read_argument(at, cursor)
        elif length == 6 and low == _ACTION_LOW and load_u8(at, 0) == QUOTE_MARK:
            at, reason = _action_field(at, cursor)
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    return at, reason


@shared
def _read_message(at: int, end: int, cursor: int) -> int:
    put(cursor, _CHANNEL, _NO_CHANNEL)
    put(cursor, _MARKET, -1)
    put(cursor, _KIND, -1)
    reason = OK
    for _ in range(2):
        put(cursor, _DATA, _NONE)
        behind, reason = _read_frame(at, cursor)
        reason = ends_with_value(behind, end, reason)
        if reason != OK or get(cursor, _DATA) != _LATER or get(cursor, _CHANNEL) <= _OTHER:
            break
    # A message without data answers a subscription or request.
    if reason != OK or get(cursor, _CHANNEL) <= _OTHER or get(cursor, _DATA) == _NONE:
        return reason
    if get(cursor, _MARKET) < 0:
        note_unknown(cursor)
        return OK
    return OK if get(cursor, _DATA) == _READ else MISSING_FIELD


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
    """Decode recorded lines of OKX JSON; parameters and result as ``lines.decode_each_line``."""
    return decode_each_line(decode_message, block, maximum_jump_ns, markets, records, bids, asks, cursor, lag_ns)
