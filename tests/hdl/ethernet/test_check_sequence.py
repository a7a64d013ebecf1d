"""The remainder of the check sequence, against the standard library's CRC-32."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hdl.ethernet.check_sequence import GOOD_REMAINDER, INITIAL_REMAINDER, good_remainder, next_remainder


def after(octets: bytes) -> int:
    return zlib.crc32(octets) ^ 0xFFFF_FFFF


@pytest.mark.parametrize("octets_at_once", [1, 2, 4, 8])
def test_the_next_remainder_is_that_of_the_longer_message(octets_at_once: int) -> None:
    remainder, octets, result = Signal(32), Signal(8 * octets_at_once), Signal(32)
    module = Module()
    module.d.comb += result.eq(next_remainder(remainder, octets))
    generator = random.Random(octets_at_once)

    async def bench(ctx: Any) -> None:
        for _ in range(20):
            start = generator.randbytes(generator.randrange(9))
            more = generator.randbytes(octets_at_once)
            ctx.set(remainder, after(start))
            ctx.set(octets, int.from_bytes(more, "little"))
            await ctx.delay(1e-9)
            assert ctx.get(result) == after(start + more)

    simulator = Simulator(module)
    simulator.add_testbench(bench)
    simulator.run()


def test_a_message_with_its_check_sequence_ends_in_one_remainder() -> None:
    message = b"123456789"
    whole = message + zlib.crc32(message).to_bytes(4, "little")
    assert after(b"") == INITIAL_REMAINDER
    assert after(whole) == GOOD_REMAINDER
    assert [after(whole + bytes(n)) for n in range(8)] == [good_remainder(n) for n in range(8)]


@pytest.mark.parametrize("bits", [0, 7, 72])
def test_only_whole_bytes_up_to_a_word(bits: int) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        next_remainder(Signal(32), Signal(bits))
