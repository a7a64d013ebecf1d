"""A grid of VPIN parameters: every set equals whole-array NumPy, compiled and thread by thread."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpu.classification import Bulk, Distribution, Rule, TimeBars, VolumeBars
from gpu.columns import Trades
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Schedule
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.grid_cuda import GridKernels, on_device
from gpu.grid_judgement import BILLION, LARGEST_CHANGE
from gpu.vpin import vpin
from gpu.vpin_cuda import TILE
from gpu.vpin_grid import GridResult, VpinGrid, on_gpu, vpin_grid
from market.errors import MissingExtra, Rejected
from market.signals.layout import SECOND_NS
from tests.gpu.tick_rule import check_entry_sums, check_tick_sides
from tests.gpu.trade_columns import random_trades

CLASSIFIERS = (
    Rule.FLAG,
    Rule.TICK,
    Bulk(bars=TimeBars(SECOND_NS)),
    Bulk(bars=TimeBars(400_000_000), distribution=Distribution.STUDENT),
    Rule.QUOTE,
    Bulk(bars=VolumeBars(700)),
)
GRID = VpinGrid(
    classifiers=CLASSIFIERS,
    bucket_lots=(900, 5_000, 10_000_000),
    windows=(1, 7, 50),
    top_parts=(0.3, 0.01),
    horizon_ns=3 * SECOND_NS,
)


def by_whole_arrays(trades: Trades, grid: VpinGrid) -> list[tuple[object, ...]]:
    """Every set by loops over the reference's buckets: threshold, entries, judged, sum of changes, usual, alarms."""
    rows: list[tuple[object, ...]] = []
    seconds = trades.times_ns // SECOND_NS
    ends = np.unique(seconds)[:-1]
    closes = trades.prices[np.searchsorted(seconds, ends, side="right") - 1].tolist() if len(trades) else []

    def after(moment: int) -> int | None:
        past = np.searchsorted((ends + 1) * SECOND_NS, moment, side="right")
        return closes[past - 1] if past and moment <= (ends[-1] + 1) * SECOND_NS else None

    for series in vpin(
        {"": trades},
        bucket_lots=grid.bucket_lots,
        windows=grid.windows,
        classifiers=(*grid.rules, *grid.bulks),
        backend="numpy",
    ):
        changes: list[int | None] = []
        for time, price in zip(series.times_ns.tolist(), series.prices.tolist(), strict=True):
            later = after(time + grid.horizon_ns)
            changes.append(None if later is None else min(abs(later - price) * BILLION // price, LARGEST_CHANGE))
        known = [change for change in changes if change is not None]
        usual = sum(known) // len(known) if known else 0
        for values in series.vpin.tolist():
            there = [value for value in values if not math.isnan(value)]
            for part in grid.top_parts:
                if not there:
                    rows.append((str(series.classifier), None, 0, 0, 0, usual, 0))
                    continue
                threshold = sorted(there)[len(there) - 1 - int(part * len(there))]
                first = len(values) - len(there)
                at = [k for k in range(first + 1, len(values)) if values[k] >= threshold > values[k - 1]]
                what = [changes[k] for k in at]
                judged = [change for change in what if change is not None]
                alarms = sum(change <= usual for change in judged)
                rows.append((str(series.classifier), threshold, len(at), len(judged), sum(judged), usual, alarms))
    return rows


def listed(result: GridResult) -> list[tuple[object, ...]]:
    """The same of a result."""
    return [
        (
            str(classifier),
            None if math.isnan(row.threshold) else row.threshold,
            row.entered,
            row.judged,
            row.change_sum,
            row.usual,
            row.false_alarms,
        )
        for classifier, _, row in result.rows
    ]


def kernels(schedule: Schedule | None = None) -> GridKernels:
    """The kernels on the CPU."""
    return on_device(lambda source: CpuModule(source, schedule), np)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_set_is_that_of_whole_arrays(seed: int) -> None:
    trades = random_trades(3_000, seed)
    result = vpin_grid(trades, GRID, backend="cpu")
    assert len(result) == len(GRID) == 6 * 3 * 3 * 2
    assert listed(result) == by_whole_arrays(trades, GRID)
    assert sum(row.judged for _, _, row in result.rows) > 100
    assert vpin_grid(trades, GRID, backend="cpu", threads=1).rows[0] == result.rows[0]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_the_kernels_find_the_same_in_every_schedule(schedule: Schedule) -> None:
    trades = random_trades(9_000, 3)
    found = on_gpu(trades, GRID, kernels(schedule), rows_at_once=4_500)
    assert listed(found) == listed(vpin_grid(trades, GRID, backend="cpu"))


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=st.integers(0, 1_000), count=st.integers(0, 400), step=st.integers(50, 500))
@example(seed=3, count=25, step=1)
def test_the_size_of_a_part_changes_nothing(seed: int, count: int, step: int) -> None:
    trades = random_trades(count, seed)
    assert listed(on_gpu(trades, GRID, kernels(), step)) == listed(vpin_grid(trades, GRID, backend="cpu"))


@pytest.mark.gpu
@pytest.mark.parametrize("count", [1, 9_000, 1_000_000])
def test_a_gpu_finds_the_same(count: int) -> None:
    trades = random_trades(count, 3)
    found = on_gpu(trades, GRID, on_device(CupyModule, require_gpu()), rows_at_once=300_000)
    assert listed(found) == listed(vpin_grid(trades, GRID, backend="cpu"))


def test_the_columns_have_a_row_for_every_set() -> None:
    columns = vpin_grid(random_trades(2_000), GRID, backend="cpu").columns()
    assert {len(column) for column in columns.values()} == {len(GRID)}
    assert columns["window"][:6].tolist() == [1, 1, 7, 7, 50, 50]
    assert set(columns["classifier"]) > {"flag", "tick"}
    judged = columns["judged"] > 0
    assert (columns["mean_change"][judged] >= 0).all()
    assert np.isnan(columns["mean_change"][~judged]).all()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"bucket_lots": ()}, "bucket_lots is empty"),
        ({"bucket_lots": (0,)}, r"bucket_lots\[0\] is 0"),
        ({"bucket_lots": (5, 5)}, "bucket_lots of a grid was"),
        ({"bucket_lots": (5,), "windows": (0,)}, r"windows\[0\] is 0"),
        ({"bucket_lots": (5,), "top_parts": (1.0,)}, "top_parts has 1.0"),
        ({"bucket_lots": (5,), "horizon_ns": 0}, "horizon_ns was 0"),
        ({"bucket_lots": (5,), "classifiers": ()}, "classifiers of a grid"),
    ],
)
def test_an_impossible_grid_is_refused(words: dict[str, object], says: str) -> None:
    with pytest.raises(Rejected, match=says):
        VpinGrid(**words)  # type: ignore[arg-type]


