"""Scores of predicted classes, all of them functions of the confusion matrix.

A class that is neither there nor predicted has F1 0; the Matthews correlation is 0 where either side has one class
alone (Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market.errors import Rejected
from orchestrator.research.datasets.labels import CLASSES, Classes, Floats

Counts = NDArray[np.int64]


def cells(labels: Classes, predicted: Classes) -> Counts:
    """int64[n]: number of the cell of the confusion matrix in which each sample is, row by row."""
    if len(labels) != len(predicted):
        raise Rejected(f"{len(labels)} labels and {len(predicted)} predictions: must be as many")
    found: Counts = CLASSES * labels.astype(np.int64) + predicted.astype(np.int64)
    if len(found) and (min(labels.min(), predicted.min()) < 0 or max(labels.max(), predicted.max()) >= CLASSES):
        raise Rejected("labels and predictions must be 0 (down), 1 (same) or 2 (up)")
    return found


def confusion(labels: Classes, predicted: Classes) -> Counts:
    """int64[3, 3]: samples by label (rows) and predicted class (columns)."""
    return np.bincount(cells(labels, predicted), minlength=CLASSES**2).reshape(CLASSES, CLASSES)


@dataclass(frozen=True)
class Scores:
    """Scores of one or many confusion matrices.

    Parameters
    ----------
    accuracy, macro_f1, matthews: float64[...]. f1: float64[..., 3], by class.
    """

    accuracy: Floats
    macro_f1: Floats
    matthews: Floats
    f1: Floats


def scores(matrices: Counts | Floats) -> Scores:
    """Scores of float64 or int64[..., 3, 3]; each of at least one sample."""
    matrix = np.asarray(matrices, dtype=np.float64)
    total = matrix.sum(axis=(-2, -1))
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    true, predicted = matrix.sum(axis=-1), matrix.sum(axis=-2)
    f1 = 2 * right / np.maximum(true + predicted, 1)
    covariance = right.sum(axis=-1) * total - (true * predicted).sum(axis=-1)
    spread = (total**2 - (true**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    matthews = np.where(spread > 0, covariance / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)
    return Scores(right.sum(axis=-1) / total, f1.mean(axis=-1), matthews, f1)
