"""Parts of order books alone: the number of a price, its total, and the best of a side."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.books.price_window import COMMIT_CYCLES, PriceWindow
from hdl.books.records import BookSide
from hdl.books.tick_division import TickDivision
from hdl.books.top_of_book import TopOfBook
from hdl.parameters import CoreParameters
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.ports import Ports, simulate

SIZES = EngineSizes(order_books=2, book_ticks=128)
PARAMETERS = CoreParameters(SIZES)
TICK_BITS = 7
DIVISION_CYCLES = TICK_BITS + 2
FOUND_CYCLES = 4
PRICES = 1 << 63


async def pulse(ports: Ports, strobe: str, **inputs: int) -> None:
    """Some inputs, and a strobe for one cycle."""
    for name, value in inputs.items():
        ports.set(name, value)
    ports.set(strobe, 1)
    await ports.tick()
    ports.set(strobe, 0)


def random_price(rng: random.Random, base: int, tick: int) -> int:
    """Inside the window, around its ends, or anywhere."""
    places = (rng.randrange(SIZES.book_ticks), 0, -1, SIZES.book_ticks - 1, SIZES.book_ticks, -SIZES.book_ticks)
    near = base + rng.choice(places) * tick + rng.choice((0, 0, 0, 1, -1, rng.randrange(tick)))
    anywhere = rng.choice((-PRICES, PRICES - 1, 0, rng.getrandbits(64) - PRICES, rng.getrandbits(50)))
    return rng.choice((near, near, near, anywhere))


@pytest.mark.parametrize("tick_shift", [6, 7], ids=("half the window", "all of it"))
def test_a_price_has_a_number_in_the_window(tick_shift: int) -> None:
    rng = random.Random(tick_shift)

    async def test(ports: Ports) -> None:
        ports.set("tick_shift", tick_shift)
        for _ in range(300):
            tick = rng.choice((1, 2, 3, 500, SIZES.top, 1 + rng.randrange(SIZES.top)))
            base = rng.choice((0, SIZES.top, rng.randrange(SIZES.top)))
            price = random_price(rng, base, tick)
            if not -PRICES <= price < PRICES:
                continue
            await pulse(ports, "start", price=price, base=base, tick=tick)
            ports.set("price", 0)
            for _ in range(DIVISION_CYCLES - 1):
                assert not ports.get("done")
                await ports.tick()
            assert ports.get("done")
            index, rest = divmod(price - base, tick)
            below, above = index < 0, index >= 1 << tick_shift
            assert (ports.get("below"), ports.get("above")) == (below, above)
            index_seen = ports.get("index")
            await ports.tick()
            if not below and not above:
                assert (index_seen, ports.get("uneven")) == (index, rest != 0)

    simulate(TickDivision(PARAMETERS), test)


def test_a_division_may_be_given_up_for_the_next_one() -> None:
    async def test(ports: Ports) -> None:
        ports.set("tick_shift", TICK_BITS)
        for given_up_after in range(DIVISION_CYCLES):
            await pulse(ports, "start", price=PRICES - 1, base=1, tick=3)
            for _ in range(given_up_after):
                await ports.tick()
            await pulse(ports, "start", price=1_000, base=100, tick=9)
            for _ in range(DIVISION_CYCLES - 1):
                assert not ports.get("done")
                await ports.tick()
            assert ports.get("done")
            assert ports.get("index") == 100

    simulate(TickDivision(PARAMETERS), test)


def test_the_best_price_is_that_of_its_number() -> None:
    rng = random.Random(3)

    async def test(ports: Ports) -> None:
        for _ in range(100):
            base, tick = rng.randrange(SIZES.top + 1), rng.choice((SIZES.top, 1, rng.randrange(1, SIZES.top)))
            expected, totals = [], []
            for side in BookSide.BID, BookSide.ASK:
                has_orders, index, total = rng.random() < 0.9, rng.randrange(SIZES.book_ticks), rng.randrange(SIZES.top)
                expected.append((base + index * tick, total) if has_orders else (0, 0))
                totals.append(total)
                inputs = {"side": side, "has_orders": has_orders, "index": index}
                await pulse(ports, "found", base=base, tick=tick, **inputs)
            for side, total in zip((BookSide.BID, BookSide.ASK), totals, strict=True):
                assert ports.get("done") == (side is BookSide.ASK)
                ports.set("total", total)
                await ports.tick()
            names = (("bid", "bid_quantity"), ("ask", "ask_quantity"))
            assert [tuple(map(ports.get, pair)) for pair in names] == expected

    simulate(TopOfBook(PARAMETERS), test)


class Window:
    """Totals of two books, beside the window's own."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.totals: dict[tuple[int, int, int], int] = {}

    async def change(self, place: tuple[int, int, int], amount: int, adds: bool, commits: bool) -> None:
        """A total, if it fits and is committed at all."""
        book, side, index = place
        await pulse(self._ports, "load", book=book, side=side, index=index)
        for name in ("book", "side", "index"):
            self._ports.set(name, 0)
        self._ports.set("amount", amount)
        self._ports.set("adds", adds)
        for _ in range(COMMIT_CYCLES - 1):
            await self._ports.tick()
        total = self.totals.get(place, 0) + (amount if adds else -amount)
        fits = total <= SIZES.top
        assert not adds or self._ports.get("fits") == fits
        self._ports.set("commit", fits and commits)
        await self._ports.tick()
        self._ports.set("commit", 0)
        if fits and commits:
            self.totals[place] = total
        await self._ports.tick()

    async def check_best(self, book: int) -> None:
        """Both sides of a book."""
        await pulse(self._ports, "search", book=book)
        self._ports.set("book", 0)
        for _ in range(FOUND_CYCLES - 1):
            assert not self._ports.get("found")
            await self._ports.tick()
        expected: list[int | None] = []
        for side in BookSide.BID, BookSide.ASK:
            used = [index for (of, at, index), total in self.totals.items() if total and (of, at) == (book, side)]
            best = None if not used else max(used) if side is BookSide.BID else min(used)
            assert self._ports.get("found")
            assert self._ports.get("found_side") == side
            assert self._ports.get("has_orders") == bool(used)
            assert best is None or self._ports.get("found_index") == best
            expected.append(None if best is None else self.totals[book, side, best])
            await self._ports.tick()
        for total in expected:
            assert total is None or self._ports.get("total") == total
            await self._ports.tick()

    async def clear(self, book: int) -> None:
        """Forget the totals of a book."""
        await pulse(self._ports, "clear", book=book)
        for _ in range(100):
            if not self._ports.get("clearing"):
                break
            await self._ports.tick()
        assert not self._ports.get("clearing")
        self.totals = {place: total for place, total in self.totals.items() if place[0] != book}


def test_the_window_has_totals_and_the_best_of_them() -> None:
    rng = random.Random(4)
    sides = (BookSide.BID, BookSide.ASK)

    async def test(ports: Ports) -> None:
        ports.set("top", SIZES.top)
        window = Window(ports)
        for _ in range(1_500):
            book = rng.randrange(2)
            used = [place for place, total in window.totals.items() if total]
            if used and rng.random() < 0.5:
                place = rng.choice(used)
                less = rng.choice((window.totals[place], rng.randrange(window.totals[place] + 1)))
                await window.change(place, less, adds=False, commits=rng.random() < 0.9)
            else:
                index = rng.choice((rng.randrange(SIZES.book_ticks), rng.randrange(60, 68), 0, SIZES.book_ticks - 1))
                amount = rng.choice((1, rng.randrange(1, 1 << 20), SIZES.top))
                await window.change((book, rng.choice(sides), index), amount, adds=True, commits=rng.random() < 0.9)
            if rng.random() < 0.02:
                await window.clear(book)
            await window.check_best(book)

    simulate(PriceWindow(PARAMETERS), test)
