"""Launches of ``kernels/vpin_grid.cu``, with the calls of ``vpin_cuda`` that a grid takes, all on one device."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gpu.columns import Integers
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.kernel import KernelModule, KernelSource, LaunchShape
from gpu.vpin_cuda import BLOCK, TILE, Rows, VpinKernels
from gpu.vpin_cuda import source as vpin_source

_MOST_BLOCKS: Final = 1024
"""Of a sum over a series: each takes several rows."""


def source() -> KernelSource:
    """The kernels."""
    return KernelSource.named("vpin_grid")


class GridKernels:
    """The kernels on one device.

    Parameters
    ----------
    vpin, grid: the compiled sources. xp: the array module whose arrays they take.
    """

    def __init__(self, vpin: KernelModule, grid: KernelModule, xp: Any) -> None:
        self.buckets = VpinKernels(vpin, xp)
        self._module = grid
        self.xp = xp

    def tick_sides(self, prices: Any, price_before: int, side_before: int) -> Any:
        """int8[n], sides by the tick rule of int64[n] prices, n from 1 on; 0 for no price or side before."""
        count = len(prices)
        tiles = -(-count // TILE)
        lasts, carries = (self.xp.empty(tiles, np.int32) for _ in range(2))
        sides = self.xp.empty(count, np.int8)
        columns = (prices, np.int64(count), np.int64(price_before))
        per_tile = LaunchShape((tiles,), (BLOCK,))
        self._module.launch("tick_tiles", per_tile, (*columns, lasts))
        one = LaunchShape((1,), (BLOCK,))
        self._module.launch("tick_carries", one, (lasts, np.int64(tiles), np.int32(side_before), carries))
        self._module.launch("tick_rule", per_tile, (*columns, carries, sides))
        return sides

    def means(self, imbalances: Any, bucket_lots: int, window: int) -> Any:
        """float64[k], VPIN at every bucket of one size; NaN for the first ``window - 1``."""
        sizes = np.array([bucket_lots])
        return self.buckets.means(imbalances, Rows(sizes, np.ones(1, np.int64), np.array([0, len(imbalances)])), window)

    def entry_sums(self, vpin: Any, changes: Any, first: int, thresholds: Any, usual: int) -> Integers:
        """int64[t, 4] on the host: entries, those with a known change, their sum, and how many are at most usual."""
        sums = self.xp.zeros((len(thresholds), 4), np.uint64)
        blocks = min(_MOST_BLOCKS, -(-len(vpin) // BLOCK))
        rows = (np.int64(first), np.int64(len(vpin)))
        shape = LaunchShape((blocks, len(thresholds)), (BLOCK,))
        self._module.launch("entry_sums", shape, (vpin, changes, *rows, thresholds, np.int64(usual), sums))
        found: Integers = np.asarray(sums.get() if hasattr(sums, "get") else sums).astype(np.int64)
        return found


def on_device(module: Any, xp: Any) -> GridKernels:
    """The kernels, each source compiled by ``module``: ``CupyModule``, or the CPU's runner in tests."""
    return GridKernels(module(vpin_source()), module(source()), xp)


def on_current_gpu() -> GridKernels:
    """The kernels on the current GPU. Raises ``MissingExtra`` without one."""
    return on_device(CupyModule, require_gpu())
