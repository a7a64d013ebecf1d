"""``tickwire evaluate``: models of the order book, and what they must beat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from market.errors import Rejected
from orchestrator.cli.output import Output, with_output
from orchestrator.research.baselines.predictors import Baseline
from orchestrator.research.crashes.study import NOTE as CRASH_NOTE
from orchestrator.research.crashes.study import judge_parts, show_crashes
from orchestrator.research.datasets.dataset import Dataset, open_dataset
from orchestrator.research.datasets.fi2010 import HORIZONS, load_fi2010
from orchestrator.research.datasets.parts import Part
from orchestrator.research.evaluation.plots import plot_f1, plot_judged, plot_trades
from orchestrator.research.evaluation.report import Measure
from orchestrator.research.evaluation.study import (
    FI2010,
    EvaluationPlan,
    Judged,
    evaluate_fi2010,
    walk_forward,
)
from orchestrator.research.evaluation.trades import TradeCurve, trade_curve
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.prediction.computing import Computing, computing_options
from orchestrator.research.prediction.stretches import ModelPredictor
from orchestrator.research.vpin_plots import require_plots

NOTE: Final = "intervals: 95 %, block bootstrap; minutes or hours of one day say nothing about other days"
COLUMNS: Final = (
    "market",
    "predictor",
    "samples",
    "accuracy",
    "macro F1",
    "Matthews",
    "calibration error",
    "F1 over majority",
)
SHOWN_THRESHOLDS: Final = (0.4, 0.5, 0.6, 0.7, 0.8)
_FILE: Final = click.Path(path_type=Path)


@dataclass(frozen=True)
class _Evaluated:
    """What was found on one dataset.

    Parameters
    ----------
    folds: empty without a walk forward. trades: market, name and curve of each model. computed_by: by name of model.
    """

    label: str
    window: int | None
    horizon: int
    parts: list[Judged]
    folds: list[Judged]
    trades: list[tuple[str, str, TradeCurve]]
    computed_by: dict[str, dict[str, str]] = field(default_factory=dict)
    is_of_crashes: bool = False

    @property
    def note(self) -> str:
        """What to think of it."""
        return CRASH_NOTE if self.is_of_crashes else NOTE

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "dataset": self.label,
            "window": self.window,
            "horizon": self.horizon,
            "results": [each.plain() for each in self.parts],
            "walk_forward": [each.plain() for each in self.folds],
            "computed_by": self.computed_by,
            "trades": [
                {"market": market, "predictor": name, "by_threshold": curve.plain()}
                for market, name, curve in self.trades
            ],
        }


@click.command()
@click.argument("folders", nargs=-1, type=_FILE, metavar="[DATASET]...")
@click.option("--train", multiple=True, metavar="MARKET", help="Market to fit on; repeated. Else all of the dataset.")
@click.option("--on", multiple=True, metavar="MARKET", help="Market to judge on; repeated. Else all of the dataset.")
@click.option(
    "--part",
    default="test",
    show_default=True,
    type=click.Choice(["training", "validation", "test"]),
    help="To judge on.",
)
@click.option(
    "--baseline", "names", multiple=True, type=click.Choice([each.value for each in Baseline]), help="Which; all."
)
@click.option("--model", "models", multiple=True, type=_FILE, help="Folder of `tickwire train`, beside them; repeated.")
@computing_options
@click.option("--fee-bps", default=5.0, show_default=True, type=click.FloatRange(0), help="Of one side of a trade.")
@click.option("--folds", default=0, show_default=True, type=click.IntRange(0, 100), help="Also walk forward so often.")
@click.option("--fi2010", nargs=2, type=_FILE, metavar="TRAINING TEST", help="Two files in the layout of FI-2010.")
@click.option(
    "--horizon",
    default="10",
    show_default=True,
    type=click.Choice([str(each) for each in HORIZONS]),
    help="Of --fi2010.",
)
@click.option("--block", type=click.IntRange(1), help="Samples of a block of the bootstrap (window plus horizon).")
@click.option("--resamples", default=1000, show_default=True, type=click.IntRange(0, 100_000), help="Of the bootstrap.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of the bootstrap.")
@click.option("--penalty", type=click.FloatRange(0, min_open=True), help="On weights; else validation chooses.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for result.json.")
@click.option("--plots", is_flag=True, help="Also draw plots into the folder of --out.")
@with_output
def evaluate(output: Output, /, folders: tuple[Path, ...], out: Path | None, plots: bool, **words: Any) -> None:
    """Judge models, and the baselines that they must beat, on datasets of `tickwire dataset`.

    Majority, last move, and logistic regression on the imbalance and on all features are fitted on the training part.
    A model of `tickwire train` is judged as it is, on the datasets of its own horizon. Accuracy, F1, Matthews
    correlation and calibration come with intervals of a seeded block bootstrap. On a dataset of crashes the baselines
    are its own: the share, regressions on imbalance, features and volatility, and the flash-crash detector.

    \b
    tickwire evaluate btc --folds 4
    tickwire evaluate usdm-10 usdm-50 --model compact-10 --model compact-50 --out judged --plots
    tickwire evaluate both --train "binance-usdm BTCUSDT" --out judged --plots
    tickwire evaluate --fi2010 Train_Dst_NoAuction_ZScore_CF_7.txt Test_Dst_NoAuction_ZScore_CF_7.txt --horizon 50
    """
    if plots and out is None:
        raise click.UsageError("--plots needs --out, the folder to draw into")
    if not folders and words["fi2010"] is None:
        raise click.UsageError("name what to evaluate on: folders of `tickwire dataset`, or --fi2010 TRAINING TEST")
    if plots:
        require_plots()
    found = _evaluate(output, folders, _plan(words), words | {"plots": plots})
    notes = list(dict.fromkeys(each.note for each in found))
    result: dict[str, Any] = {"note": "; ".join(notes), "evaluations": [each.plain() for each in found], "plots": []}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        result["plots"] = [path.name for path in _draw(found, out)] if plots else []
        (out / "result.json").write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    for each in found:
        _show(output, each)
    for note in notes:
        output.say(note)
    output.emit(result)


def _evaluate(output: Output, folders: Sequence[Path], plan: EvaluationPlan, words: dict[str, Any]) -> list[_Evaluated]:
    found: list[_Evaluated] = []
    computing = Computing.of_words(words)
    if not words["models"] and not computing.is_default:
        raise click.UsageError("--backend and --precision say what computes models: name one with --model")
    models = [TrainedModel(path) for path in words["models"]]
    with output.progress("evaluating") as progress:
        for folder in folders:
            progress.show(str(folder))
            dataset = open_dataset(folder)
            is_of_crashes = dataset.header.crash is not None
            if is_of_crashes:
                _refuse_words_of_moves(folder, words)
            predictors = _predictors(models, dataset, computing)
            parts = judge_parts(dataset, plan, predictors)
            folds = walk_forward(dataset, plan, progress.show) if plan.folds else []
            trades = [] if is_of_crashes else _trades(dataset, plan, predictors, words["fee_bps"])
            by = {predictor.name: predictor.computed_by for predictor in predictors}
            rows = dataset.header.window, dataset.header.horizon
            found.append(_Evaluated(str(folder), *rows, parts, folds, trades, by, is_of_crashes=is_of_crashes))
        if words["fi2010"] is not None:
            training, test = words["fi2010"]
            horizon = int(words["horizon"])
            progress.show(str(training))
            if plan.folds or plan.train or plan.on or models:
                raise Rejected(
                    "--fi2010 has one training and one test file: leave out --folds, --train, --on and --model"
                )
            parts = evaluate_fi2010(load_fi2010(training), load_fi2010(test), horizon, plan)
            found.append(_Evaluated(FI2010, None, horizon, parts, [], []))
    return found


def _refuse_words_of_moves(folder: Path, words: dict[str, Any]) -> None:
    named = {
        "--folds": words["folds"],
        "--block": words["block"],
        "--baseline": words["names"],
        "--plots": words["plots"],
    }
    given = [name for name, value in named.items() if value]
    if given:
        raise Rejected(
            f"{folder} is of crashes, whose parts are whole sessions and whose baselines are its own: leave out "
            f"{', '.join(given)}"
        )


def _predictors(models: Sequence[TrainedModel], dataset: Dataset, computing: Computing) -> list[ModelPredictor]:
    """The models of a dataset's horizon; raises Rejected when models are named and none is of it."""
    own = [model for model in models if model.card.horizon == dataset.header.horizon]
    if models and not own:
        known = ", ".join(f"{model.folder} of {model.card.horizon}" for model in models)
        raise Rejected(f"{dataset.path} has horizon {dataset.header.horizon}, no model has it: {known}")
    for model in own:
        model.check_fits(dataset)
    return [ModelPredictor.of_folder(model, computing=computing) for model in own]


