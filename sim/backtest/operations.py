"""Operations of an order feed, and the queues that they make, as kernels read them."""

from __future__ import annotations

from typing import Final

# The store has no other way to walk a queue.
from market.book.order_store import _AFTER, _ID, _PRIORITY, order_node
from market.native.kernel import inline
from market.native.memory import get, put
from sim.backtest.layout import Operation, OperationColumn

# Words of an operation.
KIND_WORD: Final = int(OperationColumn.KIND)
SIDE_WORD: Final = int(OperationColumn.SIDE)
PRICE_WORD: Final = int(OperationColumn.PRICE)
LOTS_WORD: Final = int(OperationColumn.LOTS)
ORDER_WORD: Final = int(OperationColumn.ORDER)
LEVEL_LOTS_WORD: Final = int(OperationColumn.LEVEL_LOTS)
WAS_PRICE_WORD: Final = int(OperationColumn.WAS_PRICE)
AGGRESSOR_WORD: Final = int(OperationColumn.AGGRESSOR)

# What its first word says.
TRADE: Final = int(Operation.TRADE)
PUT: Final = int(Operation.PUT)
REDUCE: Final = int(Operation.REDUCE)
DELETE: Final = int(Operation.DELETE)
CLEAR: Final = int(Operation.CLEAR)


@inline
def identifier_of(store: int, order: int) -> int:
    """A recorded order's own number."""
    return get(order_node(store, order), _ID)


@inline
def order_after(store: int, order: int) -> int:
    """The order behind another in the queue of its price, NONE for the last one."""
    return get(order_node(store, order), _AFTER)


@inline
def priority_of(store: int, order: int) -> int:
    """By what an order stands where it does: the lower, the further ahead."""
    return get(order_node(store, order), _PRIORITY)


@inline
def set_priority(store: int, order: int, priority: int) -> None:
    """State an order's priority anew; its place in the queue stays."""
    put(order_node(store, order), _PRIORITY, priority)
