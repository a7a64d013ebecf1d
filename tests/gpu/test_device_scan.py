"""Buckets found by the GPU's kernels are those of the CPU, however a stream is cut; here run thread by thread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpu.bucket_scan import BucketScan
from gpu.buckets import Buckets
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import Order, Schedule
from gpu.device_scan import DeviceBucketScan
from gpu.vpin import vpin
from gpu.vpin_cuda import VpinKernels, source
from market.errors import MissingExtra, Rejected
from tests.gpu.test_vpin import CLASSIFIERS, assert_equal
from tests.gpu.trade_columns import random_trades

SIZES = (37, 1_000, 100_000)


@pytest.fixture(scope="module")
def kernels() -> VpinKernels:
    """The kernels on the CPU, in the order that shows most mistakes."""
    return VpinKernels(CpuModule(source(), Schedule(Order.GREEDY_WARP_REVERSE)), np)


def assert_same(found: list[Buckets], expected: list[Buckets]) -> None:
    """The same buckets, bit for bit."""
    for one, other in zip(found, expected, strict=True):
        assert (one.lots, one.first) == (other.lots, other.first)
        assert one.bought.tolist() == other.bought.tolist()
        assert one.completed_by.tolist() == other.completed_by.tolist()


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 1_000), counts=st.lists(st.integers(0, 900), min_size=1, max_size=4), step=st.integers(90, 700)
)
@example(seed=1, counts=[3, 40], step=1)
@example(seed=2, counts=[0, 50], step=7)
def test_a_stream_in_parts_has_the_buckets_of_the_cpu(
    kernels: VpinKernels, seed: int, counts: list[int], step: int
) -> None:
    random = np.random.default_rng(seed)
    on_device = DeviceBucketScan(SIZES, kernels, rows_at_once=step)
    on_cpu = BucketScan(SIZES, threads=1)
    for count in counts:
        quantities = random.integers(1, 5_000, count) << random.choice([0, 30])
        sizes_fit = quantities if seed % 2 else quantities & 0xFFF | 1
        sides = random.integers(0, 3, count)
        if sizes_fit.sum(initial=0) // SIZES[0] < 50_000:
            assert_same(on_device.take(sizes_fit, sides), on_cpu.take(sizes_fit, sides))
        volumes = sizes_fit % 4_999
        bought = random.integers(0, volumes + 1)
        assert_same(on_device.take_bars(volumes, bought), on_cpu.take_bars(volumes, bought))
        assert (on_device.volume, on_device.bought, on_device.unknown) == (
            on_cpu.volume,
            on_cpu.bought,
            on_cpu.unknown,
        )


def test_bars_too_large_for_a_product_are_shared_exactly(kernels: VpinKernels) -> None:
    volumes = np.array([1 << 60, 3, (1 << 60) + 12_345])
    bought = np.array([(1 << 59) + 7, 1, 1 << 58])
    sizes = [(1 << 57) + 1, 1 << 55]
    assert_same(
        DeviceBucketScan(sizes, kernels, rows_at_once=2).take_bars(volumes, bought),
        BucketScan(sizes, threads=1).take_bars(volumes, bought),
    )


@pytest.mark.parametrize(
    ("quantities", "sides", "says"),
    [
        ([5, 0], [1, 1], r"quantities\[1\] is 0"),
        ([5, 5], [1, 3], r"sides\[1\] is 3"),
        ([5, 5], [1], r"sides must have shape \(2,\)"),
        ([5.5], [1], "quantities must be whole numbers"),
    ],
)
def test_impossible_trades_are_refused_and_nothing_is_taken(
    kernels: VpinKernels, quantities: list[float], sides: list[int], says: str
) -> None:
    scan = DeviceBucketScan(SIZES, kernels, rows_at_once=10)
    with pytest.raises(Rejected, match=says):
        scan.take(quantities, sides)
    assert (scan.volume, scan.unknown) == (0, 0)


def test_without_a_gpu_the_gpu_is_refused_with_what_to_use_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    trades = random_trades(50)
    with pytest.raises(MissingExtra, match=r"TICKWIRE_GPU=0: unset it, or use backend='cpu'"):
        vpin({"A": trades}, bucket_lots=[100], backend="gpu")
    assert vpin({"A": trades}, bucket_lots=[100], windows=[1], backend="auto")


@pytest.mark.gpu
@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=str)
def test_vpin_on_a_gpu_is_that_of_numpy(classifier: object) -> None:
    trades = random_trades(20_000, seed=3)
    both = [
        vpin({"A": trades}, bucket_lots=SIZES, windows=[1, 50], classifiers=[classifier], backend=backend)  # type: ignore[list-item]
        for backend in ("gpu", "numpy")
    ]
    assert_equal(*both)
