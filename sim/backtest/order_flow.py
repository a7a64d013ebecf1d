"""The exchange's side where the feed states every order: exact places in queues.

The orders of everybody else stand in a book of their own, with the queues of the matching engine. What an own order
gets is what would have reached it there: of a trade that takes from its side, what the orders ahead of it did not stop;
of an order that comes to its price from the other side, its lots. An order that ours has filled is gone, whatever the
recording still says of it.
"""

from __future__ import annotations

from typing import Final

from market.book.ladder import NO_PRICE, centre_windows, set_level
from market.native.kernel import inline, part
from market.native.memory import get, put
from sim.backtest.layout import (
    EXCHANGE_NS,
    OPERATION_WIDTH,
    ORDERS,
    ORDERS_START,
    RESTATES,
    Operation,
    OperationColumn,
)
from sim.backtest.reporting import MAKER, trade
from sim.backtest.shown import exchange_side, side_taken
from sim.backtest.state import (
    EXCHANGE_ASKS,
    EXCHANGE_BIDS,
    EXCHANGE_KNOWN,
    FRONT,
    GENERATION,
    IMPACT,
    LAST_LEFT,
    OWES,
    PARTIAL,
    RECORDED,
    SHARED,
    STAMP,
    STORE,
    TRADED,
    place_of,
)
from sim.matching.queues import (
    AFTER,
    ARRIVAL,
    ARRIVALS,
    FIRST,
    ID,
    LEVEL,
    LOTS,
    NONE,
    OWNER,
    RANK,
    SIDE,
    SUM,
    add_order,
    find_level,
    find_order,
    level_at,
    level_by_place,
    level_count,
    order_at,
    rank_of,
    reduce_order,
    remove_order,
)
from sim.matching.taking import price_of, stop_rank

_KIND: Final = int(OperationColumn.KIND)
_SIDE: Final = int(OperationColumn.SIDE)
_PRICE: Final = int(OperationColumn.PRICE)
_LOTS: Final = int(OperationColumn.LOTS)
_ORDER: Final = int(OperationColumn.ORDER)
_WAS_PRICE: Final = int(OperationColumn.WAS_PRICE)
_AGGRESSOR: Final = int(OperationColumn.AGGRESSOR)
_TRADE: Final = int(Operation.TRADE)
_PUT: Final = int(Operation.PUT)
_REDUCE: Final = int(Operation.REDUCE)
_DELETE: Final = int(Operation.DELETE)
_NO_RANK: Final = 1 << 62
"""Above every rank."""


@part
def _fill(state: int, row: int, side: int, level: int, order: int, reached: int, time_ns: int) -> int:
    """Fill an own order by what reaches it; gives the lots that others of ours do not get any more."""
    store = get(row, STORE)
    node = order_at(store, order)
    stood = get(node, LOTS)
    filled = min(reached, stood) if get(row, PARTIAL) != 0 else stood
    price = price_of(side, get(level, RANK))
    trade(state, row, get(node, ID), get(node, OWNER), side, price, filled, stood - filled, MAKER, time_ns)
    if filled == stood:
        remove_order(store, order)
    else:
        reduce_order(store, order, stood - filled)
    return min(filled, reached) if get(row, SHARED) != 0 else 0


@part
def _fill_crossed(state: int, row: int, side: int, least: int, most: int, lots: int, time_ns: int) -> int:
    """Lots come to own orders whose rank is at least one and below another; gives what is left of the lots."""
    store, place = get(row, STORE), 0
    while lots > 0 and place < level_count(store, side):
        level = level_by_place(store, side, place)
        rank = get(level, RANK)
        if rank < least:
            break
        if rank >= most:
            place += 1
            continue
        levels, order = level_count(store, side), get(level, FIRST)
        while lots > 0 and order != NONE:
            after = get(order_at(store, order), AFTER)
            lots -= _fill(state, row, side, level, order, lots, time_ns)
            order = after
        if level_count(store, side) == levels:
            place += 1
    return lots


@part
def _traded(state: int, row: int, operation: int, time_ns: int) -> None:
    """An incoming order traded: it first meets what stands ahead of an own order at its price."""
    price, lots = get(operation, _PRICE), get(operation, _LOTS)
    side = side_taken(row, get(operation, _AGGRESSOR), price)
    if side < 0:
        return
    store, rank = get(row, STORE), rank_of(side, price)
    left = _fill_crossed(state, row, side, rank + 1, _NO_RANK, lots, time_ns)
    found = find_level(store, side, rank)
    if found == NONE:
        return
    level = level_at(store, found)
    order = get(level, FIRST)
    while order != NONE:
        place, after = place_of(row, order), get(order_at(store, order), AFTER)
        ahead = min(get(place, FRONT), left)
        put(place, FRONT, get(place, FRONT) - ahead)
        put(place, TRADED, get(place, TRADED) + ahead)
        put(row, OWES, 1)
        if left > ahead:
            left -= _fill(state, row, side, level, order, left - ahead, time_ns)
        order = after


@part
def _left_queue(row: int, side: int, rank: int, arrival: int, lots: int) -> None:
    """Lots of a recorded order are gone: own orders behind it move up, unless a trade has told them already."""
    store = get(row, STORE)
    found = find_level(store, side, rank)
    if found == NONE:
        return
    order = get(level_at(store, found), FIRST)
    while order != NONE:
        place = place_of(row, order)
        if get(place, STAMP) > arrival:
            told = min(get(place, TRADED), lots)
            put(place, TRADED, get(place, TRADED) - told)
            put(place, FRONT, max(get(place, FRONT) - lots + told, 0))
        order = get(order_at(store, order), AFTER)


