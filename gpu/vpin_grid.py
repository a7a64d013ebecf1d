"""A whole grid of VPIN parameters over one stream of trades: classifiers, bars, bucket sizes, windows and top parts.

Every parameter set says when VPIN rose into its top part and how much the price changed after it, as in the studies of
Wu, Bethel, Gu, Leinweber and Rubel, "A Big Data Approach to Analyzing Market Volatility", Algorithmic Finance 2, 2013.
Trades are scanned once per rule and bars once per bar length; each bucket size, window and part costs what its buckets
cost. Integers but for VPIN itself, which is one division: all back ends give the same bits. See ``docs/vpin.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu.arrays import choose_for
from gpu.backend import Backend, choose_threads
from gpu.bars import BarBuilder
from gpu.buckets import require_sizes
from gpu.classification import Bulk, Classifier, Rule, TimeBars, require_columns
from gpu.columns import Trades
from gpu.device_vpin import scan_trades
from gpu.grid_cuda import GridKernels, on_current_gpu
from gpu.grid_judgement import BILLION, BucketSeries, CompiledTools, Judgement, PricePath, judge
from gpu.grid_scan import GridScan
from gpu.vpin import vpin
from market.errors import Rejected
from market.signals.layout import LARGEST_TIME, SECOND_NS


@dataclass(frozen=True, kw_only=True)
class VpinGrid:
    """The parameter sets: every combination of a classifier, bucket size, window and top part.

    Parameters
    ----------
    classifiers: rules and bulk classifications, each with its bars. bucket_lots: volumes of a bucket. windows: n.
    top_parts: of the known values, above 0 and below 1, that are called high. horizon_ns: what is looked at after.

    Raises Rejected for impossible or repeated parameters.
    """

    classifiers: tuple[Classifier, ...] = (Rule.FLAG,)
    bucket_lots: tuple[int, ...]
    windows: tuple[int, ...] = (50,)
    top_parts: tuple[float, ...] = (0.1,)
    horizon_ns: int = 300 * SECOND_NS

    def __post_init__(self) -> None:
        require_sizes("bucket_lots", self.bucket_lots)
        require_sizes("windows", self.windows)
        for name in ("classifiers", "bucket_lots", "windows", "top_parts"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise Rejected(f"{name} of a grid was {values}: must have at least one value, each once")
        for part in self.top_parts:
            if not 0.0 < part < 1.0:
                raise Rejected(f"top_parts has {part!r}: must be above 0 and below 1")
        if not 1 <= self.horizon_ns < 1 << 60:
            raise Rejected(f"horizon_ns was {self.horizon_ns}: must be from 1 to 2^60 - 1")

    def __len__(self) -> int:
        return len(self.classifiers) * len(self.bucket_lots) * len(self.windows) * len(self.top_parts)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The classifiers that look at single trades."""
        return tuple(one for one in self.classifiers if isinstance(one, Rule))

    @property
    def bulks(self) -> tuple[Bulk, ...]:
        """The classifiers that look at bars."""
        return tuple(one for one in self.classifiers if isinstance(one, Bulk))


@dataclass
class GridResult:
    """What every parameter set found, in order: rules, then bulk classifications; sizes; windows; top parts.

    Parameters
    ----------
    rows: classifier, bucket_lots and judgement of each set.
    """

    rows: list[tuple[Classifier, int, Judgement]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> dict[str, NDArray[Any]]:
        """A column per parameter and result, a row per set; changes as parts of the price."""
        judged = [row for _, _, row in self.rows]
        return {
            "classifier": np.array([str(classifier) for classifier, _, _ in self.rows]),
            "bucket_lots": np.array([lots for _, lots, _ in self.rows], dtype=np.int64),
            "window": np.array([row.window for row in judged], dtype=np.int64),
            "top_part": np.array([row.top_part for row in judged]),
            "buckets": np.array([row.buckets for row in judged], dtype=np.int64),
            "threshold": np.array([row.threshold for row in judged]),
            "entered": np.array([row.entered for row in judged], dtype=np.int64),
            "judged": np.array([row.judged for row in judged], dtype=np.int64),
            "mean_change": np.array([row.mean_change for row in judged]),
            "usual_change": np.array([row.usual for row in judged]) / BILLION,
            "false_alarms": np.array([row.false_alarms for row in judged], dtype=np.int64),
        }


def vpin_grid(
    trades: Trades, grid: VpinGrid, *, backend: Backend | str = Backend.AUTO, threads: int | None = None
) -> GridResult:
    """Every parameter set of a grid over one instrument's trades.

    Parameters
    ----------
    trades: on the host or on a GPU. threads: of the CPU back end, None: all that the process may use; the result does
        not depend on it.

    Raises Rejected for columns that a classifier lacks, MissingExtra without a GPU, Fatal where even a small part of
    the trades does not fit the GPU's memory.
    """
    _require_columns(trades, grid)
    if choose_for(trades.on_gpu, backend) is Backend.GPU:
        return on_gpu(trades, grid, on_current_gpu())
    path = BarBuilder(TimeBars(SECOND_NS)).take(trades)
    series = list(_compiled_series(trades, grid, threads))
    return judge_all(CompiledTools(), series, PricePath(path.ends_ns, path.prices), grid, threads)


def on_gpu(trades: Trades, grid: VpinGrid, kernels: GridKernels, rows_at_once: int | None = None) -> GridResult:
    """As ``vpin_grid``, with these kernels and at most so many trades on the device at once; None: what fits."""
    scan = GridScan(kernels, grid.rules, grid.bulks, require_sizes("bucket_lots", grid.bucket_lots))
    scan_trades(scan, kernels.xp, trades, rows_at_once)
    series, path = scan.finish()
    return judge_all(kernels, series, path, grid, threads=1)


def judge_all(
    tools: Any,
    series: list[BucketSeries],
    path: PricePath,
    grid: VpinGrid,
    threads: int | None,
    done: Callable[[int], None] = lambda sets: None,
) -> GridResult:
    """The result of all series; ``done`` is told after each how many sets there are."""

    def work(one: BucketSeries) -> list[Judgement]:
        return judge(tools, one, path, grid.windows, grid.top_parts, grid.horizon_ns)

    result = GridResult()
    with ThreadPoolExecutor(choose_threads(threads), "grid") as pool:
        for one, judged in zip(series, pool.map(work, series), strict=True):
            result.rows += [(one.classifier, one.bucket_lots, row) for row in judged]
            done(len(result))
    return result


def _compiled_series(trades: Trades, grid: VpinGrid, threads: int | None) -> Iterator[BucketSeries]:
    for classifier in (*grid.rules, *grid.bulks):
        words = {"bucket_lots": grid.bucket_lots, "windows": (1,), "classifiers": (classifier,)}
        for found in vpin({"": trades}, backend=Backend.CPU, threads=threads, **words):  # type: ignore[arg-type]
            yield BucketSeries(found.classifier, found.bucket_lots, found.bought, found.times_ns, found.prices)


def _require_columns(trades: Trades, grid: VpinGrid) -> None:
    for rule in grid.rules:
        require_columns(rule, trades)
    if len(trades) and int(trades.times_ns[-1]) + grid.horizon_ns > LARGEST_TIME:
        raise Rejected(f"times_ns ends at {trades.times_ns[-1]}: too near the largest time for the horizon")
