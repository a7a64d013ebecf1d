"""Exact volume buckets of ten million generated trades, beside NumPy and Polars doing the same."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.harness import Report, seconds, take_turns
from gpu.backend import Backend
from gpu.bucket_scan import volume_buckets
from gpu.buckets import window_means
from gpu.columns import Floats, Integers, Sides
from market.errors import Fatal, MissingExtra

TRADES: Final = 10_000_000
WINDOW: Final = 50
TARGETS_NS: Final = {1: 2.0, 8: 4.0}
LEAST_RATIO: Final = 5.0
_SEED: Final = 20240808
_CAVEATS: Final = {
    "NumPy": "cumsum and searchsorted on one thread; takes every trade as sound, where ours checks each",
    "Polars": "cum_sum and join_asof on all threads; takes every trade as sound, where ours checks each",
}

Compute = Callable[[Integers, Sides, Sequence[int]], list[Floats]]


def measure(report: Report) -> None:
    """Nanoseconds per trade, from columns of lots and sides to VPIN at every bucket."""
    report.call_synthetic()
    quantities, sides = generated_trades(TRADES)
    mean = int(quantities.mean())
    eight = [int(mean * trades) for trades in np.geomspace(100, 20_000, 8)]
    contenders: dict[str, Compute] = {"one thread": _compiled(1), "all threads": _compiled(None)}
    contenders |= {"NumPy": _numpy, "Polars": _polars()}
    for sizes in ([mean * 1_000], eight):
        _require_agreement(contenders, quantities, sides, sizes)

        def timed(compute: Compute, sizes: list[int] = sizes) -> Callable[[], float]:
            return lambda: seconds(lambda: compute(quantities, sides, sizes)) * 1e9 / TRADES

        values = take_turns({name: timed(compute) for name, compute in contenders.items()}, report.rounds)
        case = f"VPIN, {len(sizes)} bucket size{'s' if len(sizes) > 1 else ''}"
        report.against_target(f"{case}, one thread", "ns/trade", values["one thread"], TARGETS_NS[len(sizes)])
        own = values["one thread"]
        for peer, caveat in _CAVEATS.items():
            report.compare(
                f"{case}, one thread", "ns/trade", own, peer, values[peer], target=LEAST_RATIO, caveat=caveat
            )
        report.compare(f"{case}, one thread", "ns/trade", own, "ours, all threads", values["all threads"])


def generated_trades(count: int) -> tuple[Integers, Sides]:
    """Trades of heavy-tailed sizes, each side as likely as the other."""
    random = np.random.default_rng(_SEED)
    quantities = np.minimum(np.ceil(random.pareto(1.5, count) * 50) + 1, 100_000).astype(np.int64)
    return quantities, random.integers(1, 3, count).astype(np.int8)


def _compiled(threads: int | None) -> Compute:
    def compute(quantities: Integers, sides: Sides, sizes: Sequence[int]) -> list[Floats]:
        found = volume_buckets(quantities, sides, sizes, backend=Backend.CPU, threads=threads)
        return [window_means(buckets.imbalances, buckets.lots, WINDOW, len(buckets)) for buckets in found]

    return compute


def _numpy(quantities: Integers, sides: Sides, sizes: Sequence[int]) -> list[Floats]:
    """Prefix sums once, then a binary search for the edges of each size."""
    volume = np.cumsum(np.where(sides == 0, 0, quantities))
    bought = np.cumsum(np.where(sides == 1, quantities, 0))
    found = []
    for size in sizes:
        edges = np.arange(size, volume[-1] + 1, size)
        rows = np.searchsorted(volume, edges)
        at_edges = bought[rows] - np.where(sides[rows] == 1, volume[rows] - edges, 0)
        found.append(_means(np.abs(2 * np.diff(at_edges, prepend=0) - size), size))
    return found


def _polars() -> Compute:
    try:
        polars: Any = importlib.import_module("polars")
    except ImportError:
        raise MissingExtra("polars is not installed: pip install 'tickwire[bench]'") from None

    def compute(quantities: Integers, sides: Sides, sizes: Sequence[int]) -> list[Floats]:
        side, quantity = polars.col("side"), polars.col("quantity")
        trades = polars.DataFrame({"quantity": quantities, "side": sides}).select(
            side,
            polars.when(side == 0).then(0).otherwise(quantity).cum_sum().alias("volume"),
            polars.when(side == 1).then(quantity).otherwise(0).cum_sum().alias("bought"),
        )
        trades = trades.with_columns(polars.col("volume").set_sorted())
        total = trades["volume"][-1]
        found = []
        for size in sizes:
            edges = polars.DataFrame({"edge": polars.int_range(size, total + 1, size, eager=True)})
            beyond = polars.when(side == 1).then(polars.col("volume") - polars.col("edge")).otherwise(0)
            joined = edges.with_columns(polars.col("edge").set_sorted()).join_asof(
                trades, left_on="edge", right_on="volume", strategy="forward", coalesce=False
            )
            at_edges = joined.select((polars.col("bought") - beyond).alias("at"))["at"].to_numpy()
            found.append(_means(np.abs(2 * np.diff(at_edges, prepend=0) - size), size))
        return found

    return compute


def _means(imbalances: Integers, size: int) -> Floats:
    totals = np.concatenate(([0], np.cumsum(imbalances)))
    means = np.full(len(imbalances), np.nan)
    means[WINDOW - 1 :] = (totals[WINDOW:] - totals[:-WINDOW]) / (WINDOW * size)
    return means


def _require_agreement(
    contenders: dict[str, Compute], quantities: Integers, sides: Sides, sizes: Sequence[int]
) -> None:
    first, *others = (compute(quantities, sides, sizes) for compute in contenders.values())
    for other in others:
        if not all(np.array_equal(one, two, equal_nan=True) for one, two in zip(first, other, strict=True)):
            raise Fatal("the contenders compute different values; nothing was timed")
