"""Seeded randomness in integers: the same seed gives the same numbers on every machine.

Only raw words of the bit generator are used, and no floating point: quantile tables are interpolated in
integers, logarithms and exponentials are taken once with ``decimal``, which rounds them correctly everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from functools import lru_cache
from itertools import chain, pairwise, repeat
from typing import Final

import numpy as np

from market.errors import Fatal

_BLOCK: Final = 4096
_ENTRIES: Final = 1024
_INDEX_SHIFT: Final = 54
_FRACTION_SHIFT: Final = 22
_FRACTION_MASK: Final = (1 << 32) - 1
_EXPONENTIAL_SCALE: Final = 1 << 16
_CONTEXT: Final = Context(prec=28)

Knots = tuple[tuple[int, int], ...]
"""Points (per mille, value) of a quantile function, from 0 to 1000, both not decreasing."""


class Quantiles:
    """A distribution given by points of its quantile function, linear between them.

    Parameters
    ----------
    knots: (per mille, value) from 0 to 1000.

    Raises ``Fatal`` when the points do not go from 0 to 1000 per mille or fall.
    """

    __slots__ = ("table",)

    def __init__(self, knots: Knots) -> None:
        if len(knots) < 2 or (knots[0][0], knots[-1][0]) != (0, 1000) or list(knots) != sorted(knots):
            raise Fatal(f"quantiles must rise from 0 to 1000 per mille, were {knots}")
        if any(value > later for (_, value), (_, later) in pairwise(knots)):
            raise Fatal(f"quantiles must not fall, were {knots}")
        self.table = [_interpolate(knots, entry) for entry in range(_ENTRIES + 1)]

    def of(self, word: int) -> int:
        """The value at the quantile that a 64-bit word stands for."""
        entry = word >> _INDEX_SHIFT
        low = self.table[entry]
        return low + ((self.table[entry + 1] - low) * (word >> _FRACTION_SHIFT & _FRACTION_MASK) >> 32)


def _interpolate(knots: Knots, entry: int) -> int:
    """Value at quantile ``entry / 1024``."""
    place = entry * 1000
    for (low, low_value), (high, high_value) in pairwise(knots):
        if place <= high * _ENTRIES and high > low:
            return low_value + (high_value - low_value) * (place - low * _ENTRIES) // ((high - low) * _ENTRIES)
    return knots[-1][1]


@lru_cache(maxsize=1)
def _exponential_table() -> list[int]:
    """Quantiles of the unit exponential distribution at the middles of 1024 equal parts, times 2**16."""
    table = []
    for entry in range(_ENTRIES):
        survival = _CONTEXT.divide(Decimal(2 * (_ENTRIES - entry) - 1), Decimal(2 * _ENTRIES))
        table.append(round(-survival.ln(_CONTEXT) * _EXPONENTIAL_SCALE))
    return table


@lru_cache(maxsize=16)
def poisson_table(mean_permille: int) -> list[int]:
    """Counts of a Poisson distribution, one per 1024th of probability, in rising order."""
    mean = _CONTEXT.divide(Decimal(mean_permille), Decimal(1000))
    probability = (-mean).exp(_CONTEXT)
    reached, count = probability, 0
    table = []
    for entry in range(_ENTRIES):
        middle = _CONTEXT.divide(Decimal(2 * entry + 1), Decimal(2 * _ENTRIES))
        while reached < middle:
            count += 1
            probability = _CONTEXT.divide(_CONTEXT.multiply(probability, mean), Decimal(count))
            reached = _CONTEXT.add(reached, probability)
        table.append(count)
    return table


class Chance:
    """A stream of random integers.

    Parameters
    ----------
    seed: of the whole market. stream: number of this stream; streams are independent of each other.

    Attributes
    ----------
    words: endless 64-bit words.
    """

    __slots__ = ("_exponential", "words")

    def __init__(self, seed: int, stream: int) -> None:
        bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream,)))
        blocks: Iterator[list[int]] = (bits.random_raw(_BLOCK).tolist() for _ in repeat(None))
        self.words: Iterator[int] = chain.from_iterable(blocks)
        self._exponential = _exponential_table()

    def below(self, bound: int) -> int:
        """An integer from 0 to ``bound - 1``."""
        return next(self.words) * bound >> 64

    def permille(self) -> int:
        """An integer from 0 to 999."""
        return next(self.words) * 1000 >> 64

    def sign(self) -> int:
        """-1 or 1."""
        return 1 if next(self.words) >> 63 else -1

    def draw(self, quantiles: Quantiles) -> int:
        """A value of a distribution."""
        return quantiles.of(next(self.words))

    def exponential(self, mean: int) -> int:
        """An exponentially distributed waiting time, at least 1."""
        return 1 + (self._exponential[next(self.words) >> _INDEX_SHIFT] * mean >> 16)

    def count(self, table: list[int]) -> int:
        """A count of a table of ``poisson_table``."""
        return table[next(self.words) >> _INDEX_SHIFT]

    def bell(self, deviation: int) -> int:
        """A value of mean 0 and the given standard deviation, bounded by three of them.

        The sum of three uniform numbers of 21 bits: variance 3 * 2**42 / 12 = 2**40.
        """
        word = next(self.words)
        mask = (1 << 21) - 1
        total = (word >> 43) + (word >> 22 & mask) + (word >> 1 & mask)
        return (total - 3 * (1 << 20)) * deviation >> 20
