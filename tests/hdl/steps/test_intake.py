"""What arrived is numbered in the order of its end, with the time of its beginning, and queued for its turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.records import Drop
from hdl.steps.intake import QUEUE_DEPTH, Intake
from hdl.steps.item import ItemKind
from market.fastpath.feeds.verdict import BAD, GOOD, SKIPPED

VENUE = 3
Bench = Callable[["Host"], Any]


class Host:
    """Drives an intake: frames by their beginnings and ends, and what else is numbered."""

    def __init__(self, intake: Intake, ctx: Any, judges_first: bool) -> None:
        self.intake, self.ctx, self.judges_first = intake, ctx, judges_first

    async def strobe(self, *names: str, **levels: int) -> None:
        """One cycle with these inputs high, and levels that stay."""
        for name, value in levels.items():
            self.ctx.set(getattr(self.intake, name), value)
        for name in names:
            self.ctx.set(getattr(self.intake, name), 1)
        await self.ctx.tick()
        for name in names:
            self.ctx.set(getattr(self.intake, name), 0)

    async def begin(self, time: int) -> None:
        """A frame's first beat."""
        await self.strobe("begin", time=time)

    async def end(self, drop: Drop = Drop.NONE, **levels: int) -> None:
        """A frame's verdict, and the cycle in which it is numbered."""
        await self.strobe("end", drop_when_found=drop, drop_when_unknown=drop or Drop.NOT_OURS, **levels)
        for _ in range(1 + self.judges_first):
            await self.ctx.tick()

    async def take(self) -> Any:
        """The oldest item, taken out of the queue; there must be one, or one that is ``queued``."""
        while self.ctx.get(self.intake.queued) and not self.ctx.get(self.intake.items.valid):
            await self.ctx.tick()
        assert self.ctx.get(self.intake.items.valid)
        item = self.ctx.get(self.intake.items.payload)
        self.ctx.set(self.intake.items.ready, 1)
        await self.ctx.tick()
        self.ctx.set(self.intake.items.ready, 0)
        return item


def run(bench: Bench) -> None:
    """Run a bench on new intakes whose frames are ours and hold a quote, unless the bench says otherwise."""
    for judges_first in (False, True):
        intake = Intake(judges_first=judges_first)

        async def process(ctx: Any, intake: Intake = intake, judges_first: bool = judges_first) -> None:
            ctx.set(intake.found, 1)
            ctx.set(intake.verdict, GOOD)
            ctx.set(intake.is_quote, 1)
            ctx.set(intake.row.venue, VENUE)
            await bench(Host(intake, ctx, judges_first))

        simulator = Simulator(intake)
        simulator.add_clock(1e-6)
        simulator.add_testbench(process)
        simulator.run()


def test_a_frame_has_the_time_of_its_beginning_also_when_the_next_one_begins_before_its_end() -> None:
    async def bench(host: Host) -> None:
        await host.begin(100)
        await host.begin(200)
        await host.end()
        await host.end()
        for step, time in ((1, 100), (2, 200)):
            item = await host.take()
            assert (item.kind, item.step, item.time, item.venue) == (ItemKind.QUOTE, step, time, VENUE)

    run(bench)


def test_a_frame_may_begin_in_the_cycle_of_another_ones_end() -> None:
    async def bench(host: Host) -> None:
        await host.begin(100)
        await host.strobe("begin", "end", time=200)
        await host.ctx.tick()
        await host.end()
        assert [(await host.take()).time for _ in range(2)] == [100, 200]

    run(bench)


@pytest.mark.parametrize(
    ("drop", "levels", "expected"),
    [
        (Drop.BAD_FCS, {}, Drop.BAD_FCS),
        (Drop.NONE, {"found": 0}, Drop.NOT_OURS),
        (Drop.NONE, {"verdict": BAD}, Drop.BAD_MESSAGE),
        (Drop.BAD_UDP, {"verdict": BAD}, Drop.BAD_UDP),
    ],
)
def test_a_dropped_frame_is_no_step_and_moves_no_time(drop: Drop, levels: dict[str, int], expected: Drop) -> None:
    async def bench(host: Host) -> None:
        await host.begin(100)
        await host.end(drop, **levels)
        item = await host.take()
        assert (item.kind, item.drop) == (ItemKind.DROPPED, expected)
        assert (host.ctx.get(host.intake.step), host.ctx.get(host.intake.now)) == (0, 0)

    run(bench)


@pytest.mark.parametrize(
    ("levels", "kind"),
    [
        ({"verdict": SKIPPED}, ItemKind.SKIPPED),
        ({"is_quote": 0, "trade_count": 5}, ItemKind.TRADES),
        ({"is_quote": 1}, ItemKind.QUOTE),
    ],
)
def test_a_good_frame_becomes_what_its_feed_says(levels: dict[str, int], kind: ItemKind) -> None:
    async def bench(host: Host) -> None:
        await host.begin(7)
        await host.end(Drop.NONE, **levels)
        item = await host.take()
        assert (item.kind, item.trade_count) == (kind, levels.get("trade_count", 0))

    run(bench)


def test_a_control_message_is_numbered_before_a_frame_that_waits() -> None:
    async def bench(host: Host) -> None:
        await host.begin(100)
        await host.strobe("end", hold=1, control_time=50)
        await host.strobe("begin_step")
        assert host.ctx.get(host.intake.step) == 1
        host.ctx.set(host.intake.hold, 0)
        for _ in range(1 + host.judges_first):
            await host.ctx.tick()
        item = await host.take()
        assert (item.step, item.time) == (2, 100)

    run(bench)


def test_a_time_that_went_back_is_told_with_the_step() -> None:
    async def bench(host: Host) -> None:
        for time in (100, 90):
            await host.begin(time)
            await host.end()
        assert [((item := await host.take()).time, item.backwards) for _ in range(2)] == [(100, 0), (100, 1)]

    run(bench)


def test_a_frame_without_room_in_the_queue_is_told() -> None:
    async def bench(host: Host) -> None:
        for time in range(QUEUE_DEPTH):
            await host.begin(time)
            await host.end()
        assert not host.ctx.get(host.intake.overrun)
        # two more are on their way out of it
        for time in range(3):
            await host.begin(QUEUE_DEPTH + time)
            await host.end()
        assert host.ctx.get(host.intake.overrun)

    run(bench)


@pytest.mark.parametrize(
    ("mantissa", "kept"), [(0, 0), (255, 255), (256, 256), (5 << 20, 256), (-1, 1023), (-256, 768)]
)
def test_mantissas_of_the_host_are_kept_as_those_of_frames(mantissa: int, kept: int) -> None:
    intake = Intake(judges_first=True, mantissa_bits=8)

    async def process(ctx: Any) -> None:
        ctx.set(intake.host_fields.bid_price, mantissa)
        ctx.set(intake.host_fields.sequence, mantissa)
        host = Host(intake, ctx, judges_first=True)
        await host.strobe("host_quote", host_venue=VENUE)
        item = await host.take()
        assert (item.kind, item.venue, item.quote.bid_price, item.quote.sequence) == (
            *(ItemKind.QUOTE, VENUE),
            *(kept, mantissa),
        )

    simulator = Simulator(intake)
    simulator.add_clock(1e-6)
    simulator.add_testbench(process)
    simulator.run()
