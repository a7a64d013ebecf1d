"""The table of lines against the reference's."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.books.line_table import QUEUE_DEPTH, LineTable
from hdl.parameters import CoreParameters
from hdl.toolchain.verilog import verilog_of
from market.fastpath.reference.feed_messages import Header
from market.fastpath.specification import NO_VENUE, EngineSizes, Feed
from tests.hdl.books.line_bench import LineBench
from tests.hdl.decision.ports import Ports, simulate

NUMBERED = (Feed.STARBASE, Feed.COINBASE_DERIVATIVES)
FEEDS = (*NUMBERED, Feed.DERIBIT_LEGACY)
LAST_NUMBER = (1 << 62) - 1


def run(script: Any, bus_bytes: int = 1, **sizes: int) -> None:
    async def test(ports: Ports) -> None:
        await script(LineBench(ports))

    simulate(LineTable(CoreParameters(EngineSizes(**sizes), bus_bytes)), test)


async def take(bench: LineBench, venue: int, feed: Feed, header: Header, takes: bool = True) -> None:
    await bench.arrive(venue, feed, header)
    await bench.judge(venue, feed, header, takes)


@pytest.mark.parametrize("feed", NUMBERED)
def test_messages_are_numbered(feed: Feed) -> None:
    """First packet, next, repeated, half old, a gap, nothing in it, nothing in it and old."""

    async def script(bench: LineBench) -> None:
        await bench.write_line(3, 1, feed, 7)
        for number, count in ((100, 5), (105, 2), (105, 2), (103, 9), (130, 1), (131, 0), (130, 0), (131, 3), (140, 0)):
            await take(bench, 1, feed, Header(7, number, count))
            bench.check_line(3)

    run(script)


def test_packets_are_numbered_and_begin_again() -> None:
    async def script(bench: LineBench) -> None:
        await bench.write_line(0, 2, Feed.DERIBIT_LEGACY, 9)
        for ahead in (-3, -2, -2, 0, 1, 0, -1, 5, 4, 1 << 30, 1 << 31, 3 << 30):
            await take(bench, 2, Feed.DERIBIT_LEGACY, Header(9, ahead % (1 << 32)))
            bench.check_line(0)

    run(script)


@pytest.mark.parametrize("bus_bytes", [1, 8])
def test_the_lowest_enabled_row_is_the_line(bus_bytes: int) -> None:
    """Rows that differ in one thing, or are not enabled, are not the line; a search takes a bounded time."""

    async def script(bench: LineBench) -> None:
        await bench.write_line(0, 1, Feed.STARBASE, -5, enabled=False)
        await bench.write_line(1, 2, Feed.STARBASE, -5)
        await bench.write_line(2, 1, Feed.COINBASE_DERIVATIVES, 5)
        await bench.write_line(4, 1, Feed.STARBASE, -5)
        await bench.write_line(15, 1, Feed.STARBASE, -5)
        for venue, feed, channel in ((1, Feed.STARBASE, -5), (1, Feed.STARBASE, 5), (2, Feed.STARBASE, -5)):
            await bench.settle()
            await bench.ports.tick()
            await bench.arrive(venue, feed, Header(channel, 50, 2))
            cycles = await bench.settle()
            assert cycles <= (9 if bus_bytes == 1 else 7) + 2
            await bench.judge(venue, feed, Header(channel, 50, 2))
        await bench.write_line(4, 1, Feed.STARBASE, -5, enabled=False)
        await take(bench, 1, Feed.STARBASE, Header(-5, 50, 2))
        assert bench.lines.lines[15].expected == 52

    run(script, bus_bytes)


def test_snapshots_have_no_line() -> None:
    async def script(bench: LineBench) -> None:
        await bench.write_line(0, 0, Feed.STARBASE, 7)
        await take(bench, 0, Feed.STARBASE, Header(7, 50, 2))
        await take(bench, 0, Feed.STARBASE, Header(7, 50, 2, in_sequence=False))
        bench.check_line(0)

    run(script)


def test_a_dropped_packet_leaves_the_number_alone() -> None:
    async def script(bench: LineBench) -> None:
        await bench.write_line(0, 0, Feed.STARBASE, 7)
        await take(bench, 0, Feed.STARBASE, Header(7, 50, 2), takes=False)
        bench.check_line(0)
        bench.ports.set("accept", 1)
        bench.ports.set("is_packet", 0)
        await bench.ports.tick()
        bench.ports.set("accept", 0)
        assert not bench.ports.get("placed__valid")
        bench.check_line(0)

    run(script)


def test_a_table_that_changes_under_a_waiting_packet() -> None:
    """What the packet is when it is numbered is what the table says then."""

    async def script(bench: LineBench) -> None:
        await bench.write_line(5, 0, Feed.STARBASE, 7)
        await take(bench, 0, Feed.STARBASE, Header(7, 50, 2))
        header = Header(7, 40, 2)
        await bench.arrive(0, Feed.STARBASE, header)
        await bench.judge(0, Feed.STARBASE, header, takes=False)
        await bench.reset(0)
        await bench.judge(0, Feed.STARBASE, header)
        await bench.arrive(0, Feed.STARBASE, header)
        await bench.judge(0, Feed.STARBASE, header)
        await bench.write_line(2, 0, Feed.STARBASE, 7)
        await bench.judge(0, Feed.STARBASE, header)
        await bench.reset(NO_VENUE)
        bench.check_line(2)
        bench.check_line(5)

    run(script)


def test_packets_that_nobody_takes_overrun() -> None:
    async def script(bench: LineBench) -> None:
        ports = bench.ports
        await bench.arrive(0, Feed.STARBASE, Header(7, 40, 2))
        await bench.settle()
        ports.set("is_packet", 1)
        ports.set("accept", 1)
        for _ in range(QUEUE_DEPTH + 1):
            assert not ports.get("overrun")
            await ports.tick()
        ports.set("accept", 0)
        await ports.tick()
        assert ports.get("overrun")

    run(script)


@pytest.mark.parametrize("bus_bytes", [1, 8])
def test_random_packets(bus_bytes: int) -> None:
    """A few venues, feeds and channels that meet often, numbers near what is expected, commands in between."""
    rng = random.Random(bus_bytes)
    lines, venues, channels = 6, 3, (7, 8)

    async def packet(bench: LineBench) -> None:
        feed, venue = rng.choice(FEEDS), rng.randrange(venues)
        known = [line.expected for line in bench.lines.lines.values() if line.expected is not None]
        number = max(0, rng.choice([*known, 1 << 32, LAST_NUMBER - 70_000]) + rng.randrange(-6, 7))
        count = rng.choice((0, 1, 2, 5, 40)) if feed is not Feed.DERIBIT_LEGACY else 1
        header = Header(rng.choice(channels), number, count, rng.random() < 0.9)
        if feed is Feed.DERIBIT_LEGACY:
            header = Header(header.channel, number % (1 << 32))
        await take(bench, venue, feed, header, takes=rng.random() < 0.8)

    async def script(bench: LineBench) -> None:
        for _ in range(600):
            chance = rng.random()
            if chance < 0.08:
                fields = rng.randrange(lines), rng.randrange(venues), rng.choice(FEEDS), rng.choice(channels)
                await bench.write_line(*fields, enabled=rng.random() < 0.9)
            elif chance < 0.1:
                await bench.reset(rng.choice((*range(venues), NO_VENUE)))
            else:
                await packet(bench)
            for number in bench.lines.lines:
                bench.check_line(number)

    run(script, bus_bytes, lines=lines, venues=venues)


@pytest.mark.parametrize("lines", [1, 3, 64])
def test_other_sizes_are_hardware_too(lines: int) -> None:
    assert "module" in verilog_of(LineTable(CoreParameters(EngineSizes(lines=lines))), "lines")
