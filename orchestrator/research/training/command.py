"""``tickwire train``: a model of the order book, fitted on a dataset and judged beside the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from gpu.models.onnx_graph import require_onnx
from gpu.models.onnx_runtime import require_onnx_runtime
from orchestrator.cli.output import Output, with_output
from orchestrator.research.crashes.study import NOTE as CRASH_NOTE
from orchestrator.research.crashes.study import show_crashes
from orchestrator.research.datasets.dataset import open_dataset
from orchestrator.research.evaluation.command import COLUMNS, NOTE, judged_row
from orchestrator.research.evaluation.study import EvaluationPlan
from orchestrator.research.models.folder import refuse_existing, write_model
from orchestrator.research.training.fit import ClassWeights, FitSettings
from orchestrator.research.training.network import require_torch
from orchestrator.research.training.run import Trained, beaten, describe, train
from orchestrator.research.training.sizes import Size

_DEFAULT: Final = FitSettings()


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DATASET")
@click.option(
    "--model", "size", default=Size.COMPACT.value, show_default=True, type=click.Choice([s.value for s in Size])
)
@click.option("--train", "markets", multiple=True, metavar="MARKET", help="Market to fit on; repeated. Else all.")
@click.option("--on", multiple=True, metavar="MARKET", help="Market to judge on; repeated. Else all.")
@click.option("--folds", default=0, show_default=True, type=click.IntRange(0, 100), help="Also walk forward so often.")
@click.option("--epochs", default=_DEFAULT.epochs, show_default=True, type=click.IntRange(1), help="At most.")
@click.option("--patience", default=_DEFAULT.patience, show_default=True, type=click.IntRange(1), help="Epochs.")
@click.option(
    "--learning-rate", default=_DEFAULT.learning_rate, show_default=True, type=click.FloatRange(0, min_open=True)
)
@click.option("--weight-decay", default=_DEFAULT.weight_decay, show_default=True, type=click.FloatRange(0))
@click.option("--dropout", default=_DEFAULT.dropout, show_default=True, type=click.FloatRange(0, 1, max_open=True))
@click.option(
    "--class-weights",
    default=_DEFAULT.class_weights.value,
    show_default=True,
    type=click.Choice([each.value for each in ClassWeights]),
    help="How much classes weigh.",
)
@click.option("--seed", default=_DEFAULT.seed, show_default=True, type=click.IntRange(0), help="Of the training.")
@click.option("--resamples", default=1000, show_default=True, type=click.IntRange(0, 100_000), help="Of the bootstrap.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@with_output
def train_model(output: Output, /, folder: Path, size: str, out: Path, **words: Any) -> None:
    """Train a model on the training part of a dataset, in PyTorch, and write it with its card.

    The validation part decides when to stop, the test part judges once: beside the same baselines as `tickwire
    evaluate`, with intervals. The same samples, options, PyTorch and processor give the same files. Of a dataset of
    crashes the model says how probable it is that one comes.

    \b
    tickwire train usdm-50 --train "binance-usdm BTCUSDT" --out btc-50
    tickwire train usdm-50 --model deeplob-paper --folds 3 --out deeplob-50
    """
    require_torch()
    require_onnx()
    require_onnx_runtime()
    refuse_existing(out)
    chosen = Size(size)
    settings = FitSettings(
        seed=words["seed"],
        epochs=words["epochs"],
        patience=words["patience"],
        learning_rate=words["learning_rate"],
        weight_decay=words["weight_decay"],
        dropout=words["dropout"],
        class_weights=ClassWeights(words["class_weights"]),
    )
    plan = EvaluationPlan(
        train=tuple(words["markets"]), on=tuple(words["on"]), folds=words["folds"], resamples=words["resamples"]
    )
    dataset = open_dataset(folder)
    with output.progress(f"training {size}") as progress:
        trained = train(dataset, chosen, settings, plan, progress.show)
    card = write_model(
        trained.fitted.model, lambda digests: describe(dataset, chosen, settings, plan, trained, digests), out
    )
    if card.crash is None:
        _show(output, f"{folder}, horizon {card.horizon}", trained)
    else:
        show_crashes(output, f"{folder}, test part", trained.test)
    for market, is_above in beaten(trained.test, size).items():
        measure = "macro F1" if card.crash is None else "average precision"
        said = "is above" if is_above else "is NOT above"
        output.say(f"{market}: {measure} of {size} {said} the intervals of all baselines")
    output.say(f"{out}: {card.parameters:,} parameters, kept after epoch {card.training.best_epoch}")
    output.say(NOTE if card.crash is None else CRASH_NOTE)
    above = beaten(trained.test, size)
    judged = {"test": trained.test, "walk_forward": trained.folds}
    results = {part: [each.plain() for each in found] for part, found in judged.items()}
    output.emit({"out": str(out), "card": card.plain(), "above_every_baseline": above, **results})


def _show(output: Output, title: str, trained: Trained) -> None:
    output.table(f"{title}: test part", COLUMNS, [judged_row(each) for each in trained.test], right=COLUMNS[2:])
    whole = [each for each in trained.folds if each.fold == 0]
    if whole:
        rows = [judged_row(each) for each in whole]
        output.table(f"{title}: walk forward, all folds together", COLUMNS, rows, right=COLUMNS[2:])
