"""Plots of VPIN: the series beside the price, its distribution, and the changes of price after high values."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from gpu.columns import Floats
from gpu.ranks import empirical_cdf
from market.errors import MissingExtra
from orchestrator.research.vpin_result import StudyPlan, study_of
from orchestrator.research.vpin_run import VpinOutcome, WholeSeries

_SIZE_INCHES: Final = (9.0, 9.0)
_MOST_POINTS: Final = 20_000


def require_plots() -> None:
    """Raise MissingExtra unless plots can be drawn."""
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        raise MissingExtra("--plots needs matplotlib: pip install 'tickwire[plots]'") from None


def plot_vpin(outcome: VpinOutcome, plan: StudyPlan, folder: Path) -> list[Path]:
    """Draw a file ``vpin-NUMBER-MARKET-CLASSIFIER-nWINDOW.png`` for every series that has a value; returns them."""
    return [
        _draw(number, whole, row, outcome, plan, folder)
        for number, whole in enumerate(outcome.series, start=1)
        for row in range(len(whole.series.windows))
        if np.isfinite(whole.series.vpin[row]).any()
    ]


def _draw(number: int, whole: WholeSeries, row: int, outcome: VpinOutcome, plan: StudyPlan, folder: Path) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    series, market = whole.series, whole.market
    window = series.windows[row]
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    above, middle, below = figure.subplots(3, 1)
    label = f"{market.name}, {series.classifier}, buckets of {market.volume(series.bucket_lots):g}, n = {window}"
    figure.suptitle(f"VPIN-style order-flow toxicity: {label}", fontsize="medium")
    _over_time(above, whole, row, study_of(whole, row, outcome, plan).threshold)
    _distribution(middle, series.vpin[row])
    _after_entries(below, whole, row, outcome, plan)
    name = f"vpin-{number}-{market.name}-{series.classifier}-n{window}.png"
    path = folder / "".join(character if character.isalnum() or character in "-._" else "-" for character in name)
    figure.savefig(path, dpi=110)
    return path


def _over_time(axes: Any, whole: WholeSeries, row: int, threshold: float) -> None:
    series = whole.series
    step = max(1, len(series) // _MOST_POINTS)
    minutes = (series.times_ns[::step] - series.times_ns[0]) / 6e10
    axes.plot(minutes, series.vpin[row][::step], label="VPIN")
    axes.axhline(threshold, linestyle=":", color="grey", label="top part")
    axes.set(xlabel="minutes", ylabel="VPIN", ylim=(0, 1))
    axes.legend(loc="upper left")
    prices = axes.twinx()
    prices.plot(minutes, series.prices[::step] / 10**whole.market.price_decimals, color="tab:orange", linewidth=0.8)
    prices.set_ylabel("price")


def _distribution(axes: Any, vpin: Floats) -> None:
    known = np.sort(vpin[np.isfinite(vpin)])
    step = max(1, len(known) // _MOST_POINTS)
    axes.plot(known[::step], empirical_cdf(known)[::step], drawstyle="steps-post")
    axes.set(xlabel="VPIN", ylabel="empirical distribution", ylim=(0, 1))


def _after_entries(axes: Any, whole: WholeSeries, row: int, outcome: VpinOutcome, plan: StudyPlan) -> None:
    study = study_of(whole, row, outcome, plan)
    usual, changes = study.usual_changes * 1e4, study.changes * 1e4
    if len(usual):
        bins = np.histogram_bin_edges(usual, bins=40)
        axes.hist(usual, bins=bins, density=True, alpha=0.5, label=f"after any bucket ({len(usual)})")
        if len(changes):
            axes.hist(changes, bins=bins, density=True, alpha=0.5, label=f"after entries ({len(changes)})")
        axes.legend(loc="upper left")
    axes.set(xlabel=f"change of price over {plan.horizon_s:g} s in bps", ylabel="density")
