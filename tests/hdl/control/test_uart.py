"""Messages arrive over a serial line as they were sent, whatever bytes they have; noise costs a message at most."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

import numpy as np
from amaranth.sim import Simulator

from hdl.control.stuffing import stuffed
from hdl.control.uart import QUEUE_DEPTH, SerialMessages, SerialReceiver, Unstuffer
from market.errors import Fatal

RUNS = (0, 1, 2, 253, 254, 255, 508, 509)
MESSAGES = [
    b"\x01",
    b"\0",
    b"\0\0",
    b"\x11\0\x22",
    *(bytes([7]) * run + tail for run in RUNS for tail in (b"", b"\0", b"\0\x09") if run or tail),
]


def unstuffed(line: bytes, ready_every: int = 1) -> list[bytes]:
    """What comes out for stuffed bytes, one every fourth cycle; the taker is ready every so many cycles."""
    unit = Unstuffer()
    found: list[bytes] = []

    async def bench(ctx: Any) -> None:
        message = b""
        for cycle in range(4 * len(line) + 2 * QUEUE_DEPTH * ready_every):
            at, gap = divmod(cycle, 4)
            ctx.set(unit.valid, int(gap == 0 and at < len(line)))
            ctx.set(unit.octet, line[at] if at < len(line) else 0)
            ctx.set(unit.octets.ready, int(cycle % ready_every == 0))
            if ctx.get(unit.octets.valid) and ctx.get(unit.octets.ready):
                octet = ctx.get(unit.octets.payload)
                message += bytes([octet.data])
                if octet.last:
                    found.append(message)
                    message = b""
            await ctx.tick()
        assert message == b""

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def test_a_stuffed_message_has_one_zero_at_its_end() -> None:
    for message in MESSAGES:
        assert stuffed(message).index(0) == len(stuffed(message)) - 1
    assert stuffed(b"\x11\x22\0\x33") == b"\x03\x11\x22\x02\x33\0"


def test_every_message_comes_out_as_it_was() -> None:
    assert unstuffed(b"".join(map(stuffed, MESSAGES))) == MESSAGES


def test_random_messages_to_a_slow_taker() -> None:
    draw = np.random.default_rng(2)
    messages = [bytes(draw.integers(0, 3, int(draw.integers(1, 40)), dtype=np.uint8)) for _ in range(30)]
    assert unstuffed(b"".join(map(stuffed, messages)), ready_every=3) == messages


def test_a_cut_message_ends_at_the_next_zero_and_nothing_else_suffers() -> None:
    line = stuffed(b"\x05\x06\x07\x08")[:3] + b"\0" + b"\0\0" + stuffed(b"next")
    assert unstuffed(line) == [b"\x05\x06", b"next"]


def wave(octets: bytes, divisor: int, stop: int = 1) -> list[int]:
    """The line's level per cycle."""
    levels = [1] * 2 * divisor
    for octet in octets:
        for bit in (0, *(octet >> at & 1 for at in range(8)), stop):
            levels += [bit] * divisor
    return levels + [1] * 4 * divisor


def received(levels: list[int], divisor: int) -> bytes:
    unit = SerialReceiver(divisor)
    found = bytearray()

    async def bench(ctx: Any) -> None:
        for level in levels:
            ctx.set(unit.line, level)
            await ctx.tick()
            if ctx.get(unit.valid):
                found.append(ctx.get(unit.octet))

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return bytes(found)


@pytest.mark.parametrize("divisor", [4, 5, 43])
def test_bytes_of_a_line(divisor: int) -> None:
    octets = bytes([0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80])
    assert received(wave(octets, divisor), divisor) == octets


def test_a_line_that_is_four_percent_fast_or_slow_is_read() -> None:
    octets = bytes(range(0, 256, 25))
    for actual in (48, 52):
        assert received(wave(octets, actual), 50) == octets


def test_no_stop_bit_no_byte_and_a_short_fall_is_no_start() -> None:
    assert received([1] * 20 + [0] * 3 + [1] * 200 + wave(b"\x42", 16), 16) == b"\x42"
    assert received(wave(b"\x7e", 16, stop=0)[: 2 * 16 + 10 * 16] + [1] * 400, 16) == b""


def test_a_bit_needs_four_cycles() -> None:
    with pytest.raises(Fatal, match="3 clock cycles"):
        Simulator(SerialReceiver(3))


def test_messages_over_the_line() -> None:
    unit = SerialMessages(4)
    messages = [b"\0\x01\x02\0", b"\xff" * 20]
    levels = wave(b"".join(map(stuffed, messages)), 4)
    found: list[bytes] = []

    async def bench(ctx: Any) -> None:
        message = b""
        ctx.set(unit.octets.ready, 1)
        for level in levels:
            ctx.set(unit.line, level)
            if ctx.get(unit.octets.valid):
                octet = ctx.get(unit.octets.payload)
                message += bytes([octet.data])
                if octet.last:
                    found.append(message)
                    message = b""
            await ctx.tick()

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert found == messages
