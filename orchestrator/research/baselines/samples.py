"""What baselines see of samples, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.datasets.dataset import DatasetMarket
from orchestrator.research.datasets.features import Normalisation, imbalances
from orchestrator.research.datasets.fi2010 import Fi2010
from orchestrator.research.datasets.labels import (
    CLASSES,
    Classes,
    Floats,
    classify,
    double_mids,
    past_moves,
)


@dataclass(frozen=True)
class Samples:
    """Samples in order of time.

    Parameters
    ----------
    features: float64[n, features], normalised, of each sample's newest row. imbalances: float64[n, 2] of it.
    last: int8[n], class of the newest move that was over when the sample was taken.
    labels: int8[n], ``labels.Move``.
    """

    features: Floats
    imbalances: Floats
    last: Classes
    labels: Classes

    def __post_init__(self) -> None:
        for name in ("labels", "last"):
            values: Classes = getattr(self, name)
            wrong = np.flatnonzero((values < 0) | (values >= CLASSES))
            if len(wrong):
                raise Rejected(f"{name}[{wrong[0]}] of the samples is {values[wrong[0]]}: must be 0, 1 or 2")

    def __len__(self) -> int:
        return len(self.labels)

    def between(self, first: int, last: int) -> Samples:
        """The samples from one number on and before another."""
        chosen = slice(first, last)
        return Samples(self.features[chosen], self.imbalances[chosen], self.last[chosen], self.labels[chosen])


@dataclass(frozen=True)
class Predictions:
    """What was predicted.

    Parameters
    ----------
    classes: int8[n]. probabilities: float64[n, 3], of each class; rows add up to 1.
    """

    classes: Classes
    probabilities: Floats

    @property
    def confidences(self) -> Floats:
        """float64[n]: the probability of the predicted class."""
        found: Floats = self.probabilities[np.arange(len(self.classes)), self.classes]
        return found


def market_samples(
    market: DatasetMarket, rows: Words, normalisation: Normalisation | None = None, alpha: float | None = None
) -> Samples:
    """Samples at some rows of a market, their labels known.

    Parameters
    ----------
    normalisation, alpha: in place of those of the dataset, for another training part.

    The last move compares the row's mid with the mean mid of as many rows before it as a label looks ahead, at most
    those of the window.
    """
    chosen = market.header.alpha if alpha is None else alpha
    back = min(market.reach.horizon, market.reach.window - 1)
    moves = past_moves(double_mids(market.book), np.asarray(market.segments), back)
    book = np.asarray(market.book[rows])
    scores = (normalisation or market.header.normalisation).apply(market.raw_features(rows))
    return Samples(scores, imbalances(book), classify(moves[rows], chosen), market.labels_by(alpha)[rows])


def fi2010_samples(data: Fi2010, horizon: int) -> Samples:
    """Samples of a file in the layout of FI-2010, but the first ``horizon`` events.

    Quantities are normalised, so their imbalance is a difference; the last move is the label of ``horizon`` events
    before, which was known by then.
    """
    labels = data.labels_of(horizon)
    bids, asks = data.book[horizon:, 3::4], data.book[horizon:, 1::4]
    differences = np.stack([bids[:, 0] - asks[:, 0], bids.sum(axis=1) - asks.sum(axis=1)], axis=1)
    return Samples(data.features[horizon:], differences, labels[: max(0, len(labels) - horizon)], labels[horizon:])


def joined_samples(parts: Sequence[Samples]) -> Samples:
    """Samples of several markets one after the other."""
    return Samples(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.imbalances for part in parts]),
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
