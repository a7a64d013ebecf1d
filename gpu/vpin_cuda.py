"""Launches of ``kernels/vpin.cu``: from columns of trades to bucket edges, imbalances and VPIN, all on one device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gpu.kernel import KernelModule, KernelSource, LaunchShape

BLOCK: Final = 256
TILE: Final = BLOCK * 8
"""Trades that a block sums; both as in the source."""

LARGEST_NARROW: Final = (1 << 31) - 1
"""Quantities up to here are read as 4 bytes each."""


def source() -> KernelSource:
    """The kernels."""
    return KernelSource.named("vpin")


@dataclass(frozen=True, slots=True)
class PrefixSums:
    """Volume and bought volume up to every trade, with the trades' sides.

    Parameters
    ----------
    volumes, bought: int64[n] in lots, each trade included. sides: int8[n], 0 unknown, 1 bought, 2 sold.
    """

    volumes: Any
    bought: Any
    sides: Any


class VpinKernels:
    """The kernels on one device.

    Parameters
    ----------
    module: the compiled source.
    xp: the array module whose arrays the module takes: NumPy for the CPU runner, CuPy for a GPU.
    """

    def __init__(self, module: KernelModule, xp: Any) -> None:
        self._module = module
        self._xp = xp

    def prefix_sums(self, quantities: Any, sides: Any) -> PrefixSums:
        """Sums up to every trade of int32[n] or int64[n] lots with int8[n] sides, n from 1 on."""
        width = 8 * quantities.dtype.itemsize
        count = len(quantities)
        tiles = -(-count // TILE)
        totals = self._xp.empty((tiles, 2), np.int64)
        volumes, bought = (self._xp.empty(count, np.int64) for _ in range(2))
        per_tile = LaunchShape((tiles,), (BLOCK,))
        columns = (quantities, sides, np.int64(count))
        self._module.launch(f"tile_totals_{width}", per_tile, (*columns, totals))
        self._module.launch("scan_tiles", LaunchShape((1,), (BLOCK,)), (totals, np.int64(tiles), totals))
        self._module.launch(f"tile_scan_{width}", per_tile, (*columns, totals, volumes, bought))
        return PrefixSums(volumes, bought, sides)

    def edges(self, sums: PrefixSums, sizes: Any, first_rows: Any) -> Any:
        """Bought volume at every bucket edge and the trade that reaches it, int64[rows, 2].

        ``sizes`` is int64[m] lots; ``first_rows`` int64[m + 1] on the host: where each size's rows begin, and the end.
        """
        edges = self._xp.empty((int(first_rows[-1]), 2), np.int64)
        arguments = (sums.volumes, sums.bought, sums.sides, np.int64(len(sums.volumes)))
        self._per_row("bucket_edges", sizes, first_rows, arguments, (edges,))
        return edges

    def imbalances(self, edges: Any, sizes: Any, first_rows: Any) -> Any:
        """``|bought - sold|`` of every bucket in lots, int64[rows]."""
        imbalances = self._xp.empty(len(edges), np.int64)
        self._per_row("bucket_imbalances", sizes, first_rows, (edges,), (imbalances,))
        return imbalances

    def means(self, imbalances: Any, sizes: Any, first_rows: Any, window: int) -> Any:
        """VPIN after every bucket, float64[rows]; NaN for the first ``window - 1`` of each size."""
        vpin = self._xp.empty(len(imbalances), np.float64)
        self._per_row("window_means", sizes, first_rows, (imbalances,), (np.int64(window), vpin))
        return vpin

    def _per_row(
        self, kernel: str, sizes: Any, first_rows: Any, before: tuple[Any, ...], after: tuple[Any, ...]
    ) -> None:
        most = int(np.diff(first_rows).max(initial=0))
        if most == 0:
            return
        shape = LaunchShape((-(-most // BLOCK), len(sizes)), (BLOCK,))
        rows = self._xp.asarray(first_rows, dtype=np.int64)
        self._module.launch(kernel, shape, (*before, self._xp.asarray(sizes, dtype=np.int64), rows, *after))
