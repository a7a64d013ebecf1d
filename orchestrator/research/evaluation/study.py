"""Baselines fitted on one part of a dataset and judged on another: once, or walking forward in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from market.errors import Rejected
from orchestrator.research.baselines.predictors import Baseline, fit_baseline
from orchestrator.research.baselines.samples import (
    Predictions,
    Samples,
    fi2010_samples,
    joined_samples,
    market_samples,
)
from orchestrator.research.datasets.dataset import Dataset, DatasetMarket
from orchestrator.research.datasets.features import Normalisation, fit_normalisation
from orchestrator.research.datasets.fi2010 import Fi2010
from orchestrator.research.datasets.labels import Classes, balanced_alpha
from orchestrator.research.datasets.parts import BEGINNING_NS, END_NS, Part, cut_times, samples_between
from orchestrator.research.evaluation.bootstrap import Resampling
from orchestrator.research.evaluation.report import Measure, Report, difference, report

Advance = Callable[[str], None]
FI2010: Final = "FI-2010"


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What to evaluate.

    Parameters
    ----------
    train, on: names of markets to fit on and to judge on; empty: all of the dataset.
    part: what to judge on. folds: of the walk forward, 0 for none.
    block: samples of a block of the bootstrap; None: window plus horizon. resamples, seed: of the bootstrap.
    penalty: of the regressions.
    """

    train: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = tuple(Baseline)
    part: Part = Part.TEST
    folds: int = 0
    block: int | None = None
    resamples: int = 1000
    seed: int = 1
    penalty: float = 1e-4

    def resampling(self, rows: int) -> Resampling:
        """That of samples which touch so many rows."""
        return Resampling(self.block or rows, self.resamples, self.seed)


@dataclass(frozen=True)
class Judged:
    """One baseline on one market.

    Parameters
    ----------
    fold: of the walk forward, from 1 on; 0 for all folds together; None for the parts of the dataset.
    over_majority: difference of macro F1 to the majority on the same samples.
    """

    market: str
    baseline: Baseline
    training: int
    fold: int | None
    report: Report
    over_majority: Measure

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "market": self.market,
            "baseline": self.baseline.value,
            "fold": self.fold,
            "training_samples": self.training,
            **self.report.plain(),
            "macro_f1_over_majority": self.over_majority.plain(),
        }


@dataclass
class Predicted:
    """Labels of a market, and what each baseline said."""

    training: int = 0
    labels: list[Classes] = field(default_factory=list)
    predictions: dict[Baseline, list[Predictions]] = field(default_factory=dict)

    def add(self, training: int, labels: Classes, predictions: dict[Baseline, Predictions]) -> None:
        """Further samples."""
        self.training = training
        self.labels.append(labels)
        for baseline, found in predictions.items():
            self.predictions.setdefault(baseline, []).append(found)

    def judged(self, market: str, fold: int | None, wanted: Sequence[Baseline], resampling: Resampling) -> list[Judged]:
        """Every baseline's report."""
        labels = np.concatenate(self.labels)
        whole = {baseline: _joined(found) for baseline, found in self.predictions.items()}
        majority = whole[Baseline.MAJORITY]
        return [
            Judged(
                market,
                baseline,
                self.training,
                fold,
                report(labels, whole[baseline], resampling),
                difference(labels, whole[baseline], majority, resampling),
            )
            for baseline in wanted
        ]


def _joined(parts: Sequence[Predictions]) -> Predictions:
    return Predictions(
        np.concatenate([part.classes for part in parts]), np.concatenate([part.probabilities for part in parts])
    )


def _predict(training: Samples, tests: dict[str, Samples], plan: EvaluationPlan) -> dict[str, Predicted]:
    """Fit every baseline, the majority in any case, and predict each market's samples."""
    fitted = {
        baseline: fit_baseline(baseline, training, plan.penalty)
        for baseline in dict.fromkeys((Baseline.MAJORITY, *plan.baselines))
    }
    found: dict[str, Predicted] = {}
    for name, samples in tests.items():
        found[name] = Predicted()
        predictions = {baseline: predictor.predict(samples) for baseline, predictor in fitted.items()}
        found[name].add(len(training), samples.labels, predictions)
    return found


