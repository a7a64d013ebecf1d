"""Work that does not fit a device's memory is split until it does, and said to be too large where it never will."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.bucket_scan import BucketScan
from gpu.cuda_on_cpu.module import CpuModule
from gpu.device_scan import DeviceBucketScan
from gpu.grid_cuda import on_device
from gpu.memory import FEWEST_ROWS, in_parts, rows_that_fit
from gpu.vpin_cuda import VpinKernels, source
from gpu.vpin_grid import VpinGrid, on_gpu, vpin_grid
from market.errors import Fatal
from tests.gpu.small_device import SmallDevice
from tests.gpu.test_device_scan import assert_same
from tests.gpu.trade_columns import random_trades


def test_rows_take_half_of_the_free_memory() -> None:
    assert rows_that_fit(SmallDevice(10, free_bytes=1 << 30), bytes_per_row=32) == 1 << 24
    assert rows_that_fit(SmallDevice(10, free_bytes=100), bytes_per_row=32) == FEWEST_ROWS
    assert rows_that_fit(np, 32) > 1 << 60


def test_parts_are_halved_until_they_fit_and_none_is_left_out() -> None:
    device = SmallDevice(rows=3_000)
    seen: list[tuple[int, int]] = []

    def work(start: int, end: int) -> int:
        device.asarray(np.zeros(end - start))
        seen.append((start, end))
        return end - start

    assert sum(in_parts(device, 20_000, 1 << 30, work)) == 20_000
    assert seen[0] == (0, 2_500)
    assert [start for start, _ in seen[1:]] == [end for _, end in seen[:-1]]
    assert device.refused == 3


def test_too_little_memory_for_the_smallest_part_is_said_with_what_to_do() -> None:
    device = SmallDevice(rows=500)
    with pytest.raises(Fatal, match=r"no room for \d+ rows: free its memory, or use backend='cpu'"):
        list(in_parts(device, 20_000, 1 << 30, lambda start, end: device.asarray(np.zeros(end - start))))


def test_the_hosts_own_lack_of_memory_is_not_taken_for_the_devices() -> None:
    def work(start: int, end: int) -> None:
        raise MemoryError("the host is full")

    with pytest.raises(MemoryError, match="the host is full"):
        list(in_parts(SmallDevice(1), 10, 10, work))


def test_buckets_and_grids_are_the_same_on_a_small_device() -> None:
    trades = random_trades(9_000)
    assert trades.aggressors is not None
    device = SmallDevice(rows=2_500)
    scan = DeviceBucketScan([1_000, 70], VpinKernels(CpuModule(source()), device))
    columns = (trades.quantities, trades.aggressors)
    assert_same(scan.take(*columns), BucketScan([1_000, 70], threads=1).take(*columns))
    assert device.refused > 0
    grid = VpinGrid(bucket_lots=(5_000,), windows=(5,), horizon_ns=1_000_000_000)
    refused = device.refused
    assert on_gpu(trades, grid, on_device(CpuModule, device)).rows == vpin_grid(trades, grid, backend="cpu").rows
    assert device.refused > refused
