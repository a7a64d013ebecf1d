"""One message as any number of records, written whole or not at all."""

from __future__ import annotations

from typing import Final, Protocol

from market.native.kernel import inline, shared
from market.native.memory import get, put
from market.wire.levels import TOO_LONG, scale_lots
from market.wire.lines import close_record, open_record
from market.wire.markets import find_market, market_row, note_hole
from market.wire.records import (
    AGGRESSOR,
    ASK_PRICE,
    ASK_QUANTITY,
    ASKS,
    ASKS_START,
    BID_PRICE,
    BID_QUANTITY,
    BIDS,
    BIDS_START,
    CHECKSUM,
    CURSOR_ASKS,
    CURSOR_BIDS,
    CURSOR_RECORDS,
    CURSOR_ROOM,
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
    REJECTED,
    SHAPE,
    TRADE,
    TRADE_ID,
    WIDTH,
    Reject,
)
from market.wire.text import NEGATIVE, OK

# Words of the cursor that hold one call's arguments, so that readers pass the cursor alone.
STAGE_RECEIVE_NS: Final = CURSOR_SCRATCH
STAGE_TABLE: Final = CURSOR_SCRATCH + 1
STAGE_RECORDS: Final = CURSOR_SCRATCH + 2
STAGE_BIDS: Final = CURSOR_SCRATCH + 3
STAGE_ASKS: Final = CURSOR_SCRATCH + 4
STAGE_ROOM: Final = CURSOR_SCRATCH + 5
STAGE_UNKNOWN: Final = CURSOR_SCRATCH + 6
"""Whether a part of the message named a symbol that is not among the markets."""
STAGE_OWN: Final = CURSOR_SCRATCH + 8
"""First word of the venue's own."""

UNKNOWN_SYMBOL: Final = int(Reject.UNKNOWN_SYMBOL)
MISSING_FIELD: Final = int(Reject.MISSING_FIELD)
NO_PRICE: Final = -1


class Reader(Protocol):
    """Reads the message from ``at`` to ``end``, adds its records and returns a reject code."""

    def __call__(self, at: int, end: int, cursor: int) -> int: ...


@inline
def decode_whole(
    read_message: Reader,
    at: int,
    end: int,
    receive_ns: int,
    table: int,
    records: int,
    bids: int,
    asks: int,
    room: int,
    cursor: int,
) -> bool:
    """Decode one message with a ``Reader``; arguments and result as ``lines.Decoder``.

    A refused message leaves one REJECTED record, one that adds nothing an IGNORED one. Parts of unknown symbols
    are left out, and one REJECTED record says so.
    """
    first = get(cursor, CURSOR_RECORDS)
    first_bid = get(cursor, CURSOR_BIDS)
    first_ask = get(cursor, CURSOR_ASKS)
    put(cursor, STAGE_RECEIVE_NS, receive_ns)
    put(cursor, STAGE_TABLE, table)
    put(cursor, STAGE_RECORDS, records)
    put(cursor, STAGE_BIDS, bids)
    put(cursor, STAGE_ASKS, asks)
    put(cursor, STAGE_ROOM, room)
    put(cursor, STAGE_UNKNOWN, 0)
    reason = read_message(at, end, cursor)
    if reason == OK and get(cursor, STAGE_UNKNOWN) != 0:
        reason = UNKNOWN_SYMBOL
        if get(cursor, CURSOR_RECORDS) > first:
            reason = TOO_LONG if _is_full(cursor) else OK
            if reason == OK:
                close_record(cursor, open_record(records, cursor, receive_ns), REJECTED, UNKNOWN_SYMBOL)
    if reason != OK:
        put(cursor, CURSOR_RECORDS, first)
        put(cursor, CURSOR_BIDS, first_bid)
        put(cursor, CURSOR_ASKS, first_ask)
        if reason == TOO_LONG and (first > 0 or first_bid > 0 or first_ask > 0):
            return False
        if reason != UNKNOWN_SYMBOL:
            note_hole(table)
        close_record(cursor, open_record(records, cursor, receive_ns), REJECTED, reason)
    elif get(cursor, CURSOR_RECORDS) == first:
        close_record(cursor, open_record(records, cursor, receive_ns), IGNORED, OK)
    return True


@inline
def _is_full(cursor: int) -> bool:
    return get(cursor, CURSOR_RECORDS) >= get(cursor, CURSOR_ROOM)


@shared
def market_named(cursor: int, at: int, length: int) -> int:
    """Index of the market whose symbol stands at an address, -1 when there is none."""
    return find_market(get(cursor, STAGE_TABLE), at, length)


@inline
def note_unknown(cursor: int) -> None:
    """Remember that a part of the message was left out for its unknown symbol."""
    put(cursor, STAGE_UNKNOWN, 1)


@inline
def market_at(cursor: int, market: int) -> int:
    """Address of a market's row."""
    return market_row(get(cursor, STAGE_TABLE), market)


