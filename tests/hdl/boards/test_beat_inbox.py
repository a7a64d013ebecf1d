"""Control datagrams from a bus of eight bytes: those to the board as they were sent, nothing of any other frame."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from hdl.boards.beat_inbox import BEATS, BeatInbox
from hdl.parameters import CoreParameters
from market.errors import Fatal
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping
from market.fastpath.conformance.frame_builder import frame as frame_of
from tests.hdl.ethernet.receiver_bench import Line

WRAPPING = Wrapping()
PATIENCE = 6_000
"""Cycles without a byte after which an inbox has nothing left: it reads 1,500 bytes twice in that time."""


def frame(payload: bytes, **changes: Any) -> bytes:
    return frame_of(payload, dataclasses.replace(WRAPPING, **changes))


def taken(
    frames: list[bytes], *, ready_every: int = 1, hold: bool = False, patience: int = 700, **line: Any
) -> tuple[list[bytes], int]:
    """Messages that an inbox gives, and how many frames it lost; with ``hold`` none is taken until all have come."""
    inbox = BeatInbox(CoreParameters(bus_bytes=8))
    beats = [bus for bus, _ in Line(frames, **{"gap": 7, "beats_apart": 2, **line}).beats(8)]
    messages, current, lost = [], bytearray(), 0

    async def bench(ctx: Any) -> None:
        nonlocal lost
        ctx.set(inbox.address, int(ADDRESS))
        ctx.set(inbox.port, WRAPPING.port)
        cycle, idle = 0, 0
        while cycle < len(beats) or idle < patience:
            bus = beats[cycle] if cycle < len(beats) else 0
            for bit, name in enumerate(("valid", "first", "last", "error")):
                ctx.set(getattr(inbox.rx, name), bus >> bit & 1)
            ctx.set(inbox.rx.count, bus >> 4 & 15)
            ctx.set(inbox.rx.data, bus >> 8)
            ready = cycle % ready_every == 0 and (not hold or cycle >= len(beats))
            ctx.set(inbox.octets.ready, ready)
            lost += ctx.get(inbox.lost)
            valid = bool(ctx.get(inbox.octets.valid))
            if valid and ready:
                current.append(ctx.get(inbox.octets.payload.data))
                if ctx.get(inbox.octets.payload.last):
                    messages.append(bytes(current))
                    current.clear()
            idle = 0 if valid else idle + 1
            cycle += 1
            await ctx.tick()

    simulator = Simulator(inbox)
    simulator.add_clock(8e-9)
    simulator.add_testbench(bench)
    simulator.run()
    assert not current
    return messages, lost


@pytest.mark.parametrize(("ready_every", "tags"), [(1, ()), (5, (7,))], ids=["without a tag", "slowly, with a tag"])
def test_payloads_come_as_they_were_sent(ready_every: int, tags: tuple[int, ...]) -> None:
    generator = random.Random(1)
    payloads = [generator.randbytes(size) for size in (1, 8, 40, 150, 7, 2, 3, 4, 5, 6)]
    frames = [frame(payload, tags=tags) for payload in payloads]
    assert taken(frames, ready_every=ready_every) == (payloads, 0)


def test_frames_to_others_and_bad_frames_leave_nothing() -> None:
    spoiled = bytearray(frame(b"spoiled" * 9))
    spoiled[50] ^= 1
    frames = [
        frame(b"before"),
        frame(b"another port" * 5, port=WRAPPING.port + 1),
        frame(b"another host" * 5, address=int(WRAPPING.address) ^ 1),
        frame(b"a host far away" * 5, address=int(WRAPPING.address) ^ 1 << 31),
        bytes(spoiled),
        b"",
        frame(b"")[:30],
        frame(b""),
        frame(b"in error"),
        frame(b"after"),
    ]
    assert taken(frames, errors=frozenset({8})) == ([b"before", b"after"], 0)


def test_a_full_line_to_others_holds_nothing_up() -> None:
    others = [frame(bytes(18), port=WRAPPING.port + 1)] * 40
    frames = [*others, frame(b"one"), *others, frame(b"two"), *others]
    assert taken(frames) == ([b"one", b"two"], 0)


@pytest.mark.long
def test_a_frame_without_room_is_lost_whole() -> None:
    generator = random.Random(2)
    payloads = [generator.randbytes(1_400) for _ in range(3)]
    assert 2 * 1_450 < 8 * BEATS < 3 * 1_400
    small = b"still fits"
    frames = [frame(payload) for payload in [*payloads, small]]
    assert taken(frames, hold=True, patience=PATIENCE) == ([*payloads[:2], small], 1)


def test_one_width_of_bus() -> None:
    with pytest.raises(Fatal, match="8 bytes"):
        Fragment.get(BeatInbox(CoreParameters(bus_bytes=1)), None)
