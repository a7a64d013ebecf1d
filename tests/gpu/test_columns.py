"""What is no column of trades is refused, with its name and the first offending index."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpu.backend import choose
from gpu.bucket_scan import BucketScan, volume_buckets
from gpu.columns import Trades
from gpu.vpin import vpin
from market.errors import MissingExtra, Rejected
from tests.gpu.trade_columns import trades_of

GOOD: dict[str, Any] = {"times_ns": [1, 2, 2], "prices": [10, 11, 10], "quantities": [5, 6, 7], "aggressors": [1, 2, 0]}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"times_ns": [1, 3, 2]}, r"times_ns\[2\] is 2, before times_ns\[1\] = 3"),
        ({"times_ns": [-1, 3, 4]}, r"times_ns\[0\] is -1"),
        ({"prices": [10, 0, 10]}, r"prices\[1\] is 0"),
        ({"prices": [10, 11]}, r"prices must have shape \(3,\), was \(2,\)"),
        ({"prices": [[10, 11, 12]]}, r"prices must have shape \(3,\), was \(1, 3\)"),
        ({"prices": [10.0, float("nan"), 10.0]}, r"prices must be whole numbers, was float64: prices\[1\] is nan"),
        ({"prices": [10.0, 11.0, 10.5]}, r"convert to ticks"),
        ({"quantities": [5, -6, 7]}, r"quantities\[1\] is -6"),
        ({"quantities": [5, 6, 0]}, r"quantities\[2\] is 0"),
        ({"quantities": [5, 1 << 46, 0]}, r"quantities\[1\] is 70368744177664"),
        ({"quantities": np.array([5, 1 << 63, 6], dtype=np.uint64)}, r"quantities\[1\] is 9223372036854775808"),
        ({"quantities": ["5", "6", "7"]}, r"quantities must be whole numbers, was <U1"),
        ({"aggressors": [1, 3, 0]}, r"aggressors\[1\] is 3"),
        ({"aggressors": np.array([1, -1, 0], dtype=np.int8)}, r"aggressors\[1\] is -1"),
        ({"aggressors": [257, 1, 0]}, r"aggressors\[0\] is 257"),
        ({"bids": [9, 9, 9]}, "bids and asks come together"),
        ({"bids": [9, 9, 9], "asks": [10, 10, -1]}, r"asks\[2\] is -1"),
    ],
)
def test_impossible_columns_are_refused(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(Rejected, match=text):
        Trades(**{**GOOD, **changed})


def test_any_integer_type_is_taken_and_nothing_is_copied_without_need() -> None:
    times = np.array([1, 2, 3], dtype=np.int64)
    trades = trades_of(times_ns=times, prices=np.array([1, 2, 3], np.uint16), quantities=np.array([1, 2, 3], np.int32))
    assert trades.times_ns is times
    assert [trades.prices.dtype.name, trades.quantities.dtype.name] == ["int64", "int64"]


def test_the_scan_refuses_what_the_columns_refuse() -> None:
    good = np.full(20_000, 5), np.ones(20_000, dtype=np.int8)
    for column, value, text in ((0, 0, r"quantities\[17000\] is 0"), (1, 3, r"sides\[17000\] is 3")):
        wrong = [array.copy() for array in good]
        wrong[column][17_000] = value
        for threads in (1, 3):
            with pytest.raises(Rejected, match=text):
                volume_buckets(wrong[0], wrong[1], [100], threads=threads)
    with pytest.raises(Rejected, match=r"sides must have shape \(20000,\), was \(19999,\)"):
        volume_buckets(good[0], good[1][1:], [100])


@pytest.mark.parametrize("backend", ["cpu", "numpy"])
def test_sums_beyond_the_range_are_refused(backend: str) -> None:
    largest = (1 << 46) - 1
    quantities, sides = np.full(70_000, largest), np.ones(70_000, dtype=np.int8)
    with pytest.raises(Rejected, match=r"quantities\[65536\] brings the cumulative volume"):
        volume_buckets(quantities, sides, [1 << 50], backend=backend, threads=1)
    with pytest.raises(Rejected, match=r"quantities\[65536\] brings the cumulative volume"):
        volume_buckets(np.tile(quantities, 4), np.tile(sides, 4), [1 << 50], backend=backend, threads=4)


def test_a_part_that_was_refused_has_changed_nothing() -> None:
    scan = BucketScan([10], threads=1)
    scan.take([7], [1])
    with pytest.raises(Rejected):
        scan.take([7, 0], [1, 1])
    [buckets] = scan.take([3], [2])
    assert (buckets.first, buckets.bought.tolist(), scan.volume) == (0, [7], 10)


@pytest.mark.parametrize(
    ("sizes", "text"), [([], "is empty"), ([5, 0], r"bucket_lots\[1\] is 0"), ([-4], r"bucket_lots\[0\] is -4")]
)
def test_impossible_bucket_sizes_are_refused(sizes: list[int], text: str) -> None:
    with pytest.raises(Rejected, match=text):
        volume_buckets([1], [1], sizes)


def test_too_many_buckets_and_too_long_windows_are_refused() -> None:
    with pytest.raises(Rejected, match="bucket_lots 1 makes"):
        volume_buckets([(1 << 46) - 1], [1], [1])
    with pytest.raises(Rejected, match="are more than 2"):
        vpin({"A": Trades(**GOOD)}, bucket_lots=[1 << 60], windows=[5])


def test_unordered_parts_and_unknown_back_ends_are_refused() -> None:
    with pytest.raises(Rejected, match=r"backend was 'fpga': must be one of"):
        choose("fpga")
    with pytest.raises(Rejected, match="threads was 0"):
        volume_buckets([1], [1], [1], threads=0)


def test_asking_for_a_gpu_says_what_is_missing() -> None:
    with pytest.raises(MissingExtra, match="backend='cpu'"):
        choose("gpu")
