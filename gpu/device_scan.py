"""Volume buckets of a stream that comes in parts, on a GPU: the same steps as on the CPU, from the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpu.arrays import all_on_gpu, differences, is_on_gpu, module_of, on_host
from gpu.buckets import Buckets, require_count, require_sizes, require_total
from gpu.columns import Integers, as_quantities, as_sides
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.memory import in_parts, rows_that_fit
from gpu.vpin_cuda import PrefixSums, Rows, VpinKernels, source

_BYTES_PER_ROW: Final = 8 + 8 + 16
"""Two columns and two prefix sums, at their widest."""
_LARGEST_NARROW: Final = (1 << 31) - 1


class DeviceBucketScan:
    """Buckets of a stream that comes in parts, with the calls and the results of ``BucketScan``.

    Columns that lie on the GPU give buckets that do.

    Parameters
    ----------
    kernels: None: of the current GPU.
    rows_at_once: rows that are on the device together; None: as many as its free memory has room for.

    Raises ``MissingExtra`` without a GPU.

    Members
    -------
    volume, bought, unknown: lots so far; ``volume`` is what was classified.
    """

    def __init__(
        self,
        bucket_lots: Sequence[int] | ArrayLike,
        kernels: VpinKernels | None = None,
        *,
        rows_at_once: int | None = None,
    ) -> None:
        self.sizes = require_sizes("bucket_lots", bucket_lots)
        self.volume = self.bought = self.unknown = 0
        self._kernels = kernels or VpinKernels(CupyModule(source()), require_gpu())
        self._rows_at_once = rows_at_once
        self._bought_at_edge = [0] * len(self.sizes)

    def take(self, quantities: ArrayLike, sides: ArrayLike) -> list[Buckets]:
        """Take trades, columns as for ``volume_buckets``; returns the buckets that they completed, by size.

        Raises Rejected for impossible trades; nothing has been taken then.
        """
        lots = as_quantities("quantities", quantities)
        codes = as_sides("sides", sides, rows=len(lots))
        all_on_gpu(quantities=lots, sides=codes)
        classified = module_of(lots).where(codes == 0, 0, lots)
        unknown = lots - classified
        require_total("quantities", classified, self.volume)
        require_total("quantities", unknown, self.unknown)
        self._require_counts(classified)
        self.unknown += int(unknown.sum())
        narrow = lots.astype(np.int32) if len(lots) and int(lots.max()) <= _LARGEST_NARROW else lots
        return self._in_parts(narrow, codes, self._kernels.trade_sums)

    def take_bars(self, volumes: Integers, bought: Integers) -> list[Buckets]:
        """Take bars of which ``bought`` lots of ``volumes`` count as bought; those of unknown side have volume 0."""
        require_total("bar volumes", volumes, self.volume)
        self._require_counts(volumes)
        return self._in_parts(volumes, bought, self._kernels.bar_sums)

    def _require_counts(self, classified: Integers) -> None:
        end = self.volume + int(classified.sum())
        for size in self.sizes.tolist():
            require_count(end // size - self.volume // size, size)

    def _in_parts(self, first: NDArray[Any], second: NDArray[Any], sums_of: Any) -> list[Buckets]:
        firsts = (self.volume // self.sizes).tolist()
        xp, stays = self._kernels.xp, is_on_gpu(first)
        home = xp if stays else np
        pieces: list[list[Any]] = [[home.zeros((0, 2), dtype=np.int64)] for _ in self.sizes]

        def take(start: int, end: int) -> None:
            columns = (xp.asarray(column[start:end]) for column in (first, second))
            edges, rows = self._edges(sums_of(*columns, self.volume, self.bought))
            edges[:, 1] += start
            for piece, (begin, stop) in zip(pieces, pairwise(rows.first_rows.tolist()), strict=True):
                piece.append(edges[begin:stop] if stays else on_host(edges[begin:stop]))

        for _ in in_parts(xp, len(first), self._rows_at_once or rows_that_fit(xp, _BYTES_PER_ROW), take):
            pass
        return [
            self._buckets(number, before, home.concatenate(piece))
            for number, (before, piece) in enumerate(zip(firsts, pieces, strict=True))
        ]

    def _edges(self, sums: PrefixSums) -> tuple[Any, Rows]:
        """Edges of every size within one part; the part's sums have been taken then."""
        volume, bought = int(sums.volumes[-1]), int(sums.bought[-1])
        rows = Rows.between(self.sizes, self.volume, volume)
        edges = self._kernels.edges(sums, rows)
        self.volume, self.bought = volume, bought
        return edges, rows

    def _buckets(self, number: int, first: int, edges: Any) -> Buckets:
        inside = differences(edges[:, 0], self._bought_at_edge[number])
        if len(edges):
            self._bought_at_edge[number] = int(edges[-1, 0])
        return Buckets(int(self.sizes[number]), first, inside, edges[:, 1].copy())
