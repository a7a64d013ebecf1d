"""The result of ``tickwire vpin``: rows of Parquet, an object for JSON, tables for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu.columns import Floats
from gpu.event_study import EventStudy, study_entries
from gpu.ranks import empirical_cdf
from gpu.vpin import VpinSeries
from market.signals.layout import SECOND_NS
from orchestrator.cli.output import Output
from orchestrator.replay.parquet import ParquetFile
from orchestrator.research.trade_parts import TradedMarket
from orchestrator.research.vpin_run import VpinOutcome, WholeSeries

NOTE = "VPIN-style order-flow toxicity; it is disputed what it adds to volume and volatility: docs/vpin.md"


@dataclass(frozen=True)
class StudyPlan:
    """The event study: the top part of VPIN, and the time after entering it."""

    top_part: float = 0.1
    horizon_s: float = 300.0
    past_only: bool = False

    @property
    def horizon_ns(self) -> int:
        """The time in ns."""
        return round(self.horizon_s * SECOND_NS)


class SeriesFile:
    """``vpin.parquet``, which takes its name only when it is whole."""

    def __init__(self, folder: Path) -> None:
        self._made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "vpin.parquet"
        self._part = folder / "vpin.parquet.part"
        self._file = ParquetFile(self._part)

    def write(self, market: TradedMarket, found: Sequence[VpinSeries]) -> None:
        """Append the buckets of a market."""
        for series in found:
            if len(series):
                self._file.write(series_columns(market, series))

    def finish(self) -> None:
        """Close the file and give it its name; without any bucket there is none."""
        self._file.close()
        if self._part.exists():
            self._part.replace(self._path)

    def drop(self) -> None:
        """Remove what there is of it, and the folder if it was made for it."""
        self._file.close()
        self._part.unlink(missing_ok=True)
        folder = self._part.parent
        if self._made and not any(folder.iterdir()):
            folder.rmdir()


def series_columns(market: TradedMarket, series: VpinSeries) -> dict[str, NDArray[Any]]:
    """A row per bucket: market, classifier, bucket_lots, bucket, time_ns, price, bought_lots, and VPIN per window."""
    rows = len(series)
    return {
        "market": np.full(rows, market.name),
        "classifier": np.full(rows, str(series.classifier)),
        "bucket_lots": np.full(rows, series.bucket_lots, dtype=np.int64),
        "bucket": np.arange(series.first, series.first + rows, dtype=np.int64),
        "time_ns": series.times_ns,
        "price": series.prices / 10**market.price_decimals,
        "bought_lots": series.bought,
        **{f"vpin_{window}": series.vpin[row] for row, window in enumerate(series.windows)},
    }


def study_of(whole: WholeSeries, row: int, outcome: VpinOutcome, plan: StudyPlan) -> EventStudy:
    """The event study of one window of a series."""
    series = whole.series
    times_ns, prices = outcome.paths[whole.market.name]
    ranks: Floats | None = empirical_cdf(series.vpin[row], past_only=True) if plan.past_only else None
    return study_entries(
        series.times_ns,
        series.vpin[row],
        series.imbalances,
        times_ns,
        prices,
        top_part=plan.top_part,
        horizon_ns=plan.horizon_ns,
        ranks=ranks,
    )


def vpin_result(outcome: VpinOutcome, plan: StudyPlan) -> dict[str, Any]:
    """Everything ready for JSON; None where there is no value."""
    return {
        "note": NOTE,
        "trades": outcome.trades,
        "study": {"top_part": plan.top_part, "horizon_s": plan.horizon_s, "past_only": plan.past_only},
        "series": [
            _series(whole, row, study_of(whole, row, outcome, plan))
            for whole in outcome.series
            for row in range(len(whole.series.windows))
        ],
    }


def _series(whole: WholeSeries, row: int, study: EventStudy) -> dict[str, Any]:
    series = whole.series
    known = series.vpin[row][np.isfinite(series.vpin[row])]
    return {
        "market": whole.market.name,
        "classifier": str(series.classifier),
        "bucket_lots": series.bucket_lots,
        "bucket_volume": whole.market.volume(series.bucket_lots),
        "window": series.windows[row],
        "buckets": len(series),
        "unknown_lots": series.unknown_lots,
        "sigma_ticks": series.sigma_ticks,
        "vpin": {
            "min": float(known.min()) if len(known) else None,
            "mean": float(known.mean()) if len(known) else None,
            "max": float(known.max()) if len(known) else None,
            "last": float(known[-1]) if len(known) else None,
        },
        "threshold": _known(study.threshold),
        "entries": len(study.entered),
        "change_ratio": _known(study.change_ratio),
        "volatility_ratio": _known(study.volatility_ratio),
        "mean_earning_bps": _known(study.mean_earning * 1e4),
    }


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def show_vpin(output: Output, result: dict[str, Any]) -> None:
    """Tables of the series and of what followed high values."""
    names = ("market", "classifier", "bucket", "n", "buckets", "min", "mean", "max", "last")
    rows = [
        (
            each["market"],
            each["classifier"],
            f"{each['bucket_volume']:g}",
            each["window"],
            f"{each['buckets']:,}",
            *(_text(each["vpin"][key], 3) for key in ("min", "mean", "max", "last")),
        )
        for each in result["series"]
    ]
    output.table("VPIN", names, rows, right=names[2:])
    study = result["study"]
    title = f"{study['horizon_s']:g} s after VPIN entered its top {study['top_part']:.0%}, beside after any bucket"
    columns = ("market", "classifier", "n", "threshold", "entries", "|change|", "volatility", "with the flow, bps")
    rows = [
        (
            each["market"],
            each["classifier"],
            each["window"],
            _text(each["threshold"], 3),
            each["entries"],
            _text(each["change_ratio"], 2),
            _text(each["volatility_ratio"], 2),
            _text(each["mean_earning_bps"], 2),
        )
        for each in result["series"]
    ]
    output.table(title, columns, rows, right=columns[2:])
    output.say(result["note"])


def _text(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
