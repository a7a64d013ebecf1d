"""VPIN on a GPU: the scan beside the device's own copy, and the whole grid over billions of trades."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.gpu.generated import BYTES_PER_ROW as BYTES_TO_MAKE_A_ROW
from benchmarks.gpu.generated import STEP_NS, GeneratedTrades
from benchmarks.gpu.grid_file import write_result
from benchmarks.gpu.outcome import Figure, Outcome
from benchmarks.gpu.timing import Deadline, device_seconds, least_seconds
from gpu.buckets import require_sizes
from gpu.columns import Trades
from gpu.grid_cuda import GridKernels
from gpu.grid_scan import BYTES_PER_ROW, GridScan
from gpu.memory import MEMORY_SHARE, in_parts, rows_that_fit
from gpu.vpin_grid import GridResult, VpinGrid, judge_all, vpin_grid
from market.errors import Fatal

SCAN_BYTES: Final = 5 + 5 + 16
"""Of a trade: lots and side are read twice, two prefix sums are written."""
SCAN_SHARE: Final = 0.7
HEADLINE_S: Final = 30.0
MOST_ROWS: Final = 1 << 28
_BYTES_PER_BUCKET: Final = 2 * 24
"""What is kept of a bucket, twice while parts are put together."""
_BYTES_PER_SECOND: Final = 4 * 24
_COPY_BYTES: Final = 1 << 32
_CHECKED_TRADES: Final = 300_000


def measure_copy(outcome: Outcome, xp: Any, bytes_to_copy: int = _COPY_BYTES) -> float:
    """Bytes per second that the device copies, read and written counted; kept as a figure."""
    source, target = (xp.zeros(bytes_to_copy, dtype=np.uint8) for _ in range(2))

    def copy() -> None:
        target[:] = source

    rate = 2 * bytes_to_copy / least_seconds(xp, copy, 10)
    outcome.add(Figure("copy bandwidth", rate / 1e12, "TB/s", detail=f"{bytes_to_copy} bytes, read and written"))
    return rate


def measure_scan(outcome: Outcome, kernels: GridKernels, rows: int, bytes_to_copy: int = _COPY_BYTES) -> None:
    """The scan of one part of trades against the device's copy, and beside two ``cumsum``."""
    xp = kernels.xp
    copy_rate = measure_copy(outcome, xp, bytes_to_copy)
    trades = GeneratedTrades(xp).part(0, rows)
    taken = least_seconds(xp, lambda: kernels.buckets.trade_sums(trades.quantities, trades.sides), 10)
    bought = xp.where(trades.sides == 1, trades.quantities, 0)

    def library() -> None:
        for column in (trades.quantities, bought):
            xp.cumsum(column, dtype=np.int64)

    peer = least_seconds(xp, library, 5)
    detail = f"{rows} trades, {SCAN_BYTES} bytes each"
    outcome.add(Figure("VPIN scan", taken / rows * 1e9, "ns per trade", detail=detail))
    share = rows * SCAN_BYTES / taken / copy_rate
    outcome.add(Figure("VPIN scan, share of the copy bandwidth", share, "", target=SCAN_SHARE, detail=detail))
    named = "two cumsum of the array module over the VPIN scan"
    outcome.add(Figure(named, peer / taken, "times", detail=f"{rows} trades; sides are known to the peer"))


@dataclass(frozen=True)
class GridPlan:
    """How a grid over many trades is split.

    Parameters
    ----------
    trades, rows_at_once: all, and those of a part. kept_bytes: what stays on the device until the end.
    """

    trades: int
    rows_at_once: int
    kept_bytes: int

    @classmethod
    def of(cls, xp: Any, grid: VpinGrid, trades: int, mean_lots: float) -> GridPlan:
        """The largest parts that fit. Raises Fatal when what has to be kept does not."""
        buckets = sum(trades * mean_lots / size for size in grid.bucket_lots) * len(grid.classifiers)
        seconds = trades * STEP_NS / 1e9
        kept = int(buckets * _BYTES_PER_BUCKET + seconds * _BYTES_PER_SECOND)
        room = rows_that_fit(xp, 1) / MEMORY_SHARE - kept
        rows = int(room * MEMORY_SHARE) // (BYTES_PER_ROW + BYTES_TO_MAKE_A_ROW)
        if rows < 1 << 16:
            raise Fatal(
                f"{trades} trades with this grid keep {kept / 1e9:.1f} GB on the device, which has no room for them: "
                "take fewer --trades"
            )
        return cls(trades, min(rows, MOST_ROWS, trades), kept)


