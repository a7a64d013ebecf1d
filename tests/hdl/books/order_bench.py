"""Order books under test, and the reference's books beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hdl.books.order_books import BookOperation
from hdl.books.records import BookSide
from hdl.parameters import CoreParameters
from hdl.records import sizes_layout, sizes_values
from market.fastpath.reference.order_book import BookSide as Side
from market.fastpath.reference.order_book import CannotTake, OrderBook
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.machine import packed
from tests.hdl.decision.ports import Ports, as_signed

PATIENCE = 5_000
"""Cycles after which an answer is missing."""
SIDES = {Side.BID: BookSide.BID, Side.ASK: BookSide.ASK, None: BookSide.NONE}


@dataclass
class OrderBench:
    """Drives ``OrderBooks``; every operation goes to the reference too, and the answers are compared.

    ``cycles`` are those that the last operation took, from its start until it was done.
    """

    ports: Ports
    sizes: EngineSizes
    capacity: EngineSizes
    books: dict[int, OrderBook] = field(default_factory=dict)
    cycles: int = 0

    def __post_init__(self) -> None:
        self.ports.set("sizes", packed(sizes_layout(CoreParameters(self.capacity)), sizes_values(self.sizes)))

    async def clear(self, book: int, base: int, tick: int) -> None:
        """A new window, and no orders."""
        self.books[book] = OrderBook(self.sizes, base, tick)
        assert await self._do(book, BookOperation.CLEAR)

    async def put(self, book: int, order: int, side: Side | None, price: int, quantity: int) -> bool:
        """Whether both took it."""
        taken = _taken(lambda: self.books[book].put(order, side, price, quantity))
        fields = {"order": order, "side": SIDES[side], "price": price, "quantity": quantity}
        assert await self._do(book, BookOperation.PUT, **fields) == taken
        return taken

    async def reduce(self, book: int, order: int, side: Side | None, quantity: int) -> bool:
        """Whether both took it."""
        taken = _taken(lambda: self.books[book].reduce(order, side, quantity))
        fields = {"order": order, "side": SIDES[side], "quantity": quantity}
        assert await self._do(book, BookOperation.REDUCE, **fields) == taken
        return taken

    async def delete(self, book: int, order: int, side: Side | None) -> bool:
        """Whether both took it."""
        taken = _taken(lambda: self.books[book].delete(order, side))
        assert await self._do(book, BookOperation.DELETE, order=order, side=SIDES[side]) == taken
        return taken

    async def check_best(self, book: int) -> None:
        """Both have the same best bid and ask, and go on having them."""
        assert await self._do(book, BookOperation.BEST)
        await self.ports.tick()
        prices = tuple(as_signed(self.ports.get(f"best_{side}"), 64) for side in ("bid", "ask"))
        quantities = tuple(self.ports.get(f"best_{side}_quantity") for side in ("bid", "ask"))
        top = self.books[book].top()
        assert (prices, quantities) == ((top.bid, top.ask), (top.bid_quantity, top.ask_quantity))

    async def _do(self, book: int, operation: BookOperation, **fields: int) -> int:
        ports, row = self.ports, self.books[book]
        await self.wait("ready")
        inputs = {"order": 0, "side": 0, "price": 0, "quantity": 0} | fields
        for name, value in inputs.items() | {"book": book, "operation": operation}.items():
            ports.set(name, value)
        ports.set("base", row.base)
        ports.set("tick", row.tick)
        ports.set("start", 1)
        began = ports.cycle
        await ports.tick()
        # only the row has to stay
        for name in (*inputs, "book", "operation", "start"):
            ports.set(name, 0)
        await self.wait("done")
        self.cycles = ports.cycle - began
        return ports.get("taken")

    async def wait(self, name: str) -> None:
        """Until a level is there."""
        for _ in range(PATIENCE):
            if self.ports.get(name):
                return
            await self.ports.tick()
        raise AssertionError(f"no {name} in {PATIENCE} cycles")


def _taken(change: Callable[[], None]) -> bool:
    try:
        change()
    except CannotTake:
        return False
    return True
