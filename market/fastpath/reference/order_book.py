"""One order book of the frame path (docs/fastpath.md, rules 73 to 75): orders by id, and where the store keeps them."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from market.fastpath.specification import EngineSizes

SET_SIZE = 8


class BookSide(IntEnum):
    """Side of an order."""

    BID = 0
    ASK = 1


class CannotTake(Exception):
    """A change that a book cannot take; the book is as it was."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order inside the window, and the set of the store that keeps it: table and number."""

    side: BookSide
    price: int
    quantity: int
    kept_in: tuple[int, int]


class Top(NamedTuple):
    """Best prices and their totals; zeros for a side without orders."""

    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


@dataclass(slots=True)
class OrderBook:
    """The orders of one instrument inside the window that begins at ``base``."""

    sizes: EngineSizes
    base: int
    tick: int
    orders: dict[int, Order] = field(default_factory=dict)

    def put(self, number: int, side: BookSide | None, price: int, quantity: int) -> None:
        """Add an order or state it anew. Raises ``CannotTake``."""
        self._check_quantity(quantity)
        known = self._known(number, side)
        if side is None:
            raise CannotTake("no side")
        offset, height = price - self.base, self.tick * self.sizes.book_ticks
        if (offset >= height) if side is BookSide.BID else (offset < 0):
            raise CannotTake("through the window")
        if not 0 <= offset < height:
            self.orders.pop(number, None)
            return
        if offset % self.tick:
            raise CannotTake("between two prices")
        others = [
            order.quantity
            for other, order in self.orders.items()
            if other != number and order.side is side and order.price == price
        ]
        if sum(others) + quantity > self.sizes.top:
            raise CannotTake("total")
        kept_in = known.kept_in if known else self._room(number)
        self.orders[number] = Order(side, price, quantity, kept_in)

    def reduce(self, number: int, side: BookSide | None, quantity: int) -> None:
        """A smaller or equal quantity. Raises ``CannotTake``."""
        self._check_quantity(quantity)
        known = self._known(number, side)
        if known is None:
            return
        if quantity > known.quantity:
            raise CannotTake("more than there is")
        self.orders[number] = Order(known.side, known.price, quantity, known.kept_in)

    def delete(self, number: int, side: BookSide | None) -> None:
        """The end of an order. Raises ``CannotTake``."""
        if self._known(number, side):
            del self.orders[number]

    def top(self) -> Top:
        """Best bid and ask."""
        levels: dict[BookSide, Counter[int]] = {side: Counter() for side in BookSide}
        for order in self.orders.values():
            levels[order.side][order.price] += order.quantity
        bids, asks = levels[BookSide.BID], levels[BookSide.ASK]
        bid, ask = max(bids, default=0), min(asks, default=0)
        return Top(bid, bids[bid], ask, asks[ask])

    def _check_quantity(self, quantity: int) -> None:
        if not 1 <= quantity <= self.sizes.top:
            raise CannotTake("quantity")

    def _known(self, number: int, side: BookSide | None) -> Order | None:
        if side is None:
            raise CannotTake("no side")
        known = self.orders.get(number)
        if known is not None and known.side is not side:
            raise CannotTake("other side")
        return known

    def _room(self, number: int) -> tuple[int, int]:
        """The set for a new order: of its two the one with fewer, the first if as many."""
        crc = zlib.crc32((number % (1 << 64)).to_bytes(8, "little"))
        sets = self.sizes.book_orders // (2 * SET_SIZE)
        used = Counter(order.kept_in for order in self.orders.values())
        first, second = (0, crc % sets), (1, (crc >> 16) % sets)
        chosen = first if used[first] <= used[second] else second
        if used[chosen] == SET_SIZE:
            raise CannotTake("no room")
        return chosen
