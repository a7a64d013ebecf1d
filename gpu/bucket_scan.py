"""Volume buckets of a stream that comes in parts, on the CPU and on several threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from gpu import scan
from gpu.arrays import all_on_gpu, choose_for
from gpu.backend import Backend, choose_threads
from gpu.buckets import Buckets, reference_buckets, require_count, require_sizes, require_total
from gpu.columns import LARGEST_TOTAL, Integers, Sides, as_integers, as_quantities, as_sides, require_host
from gpu.device_scan import DeviceBucketScan
from market.errors import Rejected

R = TypeVar("R")

_FEWEST_BLOCKS_PER_THREAD: Final = 1024
_FEWEST_THREADS: Final = 3
"""The sums before each thread's range cost a pass of their own: two threads would gain nothing."""
_ROWS: Final = 4096
"""Edges of a size for which there is room at first."""


def volume_buckets(
    quantities: ArrayLike,
    sides: ArrayLike,
    bucket_lots: Sequence[int] | ArrayLike,
    *,
    backend: Backend | str = Backend.AUTO,
    threads: int | None = None,
) -> list[Buckets]:
    """Complete buckets of classified trades, for every bucket size, in its order.

    Parameters
    ----------
    quantities: [n], lots. sides: [n], 0 unknown, 1 buy, 2 sell. bucket_lots: [m].
    threads: of the CPU back end, None: all that the process may use; the result does not depend on it.

    Columns on a GPU are computed there, and give buckets there. Raises Rejected naming column and index; also for a
    total of 2^62 lots or more, and for more than ``MOST_BUCKETS``.
    """
    chosen = choose_for(all_on_gpu(quantities=quantities, sides=sides), backend)
    if chosen is Backend.GPU:
        return DeviceBucketScan(bucket_lots).take(quantities, sides)
    if chosen is Backend.CPU:
        return BucketScan(bucket_lots, threads=threads).take(quantities, sides)
    lots = as_quantities("quantities", quantities)
    codes = as_sides("sides", sides, rows=len(lots))
    known, bought = np.where(codes == 0, 0, lots), np.where(codes == 1, lots, 0)
    return reference_buckets(known, bought, require_sizes("bucket_lots", bucket_lots))


