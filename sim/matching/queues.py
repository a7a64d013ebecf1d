"""Resting orders: each in the queue of its price, the prices of a side in order.

Orders and levels live in two pools of the same capacity. A side is two arrays, the levels' ranks in rising order and
their nodes; a rank is the price of a bid and the negated price of an ask, so that the best level is always the last
one and changes near the best price move little. Cost: a binary search and a short move when a price comes or goes,
a few cache lines otherwise.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.slot_map import map_find, map_insert, map_remove, map_words, new_map
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.records import Words
from sim.matching.layout import BID

# Words of the header.
CAPACITY: Final = 0
ORDERS: Final = 1
"""Orders in the book."""
_FRESH_ORDER: Final = 2
_FREE_ORDER: Final = 3
_FRESH_LEVEL: Final = 4
_FREE_LEVEL: Final = 5
_ORDER_NODES: Final = 6
_LEVEL_NODES: Final = 7
_SIDES: Final = 8
"""Offsets of the ranks of asks and bids."""
_COUNTS: Final = 10
"""Levels of asks and bids."""
ARRIVALS: Final = 12
"""Number that the next order to rest is given: its priority in time."""
EVENTS: Final = 13
"""Events of the batch so far."""
CONSUMED: Final = 14
"""Commands of the batch that were done; also the index of the one being done."""
LAST_PRICE: Final = 15
"""Price of the last trade, 0 before the first."""
TRADES: Final = 16
_HEADER: Final = 24

# Words of an order.
ID: Final = 0
OWNER: Final = 1
LEVEL: Final = 2
LOTS: Final = 3
BEFORE: Final = 4
AFTER: Final = 5
ARRIVAL: Final = 6
_ORDER_NODE: Final = 8

# Words of a level.
RANK: Final = 0
SIDE: Final = 1
FIRST: Final = 2
_LAST: Final = 3
COUNT: Final = 4
SUM: Final = 5
_LEVEL_NODE: Final = 8

NONE: Final = -1


def state_words(capacity: int) -> int:
    """Words of a book of at most so many orders."""
    return _HEADER + map_words(capacity) + capacity * (_ORDER_NODE + _LEVEL_NODE + 4)


def new_state(capacity: int) -> Words:
    """An empty book."""
    words = np.zeros(state_words(capacity), dtype=np.int64)
    nodes = _HEADER + map_words(capacity)
    words[CAPACITY] = capacity
    words[_FREE_ORDER] = words[_FREE_LEVEL] = NONE
    words[_ORDER_NODES] = nodes
    words[_LEVEL_NODES] = nodes + capacity * _ORDER_NODE
    sides = nodes + capacity * (_ORDER_NODE + _LEVEL_NODE)
    words[_SIDES] = sides
    words[_SIDES + 1] = sides + 2 * capacity
    new_map(words[_HEADER:], capacity)
    return words


@inline
def order_at(state: int, order: int) -> int:
    """Address of an order."""
    return state + 8 * (get(state, _ORDER_NODES) + _ORDER_NODE * order)


@inline
def level_at(state: int, level: int) -> int:
    """Address of a level."""
    return state + 8 * (get(state, _LEVEL_NODES) + _LEVEL_NODE * level)


@inline
def rank_of(side: int, price: int) -> int:
    """The better a price, the larger its rank."""
    return price if side == BID else -price


@inline
def find_order(state: int, identifier: int) -> int:
    """The order of an id, NONE if it does not rest."""
    return map_find(state + 8 * _HEADER, identifier)


@inline
def level_count(state: int, side: int) -> int:
    """Price levels of a side."""
    return get(state, _COUNTS + side)


@inline
def level_by_place(state: int, side: int, place: int) -> int:
    """Address of a side's level; place 0 is the best one and must be there."""
    last = get(state, _COUNTS + side) - 1
    nodes = get(state, _SIDES + side) + get(state, CAPACITY)
    return level_at(state, get(state, nodes + last - place))


@inline
def best_rank(state: int, side: int) -> int:
    """Rank of the best level; the side must have one."""
    return get(state, get(state, _SIDES + side) + get(state, _COUNTS + side) - 1)


@inline
def _take(state: int, free: int, fresh: int, base: int, width: int) -> int:
    """A free node of a pool that has one; a free node's first word is the next free one."""
    node = get(state, free)
    if node == NONE:
        node = get(state, fresh)
        put(state, fresh, node + 1)
    else:
        put(state, free, get(state, base + width * node))
    return node


@inline
def _give_back(state: int, free: int, base: int, width: int, node: int) -> None:
    put(state, base + width * node, get(state, free))
    put(state, free, node)


@inline
def _search(state: int, side: int, rank: int) -> int:
    """Index of the first level of at least this rank, the number of levels if there is none."""
    ranks = get(state, _SIDES + side)
    low, high = 0, get(state, _COUNTS + side)
    while low < high:
        middle = (low + high) >> 1
        if get(state, ranks + middle) < rank:
            low = middle + 1
        else:
            high = middle
    return low


