"""Runs messages through a group extractor, and notes what it gives out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from hdl.sbe.groups import GroupExtractor
from tests.hdl.sbe.bus import beats_of

Numbers = dict[str, int]


@dataclass
class Taken:
    """One message: whether it matched, its root fields, its entries by group with their cycles, and its tail."""

    matched: bool = False
    fields: Numbers = field(default_factory=dict)
    entries: dict[str, list[Numbers]] = field(default_factory=dict)
    entry_cycles: dict[str, list[int]] = field(default_factory=dict)
    tail: tuple[int, int] | None = None
    """The byte behind the last group, and where it is in the message."""
    beat_cycles: list[int] = field(default_factory=list)


class Bench:
    """An extractor in a simulator."""

    def __init__(self, extractor: GroupExtractor, bus_bytes: int, groups: dict[str, Sequence[str]], seed: int) -> None:
        self.extractor, self.bus_bytes, self.groups = extractor, bus_bytes, groups
        self.random = np.random.default_rng(seed)

    def run(self, messages: Sequence[bytes], root: Sequence[str], idle: float = 0.1) -> list[Taken]:
        taken = [Taken(entries={name: [] for name in self.groups}) for _ in messages]

        async def bench(ctx: Any) -> None:
            for message, one in zip(messages, taken, strict=True):
                one.entry_cycles = {name: [] for name in self.groups}
                await self._pass(ctx, message, one, idle)
                one.matched = bool(ctx.get(self.extractor.matched))
                one.fields = {name: ctx.get(self.extractor.fields[name]) for name in root}

        simulator = Simulator(self.extractor)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        return taken

    async def _pass(self, ctx: Any, message: bytes, taken: Taken, idle: float) -> None:
        part, beats = self.extractor, list(beats_of(message, self.bus_bytes, self.random, idle))
        for cycle, beat in enumerate(beats):
            ctx.set(part.valid, beat.count > 0)
            ctx.set(part.start, beat.first if beat.count else int(self.random.integers(2)))
            ctx.set(part.data, beat.data)
            if beat.count:
                taken.beat_cycles.append(cycle)
            if ctx.get(part.tail):
                assert taken.tail is None
                at = self.bus_bytes * (len(taken.beat_cycles) - 1) + ctx.get(part.tail_lane)
                taken.tail = ctx.get(part.tail_byte), at
            await ctx.tick()
            self._note(ctx, taken, cycle + 1)
        ctx.set(part.valid, 0)
        await ctx.tick()

    def _note(self, ctx: Any, taken: Taken, cycle: int) -> None:
        for name, fields in self.groups.items():
            bus = getattr(self.extractor.entries, name)
            if ctx.get(bus.valid):
                taken.entries[name].append({field: ctx.get(bus.fields[field]) for field in fields})
                taken.entry_cycles[name].append(cycle)