class BucketScan:
    """Buckets of a stream that comes in parts; a part may be one trade. All sizes in one pass.

    Members
    -------
    volume, bought, unknown: lots so far; ``volume`` is what was classified.
    """

    def __init__(self, bucket_lots: Sequence[int] | ArrayLike, *, threads: int | None = None) -> None:
        self.sizes = require_sizes("bucket_lots", bucket_lots)
        self.volume = self.bought = self.unknown = 0
        self._threads = choose_threads(threads)
        self._bought_at_edge = [0] * len(self.sizes)

    def take(self, quantities: ArrayLike, sides: ArrayLike) -> list[Buckets]:
        """Take trades, columns as for ``volume_buckets``; returns the buckets that they completed, by size.

        Raises Rejected for impossible trades; nothing has been taken then.
        """
        require_host("a scan by the CPU", quantities)
        lots = as_integers("quantities", quantities)
        codes = _codes(sides, len(lots))
        parts = self._parts(lots, codes)
        if len(parts) == 1:
            outcomes = [parts[0].run()]
        else:
            with ThreadPoolExecutor(len(parts), "buckets") as pool:
                outcomes = _each(pool, [part.sum for part in parts[:-1]])
                self._refuse(outcomes, lots, codes)
                for before, part in pairwise(parts):
                    self._refuse([part.start_after(before)], lots, codes)
                outcomes = _each(pool, [part.run for part in parts])
        self._refuse(outcomes, lots, codes)
        end = parts[-1].state
        self.unknown = int(end[scan.UNKNOWN])
        rows = [np.concatenate([part.rows(size) for part in parts]) for size in range(len(self.sizes))]
        return self._finish(rows, int(end[scan.VOLUME]), int(end[scan.BOUGHT]))

    def take_bars(self, volumes: Integers, bought: Integers) -> list[Buckets]:
        """Take bars of which ``bought`` lots of ``volumes`` count as bought; those of unknown side have volume 0."""
        require_total("bar volumes", volumes, self.volume)
        end = self.volume + int(volumes.sum())
        rows = []
        for size in self.sizes.tolist():
            filled = self.volume // size
            require_count(end // size - filled, size)
            out = np.empty((end // size - filled, 2), dtype=np.int64)
            scan.gather_bar_edges(volumes, bought, self.volume, self.bought, size, (filled + 1) * size, out)
            rows.append(out)
        return self._finish(rows, end, self.bought + int(bought.sum()))

    def _parts(self, lots: Integers, codes: Sides) -> list[_Part]:
        """Equal ranges of blocks, one per thread; the first starts from what was taken before."""
        blocks = -(-len(lots) // scan.BLOCK)
        count = min(self._threads, blocks // _FEWEST_BLOCKS_PER_THREAD)
        count = count if count >= _FEWEST_THREADS else 1
        cuts = [blocks * number // count for number in range(count + 1)]
        parts = [_Part(lots, codes, first, last, self.sizes) for first, last in pairwise(cuts)]
        parts[0].start(self.volume, self.bought, self.unknown)
        return parts

    def _refuse(self, outcomes: list[int], lots: Integers, codes: Sides) -> None:
        """Raise Rejected naming the trade if a kernel refused one."""
        if scan.WRONG in outcomes:
            as_quantities("quantities", lots)
            as_sides("sides", codes)
        if scan.TOO_MUCH in outcomes:
            require_total("quantities", np.where(codes == 0, 0, lots), self.volume)
            require_total("quantities", np.where(codes == 0, lots, 0), self.unknown)

    def _finish(self, rows: list[Integers], end: int, bought: int) -> list[Buckets]:
        found = []
        for number, (size, edges) in enumerate(zip(self.sizes.tolist(), rows, strict=True)):
            inside = np.diff(edges[:, 0], prepend=self._bought_at_edge[number])
            found.append(Buckets(size, self.volume // size, inside, edges[:, 1].copy()))
            if len(edges):
                self._bought_at_edge[number] = int(edges[-1, 0])
        self.volume, self.bought = end, bought
        return found


def _codes(sides: ArrayLike, rows: int) -> Sides:
    """A column of sides as int8[n]; the values of int8 columns are left to the scan to check."""
    if isinstance(sides, np.ndarray) and sides.dtype == np.int8 and sides.ndim == 1:
        if len(sides) != rows:
            raise Rejected(f"sides must have shape ({rows},), was ({len(sides)},)")
        return np.ascontiguousarray(sides)
    return as_sides("sides", sides, rows=rows)


def _each(pool: ThreadPoolExecutor, works: Sequence[Callable[[], R]]) -> list[R]:
    return [future.result() for future in [pool.submit(work) for work in works]]


class _Part:
    """The scan of one range of blocks; kernels release the GIL."""

    def __init__(self, lots: Integers, codes: Sides, first: int, last: int, sizes: Integers) -> None:
        self._lots, self._codes, self._first, self._last, self._sizes = lots, codes, first, last, sizes
        self._total = np.zeros(scan.STATE, dtype=np.int64)
        self.state = np.zeros(scan.STATE, dtype=np.int64)
        self._cursors = np.zeros((len(sizes), scan.CURSOR), dtype=np.int64)
        self._pieces: list[list[Integers]] = [[] for _ in range(len(sizes))]

    def sum(self) -> int:
        """Sum the range, for the ranges after it."""
        return scan.sum_trades(self._lots, self._codes, self._first, self._last, self._total)

    def start_after(self, before: _Part) -> int:
        """Start where another range ends, which has been summed; returns DONE or TOO_MUCH."""
        # Both terms are below 2^62, so that their sum does not wrap around.
        sums = before.state + before._total
        self.start(int(sums[scan.VOLUME]), int(sums[scan.BOUGHT]), int(sums[scan.UNKNOWN]))
        return scan.DONE if int(sums[[scan.VOLUME, scan.UNKNOWN]].max()) <= LARGEST_TOTAL else scan.TOO_MUCH

    def start(self, volume: int, bought: int, unknown: int) -> None:
        """Start from these sums."""
        self.state[[scan.VOLUME, scan.BOUGHT, scan.UNKNOWN]] = volume, bought, unknown
        self.state[scan.NEXT] = self._first
        self._cursors[:, scan.SIZE] = self._sizes
        self._cursors[:, scan.EDGE] = (volume // self._sizes + 1) * self._sizes

    def run(self) -> int:
        """Find all edges; returns DONE or why it stopped."""
        sums = np.empty((scan.TILE + 1, 2), dtype=np.int64)
        room = _ROWS
        while True:
            out = np.empty((len(self._sizes), room, 2), dtype=np.int64)
            outcome = scan.scan_edges(self._lots, self._codes, self._last, self.state, self._cursors, sums, out)
            for size, pieces in enumerate(self._pieces):
                pieces.append(out[size, : self._cursors[size, scan.ROW]].copy())
            self._cursors[:, scan.ROW] = 0
            if outcome <= scan.DONE:
                return outcome
            require_count(outcome, int(self._sizes.min()))
            room = max(room, outcome)

    def rows(self, size: int) -> Integers:
        """int64[k, 2]: bought volume up to each edge of a size, and the trade that reached it."""
        return np.concatenate(self._pieces[size])