def evaluate_parts(dataset: Dataset, plan: EvaluationPlan) -> list[Judged]:
    """Fit on the training part, judge on another.

    Raises Rejected for a market that is not there, and for parts without samples.
    """
    training = [market_samples(market, market.samples(Part.TRAINING)) for market in _named(dataset, plan.train)]
    tests = {market.name: market_samples(market, market.samples(plan.part)) for market in _named(dataset, plan.on)}
    resampling = plan.resampling(dataset.header.window + dataset.header.horizon)
    _refuse_empty(dataset, tests, f"the {plan.part.name.lower()} part")
    found = _predict(joined_samples(training), tests, plan)
    return [each for name in tests for each in found[name].judged(name, None, plan.baselines, resampling)]


def walk_forward(dataset: Dataset, plan: EvaluationPlan, advance: Advance = lambda text: None) -> list[Judged]:
    """Fit on all that came before, judge on what comes next, again and again.

    The rows of all markets are cut in time into ``folds + 1`` equal parts. Fold i fits on the samples that lie before
    cut i, with normalisation and, where it is balanced, alpha of these alone, and judges on those between this cut and
    the next. Results of each fold, and of all folds together.
    """
    folds = plan.folds
    if folds < 1:
        raise Rejected(f"folds was {folds}: must be at least 1")
    times = [np.asarray(market.times_ns) for market in dataset.markets]
    cuts = [*cut_times(times, [number / (folds + 1) for number in range(1, folds + 1)]), END_NS]
    resampling = plan.resampling(dataset.header.window + dataset.header.horizon)
    together: dict[str, Predicted] = {}
    judged: list[Judged] = []
    for fold in range(1, folds + 1):
        advance(f"fold {fold} of {folds}")
        training, tests = _fold(dataset, plan, cuts[fold - 1], cuts[fold])
        _refuse_empty(dataset, tests, f"fold {fold}")
        for name, found in _predict(training, tests, plan).items():
            judged += found.judged(name, fold, plan.baselines, resampling)
            whole = together.setdefault(name, Predicted())
            whole.add(
                found.training,
                found.labels[0],
                {baseline: predictions[0] for baseline, predictions in found.predictions.items()},
            )
    for name, found in together.items():
        judged += found.judged(name, 0, plan.baselines, resampling)
    return judged


def evaluate_fi2010(training: Fi2010, test: Fi2010, horizon: int, plan: EvaluationPlan) -> list[Judged]:
    """Fit on one file in the layout of FI-2010, judge on another."""
    tests = {FI2010: fi2010_samples(test, horizon)}
    if not len(tests[FI2010]):
        raise Rejected(f"{test.path} has no more events than the horizon of {horizon}")
    found = _predict(fi2010_samples(training, horizon), tests, plan)
    return found[FI2010].judged(FI2010, None, plan.baselines, plan.resampling(2 * horizon))


def _named(dataset: Dataset, names: Sequence[str]) -> list[DatasetMarket]:
    return [dataset.market(name) for name in dict.fromkeys(names)] if names else list(dataset.markets)


def _refuse_empty(dataset: Dataset, tests: dict[str, Samples], part: str) -> None:
    for name, samples in tests.items():
        if not len(samples):
            raise Rejected(
                f"{dataset.path}: {part} has no sample of {name}; it needs more than window plus horizon rows "
                f"({dataset.header.window} + {dataset.header.horizon}) in one segment"
            )


def _fold(dataset: Dataset, plan: EvaluationPlan, cut_ns: int, until_ns: int) -> tuple[Samples, dict[str, Samples]]:
    fits: dict[str, tuple[Normalisation, float]] = {}
    training: list[Samples] = []
    tests: dict[str, Samples] = {}
    to_train = {market.name for market in _named(dataset, plan.train)}
    to_judge = {market.name for market in _named(dataset, plan.on)}
    for market in dataset.markets:
        if market.name not in to_train | to_judge:
            continue
        times_ns, segments = np.asarray(market.times_ns), np.asarray(market.segments)
        rows = samples_between(times_ns, segments, market.reach, BEGINNING_NS, cut_ns)
        try:
            alpha = balanced_alpha(market.moves[rows]) if dataset.header.balanced else market.header.alpha
            normalisation = fit_normalisation(market.book, np.flatnonzero(times_ns < cut_ns), market.form)
        except Rejected as error:
            raise Rejected(f"{dataset.path}, {market.name}, before {cut_ns}: {error}; use fewer folds") from error
        fits[market.name] = normalisation, alpha
        if market.name in to_train:
            training.append(market_samples(market, rows, *fits[market.name]))
        if market.name in to_judge:
            next_rows = samples_between(times_ns, segments, market.reach, cut_ns, until_ns)
            tests[market.name] = market_samples(market, next_rows, *fits[market.name])
    return joined_samples(training), tests
