"""What both inboxes of control datagrams are tried with: frames to a board, and who takes what they hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from amaranth.sim import Simulator

from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping
from market.fastpath.conformance.frame_builder import frame as frame_of

WRAPPING = Wrapping()


def frame(payload: bytes, **changes: Any) -> bytes:
    """A frame to the board, but for the changes."""
    return frame_of(payload, dataclasses.replace(WRAPPING, **changes))


def messages_of(
    inbox: Any, beats: Sequence[int], patience: int, *, ready_every: int = 1, hold: bool = False
) -> tuple[list[bytes], int]:
    """Messages that an inbox gives, and how many frames it lost; with ``hold`` none is taken until all have come.

    Parameters
    ----------
    beats: the frame bus, a number a cycle, as ``Line.beats``. patience: cycles without a byte after which it has none.
    """
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