@part
def find_level(state: int, side: int, rank: int) -> int:
    """The level of a rank, NONE if there is none."""
    index = _search(state, side, rank)
    ranks = get(state, _SIDES + side)
    if index == get(state, _COUNTS + side) or get(state, ranks + index) != rank:
        return NONE
    return get(state, ranks + get(state, CAPACITY) + index)


@part
def _open_level(state: int, side: int, rank: int) -> int:
    """The level of a rank, made if it is new."""
    index = _search(state, side, rank)
    ranks, count = get(state, _SIDES + side), get(state, _COUNTS + side)
    nodes = ranks + get(state, CAPACITY)
    if index < count and get(state, ranks + index) == rank:
        return get(state, nodes + index)
    level = _take(state, _FREE_LEVEL, _FRESH_LEVEL, get(state, _LEVEL_NODES), _LEVEL_NODE)
    for place in range(count, index, -1):
        put(state, ranks + place, get(state, ranks + place - 1))
        put(state, nodes + place, get(state, nodes + place - 1))
    put(state, ranks + index, rank)
    put(state, nodes + index, level)
    put(state, _COUNTS + side, count + 1)
    node = level_at(state, level)
    put(node, RANK, rank)
    put(node, SIDE, side)
    put(node, FIRST, NONE)
    put(node, _LAST, NONE)
    put(node, COUNT, 0)
    put(node, SUM, 0)
    return level


@part
def _close_level(state: int, level: int) -> None:
    """Take an empty level out."""
    node = level_at(state, level)
    side = get(node, SIDE)
    index = _search(state, side, get(node, RANK))
    ranks, last = get(state, _SIDES + side), get(state, _COUNTS + side) - 1
    nodes = ranks + get(state, CAPACITY)
    for place in range(index, last):
        put(state, ranks + place, get(state, ranks + place + 1))
        put(state, nodes + place, get(state, nodes + place + 1))
    put(state, _COUNTS + side, last)
    _give_back(state, _FREE_LEVEL, get(state, _LEVEL_NODES), _LEVEL_NODE, level)


@part
def add_order(state: int, identifier: int, owner: int, side: int, price: int, lots: int) -> int:
    """Put an order last at its price; the caller keeps to the capacity. Gives the lots ahead of it."""
    order = _take(state, _FREE_ORDER, _FRESH_ORDER, get(state, _ORDER_NODES), _ORDER_NODE)
    level = _open_level(state, side, rank_of(side, price))
    node, queue = order_at(state, order), level_at(state, level)
    last = get(queue, _LAST)
    put(node, ID, identifier)
    put(node, OWNER, owner)
    put(node, LEVEL, level)
    put(node, LOTS, lots)
    put(node, BEFORE, last)
    put(node, AFTER, NONE)
    put(node, ARRIVAL, get(state, ARRIVALS))
    put(state, ARRIVALS, get(state, ARRIVALS) + 1)
    if last == NONE:
        put(queue, FIRST, order)
    else:
        put(order_at(state, last), AFTER, order)
    ahead = get(queue, SUM)
    put(queue, _LAST, order)
    put(queue, COUNT, get(queue, COUNT) + 1)
    put(queue, SUM, ahead + lots)
    map_insert(state + 8 * _HEADER, identifier, order)
    put(state, ORDERS, get(state, ORDERS) + 1)
    return ahead


@part
def remove_order(state: int, order: int) -> None:
    """Take an order out, and its level when it was the last one there."""
    node = order_at(state, order)
    level = get(node, LEVEL)
    queue = level_at(state, level)
    before, after = get(node, BEFORE), get(node, AFTER)
    if before == NONE:
        put(queue, FIRST, after)
    else:
        put(order_at(state, before), AFTER, after)
    if after == NONE:
        put(queue, _LAST, before)
    else:
        put(order_at(state, after), BEFORE, before)
    put(queue, COUNT, get(queue, COUNT) - 1)
    put(queue, SUM, get(queue, SUM) - get(node, LOTS))
    map_remove(state + 8 * _HEADER, get(node, ID))
    _give_back(state, _FREE_ORDER, get(state, _ORDER_NODES), _ORDER_NODE, order)
    put(state, ORDERS, get(state, ORDERS) - 1)
    if get(queue, COUNT) == 0:
        _close_level(state, level)


@inline
def reduce_order(state: int, order: int, lots: int) -> None:
    """Give an order fewer lots, at least one; it keeps its place."""
    node = order_at(state, order)
    queue = level_at(state, get(node, LEVEL))
    put(queue, SUM, get(queue, SUM) - get(node, LOTS) + lots)
    put(node, LOTS, lots)


@part
def queue_ahead(state: int, order: int) -> tuple[int, int]:
    """Orders and lots that trade before an order at its price."""
    count, lots = 0, 0
    before = get(order_at(state, order), BEFORE)
    while before != NONE:
        count += 1
        lots += get(order_at(state, before), LOTS)
        before = get(order_at(state, before), BEFORE)
    return count, lots
