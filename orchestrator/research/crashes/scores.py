"""How well a coming crash is foretold: by rows, and by warnings.

Rows of a session hang together, sessions do not: intervals are of a bootstrap of whole sessions, drawn with
replacement. A measure that a resample does not have (no crash in it) is left out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.datasets.crash_labels import Fall
from orchestrator.research.datasets.labels import Floats
from orchestrator.research.evaluation.bootstrap import LEAST_BLOCKS, Resampling, interval
from orchestrator.research.evaluation.calibration import reliability, reliability_columns
from orchestrator.research.evaluation.report import Measure

T = TypeVar("T")
Flags = NDArray[np.bool_]
_NS_PER_S: Final = 1e9
_NS_PER_HOUR: Final = 3.6e12


@dataclass(frozen=True, eq=False)
class CrashSamples:
    """Samples of some sessions, in order of time.

    Parameters
    ----------
    times_ns: int64[n]. sessions: int64[n], number of each sample's session among ``falls``.
    coming: bool[n], whether the label says that a crash comes. falls: of each session, None without a crash.
    grid_ns: from one row to the next.
    """

    times_ns: Words
    sessions: Words
    coming: Flags
    falls: tuple[Fall | None, ...]
    grid_ns: int

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def before(self) -> Flags:
        """bool[n]: samples before any fall began: those at which nothing of it could be seen."""
        begins = np.array([np.iinfo(np.int64).max if fall is None else fall.begin_ns for fall in self.falls])
        found: Flags = self.times_ns <= begins[self.sessions]
        return found


class Ranking:
    """Samples from the highest probability to the lowest; those of the same count together.

    Parameters
    ----------
    probabilities: float64[n]. coming: bool[n].
    """

    def __init__(self, probabilities: Floats, coming: Flags) -> None:
        order = np.argsort(-probabilities, kind="stable")
        ranked = probabilities[order]
        self._order = order
        self._ends = np.flatnonzero(np.append(np.diff(ranked) != 0, len(ranked) > 0))
        self._coming = coming[order]
        self._thresholds = ranked[self._ends]

    def average_precision(self, weights: Floats | None = None) -> float:
        """Mean precision over the samples with a crash coming: ``sum (recall_n - recall_{n-1}) precision_n``.

        That of a prediction that says nothing is their share. NaN where no sample of any weight has a crash coming.
        """
        each = np.ones(len(self._order)) if weights is None else weights[self._order]
        found = np.cumsum(each * self._coming)[self._ends]
        said = np.cumsum(each)[self._ends]
        if not len(found) or not found[-1]:
            return float("nan")
        steps = np.diff(found, prepend=0.0)
        return float((steps * found / np.maximum(said, 1.0)).sum() / found[-1])

    def best_threshold(self) -> float:
        """The probability from which on a warning has the highest F1; of equally good ones the highest.

        Raises Rejected where no sample has a crash coming.
        """
        total = int(self._coming.sum())
        if not total:
            raise Rejected("no sample of the validation part has a crash coming: it takes more sessions")
        f1 = 2 * np.cumsum(self._coming)[self._ends] / (self._ends + 1 + total)
        return float(self._thresholds[int(np.argmax(f1))])


@dataclass(frozen=True, eq=False)
class _Counted:
    """What each session adds, float64[sessions, ...], and the rows that averages need."""

    rows: Floats
    reliabilities: Floats
    events: Floats
    leads_s: Floats


def crash_measures(
    samples: CrashSamples, probabilities: Floats, threshold: float, resampling: Resampling
) -> dict[str, Measure]:
    """Measures of probabilities float64[n] that a crash comes.

    ``average_precision`` of all samples and, as ``average_precision_before``, of those before any fall began;
    ``precision``, ``recall`` and ``f1`` of rows from ``threshold`` on; ``calibration_error``; ``warned`` and
    ``warned_before``, shares of crashes with a warning in time and before the fall began; ``false_per_hour``, warnings
    that began without a crash coming; ``lead_s``, median time from the first warning to half of the fall, of the
    crashes that were warned of. A measure that there is not is left out.
    """
    if not len(samples):
        raise Rejected("there are no samples to evaluate on")
    counted = _counted(samples, probabilities, threshold)
    before = samples.before
    ranking = Ranking(probabilities, samples.coming)
    ranking_before = Ranking(probabilities[before], samples.coming[before])

    def measured(weights: Floats) -> dict[str, float]:
        each = weights[samples.sessions]
        found = {
            "average_precision": ranking.average_precision(each),
            "average_precision_before": ranking_before.average_precision(each[before]),
        }
        return found | _summed(counted, weights)

    sessions = len(samples.falls)
    values = measured(np.ones(sessions))
    drawn = resampled(sessions, resampling, measured)
    return {
        name: Measure(value, None if drawn is None else _interval([one[name] for one in drawn]))
        for name, value in values.items()
        if np.isfinite(value)
    }


def resampled(sessions: int, resampling: Resampling, of: Callable[[Floats], T]) -> list[T] | None:
    """What is measured of each resample, given how often it has each session, float64[sessions]; None of too few."""
    if sessions < LEAST_BLOCKS or not resampling.resamples:
        return None
    random = np.random.default_rng(resampling.seed)
    draws = (random.integers(0, sessions, sessions) for _ in range(resampling.resamples))
    return [of(np.bincount(draw, minlength=sessions).astype(np.float64)) for draw in draws]


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    known = np.array([value for value in values if np.isfinite(value)])
    return interval(known) if len(known) else None


def _counted(samples: CrashSamples, probabilities: Floats, threshold: float) -> _Counted:
    sessions = len(samples.falls)
    warns = probabilities >= threshold
    follows = np.append(
        False, (np.diff(samples.times_ns) == samples.grid_ns) & (np.diff(samples.sessions) == 0) & warns[:-1]
    )
    columns = np.stack(
        [
            warns & samples.coming,
            warns,
            samples.coming,
            warns & ~follows & ~samples.coming,
            ~samples.coming,
        ],
        axis=1,
    ).astype(np.float64)
    events = np.zeros((sessions, 3))
    leads_s = np.full(sessions, np.nan)
    for number, fall in enumerate(samples.falls):
        if fall is None:
            continue
        mine = samples.times_ns[(samples.sessions == number) & warns & samples.coming]
        first_ns = int(mine[0]) if len(mine) else None
        events[number] = 1, first_ns is not None, first_ns is not None and first_ns <= fall.begin_ns
        if first_ns is not None:
            leads_s[number] = (fall.half_ns - first_ns) / _NS_PER_S
    hours = columns[:, 4] * samples.grid_ns / _NS_PER_HOUR
    columns[:, 4] = hours
    reliabilities = reliability_columns(np.minimum(probabilities, 1.0), samples.coming)
    return _Counted(
        _by_session(columns, samples.sessions, sessions),
        _by_session(reliabilities, samples.sessions, sessions),
        events,
        leads_s,
    )


def _by_session(columns: Floats, sessions: Words, count: int) -> Floats:
    found: Floats = np.zeros((count, columns.shape[1]))
    np.add.at(found, sessions, columns)
    return found


def _summed(counted: _Counted, weights: Floats) -> dict[str, float]:
    right, said, coming, false, hours = weights @ counted.rows
    crashes, warned, before = weights @ counted.events
    leads_s = np.repeat(counted.leads_s, weights.astype(np.int64))
    known = leads_s[np.isfinite(leads_s)]
    return {
        "precision": _ratio(right, said),
        "recall": _ratio(right, coming),
        "f1": _ratio(2 * right, said + coming),
        "calibration_error": float(reliability(weights @ counted.reliabilities).error),
        "warned": _ratio(warned, crashes),
        "warned_before": _ratio(before, crashes),
        "false_per_hour": _ratio(false, hours),
        "lead_s": float(np.median(known)) if len(known) else float("nan"),
    }


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