@inline
def bid_rows(cursor: int) -> int:
    """Address of the first free row for bids; ``bid_room`` says how many follow."""
    return get(cursor, STAGE_BIDS) + 16 * get(cursor, CURSOR_BIDS)


@inline
def ask_rows(cursor: int) -> int:
    """Address of the first free row for asks; ``ask_room`` says how many follow."""
    return get(cursor, STAGE_ASKS) + 16 * get(cursor, CURSOR_ASKS)


@inline
def bid_room(cursor: int) -> int:
    """Free rows for bids."""
    return get(cursor, STAGE_ROOM) - get(cursor, CURSOR_BIDS)


@inline
def ask_room(cursor: int) -> int:
    """Free rows for asks."""
    return get(cursor, STAGE_ROOM) - get(cursor, CURSOR_ASKS)


@inline
def _open(cursor: int, market: int, event_ns: int) -> int:
    row = open_record(get(cursor, STAGE_RECORDS), cursor, get(cursor, STAGE_RECEIVE_NS))
    put(row, MARKET, market)
    put(row, EVENT_NS, event_ns)
    return row


@shared
def add_mark(cursor: int, kind: int, market: int, event_ns: int) -> int:
    """Add a record that says nothing beyond its kind and market; returns a reject code."""
    if _is_full(cursor):
        return TOO_LONG
    close_record(cursor, _open(cursor, market, event_ns), kind, OK)
    return OK


@shared
def add_book(
    cursor: int,
    kind: int,
    market: int,
    event_ns: int,
    first: int,
    last: int,
    previous: int,
    bids: int,
    asks: int,
    checksum: int,
    shape: int,
) -> int:
    """Add a DIFF or SNAPSHOT of the levels that stand in the first free rows; returns a reject code."""
    if _is_full(cursor):
        return TOO_LONG
    row = _open(cursor, market, event_ns)
    put(row, FIRST_ID, first)
    put(row, LAST_ID, last)
    put(row, PREVIOUS_ID, previous)
    put(row, BIDS_START, get(cursor, CURSOR_BIDS))
    put(row, BIDS, bids)
    put(row, ASKS_START, get(cursor, CURSOR_ASKS))
    put(row, ASKS, asks)
    put(row, CHECKSUM, checksum)
    put(row, SHAPE, shape)
    put(cursor, CURSOR_BIDS, get(cursor, CURSOR_BIDS) + bids)
    put(cursor, CURSOR_ASKS, get(cursor, CURSOR_ASKS) + asks)
    close_record(cursor, row, kind, OK)
    return OK


@shared
def add_quote(cursor: int, market: int, event_ns: int, last: int, bids: int, asks: int) -> int:
    """Add a QUOTE of the first of the levels that stand in the first free rows; returns a reject code.

    A side without levels is price -1 and quantity 0.
    """
    if _is_full(cursor):
        return TOO_LONG
    row = _open(cursor, market, event_ns)
    put(row, LAST_ID, last)
    put(row, BID_PRICE, get(bid_rows(cursor), 0) if bids > 0 else NO_PRICE)
    put(row, BID_QUANTITY, get(bid_rows(cursor), 1) if bids > 0 else 0)
    put(row, ASK_PRICE, get(ask_rows(cursor), 0) if asks > 0 else NO_PRICE)
    put(row, ASK_QUANTITY, get(ask_rows(cursor), 1) if asks > 0 else 0)
    close_record(cursor, row, QUOTE, OK)
    return OK


@shared
def add_trade(cursor: int, market: int, event_ns: int, price: int, quantity: int, aggressor: int, trade_id: int) -> int:
    """Add a TRADE, its quantity as it arrived; returns a reject code. ``trade_id`` is -1 where there is none."""
    if price == 0:
        return NEGATIVE
    if _is_full(cursor):
        return TOO_LONG
    lots, reason = scale_lots(market_at(cursor, market), price, quantity)
    if reason != OK:
        return reason
    row = _open(cursor, market, event_ns)
    put(row, LAST_ID, trade_id)
    put(row, PRICE, price)
    put(row, QUANTITY, lots)
    put(row, AGGRESSOR, aggressor)
    put(row, TRADE_ID, trade_id)
    close_record(cursor, row, TRADE, OK)
    return OK


@shared
def reverse_records(cursor: int, first: int) -> None:
    """Put the records from the given one on into reverse order."""
    low = get(cursor, STAGE_RECORDS) + 8 * WIDTH * first
    high = get(cursor, STAGE_RECORDS) + 8 * WIDTH * (get(cursor, CURSOR_RECORDS) - 1)
    while low < high:
        for word in range(WIDTH):
            kept = get(low, word)
            put(low, word, get(high, word))
            put(high, word, kept)
        low += 8 * WIDTH
        high -= 8 * WIDTH
