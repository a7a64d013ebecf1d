"""Queues and stages give what they were given, in order, and ask for no more than they can hold."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import unsigned
from amaranth.sim import Simulator

from hdl.block_queue import BlockQueue
from hdl.small_queue import SmallQueue
from hdl.stream_stage import StreamStage

DEPTH = 8
CYCLES = 400
MAKERS = (
    lambda: BlockQueue(unsigned(16), DEPTH),
    lambda: BlockQueue(unsigned(16), DEPTH, registered=True),
    lambda: SmallQueue(unsigned(16), DEPTH),
    lambda: StreamStage(unsigned(16)),
)


def passed(
    queue: BlockQueue | SmallQueue | StreamStage, gives: float, takes: float, cycles: int = 400
) -> tuple[list[int], list[int]]:
    """What went in and what came out in some cycles, of which a share gives, a share takes."""
    rng = random.Random(7)
    given, taken = [], []

    async def bench(ctx):  # type: ignore[no-untyped-def]
        for cycle in range(CYCLES):
            ctx.set(queue.before.valid, offers := rng.random() < gives)
            ctx.set(queue.before.payload, cycle)
            ctx.set(queue.after.ready, wants := rng.random() < takes)
            if offers and ctx.get(queue.before.ready):
                given.append(cycle)
            if wants and ctx.get(queue.after.valid):
                taken.append(ctx.get(queue.after.payload))
            assert ctx.get(queue.empty) <= (len(given) - len(taken) <= 1), cycle
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return given, taken


@pytest.mark.parametrize(("gives", "takes"), [(1.0, 1.0), (0.5, 0.5), (1.0, 0.1), (0.1, 1.0), (0.9, 0.8)])
@pytest.mark.parametrize("made", MAKERS)
def test_everything_comes_out_in_order(made, gives: float, takes: float) -> None:  # type: ignore[no-untyped-def]
    given, taken = passed(made(), gives, takes)
    assert taken == given[: len(taken)]
    assert 0 <= len(given) - len(taken) <= DEPTH + 2
    assert len(taken) > 30


def test_a_queue_passes_an_entry_in_every_cycle_and_holds_its_depth() -> None:
    given, taken = passed(BlockQueue(unsigned(16), DEPTH), 1.0, 1.0)
    assert (len(given), len(taken)) == (CYCLES, CYCLES - 3)
    given, taken = passed(BlockQueue(unsigned(16), DEPTH), 1.0, 0.0)
    assert not taken
    assert len(given) >= DEPTH
