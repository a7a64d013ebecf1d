"""Everything that is said of one set of predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from market.errors import Rejected
from orchestrator.research.baselines.samples import Predictions
from orchestrator.research.datasets.labels import CLASSES, Classes, Floats, Move
from orchestrator.research.evaluation.bootstrap import Resampling, interval, resampled_sums
from orchestrator.research.evaluation.calibration import Reliability, reliability, reliability_columns
from orchestrator.research.evaluation.scores import Counts, Scores, cells, confusion, scores


@dataclass(frozen=True)
class Measure:
    """A score, and the middle 95 % of its resamples; None where there are too few samples."""

    value: float
    interval: tuple[float, float] | None

    def plain(self) -> dict[str, float | None]:
        """For JSON."""
        low, high = self.interval or (None, None)
        return {"value": self.value, "low": low, "high": high}


@dataclass(frozen=True)
class Report:
    """Predictions against labels.

    Parameters
    ----------
    confusion: int64[3, 3], labels by predicted class. measures: by name: accuracy, macro_f1, matthews, f1_down,
        f1_same, f1_up, calibration_error. blocks: of the bootstrap.
    """

    samples: int
    blocks: int
    confusion: Counts
    reliability: Reliability
    measures: dict[str, Measure]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        counts = self.reliability.counts
        known = np.maximum(counts, 1)
        return {
            "samples": self.samples,
            "blocks": self.blocks,
            **{name: measure.plain() for name, measure in self.measures.items()},
            "confusion": self.confusion.tolist(),
            "reliability": [
                {"samples": int(count), "confidence": float(confidence), "accuracy": float(right)}
                if count
                else {"samples": 0, "confidence": None, "accuracy": None}
                for count, confidence, right in zip(
                    counts, self.reliability.confidences / known, self.reliability.rights / known, strict=True
                )
            ],
        }


def report(labels: Classes, predictions: Predictions, resampling: Resampling) -> Report:
    """Scores, calibration and intervals; raises Rejected without samples."""
    if not len(labels):
        raise Rejected("there are no samples to evaluate on")
    columns = _columns(labels, predictions)
    matrix = confusion(labels, predictions.classes)
    found = _measured(columns.sum(axis=0))
    sums = resampled_sums(columns, resampling)
    resampled = None if sums is None else _measured(sums)
    measures = {
        name: Measure(float(value), None if resampled is None else interval(resampled[name]))
        for name, value in found.items()
    }
    return Report(
        len(labels),
        resampling.blocks(len(labels)),
        matrix,
        reliability(columns.sum(axis=0)[CLASSES**2 :]),
        measures,
    )


def difference(
    labels: Classes,
    one: Predictions,
    other: Predictions,
    resampling: Resampling,
    score: Callable[[Scores], Floats] = lambda found: found.macro_f1,
) -> Measure:
    """How much better one model scores than another on the same samples, resampled together."""
    columns = np.concatenate([_one_hot(labels, one.classes), _one_hot(labels, other.classes)], axis=1)

    def between(sums: Floats) -> Floats:
        pair = scores(sums.reshape(*sums.shape[:-1], 2, CLASSES, CLASSES))
        values = score(pair)
        found: Floats = values[..., 0] - values[..., 1]
        return found

    sums = resampled_sums(columns, resampling)
    return Measure(float(between(columns.sum(axis=0))), None if sums is None else interval(between(sums)))


def _one_hot(labels: Classes, predicted: Classes) -> Floats:
    columns: Floats = np.zeros((len(labels), CLASSES**2))
    columns[np.arange(len(labels)), cells(labels, predicted)] = 1.0
    return columns


def _columns(labels: Classes, predictions: Predictions) -> Floats:
    right = labels == predictions.classes
    return np.concatenate(
        [_one_hot(labels, predictions.classes), reliability_columns(predictions.confidences, right)], axis=1
    )


def _measured(sums: Floats) -> dict[str, Floats]:
    found = scores(sums[..., : CLASSES**2].reshape(*sums.shape[:-1], CLASSES, CLASSES))
    return {
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "matthews": found.matthews,
        **{f"f1_{move.name.lower()}": found.f1[..., move] for move in Move},
        "calibration_error": reliability(sums[..., CLASSES**2 :]).error,
    }
