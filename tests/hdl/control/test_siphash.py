"""The keyed hash gives the published values, in Python and in logic."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.control.seal import siphash
from hdl.control.siphash import SipHash
from market.errors import Rejected

KEY = bytes(range(16))
# values of appendix A of the paper (15 bytes) and of the first lengths in the authors' list
PUBLISHED = {
    0: 0x726FDB47DD0E0E31,
    1: 0x74F839C593DC67FD,
    2: 0x0D6C8009D9A94F5A,
    3: 0x85676696D7FB7E2D,
    7: 0xAB0200F58B01D137,
    8: 0x93F5F5799A932462,
    15: 0xA129CA6149BE45E5,
}


@pytest.mark.parametrize("length", PUBLISHED)
def test_published_values(length: int) -> None:
    assert siphash(KEY, bytes(range(length))) == PUBLISHED[length]


def test_a_key_has_sixteen_bytes() -> None:
    with pytest.raises(Rejected, match="key of 15 bytes"):
        siphash(KEY[:15], b"")


def test_logic_agrees_and_takes_the_cycles_it_says() -> None:
    unit = SipHash()
    lengths = [*PUBLISHED, 9, 16, 63, 64, 255, 256, 300]
    seen: dict[int, int] = {}

    async def bench(ctx: Any) -> None:
        ctx.set(unit.key, int.from_bytes(KEY, "little"))
        for length in lengths:
            data = bytes(at & 0xFF for at in range(length))
            padded = data + bytes(-(length + 1) % 8) + bytes([length & 0xFF])
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            for at in range(0, len(padded), 8):
                ctx.set(unit.word, int.from_bytes(padded[at : at + 8], "little"))
                ctx.set(unit.last, int(at + 8 == len(padded)))
                ctx.set(unit.valid, 1)
                await ctx.tick()
                ctx.set(unit.valid, 0)
                cycles = 1
                while not ctx.get(unit.ready):
                    await ctx.tick()
                    cycles += 1
                assert cycles == (14 if at + 8 == len(padded) else 6)
            assert ctx.get(unit.done)
            seen[length] = ctx.get(unit.tag)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == {length: siphash(KEY, bytes(at & 0xFF for at in range(length))) for length in lengths}
    assert {length: seen[length] for length in PUBLISHED} == PUBLISHED
