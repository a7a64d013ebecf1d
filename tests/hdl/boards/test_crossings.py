"""Between two clocks of any ratio and phase nothing is lost, changed or turned round, and a line's rate is held."""

from __future__ import annotations

import random
from ipaddress import IPv4Address
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hdl.boards.crossings import CountCrossing, FrameCrossing
from hdl.boards.line_side import LineSide
from hdl.boards.network import BoardNetwork
from hdl.parameters import CoreParameters
from tests.hdl.boards.test_rgmii import HEAD, Cycle, Frames, carrier, carriers

BEATS = CoreParameters(bus_bytes=8)
NETWORK = BoardNetwork(address=IPv4Address("10.1.2.3"), host=IPv4Address("10.1.2.4"))
LINE_PS = 8_000
CORE_CLOCKS = {
    "in step": (16_000, 0),
    "in step, a phase of 1 ns": (16_000, 1_000),
    "in step, a phase of 7 ns": (16_000, 7_000),
    "200 ppm slower": (16_003, 500),
    "200 ppm faster": (15_997, 2_500),
    "nothing in common": (13_331, 100),
    "50 MHz, 200 ppm slower": (20_004, 500),
}
"""Period and phase of the core's clock, in ps, beside one of 8 ns."""
each_clock = pytest.mark.parametrize(("period_ps", "phase_ps"), CORE_CLOCKS.values(), ids=CORE_CLOCKS)


class Board(wiring.Component):
    """The line's side, and a core's ports behind the crossings."""

    def __init__(self) -> None:
        self.line = LineSide(NETWORK, BEATS)
        self.came = FrameCrossing(BEATS, 16, written="line", read="sync")
        self.leaves = FrameCrossing(BEATS, 4, written="sync", read="line")
        self.errors = CountCrossing(32, written="line", read="sync")
        super().__init__({})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.line = DomainRenamer("line")(self.line)
        m.submodules.came, m.submodules.leaves, m.submodules.errors = self.came, self.leaves, self.errors
        wiring.connect(m, self.line.rx, self.came.before)
        wiring.connect(m, self.leaves.after, self.line.tx)
        m.d.comb += [
            self.came.after_ready.eq(1),
            self.leaves.after_ready.eq(self.line.tx_ready),
            self.errors.before.eq(self.line.errors),
        ]
        return m


