"""Plots of an evaluation: confusion matrices, reliability, F1 by horizon or fold, and gains by threshold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from orchestrator.research.datasets.labels import Move
from orchestrator.research.evaluation.study import Judged
from orchestrator.research.evaluation.trades import TradeCurve

_WIDTH_INCHES: Final = 3.2
_DPI: Final = 110
_NAMES: Final = tuple(move.name.lower() for move in Move)


def plot_judged(label: str, judged: Sequence[Judged], folder: Path) -> list[Path]:
    """Draw ``evaluation-LABEL-MARKET.png`` for every market: a column per predictor, confusion above reliability."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    paths: list[Path] = []
    for market in dict.fromkeys(each.market for each in judged):
        own = [each for each in judged if each.market == market]
        figure = Figure(figsize=(_WIDTH_INCHES * len(own), 2.2 * _WIDTH_INCHES), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, len(own), squeeze=False)
        figure.suptitle(f"{label}, {market}: {own[0].report.samples:,} samples", fontsize="medium")
        for column, each in enumerate(own):
            _confusion(axes[0, column], each)
            _reliability(axes[1, column], each)
        paths.append(_save(figure, folder, f"evaluation-{label}-{market}.png"))
    return paths


def plot_f1(label: str, along: str, points: Sequence[tuple[float, Judged]], folder: Path) -> list[Path]:
    """Draw ``f1-LABEL-MARKET.png``: macro F1 of each predictor with its interval, along horizons or folds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    paths: list[Path] = []
    for market in dict.fromkeys(each.market for _, each in points):
        figure = Figure(figsize=(2 * _WIDTH_INCHES, 1.4 * _WIDTH_INCHES), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        own = [(place, each) for place, each in points if each.market == market]
        for predictor in dict.fromkeys(each.predictor for _, each in own):
            line = [(place, each.report.measures["macro_f1"]) for place, each in own if each.predictor == predictor]
            values = np.array([measure.value for _, measure in line])
            ends = np.array([measure.interval or (measure.value, measure.value) for _, measure in line])
            errors = np.maximum(0.0, np.stack([values - ends[:, 0], ends[:, 1] - values]))
            axes.errorbar([place for place, _ in line], values, errors, marker="o", capsize=3, label=predictor)
        axes.set(xlabel=along, ylabel="macro F1, 95 %", ylim=(0, 1), title=market)
        axes.legend()
        paths.append(_save(figure, folder, f"f1-{label}-{market}.png"))
    return paths


def plot_trades(label: str, curves: Sequence[tuple[str, str, TradeCurve]], folder: Path) -> list[Path]:
    """Draw ``trades-LABEL-MARKET.png``: what trading on each model would have made, by threshold."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    paths: list[Path] = []
    for market in dict.fromkeys(market for market, _, _ in curves):
        figure = Figure(figsize=(2 * _WIDTH_INCHES, 2 * _WIDTH_INCHES), layout="constrained")
        FigureCanvasAgg(figure)
        above, below = figure.subplots(2, sharex=True)
        for _, name, curve in (each for each in curves if each[0] == market):
            [line] = above.plot(curve.thresholds, curve.net_bps, label=f"{name}, after costs")
            above.plot(curve.thresholds, curve.gross_bps, linestyle=":", color=line.get_color(), label="mid to mid")
            below.step(curve.thresholds, curve.trades, where="mid", color=line.get_color())
        above.axhline(0, color="grey", linewidth=0.5)
        above.set(ylabel="sum of gains, bps", title=market)
        above.legend()
        below.set(xlabel="probability that it takes to act", ylabel="trades")
        paths.append(_save(figure, folder, f"trades-{label}-{market}.png"))
    return paths


def _confusion(axes: Any, judged: Judged) -> None:
    matrix = judged.report.confusion
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for row in range(len(matrix)):
        for column in range(len(matrix)):
            dark = shares[row, column] > 0.6
            axes.text(column, row, f"{matrix[row, column]:,}", ha="center", va="center", color="w" if dark else "k")
    axes.set(xticks=range(len(_NAMES)), yticks=range(len(_NAMES)), xticklabels=_NAMES, yticklabels=_NAMES)
    axes.set(xlabel="predicted", ylabel="was", title=judged.predictor)


def _reliability(axes: Any, judged: Judged) -> None:
    found = judged.report.reliability
    filled = found.counts > 0
    counts = found.counts[filled]
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    axes.scatter(
        found.confidences[filled] / counts, found.rights[filled] / counts, s=10 + 200 * counts / found.counts.sum()
    )
    error = judged.report.measures["calibration_error"].value
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), title=f"error {error:.3f}")


def _save(figure: Any, folder: Path, name: str) -> Path:
    path = folder / "".join(character if character.isalnum() or character in "-._" else "-" for character in name)
    figure.savefig(path, dpi=_DPI)
    return path
