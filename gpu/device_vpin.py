"""VPIN and sides of trades whose columns lie on a GPU: everything is computed there and stays there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpu.buckets import require_sizes, require_window
from gpu.classification import Bulk, Classifier, Rule, require_columns
from gpu.columns import Trades
from gpu.grid_cuda import GridKernels
from gpu.grid_judgement import BucketSeries
from gpu.grid_scan import BYTES_PER_ROW, DeviceTrades, GridScan, sides_of
from gpu.memory import in_parts, rows_that_fit


def scan_trades(scan: GridScan, xp: Any, trades: Trades, rows_at_once: int | None = None) -> None:
    """Have a scan take trades of the host or of the device, in parts that fit; None: as large as possible."""

    def take(start: int, end: int) -> None:
        scan.take(device_trades(xp, trades, start, end))

    for _ in in_parts(xp, len(trades), rows_at_once or rows_that_fit(xp, BYTES_PER_ROW), take):
        pass


def device_trades(xp: Any, trades: Trades, start: int, end: int) -> DeviceTrades:
    """Some of the trades on the device; what lies there already is not copied."""
    columns = (trades.times_ns, trades.prices, trades.quantities, trades.aggressors, trades.bids, trades.asks)
    return DeviceTrades(*(None if column is None else xp.asarray(column[start:end]) for column in columns))


def series_on_gpu(
    trades: Trades, classifiers: Sequence[Classifier], bucket_lots: Sequence[int], kernels: GridKernels
) -> list[tuple[BucketSeries, int]]:
    """The buckets of every classifier and size, in this order, and the lots that are of unknown side."""
    rules = [one for one in classifiers if isinstance(one, Rule)]
    bulks = [one for one in classifiers if isinstance(one, Bulk)]
    for rule in rules:
        require_columns(rule, trades)
    sizes = require_sizes("bucket_lots", bucket_lots)
    scan = GridScan(kernels, list(dict.fromkeys(rules)), list(dict.fromkeys(bulks)), sizes)
    scan_trades(scan, kernels.xp, trades)
    series, _ = scan.finish()
    order = [*dict.fromkeys(rules), *dict.fromkeys(bulks)]
    found = []
    for classifier in classifiers:
        first = order.index(classifier) * len(sizes)
        unknown = scan.unknown_bars[classifier] if isinstance(classifier, Bulk) else scan.unknown[classifier]
        found += [(each, unknown) for each in series[first : first + len(sizes)]]
    return found


def means_on_gpu(series: BucketSeries, windows: Sequence[int], kernels: GridKernels) -> Any:
    """float64[windows, k], VPIN at every bucket; NaN for the first ``window - 1`` of each."""
    imbalances, rows = series.imbalances, []
    for window in windows:
        require_window(series.bucket_lots, window)
        rows.append(kernels.means(imbalances, series.bucket_lots, window))
    return kernels.xp.stack(rows)


def classify_on_gpu(trades: Trades, rule: Rule, kernels: GridKernels) -> Any:
    """int8[n], the side of every trade by a rule."""
    require_columns(rule, trades)
    if not len(trades):
        return kernels.xp.zeros(0, dtype=np.int8)
    return sides_of(kernels, rule, device_trades(kernels.xp, trades, 0, len(trades)))
