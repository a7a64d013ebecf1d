"""Kraken WebSocket v1: messages are arrays whose last two elements name the channel and the pair.

``[id, {"as": [...], "bs": [...]}, "book-10", "XBT/USD"]`` is a snapshot; updates have ``a``, ``b`` and the checksum
``c``, in one object or two. ``[id, [["price", "volume", "time", "b", ...]], "trade", "XBT/USD"]`` is trades.
"""

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
from market.wire.levels import pack_shape, read_number, read_wide_levels, wider_shape
from market.wire.markets import PRICE_DECIMALS, QUANTITY_DECIMALS
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL, DIFF, SNAPSHOT
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
from market.wire.text import (
    BAD_NUMBER,
    CLOSE_BRACKET,
    COMMA,
    MALFORMED,
    OK,
    QUOTE_MARK,
    pack_text,
    packed,
    read_integer,
    read_quoted_decimal,
    skip_value,
)

_MARKET: Final = STAGE_OWN
_KIND: Final = STAGE_OWN + 1
_BIDS: Final = STAGE_OWN + 2
_ASKS: Final = STAGE_OWN + 3
_TIME_NS: Final = STAGE_OWN + 4
_CHECKSUM: Final = STAGE_OWN + 5
_SHAPE: Final = STAGE_OWN + 6

_BOOK_LOW, _ = packed("book-")
_TRADE_LOW, _ = packed("trade")
_ASKS_LOW, _ = packed("as")
_BIDS_LOW, _ = packed("bs")
_NAME_LENGTH: Final = 5
_TIME_DECIMALS: Final = 6
_MICROSECOND_NS: Final = 1_000


@inline
def _string_before(start: int, at: int) -> int:
    """Address of the opening mark of the string whose closing mark stands at ``at``; ``start`` when there is none."""
    if at <= start or load_u8(at, 0) != QUOTE_MARK:
        return start
    at -= 1
    while at > start and load_u8(at, 0) != QUOTE_MARK:
        at -= 1
    return at


@shared
def _read_time(at: int) -> tuple[int, int, int]:
    """Quoted seconds with six decimals: (ns since 1970, address behind, reject code)."""
    microseconds, end, reason = read_quoted_decimal(at, _TIME_DECIMALS)
    return microseconds * _MICROSECOND_NS, end, reason


@inline
def _first_level_time(at: int) -> int:
    """Time of the first of levels ``[["price","volume","time"],...]`` that are known to be well-formed, else 0."""
    more, at, reason = enter_array(at)
    if not more or reason != OK:
        return 0
    _, at, reason = enter_array(at)
    for _ in range(2):
        at, reason = skip_value(at)
        if reason != OK or load_u8(at, 0) != COMMA:
            return 0
        at += 1
    time_ns, _, reason = _read_time(at)
    return time_ns if reason == OK else 0


@shared
def _levels_field(at: int, cursor: int, kind: int, is_bid: bool) -> tuple[int, int]:
    market = market_at(cursor, get(cursor, _MARKET))
    put(cursor, _KIND, kind)
    rows = bid_rows(cursor) if is_bid else ask_rows(cursor)
    room = bid_room(cursor) if is_bid else ask_room(cursor)
    count, shape, end, reason = read_wide_levels(at, market, rows, room)
    put(cursor, _BIDS if is_bid else _ASKS, count)
    put(cursor, _SHAPE, wider_shape(get(cursor, _SHAPE), shape))
    if reason == OK:
        put(cursor, _TIME_NS, max(get(cursor, _TIME_NS), _first_level_time(at)))
    return end, reason


@shared
def _read_book(at: int, cursor: int) -> tuple[int, int]:
    """One object of a book message."""
    more, at, reason = enter_object(at)
    while more:
        low, _, length, at, reason = read_key(at)
        if reason != OK:
            return at, reason
        is_snapshot = length == 2 and (low == _BIDS_LOW or low == _ASKS_LOW)
        if is_snapshot or (length == 1 and (low == ord("b") or low == ord("a"))):
            kind = SNAPSHOT if is_snapshot else DIFF
            at, reason = _levels_field(at, cursor, kind, low == _BIDS_LOW or low == ord("b"))
        elif length == 1 and low == ord("c"):
            checksum, at, reason = read_count(at)
            put(cursor, _CHECKSUM, checksum)
        else:
            at, reason = skip_value(at)
        more, at, reason = next_member(at, reason)
    return at, reason