class StoppableBoard(Board):
    """The same with the line's clock as a signal."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Signal()

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.domains.line = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal("line").eq(self.clock)
        return m


def simulator_of(board: Board, period_ps: int, phase_ps: int) -> Simulator:
    simulator = Simulator(board)
    simulator.add_clock(LINE_PS * 1e-12, domain="line")
    simulator.add_clock(period_ps * 1e-12, phase=phase_ps * 1e-12, domain="sync")
    return simulator


class WideFrames(Frames):
    """Frames as they come in beats."""

    def beat(self, bus: Any, ctx: Any) -> None:
        if not ctx.get(bus.valid):
            return
        assert bool(ctx.get(bus.first)) == (self.current is None)
        octets = ctx.get(bus.data).to_bytes(8, "little")
        self.current = (self.current or bytearray()) + octets[: ctx.get(bus.count)]
        if ctx.get(bus.last):
            self.octets.append(bytes(self.current))
            self.errors.append(bool(ctx.get(bus.error)))
            self.current = None


@each_clock
def test_a_full_line_of_frames_arrives(period_ps: int, phase_ps: int) -> None:
    generator = random.Random(period_ps)
    frames = [generator.randbytes(64) for _ in range(30)] + [generator.randbytes(n) for n in range(1, 40)]
    cycles = [cycle for frame in frames for cycle in carrier(HEAD + frame)]
    cycles += [*carrier(HEAD + b"in error", frozenset({10})), *carrier(HEAD + b"good"), *[Cycle()] * 40]
    board, got, errors = Board(), WideFrames(), 0
    done = False

    async def line(ctx: Any) -> None:
        nonlocal done
        for cycle in cycles:
            put(ctx, board.line.received, cycle)
            await ctx.tick("line")
        done = True

    async def core(ctx: Any) -> None:
        nonlocal errors
        while not done:
            got.beat(board.came.after, ctx)
            await ctx.tick()
        errors = ctx.get(board.errors.after)

    simulator = simulator_of(board, period_ps, phase_ps)
    simulator.add_testbench(line)
    simulator.add_testbench(core)
    simulator.run()
    assert got.octets == [*frames, b"in error", b"good"]
    assert [frame for frame, error in zip(got.octets, got.errors, strict=True) if error] == [b"in error"]
    assert errors == 1


@each_clock
def test_what_the_core_sends_leaves_without_a_gap_in_a_frame(period_ps: int, phase_ps: int) -> None:
    generator = random.Random(period_ps)
    frames = [generator.randbytes(generator.choice((6, 60, 62, 70, 166))) for _ in range(25)]
    spoiled = {4, 9}
    board, cycles = Board(), []
    done = False

    async def core(ctx: Any) -> None:
        nonlocal done
        bus = board.leaves.before
        for number, frame in enumerate(frames):
            for at in range(0, len(frame), 8):
                beat = frame[at : at + 8]
                is_last = at + 8 >= len(frame)
                for name, value in {
                    "valid": 1,
                    "first": at == 0,
                    "last": is_last,
                    "data": int.from_bytes(beat, "little"),
                    "count": len(beat),
                    "error": is_last and number in spoiled,
                }.items():
                    ctx.set(getattr(bus, name), int(value))
                while not ctx.get(board.leaves.before_ready):
                    await ctx.tick()
                await ctx.tick()
            ctx.set(bus.valid, 0)
            for _ in range(generator.choice((0, 1, 80))):
                await ctx.tick()
        for _ in range(300):
            await ctx.tick()
        done = True

    async def line(ctx: Any) -> None:
        while not done:
            sent = board.line.sent
            octet, valid = ctx.get(sent.low) | ctx.get(sent.high) << 4, bool(ctx.get(sent.valid))
            cycles.append(Cycle(octet, valid, valid != bool(ctx.get(sent.error))))
            await ctx.tick("line")

    simulator = simulator_of(board, period_ps, phase_ps)
    simulator.add_testbench(core)
    simulator.add_testbench(line)
    simulator.run()
    found, gaps = carriers(cycles)
    assert [bytes(cycle.octet for cycle in one) for one in found] == [HEAD + frame for frame in frames]
    assert [[cycle.error for cycle in one].count(True) for one in found] == [n in spoiled for n in range(len(frames))]
    assert min(gaps) == 12


def test_a_line_that_stands_still_within_a_frame_goes_on_where_it_was() -> None:
    board, got, frame = StoppableBoard(), WideFrames(), bytes(range(100))
    cycles = [*carrier(HEAD + frame), *[Cycle()] * 40]

    async def line(ctx: Any) -> None:
        for number, cycle in enumerate(cycles):
            if number == 50:
                await ctx.delay(1e-5)
            await ctx.delay(4e-9)
            ctx.set(board.clock, 1)
            await ctx.delay(4e-9)
            ctx.set(board.clock, 0)
            put(ctx, board.line.received, cycle)

    async def core(ctx: Any) -> None:
        for _ in range(1_000):
            got.beat(board.came.after, ctx)
            await ctx.tick()

    simulator = Simulator(board)
    simulator.add_clock(16e-9)
    simulator.add_testbench(line)
    simulator.add_testbench(core)
    simulator.run()
    assert got.octets == [frame]


def put(ctx: Any, line: Any, cycle: Cycle) -> None:
    ctx.set(line.low, cycle.octet & 15)
    ctx.set(line.high, cycle.octet >> 4)
    ctx.set(line.valid, cycle.valid)
    ctx.set(line.error, cycle.valid ^ cycle.error)
