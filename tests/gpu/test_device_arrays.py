"""Arrays on a GPU in, arrays on a GPU out, with the numbers of the CPU; here on a device that is the host itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpu.arrays
import gpu.event_study
import gpu.grid_cuda
from gpu.agreement import agreement
from gpu.arrays import is_on_gpu
from gpu.bucket_scan import BucketScan, volume_buckets
from gpu.classification import Bulk, Classifier, Distribution, Rule, TimeBars, VolumeBars
from gpu.columns import Trades
from gpu.cuda_on_cpu.module import CpuModule
from gpu.device import require_gpu
from gpu.device_scan import DeviceBucketScan
from gpu.event_study import study_entries
from gpu.flow import trade_flow
from gpu.ranks import empirical_cdf
from gpu.trade_sides import classify
from gpu.vpin import VpinSeries, VpinStream, vpin
from gpu.vpin_grid import VpinGrid, vpin_grid
from market.errors import Rejected
from tests.gpu.small_device import SmallDevice
from tests.gpu.trade_columns import random_trades

COLUMNS = ("times_ns", "prices", "quantities", "aggressors", "bids", "asks")
CLASSIFIERS: tuple[Classifier, ...] = (
    *Rule,
    Bulk(bars=TimeBars(1_500_000_000)),
    Bulk(bars=VolumeBars(900), distribution=Distribution.STUDENT),
    Bulk(bars=TimeBars(200_000_000), sigma_ticks=3.0),
)
SIZES = (37, 5_000, 10_000_000)


@pytest.fixture(params=["here", pytest.param("on a GPU", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The array module of a device: a real one where the test is so marked, else one that runs thread by thread."""
    if request.param != "here":
        return require_gpu()
    stand_in = SmallDevice()
    for module in (gpu.arrays, gpu.event_study, gpu.grid_cuda):
        monkeypatch.setattr(module, "require_gpu", lambda: stand_in)
    monkeypatch.setattr("gpu.backend.require_gpu", lambda: stand_in)
    monkeypatch.setattr("gpu.backend.has_gpu", lambda: True)
    monkeypatch.setattr("gpu.device_scan.require_gpu", lambda: stand_in)
    for module_name in ("gpu.grid_cuda", "gpu.device_scan"):
        monkeypatch.setattr(f"{module_name}.CupyModule", CpuModule)
    return stand_in


def there(device: Any, trades: Trades) -> Trades:
    """The same trades on the device."""
    return Trades(**{name: device.asarray(getattr(trades, name)) for name in COLUMNS})


def equal(found: Any, expected: Any) -> None:
    """The array lies on the device and is the expected one, to the bit."""
    assert hasattr(found, "__cuda_array_interface__")
    host = found.get()
    assert host.dtype == expected.dtype
    np.testing.assert_array_equal(host, expected)


@pytest.mark.parametrize("count", [0, 1, 4_000])
def test_vpin_of_trades_on_a_gpu_is_that_of_the_host(device: Any, count: int) -> None:
    trades = random_trades(count, 5)
    words: dict[str, Any] = {"bucket_lots": SIZES, "windows": (1, 20), "classifiers": CLASSIFIERS}
    found = vpin({"A": there(device, trades)}, **words)
    expected = vpin({"A": trades}, backend="cpu", **words)
    assert len(found) == len(expected) == len(CLASSIFIERS) * len(SIZES)
    for one, other in zip(found, expected, strict=True):
        for name in ("times_ns", "prices", "bought", "vpin"):
            equal(getattr(one, name), getattr(other, name))
        for each in dataclasses.fields(VpinSeries):
            if each.name not in ("times_ns", "prices", "bought", "vpin"):
                assert getattr(one, each.name) == getattr(other, each.name)


def test_buckets_of_columns_on_a_gpu(device: Any) -> None:
    trades = random_trades(5_000)
    assert trades.aggressors is not None
    found = volume_buckets(device.asarray(trades.quantities), device.asarray(trades.aggressors), SIZES)
    expected = volume_buckets(trades.quantities, trades.aggressors, SIZES, backend="cpu")
    for one, other in zip(found, expected, strict=True):
        equal(one.bought, other.bought)
        equal(one.completed_by, other.completed_by)
        equal(one.imbalances, other.imbalances)


@pytest.mark.parametrize("rule", list(Rule))
def test_sides_of_trades_on_a_gpu(device: Any, rule: Rule) -> None:
    trades = random_trades(5_000)
    equal(classify(there(device, trades), rule), classify(trades, rule, backend="cpu"))


@pytest.mark.parametrize("moments", [None, np.arange(0, 90_000_000_000, 777_777_777)])
def test_flow_of_trades_on_a_gpu(device: Any, moments: Any) -> None:
    trades = random_trades(3_000)
    columns = (trades.times_ns, trades.quantities, trades.aggressors)
    words: dict[str, Any] = {"windows_ns": (1_000_000_000, 30_000_000_000)}
    expected = trade_flow(*columns, at_ns=moments, backend="cpu", **words)  # type: ignore[arg-type]
    at = None if moments is None else device.asarray(moments)
    found = trade_flow(*(device.asarray(column) for column in columns), at_ns=at, **words)
    for name in ("cvd", "toxicity", "unknown_lots"):
        equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("past_only", [False, True])
