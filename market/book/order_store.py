"""The orders of one book by id, each in the queue of its price.

Orders and price levels live in two pools of fixed capacity, found through maps of id and price. A level's orders are
linked in order of priority, the first to execute first; equal priorities stand in order of arrival. Cost: a few cache
lines per operation; placing an order walks over those of its price that come after it, none if it is the last.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from market.book.slot_map import ABSENT, map_clear, map_find, map_insert, map_remove, map_words, new_map
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.records import Words


class Outcome(IntEnum):
    """What became of an operation on an order; any but DONE changed nothing."""

    DONE = 0
    UNKNOWN = 1
    """No order of this id, or one of the other side."""
    FULL = 2
    """No room for another order."""
    WRONG = 3
    """A quantity or price that cannot be: not positive, too large, or a reduction that is none."""


DONE: Final = int(Outcome.DONE)
UNKNOWN: Final = int(Outcome.UNKNOWN)
FULL: Final = int(Outcome.FULL)
WRONG: Final = int(Outcome.WRONG)

LARGEST_LEVEL: Final = (1 << 62) - 1
"""Lots that one price may hold."""
LARGEST_TICK: Final = (1 << 61) - 1

# Words of a store.
_CAPACITY: Final = 0
ORDERS: Final = 1
"""Orders in the store."""
_FRESH_ORDER: Final = 2
_FREE_ORDER: Final = 3
_FRESH_LEVEL: Final = 4
_FREE_LEVEL: Final = 5
_LEVEL_MAP: Final = 6
_ORDER_NODES: Final = 7
_LEVEL_NODES: Final = 8
_ORDER_MAP: Final = 16

# Words of an order. A node number is its index, NONE for no node.
_ID: Final = 0
_LEVEL: Final = 1
_LOTS: Final = 2
_PRIORITY: Final = 3
_BEFORE: Final = 4
_AFTER: Final = 5
_ORDER_NODE: Final = 6

# Words of a price level.
_KEY: Final = 0
_FIRST: Final = 1
_LAST: Final = 2
_COUNT: Final = 3
_SUM: Final = 4
_LEVEL_NODE: Final = 5

NONE: Final = -1


def store_words(capacity: int) -> int:
    """Words of a store for so many orders."""
    return _ORDER_MAP + 2 * map_words(capacity) + capacity * (_ORDER_NODE + _LEVEL_NODE)


def new_store(words: Words, capacity: int) -> None:
    """Prepare zeroed words as an empty store."""
    size = map_words(capacity)
    words[_CAPACITY] = capacity
    words[_FREE_ORDER] = words[_FREE_LEVEL] = NONE
    words[_LEVEL_MAP] = _ORDER_MAP + size
    words[_ORDER_NODES] = _ORDER_MAP + 2 * size
    words[_LEVEL_NODES] = _ORDER_MAP + 2 * size + capacity * _ORDER_NODE
    new_map(words[_ORDER_MAP:], capacity)
    new_map(words[_ORDER_MAP + size :], capacity)


@inline
def _order_map(store: int) -> int:
    return store + 8 * _ORDER_MAP


@inline
def _level_map(store: int) -> int:
    return store + 8 * get(store, _LEVEL_MAP)


@inline
def order_node(store: int, order: int) -> int:
    """Address of an order."""
    return store + 8 * (get(store, _ORDER_NODES) + _ORDER_NODE * order)


@inline
def _level_node(store: int, level: int) -> int:
    return store + 8 * (get(store, _LEVEL_NODES) + _LEVEL_NODE * level)


@inline
def _level_key(side: int, tick: int) -> int:
    return 2 * tick + side


@inline
def _take(store: int, free: int, fresh: int, nodes: int, width: int) -> int:
    """A free node of a pool that has one; a free node's first word is the next free one."""
    node = get(store, free)
    if node == NONE:
        node = get(store, fresh)
        put(store, fresh, node + 1)
    else:
        put(store, free, get(store, get(store, nodes) + width * node))
    return node


@inline
def _give_back(store: int, free: int, nodes: int, width: int, node: int) -> None:
    put(store, get(store, nodes) + width * node, get(store, free))
    put(store, free, node)


@part
def clear_store(store: int) -> None:
    """Forget every order."""
    put(store, ORDERS, 0)
    put(store, _FRESH_ORDER, 0)
    put(store, _FRESH_LEVEL, 0)
    put(store, _FREE_ORDER, NONE)
    put(store, _FREE_LEVEL, NONE)
    map_clear(_order_map(store))
    map_clear(_level_map(store))


@inline
def find_order(store: int, identifier: int) -> int:
    """The order of an id, NONE if there is none."""
    return map_find(_order_map(store), identifier)


@inline
def order_side(store: int, order: int) -> int:
    """1 for a bid, 0 for an ask."""
    return get(_level_node(store, get(order_node(store, order), _LEVEL)), _KEY) & 1


@inline
def order_tick(store: int, order: int) -> int:
    """The order's price."""
    return get(_level_node(store, get(order_node(store, order), _LEVEL)), _KEY) >> 1


@inline
def order_lots(store: int, order: int) -> int:
    """The order's quantity."""
    return get(order_node(store, order), _LOTS)


