"""Baselines fitted on one part of a dataset and judged on another: once, or walking forward in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.baselines.predictors import REGRESSIONS, Baseline, choose_penalty, fit_baseline
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
_INNER: Final = 0.8
"""Share of what came before that is fitted on to choose penalties, where there is no validation part."""


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What to evaluate.

    Parameters
    ----------
    train, on: names of markets to fit on and to judge on; empty: all of the dataset.
    part: what to judge on. folds: of the walk forward, 0 for none.
    block: samples of a block of the bootstrap; None: window plus horizon. resamples, seed: of the bootstrap.
    penalty: of the regressions; None: chosen on validation samples, never on those that are judged on.
    """

    train: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = tuple(Baseline)
    part: Part = Part.TEST
    folds: int = 0
    block: int | None = None
    resamples: int = 1000
    seed: int = 1
    penalty: float | None = None

    def __post_init__(self) -> None:
        if self.penalty is None and self.part is Part.VALIDATION:
            raise Rejected("penalties are chosen on the validation part: to judge on it, give --penalty")

    def resampling(self, rows: int) -> Resampling:
        """That of samples which touch so many rows."""
        return Resampling(self.block or rows, self.resamples, self.seed)


@dataclass(frozen=True)
class Judged:
    """One baseline on one market.

    Parameters
    ----------
    fold: of the walk forward, from 1 on; 0 for all folds together; None for the parts of the dataset.
    penalty: of a regression; of the last fold, for all together.
    over_majority: difference of macro F1 to the majority on the same samples.
    """

    market: str
    baseline: Baseline
    training: int
    fold: int | None
    penalty: float | None
    report: Report
    over_majority: Measure

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "market": self.market,
            "baseline": self.baseline.value,
            "fold": self.fold,
            "training_samples": self.training,
            "penalty": self.penalty,
            **self.report.plain(),
            "macro_f1_over_majority": self.over_majority.plain(),
        }


@dataclass
class Predicted:
    """Labels of a market, and what each baseline said."""

    training: int
    penalties: dict[Baseline, float]
    labels: list[Classes] = field(default_factory=list)
    predictions: dict[Baseline, list[Predictions]] = field(default_factory=dict)

    def add(self, labels: Classes, predictions: dict[Baseline, Predictions]) -> None:
        """Further samples."""
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
                self.penalties.get(baseline),
                report(labels, whole[baseline], resampling),
                difference(labels, whole[baseline], majority, resampling),
            )
            for baseline in wanted
        ]


def _joined(parts: Sequence[Predictions]) -> Predictions:
    return Predictions(
        np.concatenate([part.classes for part in parts]), np.concatenate([part.probabilities for part in parts])
    )


@dataclass(frozen=True)
class _Fitting:
    """Samples to fit on, and those on which penalties are chosen after a fit on others before them."""

    whole: Samples
    before: Samples
    after: Samples


def _predict(fitting: _Fitting, tests: dict[str, Samples], plan: EvaluationPlan) -> dict[str, Predicted]:
    """Fit every baseline, the majority in any case, and predict each market's samples."""
    penalties: dict[Baseline, float] = {
        baseline: choose_penalty(baseline, fitting.before, fitting.after) if plan.penalty is None else plan.penalty
        for baseline in plan.baselines
        if baseline in REGRESSIONS
    }
    fitted = {
        baseline: fit_baseline(baseline, fitting.whole, penalties.get(baseline, 1.0))
        for baseline in dict.fromkeys((Baseline.MAJORITY, *plan.baselines))
    }
    found: dict[str, Predicted] = {}
    for name, samples in tests.items():
        found[name] = Predicted(len(fitting.whole), penalties)
        found[name].add(
            samples.labels, {baseline: predictor.predict(samples) for baseline, predictor in fitted.items()}
        )
    return found


def evaluate_parts(dataset: Dataset, plan: EvaluationPlan) -> list[Judged]:
    """Fit on the training part, judge on another.

    Raises Rejected for a market that is not there, and for parts without samples.
    """
    training, validation = (
        joined_samples([market_samples(market, market.samples(part)) for market in _named(dataset, plan.train)])
        for part in (Part.TRAINING, Part.VALIDATION)
    )
    tests = {market.name: market_samples(market, market.samples(plan.part)) for market in _named(dataset, plan.on)}
    resampling = plan.resampling(dataset.header.window + dataset.header.horizon)
    _refuse_empty(dataset, tests, f"the {plan.part.name.lower()} part")
    found = _predict(_Fitting(training, training, validation), tests, plan)
    return [each for name in tests for each in found[name].judged(name, None, plan.baselines, resampling)]