def test_ranks_and_studies_of_series_on_a_gpu(device: Any, past_only: bool) -> None:
    trades = random_trades(4_000)
    [series] = vpin({"A": trades}, bucket_lots=(2_000,), windows=(5,), backend="cpu")
    ranks = empirical_cdf(series.vpin[0], past_only=past_only)
    equal(empirical_cdf(device.asarray(series.vpin[0]), past_only=past_only), ranks)
    columns = (series.times_ns, series.vpin[0], series.imbalances, trades.times_ns, trades.prices)
    words: dict[str, Any] = {"horizon_ns": 2_000_000_000, "steps": 4}
    expected = study_entries(*columns, ranks=ranks if past_only else None, **words)
    found = study_entries(
        *(device.asarray(column) for column in columns), ranks=device.asarray(ranks) if past_only else None, **words
    )
    assert len(expected.entered) > 2
    for each in dataclasses.fields(expected)[1:]:
        equal(getattr(found, each.name), getattr(expected, each.name))
    assert (found.threshold, found.mean_earning) == (expected.threshold, expected.mean_earning)
    assert found.change_ratio == pytest.approx(expected.change_ratio)


def test_a_grid_over_trades_on_a_gpu(device: Any) -> None:
    trades = random_trades(4_000)
    grid = VpinGrid(classifiers=CLASSIFIERS, bucket_lots=(900,), windows=(4,), horizon_ns=1_000_000_000)
    found, expected = vpin_grid(there(device, trades), grid), vpin_grid(trades, grid, backend="cpu")
    assert found.rows == expected.rows


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"quantities": [3, 0]}, r"quantities\[1\] is 0: must be from 1"),
        ({"quantities": [-3, 1]}, r"quantities\[0\] is -3: must be from 1"),
        ({"quantities": [1.5, np.nan]}, r"quantities must be whole numbers, was float64: quantities\[1\] is nan"),
        ({"prices": [5.0, 6.0]}, r"prices must be whole numbers, was float64: convert to ticks"),
        ({"prices": [5, 0]}, r"prices\[1\] is 0"),
        ({"times_ns": [9, 8]}, r"times_ns\[1\] is 8, before times_ns\[0\] = 9: sort"),
        ({"aggressors": [1, 7]}, r"aggressors\[1\] is 7"),
        ({"aggressors": np.array([1, 7], dtype=np.int8)}, r"aggressors\[1\] is 7: must be 0 \(unknown\)"),
        ({"prices": [5, 6, 7]}, r"prices must have shape \(2,\), was \(3,\)"),
        ({"prices": [[5, 6]]}, r"prices must have shape \(n,\), was \(1, 2\)"),
        ({"bids": np.array([1, 1 << 63], dtype=np.uint64)}, r"bids\[1\] is 9223372036854775808: does not fit int64"),
    ],
)
def test_impossible_columns_on_a_gpu_are_refused_with_column_and_index(
    device: Any, changed: dict[str, Any], says: str
) -> None:
    columns: dict[str, Any] = {
        "times_ns": [1, 2],
        "prices": [5, 6],
        "quantities": [3, 4],
        "aggressors": [1, 2],
        "bids": [4, 4],
        "asks": [6, 6],
    }
    with pytest.raises(Rejected, match=says):
        Trades(**{name: device.asarray(np.asarray(column)) for name, column in (columns | changed).items()})


def test_columns_in_two_places_are_refused(device: Any) -> None:
    trades = random_trades(5)
    with pytest.raises(Rejected, match="prices, aggressors: on the host, while the other columns lie on a GPU"):
        Trades(
            times_ns=device.asarray(trades.times_ns),
            prices=trades.prices,
            quantities=device.asarray(trades.quantities),
            aggressors=trades.aggressors,
        )
    with pytest.raises(Rejected, match="sides: on the host"):
        volume_buckets(device.asarray(trades.quantities), trades.aggressors, [5])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    [
        lambda trades: vpin({"A": trades}, bucket_lots=[5], backend="cpu"),
        lambda trades: classify(trades, Rule.TICK, backend="numpy"),
        lambda trades: volume_buckets(trades.quantities, trades.aggressors, [5], backend="cpu"),
        lambda trades: trade_flow(trades.times_ns, trades.quantities, trades.aggressors, [5], backend="cpu"),
        lambda trades: empirical_cdf(trades.prices, backend="cpu"),
        lambda trades: vpin_grid(trades, VpinGrid(bucket_lots=(5,)), backend="cpu"),
    ],
)
def test_the_cpu_does_not_take_what_lies_on_a_gpu(device: Any, call: Callable[[Trades], object]) -> None:
    with pytest.raises(Rejected, match="takes NumPy arrays, these lie on a GPU: use backend='gpu' or 'auto'"):
        call(there(device, random_trades(50)))


@pytest.mark.parametrize(
    "call",
    [
        lambda trades: VpinStream("A", Rule.TICK, bucket_lots=[5]).update(trades),
        lambda trades: BucketScan([5]).take(trades.quantities, trades.aggressors),
        lambda trades: agreement(trades, Rule.TICK),
    ],
)
def test_streams_take_what_lies_on_the_host(device: Any, call: Callable[[Trades], object]) -> None:
    with pytest.raises(Rejected, match=r"takes columns on the host, these lie on a GPU: move them with \.get\(\)"):
        call(there(device, random_trades(50)))


def test_the_scan_in_parts_keeps_buckets_where_their_trades_are(device: Any) -> None:
    trades = random_trades(3_000)
    scan = DeviceBucketScan(SIZES, rows_at_once=700)
    assert trades.aggressors is not None
    columns = (trades.quantities, trades.aggressors)
    host = scan.take(*columns)
    again = scan.take(*(device.asarray(column) for column in columns))
    assert not any(is_on_gpu(one.bought) for one in host)
    assert all(is_on_gpu(one.bought) for one in again)
