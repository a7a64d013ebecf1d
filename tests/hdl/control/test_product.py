"""The serial product is on the right side of its bound."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

import numpy as np
from amaranth.sim import Simulator

from hdl.control.product import ProductOrder

P = (1 << 48) - 1
CASES = [
    (P, P, P * P),
    (P, P, P * P - 1),
    (P, P, P * P + 1),
    (P, P, (1 << 96) - 1),
    (0, P, 0),
    (P, 0, 1 << 64),
    ((1 << 56) - 1, 62, 62 * ((1 << 56) - 1)),
    ((1 << 56) - 1, 62, (1 << 56) - 1),
    (2_048, 62, 62 * 2_048 + 1),
    (5, 1, 4),
    (3, 1, (1 << 63) + 3),
]


def drawn(count: int) -> list[tuple[int, int, int]]:
    """Random factors with bounds at and around their product."""
    draw = np.random.default_rng(4)
    found = []
    for _ in range(count):
        one, other = (int(draw.integers(1 << int(draw.integers(1, 48)))) for _ in range(2))
        found.append((one, other, max(0, one * other + int(draw.integers(-2, 3)))))
    return found


def test_products_against_bounds() -> None:
    order = ProductOrder()
    cases = CASES + drawn(60)

    async def load(ctx: Any, strobe: Any, value: int) -> None:
        ctx.set(order.value, value)
        ctx.set(strobe, 1)
        await ctx.tick()
        ctx.set(strobe, 0)

    async def bench(ctx: Any) -> None:
        for multiplicand, multiplier, bound in cases:
            high, low = divmod(bound, 1 << 64)
            wide = high > 0 or multiplicand * multiplier >= 1 << 64
            await load(ctx, order.load_multiplicand, multiplicand)
            await load(ctx, order.load_multiplier, multiplier)
            await load(ctx, order.load_bound, low)
            if wide:
                await load(ctx, order.load_bound_high, high)
            await load(ctx, order.start, 0)
            cycles = 1
            while not ctx.get(order.done):
                await ctx.tick()
                cycles += 1
            assert cycles == (97 if wide else 65)
            product = multiplicand * multiplier
            assert (ctx.get(order.above), ctx.get(order.below)) == (product > bound, product < bound)
            await ctx.tick()
            assert not ctx.get(order.done)

    simulator = Simulator(order)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
