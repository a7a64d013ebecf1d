"""Launches of ``kernels/vpin.cu``: from columns of trades to bucket edges, imbalances and VPIN, all on one device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.kernel import KernelModule, KernelSource, LaunchShape

BLOCK: Final = 256
TILE: Final = BLOCK * 8
"""Trades that a block sums; both as in the source."""


def source() -> KernelSource:
    """The kernels."""
    return KernelSource.named("vpin")


@dataclass(frozen=True, slots=True)
class PrefixSums:
    """Volume and bought volume up to every row of one part of a stream.

    Parameters
    ----------
    volumes, bought: int64[n] in lots, each row included, and everything before the part.
    volume_before, bought_before: the same before its first row.
    """

    volumes: Any
    bought: Any
    volume_before: int = 0
    bought_before: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """Which edges of each bucket size fall into a part, and where they stand in one array for all sizes.

    Parameters
    ----------
    sizes: int64[m] lots. first_edges: int64[m], number of each size's first edge, from 1 on.
    first_rows: int64[m + 1], where each size's rows begin, and the end.
    """

    sizes: NDArray[np.int64]
    first_edges: NDArray[np.int64]
    first_rows: NDArray[np.int64]

    @classmethod
    def between(cls, sizes: NDArray[np.int64], volume_before: int, volume: int) -> Rows:
        """The edges that lie after one cumulative volume and not after another."""
        first_edges = volume_before // sizes + 1
        first_rows = np.concatenate(([0], np.cumsum(volume // sizes + 1 - first_edges)))
        return cls(sizes, first_edges, first_rows)

    def __len__(self) -> int:
        return int(self.first_rows[-1])


class VpinKernels:
    """The kernels on one device.

    Parameters
    ----------
    module: the compiled source.
    xp: the array module whose arrays the module takes: NumPy for the CPU runner, CuPy for a GPU.
    """

    def __init__(self, module: KernelModule, xp: Any) -> None:
        self._module = module
        self.xp = xp

    def trade_sums(self, quantities: Any, sides: Any, volume: int = 0, bought: int = 0) -> PrefixSums:
        """Sums up to every trade of int32[n] or int64[n] lots with int8[n] sides, n from 1 on."""
        return self._sums(quantities.dtype.name, quantities, sides, volume, bought)

    def bar_sums(self, volumes: Any, bar_bought: Any, volume: int = 0, bought: int = 0) -> PrefixSums:
        """Sums up to every bar of int64[n] lots of which ``bar_bought`` were bought, n from 1 on."""
        return self._sums("bars", volumes, bar_bought, volume, bought)

    def _sums(self, kind: str, lots: Any, second: Any, volume: int, bought: int) -> PrefixSums:
        count = len(lots)
        tiles = -(-count // TILE)
        totals = self.xp.empty((tiles, 2), np.int64)
        volumes, bought_volumes = (self.xp.empty(count, np.int64) for _ in range(2))
        per_tile = LaunchShape((tiles,), (BLOCK,))
        columns = (lots, second, np.int64(count))
        before = (np.int64(volume), np.int64(bought))
        self._module.launch(f"tile_totals_{kind}", per_tile, (*columns, totals))
        self._module.launch("scan_tiles", LaunchShape((1,), (BLOCK,)), (totals, np.int64(tiles), *before, totals))
        self._module.launch(f"tile_scan_{kind}", per_tile, (*columns, totals, volumes, bought_volumes))
        return PrefixSums(volumes, bought_volumes, volume, bought)

    def edges(self, sums: PrefixSums, rows: Rows) -> Any:
        """Bought volume at every bucket edge and the row of the part that reaches it, int64[rows, 2]."""
        edges = self.xp.empty((len(rows), 2), np.int64)
        before = (np.int64(sums.volume_before), np.int64(sums.bought_before))
        columns = (sums.volumes, sums.bought, np.int64(len(sums.volumes)), *before)
        sizes, first_edges, first_rows = self._on_device(rows.sizes, rows.first_edges, rows.first_rows)
        self._per_row("bucket_edges", rows, (*columns, sizes, first_edges, first_rows, edges))
        return edges

    def imbalances(self, edges: Any, rows: Rows) -> Any:
        """``|bought - sold|`` of every bucket of a stream of one part in lots, int64[rows]."""
        imbalances = self.xp.empty(len(rows), np.int64)
        self._per_row("bucket_imbalances", rows, (edges, *self._on_device(rows.sizes, rows.first_rows), imbalances))
        return imbalances

    def means(self, imbalances: Any, rows: Rows, window: int) -> Any:
        """VPIN after every bucket, float64[rows]; NaN for the first ``window - 1`` of each size."""
        vpin = self.xp.empty(len(rows), np.float64)
        sizes = self._on_device(rows.sizes, rows.first_rows)
        self._per_row("window_means", rows, (imbalances, *sizes, np.int64(window), vpin))
        return vpin

    def _on_device(self, *columns: NDArray[np.int64]) -> tuple[Any, ...]:
        return tuple(self.xp.asarray(column, dtype=np.int64) for column in columns)

    def _per_row(self, kernel: str, rows: Rows, arguments: tuple[Any, ...]) -> None:
        most = int(np.diff(rows.first_rows).max(initial=0))
        if most > 0:
            shape = LaunchShape((-(-most // BLOCK), len(rows.sizes)), (BLOCK,))
            self._module.launch(kernel, shape, arguments)
