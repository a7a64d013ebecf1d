"""Seeded randomness of the compiled market: xorshift words and quantile tables; nothing but basic arithmetic.

Sums, products and square roots of float64 are rounded the same way everywhere, so a seed gives the same market on any
machine. The generator shifts and never adds: compiled sums of int64 must not overflow. Source: Marsaglia, "Xorshift
RNGs" (2003), 13, 7, 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from market.native.kernel import inline
from market.native.memory import shift_right_logical
from sim.scenarios.layout import KNOTS, Values, Whole, Words

_RANDOM: Final = int(Whole.RANDOM)
_UNIT: Final = 1.0 / (1 << 53)
_BELL: Final = 1.7320508075688772
_CELLS: Final = KNOTS - 1


@inline
def word(state: Words) -> int:
    """The next 64 random bits; the state must not be 0."""
    mixed = state[_RANDOM]
    mixed ^= mixed << 13
    mixed ^= shift_right_logical(mixed, 7)
    mixed ^= mixed << 17
    state[_RANDOM] = mixed
    return int(mixed)


@inline
def uniform(state: Words) -> float:
    """From 0 to 1, 1 left out."""
    return shift_right_logical(word(state), 11) * _UNIT


@inline
def bell(state: Words) -> float:
    """Mean 0, variance 1, from four uniforms: no tails, and no logarithm."""
    return (uniform(state) + uniform(state) + uniform(state) + uniform(state) - 2.0) * _BELL


@inline
def draw(state: Words, tables: Values, table: int) -> float:
    """A number from a table of quantiles, float64[KNOTS], interpolated."""
    place = uniform(state) * _CELLS
    cell = int(place)
    low = tables[table, cell]
    return float(low + (tables[table, cell + 1] - low) * (place - cell))


def quantile_table(points: Sequence[tuple[int, float]]) -> Values:
    """float64[KNOTS] from (per mille, value), ascending from 0 to 1000."""
    shares = [share / 1000 for share, _ in points]
    table: Values = np.interp(np.arange(KNOTS) / _CELLS, shares, [value for _, value in points])
    return table