@part
def _shrink(row: int, order: int, lots: int) -> None:
    """A recorded order has so many lots now, 0: it is gone."""
    book = get(row, RECORDED)
    node = order_at(book, order)
    gone = get(node, LOTS) - lots
    if gone <= 0:
        return
    level = level_at(book, get(node, LEVEL))
    side, rank, left = get(level, SIDE), get(level, RANK), get(level, SUM) - gone
    _left_queue(row, side, rank, get(node, ARRIVAL), gone)
    if lots == 0:
        remove_order(book, order)
    else:
        reduce_order(book, order, lots)
    set_level(exchange_side(row, side), price_of(side, rank), left)


@part
def _put(state: int, row: int, operation: int, time_ns: int) -> None:
    """An order comes from the other side of ours, and what it leaves stands."""
    book, identifier = get(row, RECORDED), get(operation, _ORDER)
    side, price, lots, was = (
        get(operation, _SIDE),
        get(operation, _PRICE),
        get(operation, _LOTS),
        get(operation, _WAS_PRICE),
    )
    standing = find_order(book, identifier)
    if standing != NONE:
        level = level_at(book, get(order_at(book, standing), LEVEL))
        was = price_of(get(level, SIDE), get(level, RANK))
        if get(level, SIDE) == side and was == price and lots <= get(order_at(book, standing), LOTS):
            put(order_at(book, standing), OWNER, get(row, GENERATION))
            _shrink(row, standing, lots)
            return
        _shrink(row, standing, 0)
    elif was != NO_PRICE and get(row, LAST_LEFT) != identifier:
        return
    most = stop_rank(side, was) if was != NO_PRICE else _NO_RANK
    left = _fill_crossed(state, row, 1 - side, stop_rank(side, price), most, lots, time_ns)
    if get(row, IMPACT) == 0:
        left = lots
    if left > 0:
        ahead = add_order(book, identifier, get(row, GENERATION), side, price, left)
        set_level(exchange_side(row, side), price, ahead + left)


@part
def _settle(row: int) -> None:
    """What a trade took from orders that have not left did not come from ahead of ours: they stand there still."""
    store = get(row, STORE)
    for side in range(2):
        for place in range(level_count(store, side)):
            order = get(level_by_place(store, side, place), FIRST)
            while order != NONE:
                own = place_of(row, order)
                put(own, FRONT, get(own, FRONT) + get(own, TRADED))
                put(own, TRADED, 0)
                order = get(order_at(store, order), AFTER)
    put(row, OWES, 0)


@part
def _forget(row: int, generation: int) -> None:
    """Recorded orders of a generation other than this one are gone."""
    book = get(row, RECORDED)
    for side in range(2):
        place = 0
        while place < level_count(book, side):
            level, levels = level_by_place(book, side, place), level_count(book, side)
            order = get(level, FIRST)
            while order != NONE:
                after = get(order_at(book, order), AFTER)
                if get(order_at(book, order), OWNER) != generation:
                    _shrink(row, order, 0)
                order = after
            if level_count(book, side) == levels:
                place += 1


@part
def play_orders(state: int, row: int, event: int, operations: int) -> int:
    """Apply a transaction to the exchange; returns its operations."""
    time_ns, count = get(event, EXCHANGE_NS), get(event, ORDERS)
    book, restates = get(row, RECORDED), get(event, RESTATES)
    put(row, GENERATION, get(row, GENERATION) + restates)
    for index in range(count):
        operation = operations + 8 * OPERATION_WIDTH * (get(event, ORDERS_START) + index)
        kind = get(operation, _KIND)
        if kind == _TRADE:
            _traded(state, row, operation, time_ns)
        elif kind == _PUT:
            _put(state, row, operation, time_ns)
        elif kind == _REDUCE or kind == _DELETE:
            order = find_order(book, get(operation, _ORDER))
            if order != NONE:
                put(row, LAST_LEFT, get(operation, _ORDER))
                _shrink(row, order, get(operation, _LOTS))
        else:
            _forget(row, -1)
    if restates != 0:
        _forget(row, get(row, GENERATION))
        put(row, EXCHANGE_KNOWN, 1)
    if get(row, OWES) != 0 and get(row, EXCHANGE_KNOWN) != 0:
        _settle(row)
    centre_windows(get(row, EXCHANGE_BIDS), get(row, EXCHANGE_ASKS))
    return count


@part
def take_recorded(row: int, side: int, price: int, lots: int) -> None:
    """An own order took lots at a price: the first of the orders there are gone."""
    book = get(row, RECORDED)
    while lots > 0:
        found = find_level(book, side, rank_of(side, price))
        if found == NONE:
            return
        order = get(level_at(book, found), FIRST)
        stood = get(order_at(book, order), LOTS)
        taken = min(lots, stood)
        _shrink(row, order, stood - taken)
        lots -= taken


@inline
def join_recorded(row: int, place: int, ahead: int) -> None:
    """An order comes to rest behind all recorded orders of its price; those that come later arrive no sooner."""
    put(place, FRONT, ahead)
    put(place, TRADED, 0)
    put(place, STAMP, get(get(row, RECORDED), ARRIVALS))
