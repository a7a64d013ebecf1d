"""Checks of the grid's own kernels, on any device."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu.classification import Rule
from gpu.columns import Floats, Integers, Sides, Trades
from gpu.grid_cuda import GridKernels
from gpu.grid_judgement import CompiledTools
from gpu.trade_sides import classify


def prices_with_rests(count: int, seed: int = 4) -> Integers:
    """Prices that stand still for long stretches, longer than a warp and a block now and then."""
    random = np.random.default_rng(seed)
    moves = np.where(random.random(count) < 0.004, random.integers(-2, 3, count), 0)
    moves[: count // 2] = random.integers(-1, 2, count // 2)
    prices: Integers = 10_000 + np.cumsum(moves)
    return prices


def check_tick_sides(kernels: GridKernels, count: int) -> None:
    """Sides by the kernels are those of the rule, with and without a price before."""
    prices = prices_with_rests(count)
    ones = np.ones(count, dtype=np.int64)
    expected = classify(Trades(times_ns=np.arange(count), prices=prices, quantities=ones), Rule.TICK, backend="numpy")
    first, second = 0, count // 2 + 1
    for price, side, start in ((0, 0, first), (int(prices[second - 1]), int(expected[second - 1]), second)):
        found = _host(kernels.tick_sides(kernels.xp.asarray(prices[start:]), price, side))
        np.testing.assert_array_equal(found, expected[start:])


def check_entry_sums(kernels: GridKernels, count: int) -> None:
    """Sums by the kernel are those of the compiled loop."""
    random = np.random.default_rng(6)
    vpin: Floats = np.round(random.random(count), 2)
    vpin[:7] = np.nan
    changes = random.integers(-1, 1_000_000_000, count)
    thresholds = np.array([0.2, 0.5, 0.99])
    there = kernels.xp.asarray
    found = kernels.entry_sums(there(vpin), there(changes), 7, there(thresholds), 400_000_000)
    np.testing.assert_array_equal(found, CompiledTools().entry_sums(vpin, changes, 7, thresholds, 400_000_000))


def _host(values: Any) -> Sides:
    sides: Sides = np.asarray(values.get() if hasattr(values, "get") else values)
    return sides
