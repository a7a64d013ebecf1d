"""The VPIN kernels agree with whole-array NumPy to the bit, thread by thread on the CPU and on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Schedule
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.vpin_cuda import TILE, Rows, VpinKernels, source

SIZES = np.array([1_000, 37_000, 4_999])
WINDOW = 50
MANY_TILES = 300 * TILE
Columns = tuple[NDArray[np.int64], NDArray[np.int8]]


def trades(count: int, seed: int = 5) -> Columns:
    """Quantities from 1 to 999 lots, a third of them of unknown side."""
    random = np.random.default_rng(seed)
    return random.integers(1, 1_000, count), random.integers(0, 3, count).astype(np.int8)


class Reference:
    """The same by whole arrays: cumulative sums, a search for every edge, a difference of sums for every window."""

    def __init__(self, quantities: NDArray[np.int64], sides: NDArray[np.int8]) -> None:
        self.volumes = np.cumsum(np.where(sides != 0, quantities, 0))
        self.bought = np.cumsum(np.where(sides == 1, quantities, 0))
        edges, imbalances, means = zip(*(self._size(size, sides) for size in SIZES.tolist()), strict=True)
        self.edges = np.concatenate(edges)
        self.imbalances = np.concatenate(imbalances)
        self.means = np.concatenate(means)

    def _size(self, size: int, sides: NDArray[np.int8]) -> tuple[NDArray[Any], ...]:
        edges = size * np.arange(1, self.volumes[-1] // size + 1)
        reached = np.searchsorted(self.volumes, edges)
        bought = self.bought[reached] - np.where(sides[reached] == 1, self.volumes[reached] - edges, 0)
        imbalances = np.abs(2 * np.diff(bought, prepend=0) - size)
        sums = np.concatenate(([0], np.cumsum(imbalances)))
        means = np.full(len(imbalances), np.nan)
        means[WINDOW - 1 :] = (sums[WINDOW:] - sums[:-WINDOW]) / (WINDOW * size)
        return np.stack((bought, reached), axis=1), imbalances, means


def check(kernels: VpinKernels, columns: Columns, to_host: Callable[[Any], NDArray[Any]], xp: Any) -> None:
    """Every array that the kernels make equals the reference's."""
    quantities, sides = columns
    expected = Reference(quantities, sides)
    sums = kernels.trade_sums(xp.asarray(quantities), xp.asarray(sides))
    np.testing.assert_array_equal(to_host(sums.volumes), expected.volumes)
    np.testing.assert_array_equal(to_host(sums.bought), expected.bought)
    rows = Rows.between(SIZES, 0, int(expected.volumes[-1]))
    edges = kernels.edges(sums, rows)
    np.testing.assert_array_equal(to_host(edges), expected.edges)
    imbalances = kernels.imbalances(edges, rows)
    np.testing.assert_array_equal(to_host(imbalances), expected.imbalances)
    means = kernels.means(imbalances, rows, WINDOW)
    np.testing.assert_array_equal(to_host(means).view(np.int64), expected.means.view(np.int64))


def check_on_cpu(module: CpuModule, columns: Columns) -> None:
    """The check, run thread by thread."""
    check(VpinKernels(module, np), columns, np.asarray, np)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("count", [1, 31, TILE, TILE + 1, 9_973])
def test_the_kernels_equal_numpy_in_every_schedule(count: int, schedule: Schedule) -> None:
    check_on_cpu(CpuModule(source(), schedule), trades(count))


@pytest.mark.long
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_more_tiles_than_a_block_scans_at_once(schedule: Schedule) -> None:
    check_on_cpu(CpuModule(source(), schedule), trades(MANY_TILES + 77))


def test_narrow_and_wide_quantities_agree() -> None:
    quantities, sides = trades(5_000)
    check_on_cpu(CpuModule(source()), (quantities.astype(np.int32), sides))


def test_wide_quantities_do_not_lose_their_upper_half() -> None:
    quantities, sides = trades(300)
    kernels = VpinKernels(CpuModule(source()), np)
    wide = quantities << 40
    sums = kernels.trade_sums(wide, sides)
    assert sums.volumes.tolist() == np.cumsum(np.where(sides != 0, wide, 0)).tolist()


@pytest.mark.gpu
@pytest.mark.parametrize("count", [1, 31, TILE, TILE + 1, 9_973, 3_000_001])
def test_the_kernels_equal_numpy_on_a_gpu(count: int) -> None:
    cupy = require_gpu()
    check(VpinKernels(CupyModule(source()), cupy), trades(count), cupy.asnumpy, cupy)