def _trades(
    dataset: Dataset, plan: EvaluationPlan, predictors: Sequence[ModelPredictor], fee_bps: float
) -> list[tuple[str, str, TradeCurve]]:
    found: list[tuple[str, str, TradeCurve]] = []
    for market in [dataset.market(name) for name in plan.on] or dataset.markets:
        rows = market.samples(plan.part)
        for predictor in predictors:
            said = predictor.predict(market, rows, market.header.normalisation)
            found.append((market.name, predictor.name, trade_curve(market, rows, said.probabilities, fee_bps)))
    return found


def _plan(words: dict[str, Any]) -> EvaluationPlan:
    return EvaluationPlan(
        train=words["train"],
        on=words["on"],
        baselines=tuple(Baseline(name) for name in words["names"]) or tuple(Baseline),
        part=Part[words["part"].upper()],
        folds=words["folds"],
        block=words["block"],
        resamples=words["resamples"],
        seed=words["seed"],
        penalty=words["penalty"],
    )


def _show(output: Output, found: _Evaluated) -> None:
    samples = found.parts[0].training
    title = f"{found.label}, horizon {found.horizon}: fitted on {samples:,} samples"
    if found.is_of_crashes:
        show_crashes(output, title, found.parts)
    else:
        output.table(title, COLUMNS, [judged_row(each) for each in found.parts], right=COLUMNS[2:])
    for name, by in found.computed_by.items():
        output.say(f"{name}: computed by the {by['backend'].upper()} in {by['precision']}")
    if found.folds:
        folds = max(each.fold or 0 for each in found.folds)
        whole = [each for each in found.folds if each.fold == 0]
        rows = [judged_row(each) for each in whole]
        output.table(f"walk forward, {folds} folds together", COLUMNS, rows, right=COLUMNS[2:])
    if found.trades:
        columns = ("market", "model", "above", "trades", "mid to mid, bps", "spread", "fees", "after costs, bps")
        output.table("one position at a time, held for the horizon", columns, _gains(found), right=columns[2:])


