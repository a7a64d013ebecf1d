"""Messages of two sources leave one after the other, each whole and in its source's order, none late."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.message_merger import MessageMerger
from hdl.octet_stream import octet_layout

Beat = tuple[int, bool]
Cycle = tuple[Beat | None, Beat | None, bool]


def run(cycles: list[Cycle]) -> list[list[Beat | None]]:
    """Of each cycle: what left, and what was taken of ``preferred`` and ``other``."""
    merger = MessageMerger(octet_layout)
    seen: list[list[Beat | None]] = []

    async def bench(ctx: Any) -> None:
        offered: list[Beat | None] = [None, None]
        queues: list[list[Beat]] = [[], []]
        for preferred, other, ready in cycles:
            for at, beat in enumerate((preferred, other)):
                if beat is not None:
                    queues[at].append(beat)
            for at, source in enumerate((merger.preferred, merger.other)):
                offered[at] = queues[at][0] if queues[at] else None
                ctx.set(source.valid, offered[at] is not None)
                if (beat := offered[at]) is not None:
                    ctx.set(source.payload, {"data": beat[0], "last": beat[1]})
            ctx.set(merger.merged.ready, ready)
            left = (ctx.get(merger.merged.payload.data), bool(ctx.get(merger.merged.payload.last)))
            line: list[Beat | None] = [left if ctx.get(merger.merged.valid) and ready else None]
            for at, source in enumerate((merger.preferred, merger.other)):
                taken = ctx.get(source.ready) and offered[at] is not None
                line.append(queues[at].pop(0) if taken else None)
            seen.append(line)
            await ctx.tick()

    simulator = Simulator(merger)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def test_a_message_passes_in_its_cycle_and_the_preferred_one_goes_first() -> None:
    seen = run([((1, True), (101, False), True), (None, (102, True), True), (None, None, True), (None, None, True)])
    assert [line[0] for line in seen] == [(1, True), (101, False), (102, True), None]


def test_a_message_that_has_begun_is_not_cut() -> None:
    cycles: list[Cycle] = [
        (None, (101, False), False),
        ((1, True), None, True),
        (None, None, True),
        (None, (102, True), True),
        (None, None, True),
    ]
    assert [line[0] for line in run(cycles)] == [None, (101, False), None, (102, True), (1, True)]


def test_random_messages_come_whole_and_in_order() -> None:
    generator = random.Random(3)

    def source(base: int) -> list[Beat]:
        return [(base + at % 100, generator.random() < 0.3 or at == 299) for at in range(300)]

    sources = [source(0), source(100)]
    waiting = [iter(beats) for beats in sources]
    cycles: list[Cycle] = []
    for _ in range(1_500):
        preferred, other = (next(beats, None) if generator.random() < 0.3 else None for beats in waiting)
        cycles.append((preferred, other, generator.random() < 0.7))
    seen = run(cycles)
    left = [line[0] for line in seen if line[0] is not None]
    assert [[beat for beat in left if (beat[0] >= 100) == bool(at)] for at in range(2)] == sources
    assert [line[0] for line in seen] == [line[1] or line[2] for line in seen]
    inside: bool | None = None
    for octet, last in left:
        assert inside in (None, octet >= 100)
        inside = None if last else octet >= 100
