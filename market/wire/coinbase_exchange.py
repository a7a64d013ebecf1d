"""Coinbase Exchange: ``{"type":"snapshot" or "l2update" or "match","product_id":...,...}``.

``level2`` is one snapshot and then absolute sizes. Nothing is numbered, and delivery is guaranteed: only a message that
was refused here can be missing. A ``match`` is a trade; ``last_match`` was made before the subscription. Source:
Coinbase Exchange WebSocket documentation, "Level 2 channel" and "Matches channel".
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, shared
from market.native.memory import get, load_u8, put
from market.wire import markets
from market.wire.coinbase_fields import (
    ASKS,
    BIDS,
    BOOK,
    BOOK_SNAPSHOT,
    EARLY,
    MARKET,
    NO_MARKET,
    NO_NAME,
    OTHER,
    PRICE,
    QUANTITY,
    SIDE,
    SIDE_ASK,
    SIDE_BID,
    TIME_NS,
    TRADE_ID,
    TRADE_NS,
    TRADES,
    TYPE,
    UNNAMED,
    add_gaps,
    name_market,
    put_trade,
    read_number_word,
    read_scaled,
    read_side,
    read_time,
)
from market.wire.json_walk import enter_array, next_element, read_text
from market.wire.levels import read_wide_levels, store_level
from market.wire.records import DIFF, SNAPSHOT
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
)
from market.wire.text import CLOSE_BRACKET, COMMA, MALFORMED, OK, packed, skip_value

_SNAPSHOT_LOW, _ = packed("snapshot")
_UPDATE_LOW, _ = packed("l2update")
_MATCH_LOW, _ = packed("match")
_PRODUCT_LOW, _PRODUCT_HIGH = packed("product_id")
_BIDS_LOW, _ = packed("bids")
_ASKS_LOW, _ = packed("asks")
_CHANGES_LOW, _ = packed("changes")
_PRICE_LOW, _ = packed("price")
_SIZE_LOW, _ = packed("size")
_SIDE_LOW, _ = packed("side")
_TIME_LOW, _ = packed("time")
_TRADE_ID_LOW, _ = packed("trade_id")
_LEVEL_WORD: Final = 4


@shared
def type_field(at: int, cursor: int) -> tuple[int, int]:
    """Value of ``type``."""
    low, _, length, end, reason = read_text(at)
    kind = OTHER
    if length == 8 and low == _SNAPSHOT_LOW:
        kind = BOOK_SNAPSHOT
    elif length == 8 and low == _UPDATE_LOW:
        kind = BOOK
    elif length == 5 and low == _MATCH_LOW:
        kind = TRADES
    put(cursor, TYPE, kind)
    return end, reason


@shared
def _levels_field(at: int, cursor: int, is_bid: bool) -> tuple[int, int]:
    """One side of a snapshot."""
    market = market_at(cursor, get(cursor, MARKET))
    rows = bid_rows(cursor) if is_bid else ask_rows(cursor)
    room = bid_room(cursor) if is_bid else ask_room(cursor)
    count, _, end, reason = read_wide_levels(at, market, rows, room)
    put(cursor, BIDS if is_bid else ASKS, count)
    return end, reason


@shared
def _read_change(at: int, cursor: int) -> tuple[int, int]:
    """``["buy","10101.80","0.162567"]``, stored behind those of its side."""
    more, at, reason = enter_array(at)
    if reason != OK or not more:
        return at, MALFORMED
    at, reason = read_side(at, cursor)
    for position in range(2):
        if reason == OK and load_u8(at, 0) != COMMA:
            reason = MALFORMED
        if reason == OK:
            at, reason = read_scaled(at + 1, cursor, position == 0)
    if reason == OK and load_u8(at, 0) != CLOSE_BRACKET:
        reason = MALFORMED
    if reason != OK:
        return at, reason
    side = get(cursor, SIDE)
    if side != SIDE_BID and side != SIDE_ASK:
        return at, MISSING_FIELD
    slot = BIDS if side == SIDE_BID else ASKS
    rows = bid_rows(cursor) if side == SIDE_BID else ask_rows(cursor)
    room = bid_room(cursor) if side == SIDE_BID else ask_room(cursor)
    count = get(cursor, slot)
    put(cursor, slot, count + 1)
    market = market_at(cursor, get(cursor, MARKET))
    return at + 1, store_level(market, rows, count, room, get(cursor, PRICE), get(cursor, QUANTITY))


@shared
def _changes_field(at: int, cursor: int) -> tuple[int, int]:
    put(cursor, BIDS, 0)
    put(cursor, ASKS, 0)
    more, at, reason = enter_array(at)
    while more:
        at, reason = _read_change(at, cursor)
        more, at, reason = next_element(at, reason)
    return at, reason


@inline
def _is_ready(cursor: int) -> bool:
    """Whether type and product are known; if not, the object must be read again."""
    if get(cursor, TYPE) != NO_NAME and get(cursor, MARKET) != UNNAMED:
        return get(cursor, TYPE) != OTHER and get(cursor, MARKET) >= 0
    put(cursor, EARLY, 1)
    return False


@inline
def exchange_field(at: int, cursor: int, low: int, high: int, length: int) -> tuple[int, int]:
    """Value of a key other than ``type`` in an Exchange message."""
    if length == 10 and low == _PRODUCT_LOW and high == _PRODUCT_HIGH:
        return name_market(at, cursor)
    is_price = length == 5 and low == _PRICE_LOW
    is_side = length == _LEVEL_WORD and (low == _BIDS_LOW or low == _ASKS_LOW)
    is_trade = is_price or (length == 4 and (low == _SIZE_LOW or low == _SIDE_LOW)) or length == 8
    is_changes = length == 7 and low == _CHANGES_LOW
    is_time = length == 4 and low == _TIME_LOW
    if not (is_side or is_trade or is_changes or is_time) or not _is_ready(cursor):
        return skip_value(at)
    kind = get(cursor, TYPE)
    if is_time:
        return read_time(at, cursor, TRADE_NS if kind == TRADES else TIME_NS)
    if is_side and kind == BOOK_SNAPSHOT:
        return _levels_field(at, cursor, low == _BIDS_LOW)
    if is_changes and kind == BOOK:
        return _changes_field(at, cursor)
    if not is_trade or kind != TRADES:
        return skip_value(at)
    if length == 8:
        return read_number_word(at, cursor, TRADE_ID) if low == _TRADE_ID_LOW else skip_value(at)
    if low == _SIDE_LOW:
        return read_side(at, cursor)
    return read_scaled(at, cursor, is_price)


@shared
def add_exchange(cursor: int) -> int:
    """Add the records of an Exchange message that was read; returns a reject code."""
    kind = get(cursor, TYPE)
    if kind == NO_NAME or kind == OTHER:
        return OK
    if get(cursor, MARKET) == UNNAMED:
        return MISSING_FIELD
    if get(cursor, MARKET) == NO_MARKET:
        note_unknown(cursor)
        return OK
    if kind == TRADES:
        return put_trade(cursor)
    bids = get(cursor, BIDS)
    asks = get(cursor, ASKS)
    if min(bids, asks) < 0:
        return MISSING_FIELD
    if get(get(cursor, STAGE_TABLE), markets.HOLE) != 0:
        reason = add_gaps(cursor)
        if reason != OK:
            return reason
        put(get(cursor, STAGE_TABLE), markets.HOLE, 0)
    time_ns = max(get(cursor, TIME_NS), 0)
    book = SNAPSHOT if kind == BOOK_SNAPSHOT else DIFF
    return add_book(cursor, book, get(cursor, MARKET), time_ns, -1, -1, -1, bids, asks, -1, 0)
