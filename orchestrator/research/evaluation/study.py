"""Baselines and models fitted on one part of a dataset and judged on another: once, or walking forward in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

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
    """One baseline or model on one market.

    Parameters
    ----------
    predictor: its name. training: samples that it was fitted on, None where that is not known.
    fold: of the walk forward, from 1 on; 0 for all folds together; None for the parts of the dataset.
    penalty: of a regression; of the last fold, for all together.
    over_majority: difference of macro F1 to the majority on the same samples.
    """

    market: str
    predictor: str
    training: int | None
    fold: int | None
    penalty: float | None
    report: Report
    over_majority: Measure

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "market": self.market,
            "predictor": self.predictor,
            "fold": self.fold,
            "training_samples": self.training,
            "penalty": self.penalty,
            **self.report.plain(),
            "macro_f1_over_majority": self.over_majority.plain(),
        }


class RowPredictor(Protocol):
    """A model that was fitted before."""

    @property
    def name(self) -> str:
        """For tables."""

    @property
    def training(self) -> int | None:
        """Samples that it was fitted on."""

    def predict(self, market: DatasetMarket, rows: Words, normalisation: Normalisation) -> Predictions:
        """Classes and probabilities of samples at some rows."""


@dataclass(frozen=True)
class FoldRows:
    """What a model may be fitted on in one fold of a walk forward, of one market.

    Parameters
    ----------
    normalisation, alpha: of the rows before the cut alone. before, after: rows of samples to fit on, and of later ones
        to stop by.
    """

    market: DatasetMarket
    normalisation: Normalisation
    alpha: float
    before: Words
    after: Words


class Learner(Protocol):
    """Fits a model anew."""

    def fit(self, rows: Sequence[FoldRows]) -> RowPredictor:
        """Fit on samples before a cut."""


@dataclass
class Predicted:
    """Labels of a market, and what each baseline and model said."""

    training: dict[str, int | None]
    penalties: dict[str, float]
    labels: list[Classes] = field(default_factory=list)
    predictions: dict[str, list[Predictions]] = field(default_factory=dict)

    def add(self, labels: Classes, predictions: dict[str, Predictions]) -> None:
        """Further samples."""
        self.labels.append(labels)
        for name, found in predictions.items():
            self.predictions.setdefault(name, []).append(found)

    def judged(self, market: str, fold: int | None, wanted: Sequence[str], resampling: Resampling) -> list[Judged]:
        """The reports of those that are wanted."""
        labels = np.concatenate(self.labels)
        whole = {name: _joined(found) for name, found in self.predictions.items()}
        majority = whole[Baseline.MAJORITY.value]
        return [
            Judged(
                market,
                name,
                self.training[name],
                fold,
                self.penalties.get(name),
                report(labels, whole[name], resampling),
                difference(labels, whole[name], majority, resampling),
            )
            for name in wanted
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


@dataclass(frozen=True)
class _Judging:
    """Samples to judge on, of one market."""

    market: DatasetMarket
    rows: Words
    normalisation: Normalisation
    alpha: float

    @property
    def samples(self) -> Samples:
        """As baselines see them."""
        return market_samples(self.market, self.rows, self.normalisation, self.alpha)


def _predict(fitting: _Fitting, tests: dict[str, Samples], plan: EvaluationPlan) -> dict[str, Predicted]:
    """Fit every baseline, the majority in any case, and predict each market's samples."""
    chosen: dict[Baseline, float] = {
        baseline: choose_penalty(baseline, fitting.before, fitting.after) if plan.penalty is None else plan.penalty
        for baseline in plan.baselines
        if baseline in REGRESSIONS
    }
    fitted = {
        baseline: fit_baseline(baseline, fitting.whole, chosen.get(baseline, 1.0))
        for baseline in dict.fromkeys((Baseline.MAJORITY, *plan.baselines))
    }
    penalties = {baseline.value: penalty for baseline, penalty in chosen.items()}
    found: dict[str, Predicted] = {}
    for name, samples in tests.items():
        found[name] = Predicted({baseline.value: len(fitting.whole) for baseline in fitted}, penalties)
        found[name].add(
            samples.labels, {baseline.value: predictor.predict(samples) for baseline, predictor in fitted.items()}
        )
    return found


def _predict_too(found: dict[str, Predicted], tests: Sequence[_Judging], models: Sequence[RowPredictor]) -> None:
    """Add what models say to what baselines say."""
    for test in tests:
        predicted = found[test.market.name]
        for model in models:
            predicted.training[model.name] = model.training
            said = model.predict(test.market, test.rows, test.normalisation)
            predicted.predictions.setdefault(model.name, []).append(said)


def evaluate_parts(dataset: Dataset, plan: EvaluationPlan, models: Sequence[RowPredictor] = ()) -> list[Judged]:
    """Fit on the training part, judge on another.

    Parameters
    ----------
    models: judged beside the baselines, on the same samples; as they are.

    Raises Rejected for a market that is not there, and for parts without samples.
    """
    training, validation = (
        joined_samples([market_samples(market, market.samples(part)) for market in _named(dataset, plan.train)])
        for part in (Part.TRAINING, Part.VALIDATION)
    )
    tests = [
        _Judging(market, market.samples(plan.part), market.header.normalisation, market.header.alpha)
        for market in _named(dataset, plan.on)
    ]
    resampling = plan.resampling(dataset.header.window + dataset.header.horizon)
    samples = {test.market.name: test.samples for test in tests}
    _refuse_empty(dataset, samples, f"the {plan.part.name.lower()} part")
    found = _predict(_Fitting(training, training, validation), samples, plan)
    _predict_too(found, tests, models)
    wanted = [*(baseline.value for baseline in plan.baselines), *(model.name for model in models)]
    return [each for name in samples for each in found[name].judged(name, None, wanted, resampling)]


