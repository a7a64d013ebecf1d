"""Messages come out once they are in, as they came in; one without room leaves nothing behind."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.control.whole_messages import WholeMessages

DEPTH = 63


def passed(messages: list[bytes], apart: int, ready_from: int = 0, ready_every: int = 1) -> tuple[list[bytes], int]:
    """What comes out, and how many were lost; a byte comes every so many cycles. Asserts that only whole ones come."""
    whole = WholeMessages(DEPTH)
    beats = [(octet, at == len(message) - 1) for message in messages for at, octet in enumerate(message)]
    out: list[bytes] = []
    lost = 0

    async def bench(ctx: Any) -> None:
        nonlocal lost
        current, ended, given = bytearray(), 0, 0
        for cycle in range(len(beats) * apart + ready_from + 400):
            is_beat = cycle % apart == 0 and cycle // apart < len(beats)
            octet, last = beats[cycle // apart] if is_beat else (0, False)
            ctx.set(whole.octets.valid, is_beat)
            ctx.set(whole.octets.payload, {"data": octet, "last": last})
            ready = cycle >= ready_from and cycle % ready_every == 0
            ctx.set(whole.whole.ready, ready)
            assert ctx.get(whole.octets.ready)
            lost += ctx.get(whole.lost)
            if ctx.get(whole.whole.valid) and ready:
                assert ended > given, "nothing of a message comes before its end"
                current.append(ctx.get(whole.whole.payload.data))
                if ctx.get(whole.whole.payload.last):
                    out.append(bytes(current))
                    current.clear()
                    given += 1
            ended += last
            await ctx.tick()
        assert not current

    simulator = Simulator(whole)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return out, lost


@pytest.mark.parametrize(("apart", "ready_every"), [(1, 1), (5, 1), (3, 2)])
def test_messages_come_whole(apart: int, ready_every: int) -> None:
    generator = random.Random(1)
    messages = [generator.randbytes(size) for size in (1, 20, 3, 17, 2)]
    assert passed(messages, apart, ready_every=ready_every) == (messages, 0)


def test_what_finds_no_room_is_lost_whole() -> None:
    generator = random.Random(2)
    messages = [generator.randbytes(size) for size in (30, 40, 33, 1, 5)]
    assert passed(messages, 1, ready_from=200) == ([messages[0], messages[2]], 3)


def test_the_longest_message_and_one_more_byte() -> None:
    fits, exceeds = bytes(range(DEPTH)), bytes(DEPTH + 1)
    assert passed([exceeds, fits, b"behind"], 4) == ([fits, b"behind"], 1)
