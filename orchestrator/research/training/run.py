"""A training on a dataset: fit, judge beside the baselines, describe."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gpu.models.architecture import parameters
from gpu.models.onnx_graph import stretch_graph
from gpu.models.onnx_runtime import OnnxModel
from market.errors import Rejected
from orchestrator.research.crashes.study import MEASURE, CrashJudged, judge_parts
from orchestrator.research.datasets.dataset import Dataset, DatasetMarket
from orchestrator.research.datasets.parts import BEGINNING_NS, Part
from orchestrator.research.evaluation.study import EvaluationPlan, FoldRows, Judged, walk_forward
from orchestrator.research.models.card import DECILES, Card, MarketCard, TrainingCard, bins_of
from orchestrator.research.prediction.stretches import ModelPredictor
from orchestrator.research.training.fit import FitSettings, Fitted, fit
from orchestrator.research.training.network import require_torch
from orchestrator.research.training.sizes import Size, architecture
from orchestrator.research.training.stretches import LabelledRows, Stretches, labelled_rows

Advance = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A model, how it did, and what was judged beside it.

    Parameters
    ----------
    validation, test: baselines and the model on these parts. folds: of the walk forward, empty without.
    """

    fitted: Fitted
    validation: list[Judged]
    test: list[Judged]
    folds: list[Judged]


def train(dataset: Dataset, size: Size, settings: FitSettings, plan: EvaluationPlan, advance: Advance) -> Trained:
    """Fit a model on the training part of some markets, stop by their validation part, judge it on the test part.

    Parameters
    ----------
    plan: which markets to fit on and to judge on, folds and resampling.

    Raises Rejected for markets that are not there and for parts without samples.
    """
    header = dataset.header
    if header.crash is not None and plan.folds:
        raise Rejected(f"{dataset.path}: parts of a dataset of crashes are sessions of their own: leave out --folds")
    shape = architecture(size, header.levels, header.window)
    markets = [dataset.market(name) for name in plan.train] or list(dataset.markets)

    def part(chosen: Part) -> Stretches:
        return Stretches([labelled_rows(market, market.samples(chosen)) for market in markets], header.window)

    training = part(Part.TRAINING)
    fitted = fit(shape, training, part(Part.VALIDATION), settings, lambda epoch, loss: advance(_said(epoch, loss)))
    advance("judging")
    runtime = OnnxModel(stretch_graph(fitted.model))
    predictor = ModelPredictor(size.value, runtime, header.window, len(training))
    test = judge_parts(dataset, plan, [predictor])
    # Baselines choose their penalties on the validation part, so that only the model is judged on it.
    fixed = EvaluationPlan(
        train=plan.train, on=plan.on, baselines=(), part=Part.VALIDATION, penalty=1.0, resamples=plan.resamples
    )
    validation = judge_parts(dataset, fixed, [predictor])
    learner = _Refitted(size, settings, header.window, header.levels, advance)
    folds = walk_forward(dataset, plan, advance, [learner]) if plan.folds else []
    return Trained(fitted, validation, test, folds)


@dataclass(frozen=True)
class _Refitted:
    """``study.Learner``: the same model, fitted anew on each fold."""

    size: Size
    settings: FitSettings
    window: int
    levels: int
    advance: Advance

    def fit(self, rows: Sequence[FoldRows]) -> ModelPredictor:
        """Fit on the samples before a cut."""

        def part(after: bool) -> Stretches:
            return Stretches([_of_fold(each, after=after) for each in rows], self.window)

        training = part(after=False)
        shape = architecture(self.size, self.levels, self.window)
        fitted = fit(
            shape, training, part(after=True), self.settings, lambda epoch, loss: self.advance(_said(epoch, loss))
        )
        runtime = OnnxModel(stretch_graph(fitted.model))
        return ModelPredictor(self.size.value, runtime, self.window, len(training))


def _of_fold(rows: FoldRows, *, after: bool) -> LabelledRows:
    return labelled_rows(rows.market, rows.after if after else rows.before, rows.normalisation, rows.alpha)


def _said(epoch: int, loss: float) -> str:
    return f"epoch {epoch}, validation loss {loss:.4f}"


