"""Between two clocks of any ratio and phase nothing is lost, changed or turned round, and a line's rate is held."""

from __future__ import annotations

import random
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hdl.boards.crossings import CountCrossing, FrameCrossing
from hdl.boards.line_side import LineSide
from hdl.boards.narrow_line import NarrowLine
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
SHORT_OF_NARROW = ("in step, a phase of 7 ns", "50 MHz, 200 ppm slower")
"""Clocks that the second form is tried with when time is short."""


class Board(wiring.Component):
    """The line's side, and a core's ports behind the crossings."""

    def __init__(self) -> None:
        self.line = LineSide(NETWORK, BEATS)
        self.came = FrameCrossing(BEATS, 16, written="line", read="sync")
        self.leaves = FrameCrossing(BEATS, 4, written="sync", read="line")
        self.counted = CountCrossing(32, written="line", read="sync")
        super().__init__({})

    @property
    def ports(self) -> Ports:
        """Of the line and of the core."""
        leaves = self.leaves
        return Ports(
            self.line.received, self.line.sent, self.came.after, leaves.before, leaves.before_ready, self.counted.after
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.line = DomainRenamer("line")(self.line)
        m.submodules.came, m.submodules.leaves, m.submodules.counted = self.came, self.leaves, self.counted
        wiring.connect(m, self.line.rx, self.came.before)
        wiring.connect(m, self.leaves.after, self.line.tx)
        m.d.comb += [
            self.came.after_ready.eq(1),
            self.leaves.after_ready.eq(self.line.tx_ready),
            self.counted.before.eq(self.line.errors),
        ]
        return m


class NarrowBoard(wiring.Component):
    """The same of a device that is nearly full."""

    def __init__(self) -> None:
        self.narrow = NarrowLine("line")
        super().__init__({})

    @property
    def ports(self) -> Ports:
        """Of the line and of the core."""
        narrow = self.narrow
        return Ports(narrow.received, narrow.sent, narrow.rx, narrow.tx, narrow.tx_ready, narrow.errors)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.narrow = self.narrow
        return m


@dataclass
class Ports:
    """A line on one side, a core's frames on the other."""

    received: Any
    sent: Any
    came: Any
    leaves: Any
    leaves_ready: Any
    errors: Any


class Stoppable(wiring.Component):
    """A board with the line's clock as a signal."""

    def __init__(self, board: Board | NarrowBoard) -> None:
        self.board, self.clock = board, Signal()
        super().__init__({})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.board = self.board
        m.domains.line = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal("line").eq(self.clock)
        return m


Form = type[Board] | type[NarrowBoard]
FORMS: dict[str, Form] = {"bytes in, beats over": Board, "words over": NarrowBoard}
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
each_form_and_clock = pytest.mark.parametrize(
    ("form", "period_ps", "phase_ps"),
    [
        pytest.param(
            *(form, *clock),
            id=f"{name}, {ratio}",
            marks=[pytest.mark.long] if form is NarrowBoard and ratio not in SHORT_OF_NARROW else [],
        )
        for name, form in FORMS.items()
        for ratio, clock in CORE_CLOCKS.items()
    ],
)


def simulator_of(board: Board | NarrowBoard, period_ps: int, phase_ps: int) -> Simulator:
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


@each_form_and_clock
def test_a_full_line_of_frames_arrives(form: Form, period_ps: int, phase_ps: int) -> None:
    generator = random.Random(period_ps)
    frames = [generator.randbytes(64) for _ in range(30)] + [generator.randbytes(n) for n in range(1, 40)]
    cycles = [cycle for frame in frames for cycle in carrier(HEAD + frame)]
    cycles += [*carrier(HEAD + b"in error", frozenset({10})), *carrier(HEAD + b"good"), *[Cycle()] * 40]
    board, got, errors = form(), WideFrames(), 0
    ports = board.ports
    done = False

    async def line(ctx: Any) -> None:
        nonlocal done
        for cycle in cycles:
            put(ctx, ports.received, cycle)
            await ctx.tick("line")
        done = True

    async def core(ctx: Any) -> None:
        nonlocal errors
        while not done:
            got.beat(ports.came, ctx)
            await ctx.tick()
        errors = ctx.get(ports.errors)

    simulator = simulator_of(board, period_ps, phase_ps)
    simulator.add_testbench(line)
    simulator.add_testbench(core)
    simulator.run()
    assert got.octets == [*frames, b"in error", b"good"]
    assert [frame for frame, error in zip(got.octets, got.errors, strict=True) if error] == [b"in error"]
    assert errors == 1


@each_form_and_clock
def test_what_the_core_sends_leaves_without_a_gap_in_a_frame(form: Form, period_ps: int, phase_ps: int) -> None:
    generator = random.Random(period_ps)
    frames = [generator.randbytes(generator.choice((5, 6, 60, 61, 63, 64, 65, 70, 166))) for _ in range(25)]
    spoiled = {4, 9}
    board, cycles = form(), list[Cycle]()
    ports = board.ports
    done = False

    async def core(ctx: Any) -> None:
        nonlocal done
        bus = ports.leaves
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
                while not ctx.get(ports.leaves_ready):
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
            sent = ports.sent
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


@each_form
def test_a_line_that_stands_still_within_a_frame_goes_on_where_it_was(form: Form) -> None:
    board, got, frame = form(), WideFrames(), bytes(range(100))
    ports, stoppable = board.ports, Stoppable(board)
    cycles = [*carrier(HEAD + frame), *[Cycle()] * 40]

    async def line(ctx: Any) -> None:
        for number, cycle in enumerate(cycles):
            if number == 50:
                await ctx.delay(1e-5)
            await ctx.delay(4e-9)
            ctx.set(stoppable.clock, 1)
            await ctx.delay(4e-9)
            ctx.set(stoppable.clock, 0)
            put(ctx, ports.received, cycle)

    async def core(ctx: Any) -> None:
        for _ in range(1_000):
            got.beat(ports.came, ctx)
            await ctx.tick()

    simulator = Simulator(stoppable)
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
