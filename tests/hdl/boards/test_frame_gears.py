"""Frames in beats and back: the same bytes, first and last where they belong, no byte later than the line has it."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.boards.frame_gears import FramePacker, FrameUnpacker
from hdl.parameters import CoreParameters
from tests.hdl.boards.test_rgmii import Frames

OCTETS, BEATS = CoreParameters(bus_bytes=1), CoreParameters(bus_bytes=8)
LENGTHS = [*range(41), 64, 65, 1_500]


def some_frames(lengths: list[int]) -> list[bytes]:
    generator = random.Random(5)
    return [generator.randbytes(length) for length in lengths]


def beats_of(frame: bytes) -> list[bytes]:
    return [frame[at : at + 8] for at in range(0, max(1, len(frame)), 8)]


def test_each_beat_is_there_in_the_cycle_behind_its_last_byte() -> None:
    frames = some_frames(LENGTHS)
    spoiled = {3, 17}
    seen: list[tuple[int, bytes, int, bool, bool, bool]] = []
    wanted: list[tuple[int, bytes, int, bool, bool, bool]] = []
    packer, cycle = FramePacker(OCTETS, BEATS), 0

    async def tick(ctx: Any) -> None:
        nonlocal cycle
        await ctx.tick()
        cycle += 1
        packed = packer.packed
        if ctx.get(packed.valid):
            flags = (bool(ctx.get(each)) for each in (packed.first, packed.last, packed.error))
            seen.append((cycle, ctx.get(packed.data).to_bytes(8, "little"), ctx.get(packed.count), *flags))

    async def bench(ctx: Any) -> None:
        rx = packer.rx
        for number, frame in enumerate(frames):
            begun = cycle
            beats = beats_of(frame)
            for at, beat in enumerate(beats):
                at_cycle = begun + max(1, min(len(frame), 8 * at + 8))
                is_last = at == len(beats) - 1
                flags = (at == 0, is_last, is_last and number in spoiled)
                wanted.append((at_cycle, beat.ljust(8, b"\0"), len(beat), *flags))
            for at, octet in enumerate(frame or b"x"):
                is_last = at >= len(frame) - 1
                for name, value in {
                    "valid": 1,
                    "first": at == 0,
                    "last": is_last,
                    "data": octet,
                    "count": bool(frame),
                    "error": is_last and number in spoiled,
                }.items():
                    ctx.set(getattr(rx, name), int(value))
                await tick(ctx)
            ctx.set(rx.valid, 0)
            for _ in range(number % 3):
                await tick(ctx)
        await tick(ctx)

    simulate(packer, bench)
    assert seen == wanted


@pytest.mark.parametrize("patience", [0, 3], ids=["a taker that never waits", "a taker that waits"])
def test_bytes_leave_without_a_gap_while_beats_are_there(patience: int) -> None:
    frames = some_frames([length for length in LENGTHS if length])
    spoiled = {3, 17}
    waiting = [
        (beat, at == 0, at == len(beats) - 1, number in spoiled)
        for number, frame in enumerate(frames)
        for beats in [beats_of(frame)]
        for at, beat in enumerate(beats)
    ]
    unpacker, got, gaps = FrameUnpacker(OCTETS, BEATS), Frames(), 0
    generator = random.Random(7)

    async def bench(ctx: Any) -> None:
        nonlocal gaps
        beats, tx = unpacker.beats, unpacker.tx
        while waiting or ctx.get(tx.valid):
            ctx.set(beats.valid, bool(waiting))
            if waiting:
                beat, first, last, error = waiting[0]
                fields = {"data": int.from_bytes(beat, "little"), "count": len(beat), "first": first, "last": last}
                for name, value in {**fields, "error": error and last}.items():
                    ctx.set(getattr(beats, name), int(value))
            ready = generator.randrange(patience + 1) == 0
            ctx.set(unpacker.tx_ready, ready)
            taken = bool(waiting) and ctx.get(unpacker.beats_ready)
            if ready:
                gaps += got.current is not None and not ctx.get(tx.valid)
                got.beat(tx, ctx)
            await ctx.tick()
            if taken:
                waiting.pop(0)

    simulate(unpacker, bench)
    assert got.octets == frames
    assert [number for number, error in enumerate(got.errors) if error] == sorted(spoiled)
    assert gaps == 0


def simulate(component: Any, bench: Any) -> None:
    simulator = Simulator(component)
    simulator.add_clock(8e-9)
    simulator.add_testbench(bench)
    simulator.run()