def _gains(found: _Evaluated) -> list[tuple[str, ...]]:
    """Rows at a few thresholds."""
    return [
        (
            market,
            name,
            f"{each['threshold']:.2f}",
            f"{each['trades']:,}",
            *(f"{each[part]:.1f}" for part in ("gross_bps", "spread_bps", "fees_bps", "net_bps")),
        )
        for market, name, curve in found.trades
        for each in curve.plain()
        if each["threshold"] in SHOWN_THRESHOLDS
    ]


def judged_row(judged: Judged) -> tuple[str, ...]:
    """A row of a table of ``COLUMNS``."""
    names = ("accuracy", "macro_f1", "matthews", "calibration_error")
    measures = [judged.report.measures[name] for name in names]
    return (
        judged.market,
        judged.predictor,
        f"{judged.report.samples:,}",
        *(_text(measure) for measure in (*measures, judged.over_majority)),
    )


def _text(measure: Measure) -> str:
    if measure.interval is None:
        return f"{measure.value:.3f}"
    low, high = measure.interval
    return f"{measure.value:.3f} [{low:.3f}, {high:.3f}]"


def _draw(found: Sequence[_Evaluated], folder: Path) -> list[Path]:
    paths: list[Path] = []
    for each in found:
        label = Path(each.label).name
        paths += plot_judged(label, each.parts, folder)
        if each.folds:
            points = [(float(one.fold), one) for one in each.folds if one.fold]
            paths += plot_f1(f"folds-{label}", "fold", points, folder)
        paths += plot_trades(label, each.trades, folder)
    if len(found) > 1:
        points = [(float(each.horizon), one) for each in found for one in each.parts]
        paths += plot_f1("horizons", "horizon in rows", points, folder)
    return paths