def walk_forward(
    dataset: Dataset,
    plan: EvaluationPlan,
    advance: Advance = lambda text: None,
    learners: Sequence[Learner] = (),
) -> list[Judged]:
    """Fit on all that came before, judge on what comes next, again and again.

    The rows of all markets are cut in time into ``folds + 1`` equal parts. Fold i fits on the samples that lie before
    cut i, with normalisation and, where it is balanced, alpha of these alone, and judges on those between this cut and
    the next. Penalties are chosen on the last fifth of the rows before the cut, after a fit on those before it; models
    are fitted on the first four fifths and stopped by the last.

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
    wanted = [baseline.value for baseline in plan.baselines]
    for fold in range(1, folds + 1):
        advance(f"fold {fold} of {folds}")
        fitting, rows, tests = _fold(dataset, plan, cuts[fold - 1], cuts[fold])
        samples = {test.market.name: test.samples for test in tests}
        _refuse_empty(dataset, samples, f"fold {fold}")
        predicted = _predict(fitting, samples, plan)
        models = [learner.fit(rows) for learner in learners]
        _predict_too(predicted, tests, models)
        wanted = list(dict.fromkeys([*wanted, *(model.name for model in models)]))
        for name, found in predicted.items():
            judged += found.judged(name, fold, wanted, resampling)
            whole = together.setdefault(name, found)
            if whole is not found:
                whole.training, whole.penalties = found.training, found.penalties
                whole.add(found.labels[0], {each: said[0] for each, said in found.predictions.items()})
    for name, found in together.items():
        judged += found.judged(name, 0, wanted, resampling)
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
    wanted = [baseline.value for baseline in plan.baselines]
    return found[FI2010].judged(FI2010, None, wanted, plan.resampling(2 * horizon))


def _named(dataset: Dataset, names: Sequence[str]) -> list[DatasetMarket]:
    return [dataset.market(name) for name in dict.fromkeys(names)] if names else list(dataset.markets)


def _refuse_empty(dataset: Dataset, tests: dict[str, Samples], part: str) -> None:
    for name, samples in tests.items():
        if not len(samples):
            raise Rejected(
                f"{dataset.path}: {part} has no sample of {name}; it needs more than window plus horizon rows "
                f"({dataset.header.window} + {dataset.header.horizon}) in one segment"
            )


def _fold(
    dataset: Dataset, plan: EvaluationPlan, cut_ns: int, until_ns: int
) -> tuple[_Fitting, list[FoldRows], list[_Judging]]:
    to_train = {market.name for market in _named(dataset, plan.train)}
    to_judge = {market.name for market in _named(dataset, plan.on)}
    before = [market.times_ns[: np.searchsorted(market.times_ns, cut_ns)] for market in dataset.markets]
    [inner_ns] = cut_times(before, (_INNER,))
    stretches = ((BEGINNING_NS, cut_ns), (BEGINNING_NS, inner_ns), (inner_ns, cut_ns))
    training: list[list[Samples]] = [[] for _ in stretches]
    folds: list[FoldRows] = []
    tests: list[_Judging] = []
    for market in dataset.markets:
        if market.name in to_train | to_judge:
            normalisation, alpha = _fitted(dataset, market, cut_ns)
        if market.name in to_train:
            rows = [_rows(market, from_ns, stretch_until_ns) for from_ns, stretch_until_ns in stretches]
            for samples, chosen in zip(training, rows, strict=True):
                samples.append(market_samples(market, chosen, normalisation, alpha))
            folds.append(FoldRows(market, normalisation, alpha, rows[1], rows[2]))
        if market.name in to_judge:
            tests.append(_Judging(market, _rows(market, cut_ns, until_ns), normalisation, alpha))
    return _Fitting(*map(joined_samples, training)), folds, tests


def _fitted(dataset: Dataset, market: DatasetMarket, cut_ns: int) -> tuple[Normalisation, float]:
    """Normalisation and alpha of the rows before a cut."""
    try:
        moves = market.moves[_rows(market, BEGINNING_NS, cut_ns)]
        alpha = balanced_alpha(moves) if dataset.header.balanced else market.header.alpha
        rows = np.flatnonzero(market.times_ns < cut_ns)
        return fit_normalisation(market.book, market.segments, rows, market.form), alpha
    except Rejected as error:
        raise Rejected(f"{dataset.path}, {market.name}, before {cut_ns}: {error}; use fewer folds") from error


def _rows(market: DatasetMarket, from_ns: int, until_ns: int) -> Words:
    times_ns, segments = np.asarray(market.times_ns), np.asarray(market.segments)
    return samples_between(times_ns, segments, market.reach, from_ns, until_ns)
