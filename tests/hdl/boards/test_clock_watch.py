"""A clock is lost when it stops or is slow, and found again when it is right."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.sim import Simulator

from hdl.boards.clock_watch import ClockWatch

WINDOW_NS = 640 * 8


def lost_after(periods_ns: list[tuple[float, int]]) -> list[bool]:
    """What a watch says after each stretch of a clock: its period (0: it stands) and how long, in ns."""
    watch, line = ClockWatch(125_000_000, 100_000_000), Signal()
    module = Module()
    module.domains.sync = ClockDomain(reset_less=True)
    module.domains.board = ClockDomain(reset_less=True)
    module.submodules.watch = watch
    module.d.comb += ClockSignal().eq(line)
    answers = []

    async def bench(ctx: Any) -> None:
        for period, length in periods_ns:
            for _ in range(int(length / period) if period else 0):
                for level in (1, 0):
                    ctx.set(line, level)
                    await ctx.delay(period / 2 * 1e-9)
            if not period:
                await ctx.delay(length * 1e-9)
            answers.append(bool(ctx.get(watch.lost)))

    simulator = Simulator(module)
    simulator.add_clock(10e-9, domain="board")
    simulator.add_testbench(bench)
    simulator.run()
    return answers


def test_a_right_clock_is_found_after_two_windows() -> None:
    assert lost_after([(8, 100), (8, 3 * WINDOW_NS)]) == [True, False]


def test_a_clock_within_the_tolerance_of_ethernet_stays_found() -> None:
    assert lost_after([(8.0008, 3 * WINDOW_NS), (7.9992, 3 * WINDOW_NS)]) == [False, False]


@pytest.mark.parametrize("period_ns", [40, 400, 6])
def test_a_clock_of_another_speed_is_lost(period_ns: int) -> None:
    assert lost_after([(8, 3 * WINDOW_NS), (period_ns, 3 * WINDOW_NS), (8, 3 * WINDOW_NS)]) == [False, True, False]


def test_a_clock_that_stood_is_lost_from_its_first_cycles_on() -> None:
    assert lost_after([(8, 3 * WINDOW_NS), (0, 3 * WINDOW_NS), (8, 24)]) == [False, False, True]
