"""Samples of the market signals, and those of several sources in one order of time, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.protocols import FOREVER
from market.signals.layout import Values
from market.signals.outputs import WIDTH
from market.wire.records import Words

SAMPLES_PER_DRAIN: Final = 4096


@dataclass(frozen=True)
class Samples:
    """Readings of markets at moments of a grid of time.

    Parameters
    ----------
    times_ns: int64[n], the moment: each row holds what was received before it.
    instruments, venues: int64[n], the engine's numbers.
    price_decimals, quantity_decimals: int64[n], a tick is ``10**-price_decimals``, a lot ``10**-quantity_decimals``.
    values: float64[n, WIDTH], columns as ``Output`` says, NaN where there is no value.
    """

    times_ns: Words
    instruments: Words
    venues: Words
    price_decimals: Words
    quantity_decimals: Words
    values: Values

    def __len__(self) -> int:
        return len(self.times_ns)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Samples:
        """The samples that a mask or an index array chooses."""
        return Samples(**{name: getattr(self, name)[chosen] for name in _FIELDS})


_FIELDS: Final = tuple(field.name for field in fields(Samples))


def no_samples() -> Samples:
    """None at all."""
    empty = np.zeros(0, dtype=np.int64)
    return Samples(empty, empty, empty, empty, empty, np.zeros((0, WIDTH)))


def joined(parts: Sequence[Samples]) -> Samples:
    """Samples one after the other."""
    every = [no_samples(), *parts]
    return Samples(**{name: np.concatenate([getattr(part, name) for part in every]) for name in _FIELDS})


class SampleMerge:
    """Samples of several sources in order of (time, instrument, venue).

    Held back is only what a source that is behind may still precede: a few batches, since a replay reads its sources
    side by side.
    """

    def __init__(self, sources: int) -> None:
        self._until_ns = [0] * sources
        self._held: list[Samples] = []
        self._due = SAMPLES_PER_DRAIN

    def add(self, source: int, samples: Samples, until_ns: int) -> None:
        """Add samples of a source; later ones of it will lie after ``until_ns``."""
        self._until_ns[source] = until_ns
        if len(samples):
            self._held.append(samples)

    def end(self, source: int) -> None:
        """No more samples will come from a source."""
        self._until_ns[source] = FOREVER

    def take(self) -> Samples:
        """What is known to be complete, once it is worth handing on: some thousands of rows, else none."""
        return self._take(min(self._until_ns)) if sum(map(len, self._held)) >= self._due else no_samples()

    def take_rest(self) -> Samples:
        """Everything."""
        return self._take(FOREVER)

    def _take(self, until_ns: int) -> Samples:
        held = joined(self._held)
        held = held.rows(np.lexsort((held.venues, held.instruments, held.times_ns)))
        complete = held.times_ns <= until_ns
        self._held = [held.rows(~complete)]
        self._due = len(self._held[0]) + SAMPLES_PER_DRAIN
        return held.rows(complete)