def beaten(judged: Sequence[Judged], name: str) -> dict[str, bool]:
    """By market: whether a model lies above the upper end of every baseline's interval, by macro F1 or, of crashes,
    by average precision.
    """
    found: dict[str, bool] = {}
    for market in dict.fromkeys(each.market for each in judged):
        own = [each for each in judged if each.market == market]
        by = MEASURE if isinstance(own[0], CrashJudged) else "macro_f1"
        mine = next(each for each in own if each.predictor == name).report.measures[by].value
        others = [each.report.measures[by] for each in own if each.predictor != name]
        found[market] = all(mine > (other.interval or (0.0, other.value))[1] for other in others)
    return found


def describe(
    dataset: Dataset, size: Size, settings: FitSettings, plan: EvaluationPlan, trained: Trained, digests: dict[str, str]
) -> Card:
    """The card of a model."""
    header, fitted = dataset.header, trained.fitted
    names = set(plan.train) or {market.name for market in dataset.markets}
    errors = [
        each.report.measures["calibration_error"].value
        for each in trained.validation
        if each.market in names and each.predictor == size.value
    ]
    model = fitted.model
    return Card(
        name=size.value,
        kind=model.kind,
        shape=asdict(model.architecture),
        parameters=parameters(model.architecture),
        dataset=hashlib.sha256(header.text().encode()).hexdigest(),
        window=header.window,
        horizon=header.horizon,
        levels=header.levels,
        form=header.form,
        sampling=header.sampling,
        markets=tuple(market_card(market, trained=market.name in names) for market in dataset.markets),
        training=TrainingCard(
            seed=settings.seed,
            epochs=len(fitted.losses),
            best_epoch=fitted.best + 1,
            validation_loss=fitted.losses[fitted.best][1],
            temperature=fitted.temperature,
            class_weights=settings.class_weights.value,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            dropout=settings.dropout,
            torch=str(require_torch().__version__),
        ),
        **_distribution([market for market in dataset.markets if market.name in names]),
        calibration_error=max(errors, default=0.0),
        scores=_scores(trained, size.value),
        digests=digests,
        crash=None if header.crash is None else header.crash.target,
    )


def market_card(market: DatasetMarket, *, trained: bool) -> MarketCard:
    """One market of a card."""
    samples = market.samples(Part.TRAINING)
    last = int(samples[-1]) if len(samples) else 0
    return MarketCard(
        name=market.name,
        file=market.header.file,
        price_decimals=market.header.price_decimals,
        quantity_decimals=market.header.quantity_decimals,
        trained=trained,
        samples=len(samples) if trained else 0,
        first_ns=int(market.times_ns[0]) if len(market.times_ns) else BEGINNING_NS,
        until_ns=int(market.times_ns[last]) if len(market.times_ns) else BEGINNING_NS,
        alpha=market.header.alpha,
        means=market.header.means,
        deviations=market.header.deviations,
    )


def _distribution(markets: Sequence[DatasetMarket]) -> dict[str, Any]:
    """Deciles of the inputs, and the shares of their bins: not a tenth where many values are the same."""
    rows = [labelled_rows(market, market.samples(Part.TRAINING)) for market in markets]
    values = np.concatenate([each.rows[each.samples] for each in rows]).astype(np.float64)
    deciles = np.quantile(values, np.arange(1, DECILES + 1) / (DECILES + 1), axis=0).T
    bins = bins_of(values, deciles)
    shares = np.stack([(bins == number).mean(axis=0) for number in range(DECILES + 1)], axis=1)
    return {
        "deciles": tuple(tuple(each) for each in deciles.tolist()),
        "shares": tuple(tuple(each) for each in shares.tolist()),
    }


def _scores(trained: Trained, name: str) -> dict[str, Any]:
    """Measures of the model by market: on the validation and the test part, and walking forward."""
    found: dict[str, Any] = {}
    stretches = (("validation", trained.validation), ("test", trained.test), ("walk_forward", trained.folds))
    for stretch, judged in stretches:
        for each in judged:
            if each.predictor == name and not each.fold:
                measures = {measure: value.plain() for measure, value in each.report.measures.items()}
                found.setdefault(each.market, {})[stretch] = {"samples": each.report.samples, **measures}
    for market, above in beaten(trained.test, name).items():
        found[market]["above_every_baseline"] = above
    return found
