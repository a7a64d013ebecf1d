"""The channel table against a search row by row."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.ethernet.channels import ChannelTable, lookup_cycles, write_cycles
from hdl.parameters import CoreParameters
from hdl.toolchain.verilog import verilog_of
from market.fastpath import layout
from market.fastpath.specification import EngineSizes, Feed
from market.wire.sbe import encode

Row = tuple[int, int]


@dataclass
class Bench:
    """A table in the simulator, and what a plain search says."""

    ctx: Any
    parameters: CoreParameters
    table: ChannelTable
    rows: dict[int, tuple[Row, dict[str, int]]]

    async def write(self, channel: int, key: Row, enabled: int = 1, **fields: int) -> int:
        """Writes a row; returns the cycles until it was done."""
        values = {"instrument": 2, "venue": 1, "feed": 1} | fields
        message = encode(
            layout.SCHEMA,
            "ChannelRow",
            {"sequence": 1, "address": key[0], "port": key[1], "channel": channel, "enabled": enabled} | values,
        )
        self.ctx.set(self.table.command.template, layout.TEMPLATE_CHANNEL_ROW)
        self.ctx.set(self.table.command.message, int.from_bytes(message, "little"))
        self.ctx.set(self.table.command.apply, 1)
        self.rows.pop(channel, None)
        if enabled:
            self.rows[channel] = (key, values)
        return await self._until_done()

    async def _until_done(self) -> int:
        cycles = 0
        while not cycles or not self.ctx.get(self.table.command.done):
            await self.ctx.tick()
            self.ctx.set(self.table.command.apply, 0)
            cycles += 1
            assert cycles < 50
        assert self.ctx.get(self.table.command.refusal) == 0
        return cycles

    def ask(self, key: Row) -> None:
        """The strobe of a lookup, in this cycle."""
        self.ctx.set(self.table.address, key[0])
        self.ctx.set(self.table.port, key[1])
        self.ctx.set(self.table.lookup, 1)

    async def lookup(self, key: Row) -> None:
        """A lookup whose answer must be right, and in time."""
        self.ask(key)
        for _ in range(lookup_cycles(self.parameters)):
            await self.ctx.tick()
            self.ctx.set(self.table.lookup, 0)
            self.ctx.set(self.table.address, 0)
            if self.ctx.get(self.table.answered):
                break
        assert self.ctx.get(self.table.answered) == 1
        self.check(key)
        await self.ctx.tick()
        assert self.ctx.get(self.table.answered) == 0
        self.check(key)

    def check(self, key: Row) -> None:
        """The answer that holds now."""
        lowest = min((channel for channel, (known, _) in self.rows.items() if known == key), default=None)
        assert self.ctx.get(self.table.found) == (lowest is not None)
        if lowest is not None:
            row = self.ctx.get(self.table.row)
            assert (row.channel, row.instrument, row.venue, row.feed) == (lowest, *self.rows[lowest][1].values())


def run(script: Any, bus: CoreParameters, channels: int = 64) -> None:
    parameters = replace(bus, capacity=EngineSizes(channels=channels))
    table = ChannelTable(parameters)

    async def bench(ctx: Any) -> None:
        await script(Bench(ctx, parameters, table, {}))

    simulator = Simulator(table)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


COMPACT = CoreParameters(bus_bytes=8, feeds=frozenset({Feed.BINANCE_SBE}), paced=True, compact=True)
BUSES = pytest.mark.parametrize(
    "bus",
    [CoreParameters(bus_bytes=1), CoreParameters(bus_bytes=8), CoreParameters(bus_bytes=8, paced=True), COMPACT],
    ids=["8 bit", "64 bit", "64 bit paced", "64 bit compact"],
)
GROUP = (0xEF000001, 30_000)


@BUSES
def test_it_becomes_verilog(bus: CoreParameters) -> None:
    assert "module channel_table" in verilog_of(ChannelTable(bus), "channel_table")


@BUSES
def test_an_empty_table_knows_nothing(bus: CoreParameters) -> None:
    async def script(bench: Bench) -> None:
        for key in ((0, 0), GROUP, (0xFFFFFFFF, 0xFFFF)):
            await bench.lookup(key)

    run(script, bus)


@BUSES
def test_rows_are_found_by_all_of_address_and_port(bus: CoreParameters) -> None:
    async def script(bench: Bench) -> None:
        assert await bench.write(5, GROUP, instrument=65_535, venue=3, feed=2) == write_cycles(bench.parameters)
        await bench.lookup(GROUP)
        for bit in range(32):
            await bench.lookup((GROUP[0] ^ 1 << bit, GROUP[1]))
        for bit in range(16):
            await bench.lookup((GROUP[0], GROUP[1] ^ 1 << bit))

    run(script, bus)


@BUSES
@pytest.mark.parametrize("channels", [1, 5, 64])
def test_the_lowest_enabled_row_wins_through_any_history(bus: CoreParameters, channels: int) -> None:
    generator = random.Random(channels)
    keys = [(generator.getrandbits(32), generator.getrandbits(16)) for _ in range(4)]

    async def script(bench: Bench) -> None:
        for _ in range(30):
            enabled = int(generator.random() < 0.7)
            await bench.write(
                generator.randrange(channels), generator.choice(keys), enabled, venue=generator.randrange(8)
            )
            for key in keys:
                await bench.lookup(key)

    run(script, bus, channels)


@BUSES
def test_a_written_row_changes_the_answer_that_holds(bus: CoreParameters) -> None:
    async def script(bench: Bench) -> None:
        await bench.lookup(GROUP)
        await bench.write(9, GROUP)
        bench.check(GROUP)
        await bench.write(4, GROUP, venue=7)
        bench.check(GROUP)
        await bench.write(4, GROUP, enabled=0)
        bench.check(GROUP)

    run(script, bus)


@BUSES
@pytest.mark.parametrize("cycle", range(22))
def test_a_lookup_while_a_row_is_written_is_answered_by_the_new_table(bus: CoreParameters, cycle: int) -> None:
    async def script(bench: Bench) -> None:
        table, ctx = bench.table, bench.ctx
        other = (GROUP[0] + 1, GROUP[1])
        await bench.write(0, other)
        await bench.lookup(other)
        ctx.set(table.command.message, ctx.get(table.command.message) + (1 << 8 * layout.CHANNEL_ROW_CHANNEL))
        address_at = 8 * layout.CHANNEL_ROW_ADDRESS
        ctx.set(table.command.message, ctx.get(table.command.message) - (1 << address_at))
        ctx.set(table.command.apply, 1)
        bench.rows[1] = (GROUP, bench.rows[0][1])
        answers = 0
        for now in range(cycle + 3 * write_cycles(bench.parameters)):
            if now == cycle:
                bench.ask(GROUP)
            await ctx.tick()
            ctx.set(table.command.apply, 0)
            ctx.set(table.lookup, 0)
            answers += ctx.get(table.answered)
        assert answers == 1
        bench.check(GROUP)

    run(script, bus)


@BUSES
def test_other_templates_change_nothing(bus: CoreParameters) -> None:
    async def script(bench: Bench) -> None:
        await bench.write(0, GROUP)
        bench.ctx.set(bench.table.command.template, layout.TEMPLATE_VENUE_ROW)
        bench.ctx.set(bench.table.command.message, 0)
        bench.ctx.set(bench.table.command.apply, 1)
        for _ in range(write_cycles(bench.parameters) + 2):
            await bench.ctx.tick()
            bench.ctx.set(bench.table.command.apply, 0)
            assert not bench.ctx.get(bench.table.command.done)
        await bench.lookup(GROUP)

    run(script, bus)