@inline
def level_lots(store: int, side: int, tick: int) -> int:
    """Quantity of all orders at a price."""
    level = map_find(_level_map(store), _level_key(side, tick))
    return get(_level_node(store, level), _SUM) if level != ABSENT else 0


@inline
def first_at(store: int, side: int, tick: int) -> int:
    """The first order to execute at a price, NONE if there is none."""
    level = map_find(_level_map(store), _level_key(side, tick))
    return get(_level_node(store, level), _FIRST) if level != ABSENT else NONE


@part
def _level_of(store: int, side: int, tick: int) -> int:
    """The level of a price, made if it is new."""
    key = _level_key(side, tick)
    level = map_find(_level_map(store), key)
    if level == ABSENT:
        level = _take(store, _FREE_LEVEL, _FRESH_LEVEL, _LEVEL_NODES, _LEVEL_NODE)
        node = _level_node(store, level)
        put(node, _KEY, key)
        put(node, _FIRST, NONE)
        put(node, _LAST, NONE)
        put(node, _COUNT, 0)
        put(node, _SUM, 0)
        map_insert(_level_map(store), key, level)
    return level


@part
def _link(store: int, order: int, level: int) -> None:
    """Put an order into its level's queue, behind all of the same or a smaller priority."""
    node, queue = order_node(store, order), _level_node(store, level)
    before, after = get(queue, _LAST), NONE
    while before != NONE and get(order_node(store, before), _PRIORITY) > get(node, _PRIORITY):
        after = before
        before = get(order_node(store, before), _BEFORE)
    put(node, _BEFORE, before)
    put(node, _AFTER, after)
    if before == NONE:
        put(queue, _FIRST, order)
    else:
        put(order_node(store, before), _AFTER, order)
    if after == NONE:
        put(queue, _LAST, order)
    else:
        put(order_node(store, after), _BEFORE, order)
    put(queue, _COUNT, get(queue, _COUNT) + 1)
    put(queue, _SUM, get(queue, _SUM) + get(node, _LOTS))


@inline
def can_stand(store: int, side: int, tick: int, lots: int) -> bool:
    """Whether a price and quantity are such that an order may have them."""
    return lots > 0 and 0 < tick <= LARGEST_TICK and lots <= LARGEST_LEVEL - level_lots(store, side, tick)


@part
def add_order(store: int, identifier: int, side: int, tick: int, lots: int, priority: int) -> int:
    """Add an order whose id is new; gives an ``Outcome``."""
    if not can_stand(store, side, tick, lots):
        return WRONG
    if get(store, ORDERS) == get(store, _CAPACITY):
        return FULL
    order = _take(store, _FREE_ORDER, _FRESH_ORDER, _ORDER_NODES, _ORDER_NODE)
    level = _level_of(store, side, tick)
    node = order_node(store, order)
    put(node, _ID, identifier)
    put(node, _LEVEL, level)
    put(node, _LOTS, lots)
    put(node, _PRIORITY, priority)
    _link(store, order, level)
    map_insert(_order_map(store), identifier, order)
    put(store, ORDERS, get(store, ORDERS) + 1)
    return DONE


@part
def remove_order(store: int, order: int) -> None:
    """Take an order out."""
    node = order_node(store, order)
    level = get(node, _LEVEL)
    queue = _level_node(store, level)
    before, after = get(node, _BEFORE), get(node, _AFTER)
    if before == NONE:
        put(queue, _FIRST, after)
    else:
        put(order_node(store, before), _AFTER, after)
    if after == NONE:
        put(queue, _LAST, before)
    else:
        put(order_node(store, after), _BEFORE, before)
    put(queue, _COUNT, get(queue, _COUNT) - 1)
    put(queue, _SUM, get(queue, _SUM) - get(node, _LOTS))
    if get(queue, _COUNT) == 0:
        map_remove(_level_map(store), get(queue, _KEY))
        _give_back(store, _FREE_LEVEL, _LEVEL_NODES, _LEVEL_NODE, level)
    map_remove(_order_map(store), get(node, _ID))
    _give_back(store, _FREE_ORDER, _ORDER_NODES, _ORDER_NODE, order)
    put(store, ORDERS, get(store, ORDERS) - 1)


@inline
def reduce_order(store: int, order: int, lots: int) -> int:
    """Give an order a smaller quantity; it keeps its place. Gives an ``Outcome``."""
    node = order_node(store, order)
    if lots <= 0 or lots > get(node, _LOTS):
        return WRONG
    queue = _level_node(store, get(node, _LEVEL))
    put(queue, _SUM, get(queue, _SUM) - get(node, _LOTS) + lots)
    put(node, _LOTS, lots)
    return DONE


@part
def queue_ahead(store: int, order: int) -> tuple[int, int]:
    """Orders and lots that execute before an order at its price."""
    count, lots = 0, 0
    before = get(order_node(store, order), _BEFORE)
    while before != NONE:
        count += 1
        lots += get(order_node(store, before), _LOTS)
        before = get(order_node(store, before), _BEFORE)
    return count, lots


def empty_store(capacity: int) -> Words:
    """A store of its own."""
    words = np.zeros(store_words(capacity), dtype=np.int64)
    new_store(words, capacity)
    return words
