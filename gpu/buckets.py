"""Exact volume buckets of classified trades.

Bucket k of size V holds the classified lots k V to (k + 1) V; what crosses an edge is split there. Volume of unknown
side fills no bucket. With C and B the cumulative classified and bought volume, B at an edge e inside row i is
``B[i] - (C[i] - e)`` if that trade was bought, else ``B[i]``: one scan serves any number of bucket sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from gpu import scan
from gpu.buckets_reference import reference_edges
from gpu.columns import LARGEST_TOTAL, Floats, Integers, as_integers
from market.errors import Rejected

MOST_BUCKETS: Final = 1 << 28
"""Most buckets of one size that one call may fill: they take 16 bytes each."""


@dataclass(frozen=True)
class Buckets:
    """Complete buckets of one size.

    Parameters
    ----------
    lots: V, the volume of a bucket. first: number of the first of them, counted from 0 since the start of the stream.
    bought: int64[k], lots of each bucket that were bought by the aggressor; the rest of V was sold.
    completed_by: int64[k], row of the call's trades or bars that completed it.
    """

    lots: int
    first: int
    bought: Integers
    completed_by: Integers

    def __len__(self) -> int:
        return len(self.bought)

    @property
    def imbalances(self) -> Integers:
        """int64[k]: ``|B - S|`` in lots."""
        imbalances: Integers = abs(2 * self.bought - self.lots)
        return imbalances


def require_sizes(name: str, sizes: Sequence[int] | ArrayLike) -> Integers:
    """Bucket sizes or windows as int64[m]; raises Rejected unless there is one and all are 1..2^62-1."""
    column = as_integers(name, np.atleast_1d(np.asarray(sizes)))
    if not len(column):
        raise Rejected(f"{name} is empty: needs at least one number")
    for index, size in enumerate(column.tolist()):
        if not 1 <= size <= LARGEST_TOTAL:
            raise Rejected(f"{name}[{index}] is {size}: must be from 1 to {LARGEST_TOTAL}")
    return column


def require_window(bucket_lots: int, window: int) -> None:
    """Raise Rejected when a window of buckets holds more lots than int64 can count."""
    if bucket_lots * window > LARGEST_TOTAL:
        raise Rejected(
            f"{window} buckets of {bucket_lots} lots are more than 2^62 - 1 lots: take fewer or smaller ones"
        )


def require_total(name: str, volumes: Integers, before: int) -> None:
    """Raise Rejected naming the row at which the cumulative volume reaches 2^62."""
    # The float sum is only a bound: numbers far below the limit need no exact check.
    if before + float(volumes.sum(dtype=np.float64)) < LARGEST_TOTAL / 2:
        return
    total = before
    for index, volume in enumerate(volumes.tolist()):
        total += volume
        if total > LARGEST_TOTAL:
            raise Rejected(f"{name}[{index}] brings the cumulative volume to {total} lots: the limit is 2^62 - 1")


def require_count(count: int, bucket_lots: int) -> None:
    """Raise Rejected for more buckets than one call may fill."""
    if count > MOST_BUCKETS:
        raise Rejected(
            f"bucket_lots {bucket_lots} makes {count} buckets in one call, at most {MOST_BUCKETS}: take more"
        )


def reference_buckets(volumes: Integers, bought: Integers, sizes: Integers) -> list[Buckets]:
    """Buckets of whole arrays of classified and bought lots, by the reference."""
    require_total("quantities", volumes, 0)
    found = []
    for size in sizes.tolist():
        require_count(int(volumes.sum()) // size, size)
        edges, rows = reference_edges(volumes, bought, size)
        found.append(Buckets(size, 0, np.diff(edges, prepend=0), rows))
    return found


def window_means(imbalances: Integers, bucket_lots: int, window: int, rows: int) -> Floats:
    """VPIN at the last ``rows`` of some imbalances: ``sum of the last n / (n V)``, NaN where there are fewer than n.

    Raises Rejected when n V does not fit int64.
    """
    require_window(bucket_lots, window)
    out = np.empty(rows, dtype=np.float64)
    scan.mean_imbalances(imbalances, bucket_lots, window, out)
    return out
