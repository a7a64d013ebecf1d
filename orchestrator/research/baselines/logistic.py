"""Multinomial logistic regression by Newton's method: the same samples always give the same weights.

Minimised is ``sum(-share * log p(label)) + penalty / 2 * sum(weights^2)``, the shares of all samples adding up to 1; it
has one minimum. SAME is the class of reference, whose weights are 0. Intercepts have a penalty of 1e-6, which keeps
them finite where a class is missing. No randomness, and sums in the given order of samples, whatever the threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from market.errors import Fatal, Rejected
from orchestrator.research.baselines.ordered_sums import product, solved, weighted_squares
from orchestrator.research.datasets.labels import CLASSES, Classes, Floats, Move

_ROWS_AT_ONCE: Final = 1 << 15
_MOST_STEPS: Final = 60
_MOST_HALVINGS: Final = 40
_GRADIENT: Final = 1e-9
_INTERCEPT_PENALTY: Final = 1e-6
_FREE: Final = (int(Move.DOWN), int(Move.UP))


@dataclass(frozen=True)
class Logistic:
    """A fitted regression.

    Parameters
    ----------
    weights: float64[features + 1, 3], the intercept last; a column per class.
    steps: of Newton's method.
    """

    weights: Floats
    steps: int

    def probabilities(self, features: Floats) -> Floats:
        """float64[n, 3] for float64[n, features]."""
        if features.ndim != 2 or features.shape[1] + 1 != len(self.weights):
            raise Rejected(f"features have the shape {features.shape}: must be (rows, {len(self.weights) - 1})")
        return _softmax(product(features, self.weights[:-1]) + self.weights[-1])


def sample_weights(labels: Classes, *, balanced: bool) -> Floats:
    """float64[n] that add up to 1: all the same, or such that every class that is there weighs the same."""
    counts = np.bincount(labels, minlength=CLASSES)
    if not balanced:
        return np.full(len(labels), 1.0 / max(1, len(labels)))
    weights: Floats = (1.0 / (np.maximum(counts, 1) * max(1, int((counts > 0).sum()))))[labels]
    return weights


def fit_logistic(features: Floats, labels: Classes, penalty: float = 1e-4, *, balanced: bool = False) -> Logistic:
    """Fit a regression.

    Parameters
    ----------
    features: float64[n, features], about of size 1. labels: int8[n], ``labels.Move``.
    penalty: above 0. balanced: whether every class weighs the same, however many samples it has.

    Raises Rejected without samples, for features that are not finite, or for a penalty that is not above 0.
    """
    if not len(labels) or len(features) != len(labels):
        raise Rejected(f"{len(features)} rows of features and {len(labels)} labels: must be as many, and at least one")
    if not penalty > 0:
        raise Rejected(f"penalty was {penalty}: must be above 0")
    wrong = np.argwhere(~np.isfinite(features))
    if len(wrong):
        row, column = wrong[0]
        raise Rejected(f"features[{row}, {column}] is {features[row, column]}: must be a finite number")
    inputs = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    weights = np.zeros((inputs.shape[1], CLASSES))
    penalties = np.append(np.full(features.shape[1], penalty), _INTERCEPT_PENALTY)
    shares = sample_weights(labels, balanced=balanced)
    loss = _loss(inputs, labels, shares, weights, penalties)
    for step in range(_MOST_STEPS):
        gradient, curvature = _derivatives(inputs, labels, shares, weights, penalties)
        if np.abs(gradient).max() <= _GRADIENT:
            return Logistic(weights, step)
        move = solved(curvature, gradient).reshape(len(_FREE), -1).T
        part = 1.0
        for _ in range(_MOST_HALVINGS):
            tried = weights.copy()
            tried[:, _FREE] -= part * move
            tried_loss = _loss(inputs, labels, shares, tried, penalties)
            if tried_loss < loss:
                break
            part /= 2
        else:
            # No step makes the loss smaller any more: rounding has the rest.
            return Logistic(weights, step)
        weights, loss = tried, tried_loss
    raise Fatal(f"the regression has not converged in {_MOST_STEPS} steps: are the features about of size 1?")


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Floats = powers / powers.sum(axis=1, keepdims=True)
    return found


def _loss(inputs: Floats, labels: Classes, shares: Floats, weights: Floats, penalties: Floats) -> float:
    total = 0.0
    for first in range(0, len(inputs), _ROWS_AT_ONCE):
        scores = product(inputs[first : first + _ROWS_AT_ONCE], weights)
        largest = scores.max(axis=1)
        logs = largest + np.log(np.exp(scores - largest[:, None]).sum(axis=1))
        losses = logs - scores[np.arange(len(scores)), labels[first : first + _ROWS_AT_ONCE]]
        total += float((shares[first : first + _ROWS_AT_ONCE] * losses).sum())
    return total + 0.5 * float((penalties[:, None] * weights**2).sum())


def _derivatives(
    inputs: Floats, labels: Classes, shares: Floats, weights: Floats, penalties: Floats
) -> tuple[Floats, Floats]:
    """Gradient float64[2 * m] and curvature float64[2 * m, 2 * m] in the weights of DOWN, then of UP."""
    width = inputs.shape[1]
    gradient = np.zeros((len(_FREE), width))
    curvature = np.zeros((len(_FREE), width, len(_FREE), width))
    for first in range(0, len(inputs), _ROWS_AT_ONCE):
        rows = inputs[first : first + _ROWS_AT_ONCE]
        share = shares[first : first + _ROWS_AT_ONCE]
        probabilities = _softmax(product(rows, weights))
        for one, left in enumerate(_FREE):
            error = probabilities[:, left] - (labels[first : first + _ROWS_AT_ONCE] == left)
            gradient[one] += product((share * error)[None], rows)[0]
            for two, right in enumerate(_FREE):
                shared = share * probabilities[:, left] * ((left == right) - probabilities[:, right])
                curvature[one, :, two] += weighted_squares(rows, shared)
    size = len(_FREE) * width
    each = np.tile(penalties, len(_FREE))
    flat = gradient.reshape(-1) + each * weights[:, _FREE].T.reshape(-1)
    return flat, curvature.reshape(size, size) + np.diag(each)
