"""Trades wait for the word on their datagram, and leave in order or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.feeds.trade_queue import TradeQueue

Actions = Callable[["Driver"], Awaitable[None]]


class Driver:
    """Strobes of a queue, one per cycle, with a reader that takes everything when it is told to."""

    def __init__(self, ctx: Any, queue: TradeQueue) -> None:
        self.ctx, self.queue = ctx, queue
        self.taken: list[int] = []

    async def _strobe(self, *signals: Any) -> None:
        for signal in signals:
            self.ctx.set(signal, 1)
        await self.cycle()
        for signal in signals:
            self.ctx.set(signal, 0)

    async def cycle(self) -> None:
        """One cycle; takes the trade that is offered, if the reader is ready."""
        if self.ctx.get(self.queue.kept.valid) and self.ctx.get(self.queue.kept.ready):
            self.taken.append(self.ctx.get(self.queue.kept.payload.price))
        await self.ctx.tick()

    async def begin(self) -> None:
        await self._strobe(self.queue.begin)

    async def put(self, prices: Sequence[int]) -> None:
        for price in prices:
            self.ctx.set(self.queue.entry.price, price)
            await self._strobe(self.queue.put)
            await self.cycle()

    async def accept(self) -> None:
        await self._strobe(self.queue.accept)

    async def discard(self) -> None:
        await self._strobe(self.queue.discard)

    async def read(self, cycles: int) -> None:
        self.ctx.set(self.queue.kept.ready, 1)
        for _ in range(cycles):
            await self.cycle()
        self.ctx.set(self.queue.kept.ready, 0)

    @property
    def overrun(self) -> bool:
        return bool(self.ctx.get(self.queue.overrun))


def run(actions: Actions, depth: int = 16) -> tuple[list[int], bool, int]:
    """Trades that left, whether there was an overrun, and the count of the last datagram."""
    queue = TradeQueue(depth=depth)
    result: list[tuple[list[int], bool, int]] = []

    async def bench(ctx: Any) -> None:
        driver = Driver(ctx, queue)
        await actions(driver)
        result.append((driver.taken, driver.overrun, ctx.get(queue.count)))

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return result[0]


def test_a_trade_is_offered_three_cycles_after_its_acceptance() -> None:
    async def actions(driver: Driver) -> None:
        await driver.begin()
        await driver.put([5])
        await driver.read(5)
        assert driver.taken == []
        driver.ctx.set(driver.queue.kept.ready, 1)
        await driver.accept()
        for _ in range(2):
            assert not driver.ctx.get(driver.queue.kept.valid)
            await driver.cycle()
        assert driver.ctx.get(driver.queue.kept.valid)
        await driver.cycle()

    assert run(actions) == ([5], False, 1)


def test_a_datagram_may_begin_before_the_word_on_the_one_before_it() -> None:
    async def actions(driver: Driver) -> None:
        await driver.begin()
        await driver.put([1, 2])
        await driver.begin()
        await driver.discard()
        await driver.put([3])
        await driver.begin()
        await driver.accept()
        await driver.put([4, 5])
        await driver.accept()
        await driver.read(20)

    assert run(actions) == ([3, 4, 5], False, 2)


def test_a_trade_that_comes_before_the_word_on_another_datagram_is_an_overrun() -> None:
    async def actions(driver: Driver) -> None:
        await driver.begin()
        await driver.put([1])
        await driver.begin()
        await driver.put([2])

    assert run(actions)[1]


def test_a_trade_without_room_is_an_overrun_and_is_not_counted() -> None:
    async def actions(driver: Driver) -> None:
        await driver.begin()
        await driver.put(list(range(1, 9)))
        await driver.accept()
        await driver.read(40)

    assert run(actions, depth=8) == (list(range(1, 8)), True, 7)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(3, 30)), max_size=12))
def test_what_is_accepted_leaves_in_order(datagrams: list[tuple[int, bool, int]]) -> None:
    async def actions(driver: Driver) -> None:
        price = 0
        for count, accepted, cycles in datagrams:
            await driver.begin()
            await driver.put(range(price, price + count))
            price += count
            await (driver.accept() if accepted else driver.discard())
            await driver.read(cycles)
        await driver.read(200)

    expected, price = [], 0
    for count, accepted, _ in datagrams:
        expected += list(range(price, price + count)) if accepted else []
        price += count
    taken, overrun, _ = run(actions, depth=64)
    assert (taken, overrun) == (expected, False)
