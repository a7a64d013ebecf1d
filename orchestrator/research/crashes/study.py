"""Baselines and models on a dataset of crashes: fitted on its training part, judged on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.cli.output import Output
from orchestrator.research.crashes.baselines import CrashBaseline, baseline_probabilities
from orchestrator.research.crashes.scores import (
    CrashSamples,
    Ranking,
    crash_measures,
    resampled,
)
from orchestrator.research.datasets.crash_labels import Coming
from orchestrator.research.datasets.dataset import Dataset, DatasetMarket
from orchestrator.research.datasets.labels import Floats
from orchestrator.research.datasets.parts import Part
from orchestrator.research.evaluation.bootstrap import Resampling, interval
from orchestrator.research.evaluation.calibration import reliability, reliability_columns
from orchestrator.research.evaluation.report import Measure, Report
from orchestrator.research.evaluation.scores import confusion
from orchestrator.research.evaluation.study import EvaluationPlan, Judged, RowPredictor, evaluate_parts

MEASURE: Final = "average_precision"
"""By which predictions are compared."""
NOTE: Final = "SYNTHETIC sessions: real crashes may come otherwise; intervals: 95 %, bootstrap of whole sessions"
_ROWS: Final = {
    MEASURE: "average precision",
    "average_precision_before": "before the fall",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "calibration_error": "calibration error",
}
_WARNINGS: Final = {
    "warned": "crashes warned of",
    "warned_before": "before the fall",
    "lead_s": "seconds before half of it",
    "false_per_hour": "false an hour",
}


@dataclass(frozen=True)
class CrashJudged(Judged):
    """One baseline or model; ``over_majority`` is of its average precision.

    Parameters
    ----------
    threshold: from which probability on it warns, the one of the best F1 on the validation part.
    """

    threshold: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        found = super().plain()
        found["average_precision_over_majority"] = found.pop("macro_f1_over_majority")
        return found | {"threshold": self.threshold}


@dataclass(frozen=True, eq=False)
class _Said:
    """Probabilities that a crash comes, on the validation samples and on those to judge on."""

    training: int | None
    penalty: float | None
    validation: Floats
    judged: Floats


def judge_crashes(dataset: Dataset, plan: EvaluationPlan, models: Sequence[RowPredictor] = ()) -> list[Judged]:
    """Fit baselines on the training part, choose thresholds on the validation part, judge on another.

    Parameters
    ----------
    plan: its block is not used, since whole sessions are resampled; no baselines: models alone.

    Raises Rejected for a walk forward, for markets that are not there and for parts without samples or crashes.
    """
    if plan.folds:
        raise Rejected(f"{dataset.path}: parts of a dataset of crashes are sessions of their own: leave out --folds")
    for name in (*plan.train, *plan.on):
        dataset.market(name)
    [market] = dataset.markets
    training, validation, rows = (market.samples(part) for part in (Part.TRAINING, Part.VALIDATION, plan.part))
    samples = crash_samples(dataset, rows)
    coming = np.asarray(market.labels)[validation] == Coming.CRASH
    said: dict[str, _Said] = {}
    for baseline in CrashBaseline if plan.baselines else (CrashBaseline.MAJORITY,):
        both = np.concatenate([validation, rows])
        found, penalty = baseline_probabilities(baseline, market, training, validation, both, plan.penalty)
        said[baseline.value] = _Said(len(training), penalty, found[: len(validation)], found[len(validation) :])
    for model in models:
        on = [_crash_probabilities(model, market, each) for each in (validation, rows)]
        said[model.name] = _Said(model.training, None, *on)
    resampling = plan.resampling(1)
    majority = said[CrashBaseline.MAJORITY.value].judged
    wanted = list(said) if plan.baselines else [model.name for model in models]
    thresholds = {name: Ranking(said[name].validation, coming).best_threshold() for name in wanted}
    return [_judged(market.name, name, said[name], thresholds[name], samples, majority, resampling) for name in wanted]


def judge_parts(dataset: Dataset, plan: EvaluationPlan, models: Sequence[RowPredictor] = ()) -> list[Judged]:
    """``judge_crashes`` of a dataset of crashes, ``study.evaluate_parts`` of any other."""
    return (evaluate_parts if dataset.header.crash is None else judge_crashes)(dataset, plan, models)


def crash_samples(dataset: Dataset, rows: Words) -> CrashSamples:
    """Samples of a dataset of crashes at some rising rows, and the truth of their sessions."""
    if dataset.header.crash is None:
        raise Rejected(f"{dataset.path} says what the mid does next, not whether a crash comes")
    [market] = dataset.markets
    sessions = dataset.header.crash.sessions
    of_row = np.searchsorted(np.array([session.first for session in sessions]), rows, side="right") - 1
    present, numbers = np.unique(of_row, return_inverse=True)
    falls = [sessions[number].fall for number in present.tolist()]
    return CrashSamples(
        times_ns=np.asarray(market.times_ns)[rows],
        sessions=numbers.astype(np.int64),
        coming=np.asarray(market.labels)[rows] == Coming.CRASH,
        falls=tuple(None if fall is None else fall.fall for fall in falls),
        grid_ns=dataset.header.sampling.grid_ns,
    )


def show_crashes(output: Output, title: str, judged: Sequence[Judged]) -> None:
    """Two tables: of rows, and of warnings."""
    for what, names in (("rows", _ROWS), ("warnings", _WARNINGS)):
        columns = ("predictor", "samples" if names is _ROWS else "from", *names.values())
        rows = [
            (
                each.predictor,
                f"{each.report.samples:,}" if names is _ROWS else _threshold(each),
                *(_text(each.report.measures.get(name)) for name in names),
            )
            for each in judged
        ]
        output.table(f"{title}: {what}", columns, rows, right=columns[1:])


def _crash_probabilities(model: RowPredictor, market: DatasetMarket, rows: Words) -> Floats:
    return model.predict(market, rows, market.header.normalisation).probabilities[:, Coming.CRASH]


def _judged(
    market: str,
    name: str,
    said: _Said,
    threshold: float,
    samples: CrashSamples,
    majority: Floats,
    resampling: Resampling,
) -> CrashJudged:
    measures = crash_measures(samples, said.judged, threshold, resampling)
    classes = np.where(said.judged >= threshold, Coming.CRASH, Coming.NONE).astype(np.int8)
    labels = np.where(samples.coming, Coming.CRASH, Coming.NONE).astype(np.int8)
    sums = reliability_columns(np.minimum(said.judged, 1.0), samples.coming).sum(axis=0)
    found = Report(len(samples), len(samples.falls), confusion(labels, classes), reliability(sums), measures)
    over = _over(samples, said.judged, majority, resampling)
    return CrashJudged(market, name, said.training, None, said.penalty, found, over, threshold)


def _over(samples: CrashSamples, one: Floats, other: Floats, resampling: Resampling) -> Measure:
    """How much higher the average precision of one is, resampled together."""

    first, second = Ranking(one, samples.coming), Ranking(other, samples.coming)

    def between(weights: Floats) -> float:
        each = weights[samples.sessions]
        return first.average_precision(each) - second.average_precision(each)

    drawn = resampled(len(samples.falls), resampling, between)
    known = np.array([value for value in drawn or () if np.isfinite(value)])
    return Measure(between(np.ones(len(samples.falls))), interval(known) if len(known) else None)


def _threshold(judged: Judged) -> str:
    return f"{judged.threshold:.3g}" if isinstance(judged, CrashJudged) else ""


def _text(measure: Measure | None) -> str:
    if measure is None:
        return "-"
    if measure.interval is None:
        return f"{measure.value:.3g}"
    low, high = measure.interval
    return f"{measure.value:.3g} [{low:.3g}, {high:.3g}]"
