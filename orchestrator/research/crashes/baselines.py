"""What a model of crashes must beat: what says nothing, regressions on what is plain to see, and the detector."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Final

import numpy as np

from market.detector.states import State
from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.baselines.predictors import Baseline, choose_penalty, fit_baseline
from orchestrator.research.baselines.samples import Samples, market_samples
from orchestrator.research.datasets.crash_labels import Coming
from orchestrator.research.datasets.dataset import DatasetMarket
from orchestrator.research.datasets.labels import Floats, double_mids


class CrashBaseline(Enum):
    """Which baseline."""

    MAJORITY = "majority"
    """The share of samples with a crash coming, always."""
    IMBALANCE = "imbalance"
    """Logistic regression on the imbalance of the best level and of all levels."""
    FEATURES = "features"
    """Logistic regression on all features of the newest row."""
    VOLATILITY = "volatility"
    """Logistic regression on volatility, move, fall and spread of the window."""
    DETECTOR = "detector"
    """The flash-crash detector's own state: 1 while it is ACTIVE, a half while it is ALERT, else 0."""


_SAID: Final = {State.ALERT: 0.5, State.ACTIVE: 1.0}
_LEAST_VOLATILITY: Final = 1e-7
_ROWS_AT_ONCE: Final = 1 << 14


def baseline_probabilities(
    baseline: CrashBaseline,
    market: DatasetMarket,
    training: Words,
    validation: Words,
    wanted: Words,
    penalty: float | None = None,
) -> tuple[Floats, float | None]:
    """Probabilities float64[n] that a crash comes at the samples of some rows, and the penalty of a regression.

    Parameters
    ----------
    training, validation: rows of samples to fit on, and to choose the penalty on where it is not given.

    Every class weighs the same in regressions. Raises Rejected where the training part has only one class.
    """
    if baseline is CrashBaseline.DETECTOR:
        if market.detector is None:
            raise Rejected(f"{market.name} has no states of the detector: the dataset is of moves")
        states = np.asarray(market.detector)[wanted]
        said: Floats = np.zeros(len(wanted))
        for state, probability in _SAID.items():
            said[states == state] = probability
        return said, None
    share = float((np.asarray(market.labels)[training] == Coming.CRASH).mean())
    if not 0 < share < 1:
        raise Rejected(f"{share:.0%} of the training samples have a crash coming: it takes sessions with and without")
    if baseline is CrashBaseline.MAJORITY:
        return np.full(len(wanted), share), None
    fitted, chosen, seen = (_seen(baseline, market, rows, training) for rows in (training, validation, wanted))
    regression = Baseline.IMBALANCE_BALANCED if baseline is CrashBaseline.IMBALANCE else Baseline.FEATURES_BALANCED
    used = choose_penalty(regression, fitted, chosen) if penalty is None else penalty
    return fit_baseline(regression, fitted, used).predict(seen).probabilities[:, Coming.CRASH], used


def volatility_features(market: DatasetMarket, rows: Words) -> Floats:
    """float64[n, 5] of the windows that end at some rows.

    Log of the root of the mean squared return; the move over the window; how far the mid is below its highest; the
    newest return; log of the spread over the mid. Returns are of logs of the mid, row to row.
    """
    found: Floats = np.empty((len(rows), 5))
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        chosen = part[:, None] + np.arange(1 - market.reach.window, 1)
        mids = np.log(double_mids(np.asarray(market.book[chosen.reshape(-1)])).reshape(chosen.shape))
        returns = np.diff(mids, axis=1)
        newest = np.asarray(market.book[part])
        spread = (newest[:, 0] - newest[:, 2]) / double_mids(newest)
        columns = (
            np.log(np.sqrt((returns**2).mean(axis=1)) + _LEAST_VOLATILITY),
            mids[:, -1] - mids[:, 0],
            mids[:, -1] - mids.max(axis=1),
            returns[:, -1],
            np.log(spread),
        )
        found[first : first + len(part)] = np.stack(columns, axis=1)
    return found


def _seen(baseline: CrashBaseline, market: DatasetMarket, rows: Words, training: Words) -> Samples:
    samples = market_samples(market, rows)
    if baseline is not CrashBaseline.VOLATILITY:
        return samples
    known = volatility_features(market, training)
    deviations = known.std(axis=0)
    scores = (volatility_features(market, rows) - known.mean(axis=0)) / np.where(deviations > 0, deviations, 1.0)
    return replace(samples, features=scores)
