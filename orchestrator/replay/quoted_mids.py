"""Mids of several markets in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market.wire.records import Rows, Words
from orchestrator.replay.naming import Naming

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class QuotedMids:
    """A stretch of quotes in order of time.

    Parameters
    ----------
    times_ns: int64[n], receive times. instruments, venues: int64[n], the engine's numbers.
    mids: float64[n], half the sum of best bid and offer, in quote currency; NaN where the quote was withdrawn.
    """

    times_ns: Words
    instruments: Words
    venues: Words
    mids: Floats

    def __len__(self) -> int:
        return len(self.times_ns)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> QuotedMids:
        """The quotes that a mask or an index array chooses."""
        return QuotedMids(self.times_ns[chosen], self.instruments[chosen], self.venues[chosen], self.mids[chosen])


def joined(parts: Sequence[QuotedMids]) -> QuotedMids:
    """Stretches one after the other."""
    numbers = np.zeros(0, dtype=np.int64)
    return QuotedMids(
        np.concatenate([numbers, *(part.times_ns for part in parts)]),
        np.concatenate([numbers, *(part.instruments for part in parts)]),
        np.concatenate([numbers, *(part.venues for part in parts)]),
        np.concatenate([np.zeros(0), *(part.mids for part in parts)]),
    )


def mids_of(rows: Rows, naming: Naming) -> QuotedMids:
    """Mids of quote rows (``market.pipeline.layout.QUOTE_ROW``)."""
    units = np.array([naming.price_units[number] for number in sorted(naming.price_units)])
    mids = (rows[:, 4] + rows[:, 6]) * (0.5 * units[rows[:, 1]])
    mids[(rows[:, 5] <= 0) | (rows[:, 7] <= 0)] = np.nan
    return QuotedMids(rows[:, 0], rows[:, 1], rows[:, 2], mids)
