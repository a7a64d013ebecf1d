"""A core with everything around it: clock, drivers, monitors, scoreboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

from hdl.parameters import CoreParameters
from market.errors import Fatal
from market.fastpath import layout
from market.fastpath.conformance.case import Frame, Step
from market.fastpath.specification import EngineSizes
from market.fastpath.state import Counter, FrameCounter
from market.wire.sbe import decode
from sim.rtl.addresses import LOOPBACK, addresses_port
from sim.rtl.bench.back_pressure import RandomReady
from sim.rtl.bench.control_driver import ControlDriver, ControlMessage
from sim.rtl.bench.coverage import Coverage
from sim.rtl.bench.frame_driver import FrameDriver, FrameOnLine
from sim.rtl.bench.goals import Passage
from sim.rtl.bench.monitors import FrameMonitor, Monitor, StrobeMonitor, log_monitor, word_monitor
from sim.rtl.bench.scoreboard import Scoreboard
from sim.rtl.bench.sent_frames import port_of, wrong_frames
from sim.rtl.sizes import sizes_port

PERIOD_STEPS: Final = 8
FULL_LINE_GAP: Final = {1: 20, 8: 3}
FRAME_COUNTERS_AT: Final = 32
QUIET_CYCLES: Final = 8
"""So long the core must be idle for nothing to be under way."""
PATIENCE_CYCLES: Final = 10_000
"""More than any input that is under way can take."""


class CoreBench:
    """One core for all tests of a simulation; what its memories hold stays from test to test, on both sides.

    Attributes
    ----------
    scoreboard: with the CPU engine. words, log, line: monitors of what comes out.
    early: counts triggers that have passed the gate. frame_end: counts verdicts.
    rng: draws gaps and pauses.
    """

    def __init__(self, dut: Any, parameters: CoreParameters, sizes: EngineSizes, coverage: Coverage, seed: int) -> None:
        self.dut, self.parameters, self.sizes, self.coverage = dut, parameters, sizes, coverage
        self.rng = np.random.default_rng(seed)
        self.full_gap = FULL_LINE_GAP[parameters.bus_bytes]
        self.scoreboard = Scoreboard(sizes, coverage)
        self.frames = FrameDriver(dut, parameters.bus_bytes, self.scoreboard.frame_begun)
        self.control = ControlDriver(dut, self.scoreboard.control_begun)
        self.words = word_monitor(dut, self.scoreboard.sent)
        self.log = log_monitor(dut, self.scoreboard.logged)
        self.line = FrameMonitor(dut)
        self.early = StrobeMonitor(dut, dut.early)
        self.frame_end = StrobeMonitor(dut, dut.frame_end)
        self.takers = [
            RandomReady(dut.clk, ready, self.rng) for ready in (dut.words__ready, dut.log__ready, dut.tx_ready)
        ]
        self._was_reset = False

    async def start(self) -> None:
        """Clock and bus models for the present test; the first time the core is reset, too."""
        dut = self.dut
        # left alone, cocotb drives the clock from Python, which is half of all that it does
        Clock(dut.clk, PERIOD_STEPS, unit="step", impl="gpi").start()
        if not self._was_reset:
            await self._reset()
        monitors: tuple[Monitor, ...] = (self.words, self.log, self.line, self.early, self.frame_end)
        runs = [self.frames.run(), self.control.run()]
        runs += [monitor.run() for monitor in monitors] + [taker.run() for taker in self.takers]
        for run in runs:
            cocotb.start_soon(run)
        await ClockCycles(dut.clk, 2)

    async def _reset(self) -> None:
        dut = self.dut
        dut.kill.value = 0
        dut.probe_index.value = 0
        dut.time.value = 0
        dut.sizes.value = int.from_bytes(sizes_port(self.parameters, self.sizes), "little")
        dut.settings.value = int.from_bytes(addresses_port(LOOPBACK), "little")
        dut.rst.value = 1
        await ClockCycles(dut.clk, 4)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 16)
        self._was_reset = True

    def press(self, words: int = 0, log: int = 0, line: int = 0) -> None:
        """Let takers wait, so many cycles on average; 0: they are always ready."""
        for taker, mean_wait in zip(self.takers, (words, log, line), strict=True):
            taker.press(mean_wait)

    async def quiet(self) -> None:
        """Until everything has been given and nothing is under way; raises Fatal if nothing moves any more."""
        dut, idle_for, waited, seen = self.dut, 0, 0, -1
        while idle_for < QUIET_CYCLES:
            given = self.frames.idle and self.control.idle
            idle_for = idle_for + 1 if given and dut.idle.value else 0
            await ClockCycles(dut.clk, 1 if given else 10)
            moved = self.frames.given + self.control.given + self.log.passed + self.words.passed
            waited, seen = (0 if moved != seen else waited + 1), moved
            if waited == PATIENCE_CYCLES:
                stuck = [name for name in ("frames", "control") if not getattr(self, name).idle]
                raise Fatal(f"nothing has moved for {waited} cycles; still to be given: {stuck or 'nothing'}")

    async def play(self, steps: Sequence[Step], *, gap: int | None = None) -> None:
        """Inputs one after the other, frames with this gap or random ones; control waits for frames and they for it."""
        before: type | None = None
        for step in steps:
            is_frame = isinstance(step.input, Frame)
            if before is not None and before is not type(step.input) and (is_frame or before is Frame):
                await self.quiet()
                self.scoreboard.settle()
            before = type(step.input)
            if isinstance(step.input, Frame):
                space = self.full_gap + int(self.rng.integers(40)) if gap is None else gap
                self.frames.send(FrameOnLine(step.input.octets, step.at_ns, space))
            else:
                octets = step.input.payload()  # type: ignore[union-attr]
                self.control.send(ControlMessage(octets, step.at_ns, self._pauses(len(octets))))
        await self.check()

    def _pauses(self, count: int) -> tuple[tuple[int, int], ...]:
        """Up to two pauses inside a message of so many bytes."""
        drawn = self.rng.integers(1 << 16, size=(int(self.rng.integers(3)), 2)).tolist()
        return tuple((place % max(1, count), 1 + wait % 6) for place, wait in drawn)

    async def kill_pin(self) -> None:
        """Set the pin for two cycles while nothing is under way."""
        await self.quiet()
        self.dut.kill.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.kill.value = 0
        self.scoreboard.kill_pin()
        await self.quiet()

    async def check(self) -> None:
        """Wait until the core rests, and compare everything; raises AssertionError with what is different."""
        await self.quiet()
        board = self.scoreboard
        messages, log = list(board.messages), list(board.log)
        found = board.differences()
        found += wrong_frames(self.line.frames, LOOPBACK, messages, log)
        self._note_passages()
        self.line.frames.clear()
        found += await self._wrong_counters()
        engine, dut = board.engine, self.dut
        if int(dut.parity.value) != engine.parity:
            found.append(f"parity: expected {engine.parity}, seen {int(dut.parity.value)}")
        if dut.overrun.value:
            found.append("the core lost a step for want of room")
        if self.line.torn:
            found.append(f"{self.line.torn} beats of frames in wrong places")
        assert not found, "; ".join(found)

    async def _wrong_counters(self) -> list[str]:
        engine = self.scoreboard.engine
        frames = decode(layout.SCHEMA, engine.frame_counters()).fields
        wanted: list[tuple[Counter | FrameCounter, int]] = [*zip(Counter, engine.counters.values(), strict=True)]
        wanted += zip(FrameCounter, list(frames.values())[1:], strict=True)
        found = []
        for counter, expected in wanted:
            position = counter + (FRAME_COUNTERS_AT if isinstance(counter, FrameCounter) else 0)
            seen = await self.probe(position)
            if seen != expected:
                found.append(f"counter {counter.name}: expected {expected}, seen {seen}")
        return found

    async def probe(self, position: int) -> int:
        """A counter of the core."""
        self.dut.probe_index.value = position
        await ClockCycles(self.dut.clk, 2)
        return int(self.dut.probe_value.value)

    def _note_passages(self) -> None:
        seen = {
            Passage.WORDS_WAITED: self.words.waited,
            Passage.LOG_WAITED: self.log.waited,
            Passage.LINE_WAITED: self.line.waited,
        }
        seen[Passage.LOG_SPOILED] = sum(
            frame.error and port_of(frame.octets) == LOOPBACK.log_port for frame in self.line.frames
        )
        for passage, cycles in seen.items():
            if cycles:
                self.coverage.hit("passage", passage.value, cycles)
        self.words.waited = self.log.waited = self.line.waited = 0
