"""What an incoming order does to the orders that rest on the other side."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, put
from sim.matching.layout import (
    ASK,
    BID,
    EVENT_WIDTH,
    Event,
    EventKind,
    Prevention,
    Reason,
)
from sim.matching.queues import (
    AFTER,
    CONSUMED,
    EVENTS,
    FIRST,
    ID,
    LAST_PRICE,
    LOTS,
    NONE,
    OWNER,
    RANK,
    SUM,
    TRADES,
    best_rank,
    level_by_place,
    level_count,
    order_at,
    reduce_order,
    remove_order,
)

_KIND: Final = int(Event.KIND)
_ID: Final = int(Event.ID)
_OWNER: Final = int(Event.OWNER)
_SIDE: Final = int(Event.SIDE)
_PRICE: Final = int(Event.PRICE)
_LOTS: Final = int(Event.LOTS)
_LEFT: Final = int(Event.LEFT)
_OTHER: Final = int(Event.OTHER)
_OTHER_OWNER: Final = int(Event.OTHER_OWNER)
_OTHER_LEFT: Final = int(Event.OTHER_LEFT)
_REASON: Final = int(Event.REASON)
_COMMAND: Final = int(Event.COMMAND)

_TRADED: Final = int(EventKind.TRADED)
_EXPIRED: Final = int(EventKind.EXPIRED)
_LEVEL: Final = int(EventKind.LEVEL)
_NO_REASON: Final = int(Reason.NONE)
_SELF_TRADE: Final = int(Reason.SELF_TRADE)
_PREVENT_NOTHING: Final = int(Prevention.NONE)
_EXPIRE_TAKER: Final = int(Prevention.EXPIRE_TAKER)
_EXPIRE_MAKER: Final = int(Prevention.EXPIRE_MAKER)

ANY_PRICE: Final = -(1 << 62)
"""Rank below that of every price: where a market order stops."""


@part
def emit(
    state: int,
    events: int,
    kind: int,
    identifier: int,
    owner: int,
    side: int,
    price: int,
    lots: int,
    left: int,
    other: int,
    other_owner: int,
    other_left: int,
    reason: int,
) -> None:
    """Write an event; the caller made sure that there is room."""
    count = get(state, EVENTS)
    row = events + 8 * EVENT_WIDTH * count
    put(row, _KIND, kind)
    put(row, _ID, identifier)
    put(row, _OWNER, owner)
    put(row, _SIDE, side)
    put(row, _PRICE, price)
    put(row, _LOTS, lots)
    put(row, _LEFT, left)
    put(row, _OTHER, other)
    put(row, _OTHER_OWNER, other_owner)
    put(row, _OTHER_LEFT, other_left)
    put(row, _REASON, reason)
    put(row, _COMMAND, get(state, CONSUMED))
    put(state, EVENTS, count + 1)


@inline
def emit_order(
    state: int, events: int, kind: int, identifier: int, owner: int, side: int, price: int, lots: int, reason: int
) -> None:
    """Write an event of one order."""
    emit(state, events, kind, identifier, owner, side, price, lots, 0, 0, 0, 0, reason)


@inline
def emit_level(state: int, events: int, side: int, price: int, lots: int) -> None:
    """Write what a price holds now."""
    emit(state, events, _LEVEL, 0, 0, side, price, lots, 0, 0, 0, 0, _NO_REASON)


@inline
def price_of(side: int, rank: int) -> int:
    """The price of a rank."""
    return rank if side == BID else -rank


@inline
def opposite(side: int) -> int:
    """The other side."""
    return BID + ASK - side


@inline
def stop_rank(side: int, price: int) -> int:
    """The least rank of the other side that an order of a side and limit price takes."""
    return -price if side == BID else price


@inline
def meets(state: int, side: int, least: int) -> bool:
    """Whether the best level of the side opposite to an order's is one that it takes."""
    other = opposite(side)
    return level_count(state, other) > 0 and best_rank(state, other) >= least


@part
def _whole_level(state: int, level: int, owner: int, prevention: int) -> tuple[int, bool]:
    """Lots of a level that an owner may take, and whether self-trade prevention ends the order there."""
    lots = 0
    order = get(level, FIRST)
    while order != NONE:
        node = order_at(state, order)
        if get(node, OWNER) != owner:
            lots += get(node, LOTS)
        elif prevention != _EXPIRE_MAKER:
            return lots, True
        order = get(node, AFTER)
    return lots, False


@part
def takes_whole(state: int, side: int, least: int, lots: int, owner: int, prevention: int) -> bool:
    """Whether an order would trade all of its lots at once."""
    other = opposite(side)
    for place in range(level_count(state, other)):
        level = level_by_place(state, other, place)
        if get(level, RANK) < least:
            return False
        if prevention == _PREVENT_NOTHING:
            lots -= get(level, SUM)
        else:
            found, ends = _whole_level(state, level, owner, prevention)
            lots -= found
            if ends and lots > 0:
                return False
        if lots <= 0:
            return True
    return False


@part
def take(
    state: int, events: int, identifier: int, owner: int, side: int, least: int, lots: int, prevention: int
) -> tuple[int, bool]:
    """Trade against the other side down to a rank; gives what is left, and whether prevention ended the order."""
    other = opposite(side)
    ended = False
    while lots > 0 and not ended and meets(state, side, least):
        queue = level_by_place(state, other, 0)
        rank = get(queue, RANK)
        price = price_of(other, rank)
        stood = held = get(queue, SUM)
        order = get(queue, FIRST)
        while lots > 0 and order != NONE:
            node = order_at(state, order)
            maker, maker_owner, maker_lots = get(node, ID), get(node, OWNER), get(node, LOTS)
            after = get(node, AFTER)
            if maker_owner == owner and prevention != _PREVENT_NOTHING:
                if prevention != _EXPIRE_TAKER:
                    held -= maker_lots
                    remove_order(state, order)
                    emit_order(state, events, _EXPIRED, maker, owner, other, price, maker_lots, _SELF_TRADE)
                if prevention != _EXPIRE_MAKER:
                    ended = True
                    break
            else:
                traded = min(lots, maker_lots)
                lots -= traded
                held -= traded
                left = maker_lots - traded
                if left == 0:
                    remove_order(state, order)
                else:
                    reduce_order(state, order, left)
                put(state, LAST_PRICE, price)
                put(state, TRADES, get(state, TRADES) + 1)
                emit(
                    state,
                    events,
                    _TRADED,
                    identifier,
                    owner,
                    side,
                    price,
                    traded,
                    lots,
                    maker,
                    maker_owner,
                    left,
                    _NO_REASON,
                )
            order = after
        if held != stood:
            emit_level(state, events, other, price, held)
    return lots, ended


@part
def top_of(state: int, side: int) -> tuple[int, int]:
    """Best price of a side and its lots, 0 and 0 when it is empty."""
    if level_count(state, side) == 0:
        return 0, 0
    level = level_by_place(state, side, 0)
    return price_of(side, get(level, RANK)), get(level, SUM)
