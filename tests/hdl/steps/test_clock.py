"""T follows receive times forwards only; a time that it cannot follow is told, and changes nothing."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.steps.clock import StepClock


def run(times: list[int], of_control: bool = False) -> list[tuple[int, int, int]]:
    """T, step and ``backwards`` of each of the steps that begin at these times, those of frames or of control."""
    clock = StepClock()
    seen: list[tuple[int, int, int]] = []

    async def bench(ctx):  # type: ignore[no-untyped-def]
        for time in times:
            ctx.set(clock.control_time if of_control else clock.time, time)
            ctx.set(clock.of_control, of_control)
            if of_control:
                await ctx.tick()
            ctx.set(clock.advance, 1)
            backwards = ctx.get(clock.backwards)
            await ctx.tick()
            ctx.set(clock.advance, 0)
            seen.append((ctx.get(clock.now), ctx.get(clock.step), backwards))

    simulator = Simulator(clock)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def test_time_moves_forwards_and_steps_are_numbered_from_one() -> None:
    assert run([5, 5, 9]) == [(5, 1, 0), (5, 2, 0), (9, 3, 0)]


@pytest.mark.parametrize("of_control", [False, True])
def test_a_step_back_counts_as_the_present_time(of_control: bool) -> None:
    assert run([9, 5, 9, 12], of_control) == [(9, 1, 0), (9, 2, 1), (9, 3, 0), (12, 4, 0)]


@pytest.mark.parametrize("time", [1 << 62, (1 << 64) - 1])
def test_times_beyond_the_limit_and_below_zero_count_as_backwards(time: int) -> None:
    assert run([3, time]) == [(3, 1, 0), (3, 2, 1)]


def test_the_last_time_is_taken() -> None:
    assert run([(1 << 62) - 1]) == [((1 << 62) - 1, 1, 0)]