@dataclass(frozen=True)
class GridRun:
    """What a grid found, and how long it took: making the trades, and everything from them to the result."""

    result: GridResult
    making_s: float
    scanning_s: float
    judging_s: float

    @property
    def seconds(self) -> float:
        """From trades on the device to results on the host."""
        return self.scanning_s + self.judging_s


def run_grid(kernels: GridKernels, grid: VpinGrid, plan: GridPlan, deadline: Deadline) -> GridRun:
    """Run a grid over generated trades. Raises Fatal when the time is over."""
    xp, source = kernels.xp, GeneratedTrades(kernels.xp)
    scan = GridScan(kernels, grid.rules, grid.bulks, require_sizes("bucket_lots", grid.bucket_lots))
    making = scanning = 0.0

    def take(start: int, end: int) -> tuple[float, float]:
        made: list[Any] = []
        making_s = device_seconds(xp, lambda: made.append(source.part(start, end)))
        scanning_s = device_seconds(xp, lambda: scan.take(made[0]))
        source.took(made[0])
        return making_s, scanning_s

    for making_s, scanning_s in in_parts(xp, plan.trades, plan.rows_at_once, take):
        making, scanning = making + making_s, scanning + scanning_s
        deadline.require("the grid's trades")
    results: list[GridResult] = []

    def judge() -> None:
        series, path = scan.finish()
        results.append(judge_all(kernels, series, path, grid, 1, lambda sets: deadline.require("the grid's sets")))

    judging = device_seconds(xp, judge)
    return GridRun(results[0], making, scanning, judging)


def require_equal(kernels: GridKernels, grid: VpinGrid, rows: int = _CHECKED_TRADES) -> None:
    """Raise Fatal unless the device finds what the CPU finds in the first trades, to the bit."""
    trades = GeneratedTrades(np).part(0, rows)
    columns = Trades(
        times_ns=trades.times_ns, prices=trades.prices, quantities=trades.quantities, aggressors=trades.sides
    )
    expected = vpin_grid(columns, grid, backend="cpu").columns()
    found = run_grid(kernels, grid, GridPlan(rows, max(1, rows // 3), 0), Deadline(120.0)).result.columns()
    for name, column in expected.items():
        different = [
            row
            for row, (one, two) in enumerate(zip(column.tolist(), found[name].tolist(), strict=True))
            if one != two and (one == one or two == two)
        ]
        if different:
            raise Fatal(f"{name} of set {different[0]} differs from the CPU's: nothing was timed")


def measure_grid(
    outcome: Outcome, kernels: GridKernels, grid: VpinGrid, trades: int, out: Path, left: Deadline
) -> None:
    """The whole grid over generated trades; writes every set's result beside the figures."""
    require_equal(kernels, grid, min(trades, _CHECKED_TRADES))
    plan = GridPlan.of(kernels.xp, grid, trades, GeneratedTrades(kernels.xp).mean_lots)
    run = run_grid(kernels, grid, plan, left)
    out.parent.mkdir(parents=True, exist_ok=True)
    digest = write_result(out, run.result)
    outcome.parts["grid"] = {
        "sets": len(run.result),
        "trades": trades,
        "rows_at_once": plan.rows_at_once,
        "file": out.name,
        "sha256": digest,
        "making_s": run.making_s,
        "scanning_s": run.scanning_s,
        "judging_s": run.judging_s,
        "synthetic": True,
    }
    detail = f"{len(run.result)} sets over {trades} generated trades, from trades on the device to results on the host"
    outcome.add(Figure("VPIN grid", run.seconds, "s", target=HEADLINE_S, lower_is_better=True, detail=detail))
    rate = trades * len(run.result) / run.seconds
    outcome.add(Figure("VPIN grid, trades times sets", rate / 1e12, "trillions per s", detail=detail))