@shared
def _read_trade(at: int, cursor: int) -> tuple[int, int]:
    """``["price","volume","time","b" or "s","m" or "l","..."]`` as a record; ``b`` is a buying aggressor."""
    market = market_at(cursor, get(cursor, _MARKET))
    price = quantity = time_ns = -1
    side = 0
    position = 0
    more, at, reason = enter_array(at)
    while more:
        if position == 0:
            price, _, at, reason = read_number(at, get(market, PRICE_DECIMALS))
        elif position == 1:
            quantity, _, at, reason = read_number(at, get(market, QUANTITY_DECIMALS))
        elif position == 2:
            time_ns, at, reason = _read_time(at)
        elif position == 3:
            side, _, _, at, reason = read_text(at)
        else:
            at, reason = skip_value(at)
        position += 1
        more, at, reason = next_element(at, reason)
    if reason != OK:
        return at, reason
    if side != ord("b") and side != ord("s"):
        return at, MISSING_FIELD
    aggressor = AGGRESSOR_BUY if side == ord("b") else AGGRESSOR_SELL
    return at, add_trade(cursor, get(cursor, _MARKET), time_ns, price, quantity, aggressor, -1)


@inline
def _read_payload(at: int, cursor: int, is_book: bool) -> tuple[int, int]:
    if is_book:
        return _read_book(at, cursor)
    more, at, reason = enter_array(at)
    while more:
        at, reason = _read_trade(at, cursor)
        more, at, reason = next_element(at, reason)
    return at, reason


@inline
def _depth(channel: int) -> int:
    """The number behind ``book-``; 0 when there is none."""
    depth, _, reason = read_integer(channel + 1 + _NAME_LENGTH)
    return depth if reason == OK and depth < (1 << 16) else 0


@inline
def _add_book(cursor: int, depth: int) -> int:
    kind = get(cursor, _KIND)
    if kind < 0:
        return MISSING_FIELD
    shape = wider_shape(get(cursor, _SHAPE), pack_shape(0, 0, depth))
    bids = get(cursor, _BIDS)
    asks = get(cursor, _ASKS)
    checksum = get(cursor, _CHECKSUM)
    if checksum >= 1 << 32:
        return BAD_NUMBER
    return add_book(cursor, kind, get(cursor, _MARKET), get(cursor, _TIME_NS), -1, -1, -1, bids, asks, checksum, shape)


@shared
def read_array(at: int, end: int, cursor: int) -> int:
    """Read one v1 message; a ``staging.Reader``."""
    for slot in (_KIND, _CHECKSUM):
        put(cursor, slot, -1)
    for slot in (_BIDS, _ASKS, _TIME_NS, _SHAPE):
        put(cursor, slot, 0)
    start = at
    pair = _string_before(start, end - 2)
    channel = _string_before(start, pair - 2)
    if channel <= start or load_u8(end, -1) != CLOSE_BRACKET or load_u8(pair, -1) != COMMA:
        return MALFORMED
    name, _ = pack_text(channel + 1, min(pair - channel - 3, _NAME_LENGTH))
    is_book = name == _BOOK_LOW
    is_trades = name == _TRADE_LOW and pair - channel - 3 == _NAME_LENGTH
    market = market_named(cursor, pair + 1, end - 3 - pair)
    put(cursor, _MARKET, market)
    wanted = (is_book or is_trades) and market >= 0
    more, at, reason = enter_array(at)
    position = 0
    while more:
        if wanted and position > 0 and at < channel:
            at, reason = _read_payload(at, cursor, is_book)
        else:
            at, reason = skip_value(at)
        position += 1
        more, at, reason = next_element(at, reason)
    reason = ends_with_value(at, end, reason)
    if reason != OK or not (is_book or is_trades):
        return reason
    if market < 0:
        note_unknown(cursor)
        return OK
    return _add_book(cursor, _depth(channel)) if is_book else OK