def walk_forward(dataset: Dataset, plan: EvaluationPlan, advance: Advance = lambda text: None) -> list[Judged]:
    """Fit on all that came before, judge on what comes next, again and again.

    The rows of all markets are cut in time into ``folds + 1`` equal parts. Fold i fits on the samples that lie before
    cut i, with normalisation and, where it is balanced, alpha of these alone, and judges on those between this cut and
    the next. Penalties are chosen on the last fifth of the rows before the cut, after a fit on those before it.

    Returns the results of each fold, and of all folds together.
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
        fitting, tests = _fold(dataset, plan, cuts[fold - 1], cuts[fold])
        _refuse_empty(dataset, tests, f"fold {fold}")
        for name, found in _predict(fitting, tests, plan).items():
            judged += found.judged(name, fold, plan.baselines, resampling)
            whole = together.setdefault(name, found)
            if whole is not found:
                whole.training, whole.penalties = found.training, found.penalties
                whole.add(found.labels[0], {each: said[0] for each, said in found.predictions.items()})
    for name, found in together.items():
        judged += found.judged(name, 0, plan.baselines, resampling)
    return judged


def evaluate_fi2010(training: Fi2010, test: Fi2010, horizon: int, plan: EvaluationPlan) -> list[Judged]:
    """Fit on one file in the layout of FI-2010, judge on another; the last fifth of the first chooses penalties."""
    tests = {FI2010: fi2010_samples(test, horizon)}
    if not len(tests[FI2010]):
        raise Rejected(f"{test.path} has no more events than the horizon of {horizon}")
    whole = fi2010_samples(training, horizon)
    inner = int(_INNER * len(whole))
    # Labels before the cut must not look beyond it.
    fitting = _Fitting(whole, whole.between(0, max(0, inner - horizon)), whole.between(inner, len(whole)))
    found = _predict(fitting, tests, plan)
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


def _fold(dataset: Dataset, plan: EvaluationPlan, cut_ns: int, until_ns: int) -> tuple[_Fitting, dict[str, Samples]]:
    to_train = {market.name for market in _named(dataset, plan.train)}
    to_judge = {market.name for market in _named(dataset, plan.on)}
    before = [market.times_ns[: np.searchsorted(market.times_ns, cut_ns)] for market in dataset.markets]
    [inner_ns] = cut_times(before, (_INNER,))
    stretches = ((BEGINNING_NS, cut_ns), (BEGINNING_NS, inner_ns), (inner_ns, cut_ns))
    training: list[list[Samples]] = [[] for _ in stretches]
    tests: dict[str, Samples] = {}
    for market in dataset.markets:
        if market.name in to_train | to_judge:
            normalisation, alpha = _fitted(dataset, market, cut_ns)
        if market.name in to_train:
            for samples, (from_ns, stretch_until_ns) in zip(training, stretches, strict=True):
                rows = _rows(market, from_ns, stretch_until_ns)
                samples.append(market_samples(market, rows, normalisation, alpha))
        if market.name in to_judge:
            tests[market.name] = market_samples(market, _rows(market, cut_ns, until_ns), normalisation, alpha)
    return _Fitting(*map(joined_samples, training)), tests


def _fitted(dataset: Dataset, market: DatasetMarket, cut_ns: int) -> tuple[Normalisation, float]:
    """Normalisation and alpha of the rows before a cut."""
    try:
        moves = market.moves[_rows(market, BEGINNING_NS, cut_ns)]
        alpha = balanced_alpha(moves) if dataset.header.balanced else market.header.alpha
        return fit_normalisation(market.book, np.flatnonzero(market.times_ns < cut_ns), market.form), alpha
    except Rejected as error:
        raise Rejected(f"{dataset.path}, {market.name}, before {cut_ns}: {error}; use fewer folds") from error


def _rows(market: DatasetMarket, from_ns: int, until_ns: int) -> Words:
    times_ns, segments = np.asarray(market.times_ns), np.asarray(market.segments)
    return samples_between(times_ns, segments, market.reach, from_ns, until_ns)
