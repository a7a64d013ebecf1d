"""Volume buckets: split exactly at their edges, the same from every back end, however parts and threads are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu import scan
from gpu.bucket_scan import BucketScan, volume_buckets
from gpu.buckets import Buckets, reference_buckets, window_means
from gpu.buckets_reference import reference_means
from gpu.columns import Integers, Sides
from market.signals.vpin import IMBALANCE_SUM, Vpin, VpinSettings, bucket_imbalances, imbalance_sums
from tests.gpu.trade_columns import parts_of, random_trades

TRADES = st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0, 1, 2])), max_size=300)
SIZES = st.lists(st.integers(1, 700), min_size=1, max_size=4)


def columns(trades: list[tuple[int, int]]) -> tuple[Integers, Sides]:
    quantities = np.array([quantity for quantity, _ in trades], dtype=np.int64)
    return quantities, np.array([side for _, side in trades], dtype=np.int8)


def lot_by_lot(trades: list[tuple[int, int]], size: int) -> tuple[list[int], list[int]]:
    """Lots bought in every bucket and the trade that completes it, filling buckets one lot at a time."""
    lots = [(row, side) for row, (quantity, side) in enumerate(trades) if side for _ in range(quantity)]
    full = [lots[at : at + size] for at in range(0, len(lots) - size + 1, size)]
    return [sum(side == 1 for _, side in bucket) for bucket in full], [bucket[-1][0] for bucket in full]


def assert_equal(found: list[Buckets], expected: list[Buckets]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one.lots, one.first) == (other.lots, other.first)
        assert np.array_equal(one.bought, other.bought)
        assert np.array_equal(one.completed_by, other.completed_by)


@given(TRADES, SIZES)
@settings(derandomize=True, deadline=None)
def test_both_back_ends_equal_filling_lot_by_lot(trades: list[tuple[int, int]], sizes: list[int]) -> None:
    for backend in ("cpu", "numpy"):
        for buckets in volume_buckets(*columns(trades), sizes, backend=backend, threads=1):
            assert (buckets.bought.tolist(), buckets.completed_by.tolist()) == lot_by_lot(trades, buckets.lots)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 4095, 4096, 4097, 300_001])
def test_the_scan_equals_the_reference_at_every_length(rows: int) -> None:
    trades = random_trades(rows, seed=rows)
    sizes = [1_000, 7, 123_457, 10**12]
    assert trades.aggressors is not None
    expected = volume_buckets(trades.quantities, trades.aggressors, sizes, backend="numpy")
    for threads in (1, 3, 4, 5):
        assert_equal(volume_buckets(trades.quantities, trades.aggressors, sizes, threads=threads), expected)


def test_threads_take_parts_of_their_own() -> None:
    trades = random_trades(scan.BLOCK * 1024 * 4)
    assert trades.aggressors is not None
    counts = [
        len(BucketScan([1000], threads=threads)._parts(trades.quantities, trades.aggressors))
        for threads in (1, 2, 3, 4, 9)
    ]
    assert counts == [1, 1, 3, 4, 4]


@pytest.mark.parametrize("seed", range(6))
def test_parts_give_the_buckets_of_the_whole(seed: int) -> None:
    trades = random_trades(20_000, seed)
    sizes = [500, 90_000, 40]
    assert trades.aggressors is not None
    whole = volume_buckets(trades.quantities, trades.aggressors, sizes)
    stream = BucketScan(sizes, threads=1)
    taken = []
    for part in parts_of(trades, seed, 40):
        assert part.aggressors is not None
        taken.append(stream.take(part.quantities, part.aggressors))
    for number, buckets in enumerate(whole):
        assert np.array_equal(np.concatenate([found[number].bought for found in taken]), buckets.bought)
        firsts = [found[number].first for found in taken]
        assert firsts == np.cumsum([0, *(len(found[number]) for found in taken[:-1])]).tolist()
    assert stream.unknown == int(trades.quantities[trades.aggressors == 0].sum())


def test_one_trade_may_fill_very_many_buckets() -> None:
    [buckets] = volume_buckets([3, 1_000_000, 5], [1, 2, 1], [4])
    assert (len(buckets), buckets.bought[:2].tolist(), buckets.bought.sum()) == (250_002, [3, 0], 8)


@pytest.mark.parametrize("size", [1_000, 33])
def test_buckets_and_means_equal_the_streaming_signal(size: int) -> None:
    trades = random_trades(5_000, seed=4)
    assert trades.aggressors is not None
    sides = trades.aggressors.astype(np.int64)
    [buckets] = volume_buckets(trades.quantities, trades.aggressors, [size])
    assert np.array_equal(buckets.imbalances, bucket_imbalances(trades.quantities, sides, size))
    signal = Vpin(VpinSettings(bucket_lots=size, buckets=50))
    steps = signal.update(np.stack([trades.prices, trades.quantities, sides], axis=1))
    means = window_means(buckets.imbalances, size, 50, len(buckets))
    last_of_trade = np.flatnonzero(np.diff(buckets.completed_by, append=-1))
    known = last_of_trade[last_of_trade >= 49]
    assert len(known) > 500
    assert np.array_equal(means[known], steps[buckets.completed_by[known], 0] / (50 * size))
    assert signal.state[IMBALANCE_SUM] == imbalance_sums(buckets.imbalances, 50)[-1]
    assert signal.value == means[-1]


@given(
    st.lists(st.tuples(st.integers(0, (1 << 57) - 1), st.integers(0, 1000)), min_size=1, max_size=12),
    st.integers(1 << 50, 1 << 56),
)
@settings(derandomize=True, deadline=None)
def test_bars_that_are_bought_in_part_are_split_exactly(bars: list[tuple[int, int]], size: int) -> None:
    volumes = np.array([volume for volume, _ in bars], dtype=np.int64)
    bought = np.array([volume * part // 1000 for volume, part in bars], dtype=np.int64)
    sizes = np.array([size], dtype=np.int64)
    assert_equal(BucketScan(sizes).take_bars(volumes, bought), reference_buckets(volumes, bought, sizes))


@pytest.mark.parametrize("window", [1, 2, 50, 400])
def test_means_of_parts_equal_those_of_the_whole(window: int) -> None:
    imbalances = np.random.default_rng(2).integers(0, 1000, 300)
    whole = reference_means(imbalances, 1000, window)
    assert np.array_equal(window_means(imbalances, 1000, window, 300), whole, equal_nan=True)
    kept = imbalances[max(0, 200 - window + 1) :]
    assert np.array_equal(window_means(kept, 1000, window, 100), whole[200:], equal_nan=True)