def test_what_the_gpu_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    trades = random_trades(500)
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    with pytest.raises(MissingExtra, match="TICKWIRE_GPU=0"):
        vpin_grid(trades, GRID, backend="gpu")
    without = Trades(times_ns=trades.times_ns, prices=trades.prices, quantities=trades.quantities)
    with pytest.raises(Rejected, match="these trades have none; use quote, tick or bulk"):
        vpin_grid(without, GRID)


def test_prices_too_far_apart_are_refused() -> None:
    trades = Trades(
        times_ns=np.array([0, SECOND_NS, 4 * SECOND_NS, 5 * SECOND_NS]),
        prices=np.array([1, 1 << 40, 1 << 40, 5]),
        quantities=np.array([5, 5, 5, 5]),
        aggressors=np.array([1, 1, 1, 1]),
    )
    with pytest.raises(Rejected, match=r"use larger ticks"):
        vpin_grid(trades, VpinGrid(bucket_lots=(5,), windows=(1,), horizon_ns=2 * SECOND_NS), backend="cpu")


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_the_tick_rule_and_the_sums_are_the_compiled_ones_in_every_schedule(schedule: Schedule) -> None:
    check_tick_sides(kernels(schedule), 9_973)
    check_entry_sums(kernels(schedule), 9_973)


@pytest.mark.long
def test_the_tick_rule_over_more_tiles_than_a_block_has_threads() -> None:
    check_tick_sides(kernels(), 300 * TILE + 77)
