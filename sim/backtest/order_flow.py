"""The exchange's side where the feed states every order: exact places in queues.

The orders of everybody else stand in a book of their own, the queues of their prices in order of arrival. What an own
order gets is what would have reached it there: of a trade that takes from its side, what the orders ahead of it did not
stop; of an order that comes to its price from the other side, its lots. An order that ours has filled is gone, whatever
the recording still says of it.
"""

from __future__ import annotations

from typing import Final

from market.book.ladder import NO_PRICE, best_tick, centre_windows, next_level, set_level
from market.book.order_store import (
    DONE,
    first_at,
    level_lots,
    order_lots,
    order_side,
    order_tick,
)
from market.book.order_store import add_order as add_recorded
from market.book.order_store import find_order as find_recorded
from market.book.order_store import reduce_order as reduce_recorded
from market.book.order_store import remove_order as remove_recorded
from market.native.kernel import inline, part
from market.native.memory import get, put
from sim.backtest.layout import (
    EXCHANGE_NS,
    OPERATION_WIDTH,
    ORDERS,
    ORDERS_START,
    RESTATES,
)
from sim.backtest.operations import (
    AGGRESSOR_WORD,
    DELETE,
    KIND_WORD,
    LOTS_WORD,
    ORDER_WORD,
    PRICE_WORD,
    PUT,
    REDUCE,
    SIDE_WORD,
    TRADE,
    WAS_PRICE_WORD,
    order_after,
    priority_of,
    set_priority,
)
from sim.backtest.reporting import MAKER, trade
from sim.backtest.shown import exchange_side, side_taken
from sim.backtest.state import (
    ARRIVED,
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
    FIRST,
    ID,
    LOTS,
    NONE,
    OWNER,
    RANK,
    find_level,
    level_at,
    level_by_place,
    level_count,
    order_at,
    rank_of,
    reduce_order,
    remove_order,
)
from sim.matching.taking import price_of, stop_rank

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
    price, lots = get(operation, PRICE_WORD), get(operation, LOTS_WORD)
    side = side_taken(row, get(operation, AGGRESSOR_WORD), price)
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
def _left_queue(row: int, side: int, rank: int, priority: int, lots: int) -> None:
    """Lots of a recorded order are gone: own orders behind it move up, unless a trade has told them already."""
    store = get(row, STORE)
    found = find_level(store, side, rank)
    if found == NONE:
        return
    order = get(level_at(store, found), FIRST)
    while order != NONE:
        place = place_of(row, order)
        if get(place, STAMP) > priority:
            told = min(get(place, TRADED), lots)
            put(place, TRADED, get(place, TRADED) - told)
            put(place, FRONT, max(get(place, FRONT) - lots + told, 0))
        order = get(order_at(store, order), AFTER)


@part
def _shrink(row: int, order: int, lots: int) -> None:
    """A recorded order has so many lots now, 0: it is gone."""
    book = get(row, RECORDED)
    gone = order_lots(book, order) - lots
    if gone <= 0:
        return
    side, price = order_side(book, order), order_tick(book, order)
    left = level_lots(book, side, price) - gone
    _left_queue(row, side, rank_of(side, price), priority_of(book, order), gone)
    if lots == 0:
        remove_recorded(book, order)
    else:
        reduce_recorded(book, order, lots)
    set_level(exchange_side(row, side), price, left)


@inline
def _parity(row: int) -> int:
    """The last bit of the priority of all orders that the last restated book has."""
    return get(row, GENERATION) & 1


@part
def _stand(row: int, identifier: int, side: int, price: int, lots: int) -> None:
    """A recorded order stands behind all others of its price."""
    book, arrived = get(row, RECORDED), get(row, ARRIVED)
    put(row, ARRIVED, arrived + 1)
    if add_recorded(book, identifier, side, price, lots, 2 * arrived + _parity(row)) == DONE:
        set_level(exchange_side(row, side), price, level_lots(book, side, price))


@part
def _put(state: int, row: int, operation: int, time_ns: int) -> None:
    """An order comes from the other side of ours, and what it leaves stands."""
    book, identifier = get(row, RECORDED), get(operation, ORDER_WORD)
    side, price = get(operation, SIDE_WORD), get(operation, PRICE_WORD)
    lots, was = get(operation, LOTS_WORD), get(operation, WAS_PRICE_WORD)
    standing = find_recorded(book, identifier)
    if standing != NONE:
        was = order_tick(book, standing)
        if order_side(book, standing) == side and was == price and lots <= order_lots(book, standing):
            set_priority(book, standing, (priority_of(book, standing) & ~1) | _parity(row))
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
        _stand(row, identifier, side, price, left)


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
def _forget(row: int, parity: int) -> None:
    """Recorded orders whose priority ends with another bit are gone; -1: all of them."""
    book = get(row, RECORDED)
    for side in range(2):
        ladder = exchange_side(row, side)
        tick = best_tick(ladder)
        while tick != NO_PRICE:
            following, order = next_level(ladder, tick), first_at(book, side, tick)
            while order != NONE:
                after = order_after(book, order)
                if priority_of(book, order) & 1 != parity:
                    _shrink(row, order, 0)
                order = after
            tick = following


@part
def play_orders(state: int, row: int, event: int, operations: int) -> int:
    """Apply a transaction to the exchange; returns its operations."""
    time_ns, count = get(event, EXCHANGE_NS), get(event, ORDERS)
    book, restates = get(row, RECORDED), get(event, RESTATES)
    put(row, GENERATION, get(row, GENERATION) + restates)
    for index in range(count):
        operation = operations + 8 * OPERATION_WIDTH * (get(event, ORDERS_START) + index)
        kind = get(operation, KIND_WORD)
        if kind == TRADE:
            _traded(state, row, operation, time_ns)
        elif kind == PUT:
            _put(state, row, operation, time_ns)
        elif kind == REDUCE or kind == DELETE:
            order = find_recorded(book, get(operation, ORDER_WORD))
            if order != NONE:
                put(row, LAST_LEFT, get(operation, ORDER_WORD))
                _shrink(row, order, get(operation, LOTS_WORD))
        else:
            _forget(row, -1)
    if restates != 0:
        _forget(row, _parity(row))
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
        order = first_at(book, side, price)
        if order == NONE:
            return
        stood = order_lots(book, order)
        taken = min(lots, stood)
        _shrink(row, order, stood - taken)
        lots -= taken


@inline
def join_recorded(row: int, place: int, ahead: int) -> None:
    """An order comes to rest behind all recorded orders of its price; those that come later arrive no sooner."""
    put(place, FRONT, ahead)
    put(place, TRADED, 0)
    put(place, STAMP, 2 * get(row, ARRIVED))
