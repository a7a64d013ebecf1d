"""Frames on the lines of RGMII: what is sent is received, with preamble, gap and errors where they belong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Module
from amaranth.sim import Simulator

from hdl.boards.rgmii import GAP_BYTES, PREAMBLE, PREAMBLE_BYTES, START_OF_FRAME, RgmiiReceiver, RgmiiTransmitter
from hdl.parameters import CoreParameters

PARAMETERS = CoreParameters(bus_bytes=1)
HEAD = bytes([PREAMBLE] * PREAMBLE_BYTES + [START_OF_FRAME])


@dataclass
class Cycle:
    """One cycle of the lines: a byte, whether it is valid, whether it is in error."""

    octet: int = 0
    valid: bool = False
    error: bool = False


@dataclass
class Frames:
    """Frames as they came over a bus; ``errors`` are those whose last beat said so."""

    octets: list[bytes] = field(default_factory=list)
    errors: list[bool] = field(default_factory=list)
    current: bytearray | None = None

    def beat(self, bus: Any, ctx: Any) -> None:
        if not ctx.get(bus.valid):
            return
        assert bool(ctx.get(bus.first)) == (self.current is None)
        self.current = bytearray() if self.current is None else self.current
        self.current += bytes([ctx.get(bus.data)][: ctx.get(bus.count)])
        if ctx.get(bus.last):
            self.octets.append(bytes(self.current))
            self.errors.append(bool(ctx.get(bus.error)))
            self.current = None


def carrier(octets: bytes, errors: frozenset[int] = frozenset(), gap: int = GAP_BYTES) -> list[Cycle]:
    return [Cycle(octet, True, at in errors) for at, octet in enumerate(octets)] + [Cycle()] * gap


def received(cycles: list[Cycle]) -> tuple[Frames, int]:
    """What a receiver makes of the lines, and its count of errors."""
    receiver, frames, counted = RgmiiReceiver(PARAMETERS), Frames(), 0

    async def bench(ctx: Any) -> None:
        nonlocal counted
        for cycle in [*cycles, *[Cycle()] * 4]:
            ctx.set(receiver.line.low, cycle.octet & 15)
            ctx.set(receiver.line.high, cycle.octet >> 4)
            ctx.set(receiver.line.valid, cycle.valid)
            ctx.set(receiver.line.error, cycle.valid ^ cycle.error)
            frames.beat(receiver.rx, ctx)
            await ctx.tick()
        counted = ctx.get(receiver.errors)

    simulate(receiver, bench)
    return frames, counted


def simulate(component: Any, bench: Any) -> None:
    simulator = Simulator(component)
    simulator.add_clock(8e-9)
    simulator.add_testbench(bench)
    simulator.run()


def sent(frames: list[bytes], spoiled: frozenset[int] = frozenset()) -> list[Cycle]:
    """The lines while a transmitter sends frames that always wait for it."""
    transmitter, cycles = RgmiiTransmitter(PARAMETERS), []
    waiting = [
        (octet, at == 0, at == len(frame) - 1, number in spoiled)
        for number, frame in enumerate(frames)
        for at, octet in enumerate(frame)
    ]

    async def bench(ctx: Any) -> None:
        tx, idle = transmitter.tx, 0
        while idle < 2 * GAP_BYTES:
            ctx.set(tx.valid, bool(waiting))
            if waiting:
                octet, first, last, error = waiting[0]
                for name, value in (("data", octet), ("first", first), ("last", last), ("error", error and last)):
                    ctx.set(getattr(tx, name), value)
                ctx.set(tx.count, 1)
            passes = bool(waiting) and ctx.get(transmitter.ready)
            line = transmitter.line
            valid = bool(ctx.get(line.valid))
            octet = ctx.get(line.low) | ctx.get(line.high) << 4
            cycles.append(Cycle(octet, valid, valid != bool(ctx.get(line.error))))
            idle = 0 if waiting or valid else idle + 1
            await ctx.tick()
            if passes:
                waiting.pop(0)

    simulate(transmitter, bench)
    return cycles


def carriers(cycles: list[Cycle]) -> tuple[list[list[Cycle]], list[int]]:
    """The stretches of valid cycles, and the idle cycles between them."""
    found: list[list[Cycle]] = []
    gaps, idle = [], 0
    for cycle in cycles:
        if cycle.valid:
            if idle or not found:
                gaps.append(idle)
                found.append([])
            found[-1].append(cycle)
            idle = 0
        else:
            idle += 1
    return found, gaps[1:]


def some_frames(seed: int) -> list[bytes]:
    generator = random.Random(seed)
    return [generator.randbytes(generator.choice((1, 2, 60, 64, 130))) for _ in range(12)] + [HEAD + HEAD]


def test_bytes_between_start_of_frame_and_end_of_carrier_are_the_frame() -> None:
    frames = some_frames(1)
    got, errors = received([cycle for frame in frames for cycle in carrier(HEAD + frame)])
    assert got.octets == frames
    assert got.errors == [False] * len(frames)
    assert errors == 0


@pytest.mark.parametrize("preamble_bytes", [0, 1, 6, 7, 15])
def test_a_preamble_of_any_length(preamble_bytes: int) -> None:
    got, errors = received(carrier(bytes([PREAMBLE] * preamble_bytes + [START_OF_FRAME]) + b"frame"))
    assert (got.octets, errors) == ([b"frame"], 0)


def test_frames_with_one_idle_cycle_between_them() -> None:
    got, _ = received([cycle for frame in (b"first", b"second") for cycle in carrier(HEAD + frame, gap=1)])
    assert got.octets == [b"first", b"second"]


def test_a_frame_without_bytes() -> None:
    got, errors = received(carrier(HEAD) + carrier(HEAD + b"next"))
    assert (got.octets, errors) == ([b"", b"next"], 0)


def test_a_carrier_without_a_start_of_frame_is_counted_and_no_frame() -> None:
    got, errors = received(carrier(bytes([PREAMBLE] * 20)) + carrier(HEAD + b"frame"))
    assert (got.octets, errors) == ([b"frame"], 1)


@pytest.mark.parametrize("at", [0, len(HEAD) - 1, len(HEAD), len(HEAD) + 2, len(HEAD) + 4])
def test_an_error_anywhere_in_the_carrier_marks_its_frame_and_no_other(at: int) -> None:
    cycles = carrier(HEAD + b"first", frozenset({at})) + carrier(HEAD + b"other")
    got, errors = received(cycles)
    assert got.octets == [b"first", b"other"]
    assert got.errors == [True, False]
    assert errors == 1


def test_what_is_sent_has_a_preamble_and_the_least_gap() -> None:
    frames = some_frames(2)
    found, gaps = carriers(sent(frames))
    assert [bytes(cycle.octet for cycle in one) for one in found] == [HEAD + frame for frame in frames]
    assert gaps == [GAP_BYTES] * (len(frames) - 1)
    assert not any(cycle.error for one in found for cycle in one)


def test_a_spoiled_frame_is_in_error_on_its_last_byte_alone() -> None:
    found, _ = carriers(sent([b"good", b"spoiled", b"good"], frozenset({1})))
    assert [[cycle.error for cycle in one].count(True) for one in found] == [0, 1, 0]
    assert found[1][-1].error


def test_the_preamble_begins_in_the_cycle_after_the_first_beat() -> None:
    assert [cycle.valid for cycle in sent([b"frame"])[:3]] == [False, True, True]


def test_what_a_transmitter_sends_a_receiver_reads() -> None:
    module = Module()
    module.submodules.transmitter = transmitter = RgmiiTransmitter(PARAMETERS)
    module.submodules.receiver = receiver = RgmiiReceiver(PARAMETERS)
    module.d.comb += receiver.line.eq(transmitter.line)
    frames, got = some_frames(3), Frames()

    async def bench(ctx: Any) -> None:
        tx = transmitter.tx
        ctx.set(tx.count, 1)
        for frame in frames:
            for at, octet in enumerate(frame):
                for name, value in (("valid", 1), ("data", octet), ("last", at == len(frame) - 1)):
                    ctx.set(getattr(tx, name), value)
                passes = False
                while not passes:
                    passes = bool(ctx.get(transmitter.ready))
                    got.beat(receiver.rx, ctx)
                    await ctx.tick()
        ctx.set(tx.valid, 0)
        for _ in range(GAP_BYTES):
            got.beat(receiver.rx, ctx)
            await ctx.tick()

    simulate(module, bench)
    assert got.octets == frames
    assert not any(got.errors)
