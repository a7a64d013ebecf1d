"""Samples as stretches of windows that follow one another, so that a training step computes a row once, too."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gpu.models.weights import Singles
from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.datasets.dataset import DatasetMarket
from orchestrator.research.datasets.features import Normalisation
from orchestrator.research.datasets.labels import NO_LABEL, Classes
from orchestrator.research.models.inputs import model_inputs

WINDOWS: Final = 32
"""Windows of a stretch."""


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Rows of one market, and which of them have samples.

    Parameters
    ----------
    rows: float32[n, features], normalised. labels: int8[n]. samples: int64[m], rows of samples, rising.
    """

    rows: Singles
    labels: Classes
    samples: Words


def labelled_rows(
    market: DatasetMarket, samples: Words, normalisation: Normalisation | None = None, alpha: float | None = None
) -> LabelledRows:
    """Samples of a market; ``normalisation`` and ``alpha`` in place of those of the dataset."""
    return LabelledRows(normalised_rows(market, normalisation), market.labels_by(alpha), samples)


def normalised_rows(market: DatasetMarket, normalisation: Normalisation | None = None) -> Singles:
    """float32[n, features] of all rows of a market."""
    book, segments = np.asarray(market.book), np.asarray(market.segments)
    return model_inputs(book, segments, market.form, normalisation or market.header.normalisation)


@dataclass(frozen=True, eq=False)
class Batch:
    """Stretches that are computed together.

    Parameters
    ----------
    rows: float32[stretches, windows + window - 1, features].
    labels: int8[stretches, windows], NO_LABEL where a window is no sample, or is one of another stretch.
    places: int64[stretches, windows], place of each window's sample in order, -1 where there is none.
    """

    rows: Singles
    labels: Classes
    places: NDArray[np.int64]


@dataclass(frozen=True)
class _Run:
    """Samples of consecutive rows: ``count`` from the row ``first`` on; ``place``: of the first in order."""

    market: int
    first: int
    count: int
    place: int


class Stretches:
    """Samples of some markets, cut into stretches.

    Raises Rejected without samples.
    """

    def __init__(self, markets: Sequence[LabelledRows], window: int) -> None:
        self._markets = tuple(markets)
        self._window = window
        self._runs: list[_Run] = []
        place = 0
        for number, market in enumerate(markets):
            breaks = np.flatnonzero(np.diff(market.samples) != 1) + 1
            for part in np.split(market.samples, breaks):
                if len(part):
                    self._runs.append(_Run(number, int(part[0]), len(part), place))
                    place += len(part)
        self.labels: Classes = np.concatenate([market.labels[market.samples] for market in markets])
        if not place:
            raise Rejected("there are no samples: a sample needs window plus horizon rows in one segment and part")

    def __len__(self) -> int:
        return len(self.labels)

    def in_order(self, stretches: int) -> Iterator[Batch]:
        """Every sample once."""
        yield from self._batches([start for run in self._runs for start in _starts(run, 0)], stretches)

    def shuffled(self, stretches: int, random: np.random.Generator) -> Iterator[Batch]:
        """Every sample once, stretches cut anew and in a random order."""
        starts = [start for run in self._runs for start in _starts(run, int(random.integers(0, WINDOWS)))]
        yield from self._batches([starts[number] for number in random.permutation(len(starts))], stretches)

    def _batches(self, starts: Sequence[tuple[_Run, int, int]], stretches: int) -> Iterator[Batch]:
        for first in range(0, len(starts), stretches):
            made = [self._stretch(*start) for start in starts[first : first + stretches]]
            yield Batch(*(np.stack(parts) for parts in zip(*made, strict=True)))

    def _stretch(self, run: _Run, first: int, last: int) -> tuple[Singles, Classes, NDArray[np.int64]]:
        """The samples ``first`` to ``last`` of a run; what is missing to a whole stretch repeats the last row."""
        market = self._markets[run.market]
        windows = np.arange(first, first + WINDOWS)
        inside = windows < last
        rows = run.first + np.minimum(np.arange(first - self._window + 1, first + WINDOWS), last - 1)
        labels = np.where(inside, market.labels[run.first + np.minimum(windows, last - 1)], NO_LABEL)
        return market.rows[rows], labels.astype(np.int8), np.where(inside, run.place + windows, -1)


def _starts(run: _Run, shift: int) -> Iterator[tuple[_Run, int, int]]:
    """Samples from and until of each stretch; the first is ``shift`` shorter."""
    edges = [0, *range(WINDOWS - shift, run.count, WINDOWS), run.count]
    for first, last in itertools.pairwise(edges):
        yield run, first, last
