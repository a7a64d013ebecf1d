"""Control datagrams over the line: those to the board's port as they were sent, nothing of any other."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from hdl.ethernet.inbox import DEPTH, Inbox
from hdl.parameters import CoreParameters
from market.errors import Fatal
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping
from market.fastpath.conformance.frame_builder import frame as frame_of
from tests.hdl.ethernet.receiver_bench import Line

WRAPPING = Wrapping()


def frame(payload: bytes, **changes: Any) -> bytes:
    return frame_of(payload, dataclasses.replace(WRAPPING, **changes))


def taken(frames: list[bytes], *, ready_every: int = 1, hold: bool = False) -> tuple[list[bytes], int]:
    """Messages that an inbox gives, and how many it lost; with ``hold`` none is taken until all frames are over."""
    inbox = Inbox(CoreParameters(bus_bytes=1))
    beats = [bus for bus, _ in Line(frames, gap=20).beats(1)]
    messages, current, lost = [], bytearray(), 0

    async def bench(ctx: Any) -> None:
        nonlocal lost
        ctx.set(inbox.address, int(ADDRESS))
        ctx.set(inbox.port, WRAPPING.port)
        cycle, idle = 0, 0
        while cycle < len(beats) or idle < 8:
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


@pytest.mark.parametrize("ready_every", [1, 5])
def test_payloads_come_as_they_were_sent(ready_every: int) -> None:
    generator = random.Random(1)
    payloads = [generator.randbytes(size) for size in (1, 8, 40, 300, 7)]
    assert taken([frame(payload) for payload in payloads], ready_every=ready_every) == (payloads, 0)


def test_frames_to_others_and_bad_frames_leave_nothing() -> None:
    spoiled = bytearray(frame(b"spoiled" * 9))
    spoiled[50] ^= 1
    frames = [
        frame(b"before"),
        frame(b"another port" * 5, port=WRAPPING.port + 1),
        bytes(spoiled),
        frame(b"")[:30],
        frame(b""),
        frame(b"after"),
    ]
    assert taken(frames) == ([b"before", b"after"], 0)


def test_a_datagram_without_room_is_lost_whole() -> None:
    generator = random.Random(2)
    payloads = [generator.randbytes(1_400) for _ in range(3)]
    assert 2 * 1_400 < DEPTH < 3 * 1_400
    small = b"still fits"
    assert taken([frame(payload) for payload in [*payloads, small]], hold=True) == ([*payloads[:2], small], 1)


def test_one_width_of_bus() -> None:
    with pytest.raises(Fatal, match="1 byte"):
        Fragment.get(Inbox(CoreParameters(bus_bytes=8)), None)
