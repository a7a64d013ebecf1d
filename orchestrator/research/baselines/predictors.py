"""The baselines: majority, last move, and logistic regression on the imbalance or on all features."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

import numpy as np

from market.errors import Rejected
from orchestrator.research.baselines.logistic import Logistic, fit_logistic, sample_weights
from orchestrator.research.baselines.samples import Predictions, Samples
from orchestrator.research.datasets.labels import CLASSES, Floats


class Baseline(Enum):
    """Which baseline."""

    MAJORITY = "majority"
    """The most frequent class of the training part, whatever is seen; of equally frequent ones the first."""
    LAST_MOVE = "last-move"
    """What the mid did last it does again."""
    IMBALANCE = "imbalance"
    """Logistic regression on the imbalance of the best level and of all levels."""
    FEATURES = "features"
    """Logistic regression on all features of the newest row."""
    IMBALANCE_BALANCED = "imbalance-balanced"
    """As IMBALANCE, every class weighing the same."""
    FEATURES_BALANCED = "features-balanced"
    """As FEATURES, every class weighing the same."""


BALANCED: Final = (Baseline.IMBALANCE_BALANCED, Baseline.FEATURES_BALANCED)
REGRESSIONS: Final = (Baseline.IMBALANCE, Baseline.FEATURES, *BALANCED)
_OF_IMBALANCE: Final = (Baseline.IMBALANCE, Baseline.IMBALANCE_BALANCED)
PENALTIES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Among which ``choose_penalty`` chooses."""


class Predictor(Protocol):
    """Something that was fitted on training samples and predicts others."""

    def predict(self, samples: Samples) -> Predictions:
        """Classes and their probabilities."""


@dataclass(frozen=True)
class _Majority:
    shares: Floats

    def predict(self, samples: Samples) -> Predictions:
        """The same for each sample."""
        classes = np.full(len(samples), int(np.argmax(self.shares)), dtype=np.int8)
        return Predictions(classes, np.tile(self.shares, (len(samples), 1)))


@dataclass(frozen=True)
class _LastMove:
    """``shares[last]``: how often each class followed a last move in the training part."""

    shares: Floats

    def predict(self, samples: Samples) -> Predictions:
        """The last move again; probabilities say how often each class followed it."""
        return Predictions(samples.last, self.shares[samples.last])


@dataclass(frozen=True)
class _Regression:
    regression: Logistic
    baseline: Baseline

    def predict(self, samples: Samples) -> Predictions:
        """The most probable class."""
        probabilities = self.regression.probabilities(_inputs(self.baseline, samples))
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int8), probabilities)


def fit_baseline(baseline: Baseline, training: Samples, penalty: float = 1e-4) -> Predictor:
    """Fit a baseline on training samples; raises Rejected without any."""
    if not len(training):
        raise Rejected(f"there are no training samples to fit {baseline.value} on")
    if baseline is Baseline.MAJORITY:
        return _Majority(np.bincount(training.labels, minlength=CLASSES) / len(training))
    if baseline is Baseline.LAST_MOVE:
        # One more of each, so that nothing is held to be impossible.
        pairs = np.bincount(CLASSES * training.last.astype(np.int64) + training.labels, minlength=CLASSES**2)
        counts = pairs.reshape(CLASSES, CLASSES) + 1.0
        return _LastMove(counts / counts.sum(axis=1, keepdims=True))
    inputs = _inputs(baseline, training)
    return _Regression(fit_logistic(inputs, training.labels, penalty, balanced=baseline in BALANCED), baseline)


def choose_penalty(baseline: Baseline, training: Samples, validation: Samples) -> float:
    """The penalty of a regression whose probabilities fit validation samples best, by mean ``-log p(label)``.

    The mean is over classes where the baseline weighs them the same. Of equally good ones the largest. Raises Rejected
    without validation samples.
    """
    if not len(validation):
        raise Rejected(f"there are no validation samples to choose the penalty of {baseline.value} on: give --penalty")
    shares = sample_weights(validation.labels, balanced=baseline in BALANCED)
    losses = [_log_loss(fit_baseline(baseline, training, penalty), validation, shares) for penalty in PENALTIES]
    return max(penalty for penalty, loss in zip(PENALTIES, losses, strict=True) if loss == min(losses))


def _log_loss(predictor: Predictor, samples: Samples, shares: Floats) -> float:
    likely = predictor.predict(samples).probabilities[np.arange(len(samples)), samples.labels]
    return float(-(shares * np.log(np.maximum(likely, np.finfo(np.float64).tiny))).sum())


def _inputs(baseline: Baseline, samples: Samples) -> Floats:
    return samples.imbalances if baseline in _OF_IMBALANCE else samples.features
