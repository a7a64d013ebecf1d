"""The core's clock: dividers that make it of every board's own, and a gate that opens once it is good."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.boards.core_clock import SETTLE_BITS, LockWatch, loop_dividers
from hdl.boards.geared_core import COMPACT_HERTZ, CORE_HERTZ
from market.errors import Fatal


@pytest.mark.parametrize("core_hertz", [50_000_000, COMPACT_HERTZ, CORE_HERTZ])
@pytest.mark.parametrize("board_hertz", [25_000_000, 30_000_000, 100_000_000])
def test_the_dividers_make_the_clock_exactly_and_within_the_limits_of_the_loop(
    board_hertz: int, core_hertz: int
) -> None:
    dividers = loop_dividers(board_hertz, core_hertz)
    oscillator = board_hertz * dividers.feedback * dividers.fed_back / dividers.reference
    assert oscillator == core_hertz * dividers.core
    assert 400e6 <= oscillator <= 800e6
    assert board_hertz / dividers.reference >= 10e6
    assert oscillator / dividers.fed_back <= 400e6
    assert all(1 <= each <= 128 for each in (dividers.reference, dividers.feedback, dividers.fed_back, dividers.core))


def test_a_clock_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(Fatal, match="a loop cannot make 100000000 Hz of 27000001 Hz"):
        loop_dividers(27_000_001, CORE_HERTZ)


def test_the_gate_opens_after_a_long_lock_and_shuts_for_good_when_it_is_lost() -> None:
    watch, seen = LockWatch(), []
    settle = 1 << SETTLE_BITS

    async def bench(ctx: Any) -> None:
        for locked, cycles in ((1, settle // 2), (0, 1), (1, settle - 10), (1, 20), (0, 1), (1, 2 * settle)):
            ctx.set(watch.locked, locked)
            await ctx.tick("board").repeat(cycles)
            seen.append(ctx.get(watch.opens))

    simulator = Simulator(watch)
    simulator.add_clock(1e-8, domain="board")
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == [0, 0, 0, 1, 1, 0]
