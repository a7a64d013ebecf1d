"""Which samples choose parameters and which judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from config.optimizer import OptimizerSettings, Validation
from market.errors import MissingInput

Number = TypeVar("Number", np.float64, np.int64)
LEAST_SAMPLES = 2
"""Of a training and of a test: fewer have no deviation."""
NS_PER_S = 10**9


class Span(NamedTuple):
    """Samples from one number on, up to and without another."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Samples in it; 0 for none."""
        return max(0, self.end - self.start)


@dataclass(frozen=True)
class Grid:
    """The recordings in samples of one length; the last, shorter one is left out.

    Parameters
    ----------
    first_ns: when the first sample begins. interval_ns: its length. count: of samples.
    """

    first_ns: int
    interval_ns: int
    count: int

    def end_ns(self, sample: int) -> int:
        """When a sample ends."""
        return self.first_ns + (sample + 1) * self.interval_ns

    def samples_of(self, seconds: int) -> int:
        """Samples that last at least so long."""
        return -(-seconds * NS_PER_S // self.interval_ns)


@dataclass(frozen=True)
class Fold:
    """One search, and what judges its winner.

    Parameters
    ----------
    train: spans in order, apart from each other. test: None where nothing is kept apart.
    """

    name: str
    train: tuple[Span, ...]
    test: Span | None = None

    @property
    def train_end(self) -> int:
        """The first sample after the training."""
        return self.train[-1].end

    @property
    def train_length(self) -> int:
        """Samples of the training."""
        return sum(span.length for span in self.train)

    def train_before(self, end: int) -> tuple[Span, ...]:
        """The training up to a sample."""
        return tuple(Span(span.start, min(span.end, end)) for span in self.train if span.start < end)

    def end_of(self, share: float) -> int:
        """The first sample after a share of the training."""
        left = round(share * self.train_length)
        for span in self.train:
            if left <= span.length:
                return span.start + left
            left -= span.length
        return self.train_end


def taken(values: NDArray[Number], spans: Sequence[Span]) -> NDArray[Number]:
    """The samples of some spans, one after the other."""
    return np.concatenate([values[:0], *(values[span.start : span.end] for span in spans)])


def whole(count: int) -> Fold:
    """All samples, and no test: the search whose winner is handed over."""
    return Fold("whole", (Span(0, count),))


def folds_of(grid: Grid, settings: OptimizerSettings) -> tuple[Fold, ...]:
    """The folds that the settings ask for; raises MissingInput when the recordings are too short for them."""
    purge, embargo = grid.samples_of(settings.purge_s), grid.samples_of(settings.embargo_s)
    if settings.validation is Validation.WALK_FORWARD:
        folds = walk_forward(grid.count, settings.folds, purge)
    else:
        folds = purged(grid.count, settings.folds, purge, embargo)
    for fold in folds:
        test = 0 if fold.test is None else fold.test.length
        if fold.train_length < LEAST_SAMPLES or test < LEAST_SAMPLES:
            lasts = grid.count * grid.interval_ns / NS_PER_S
            raise MissingInput(
                f"the recordings last {lasts:,.0f} s, {grid.count:,} samples of backtest.sample_interval_ms: "
                f"{fold.name} of {settings.validation.value} would train on {fold.train_length} and be tested "
                f"on {test}, expected at least {LEAST_SAMPLES} each; take longer recordings, fewer "
                "optimizer.folds, or a shorter optimizer.purge_s or embargo_s"
            )
    return folds


def walk_forward(count: int, folds: int, purge: int) -> tuple[Fold, ...]:
    """Train on all that was before, test on the block that follows: ``folds`` times, on ``folds + 1`` equal blocks."""
    edges = _edges(count, folds + 1)
    return tuple(
        Fold(f"fold-{number}", _kept(Span(0, edges[number] - purge)), Span(edges[number], edges[number + 1]))
        for number in range(1, folds + 1)
    )


def purged(count: int, folds: int, purge: int, embargo: int) -> tuple[Fold, ...]:
    """Each of ``folds`` equal blocks is a test once; the training is the rest, apart from it by purge and embargo.

    After López de Prado, Advances in Financial Machine Learning (2018), chapter 7: what overlaps the test in time is
    purged on both sides, and what follows it is embargoed.
    """
    edges = _edges(count, folds)
    return tuple(
        Fold(
            f"fold-{number + 1}",
            _kept(Span(0, edges[number] - purge), Span(edges[number + 1] + purge + embargo, count)),
            Span(edges[number], edges[number + 1]),
        )
        for number in range(folds)
    )


def _edges(count: int, blocks: int) -> list[int]:
    return [count * number // blocks for number in range(blocks + 1)]


def _kept(*spans: Span) -> tuple[Span, ...]:
    """Spans that are not empty; one empty span when all are."""
    return tuple(span for span in spans if span.length) or (Span(0, 0),)
