"""What the states of all signals share: the header, the largest numbers, and the checks of settings.

A state is one int64 array whose first ``HEADER`` words are the admission header, so that every signal can also
be fed alone. Sums stay below 2^63 because prices, quantities and capacities are bounded here.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal, Rejected

Words = NDArray[np.int64]
"""int64[n]: state of kernels, or one column of events."""
Rows = NDArray[np.int64]
"""int64[n, m], C order."""
Values = NDArray[np.float64]
"""float64[n, m], C order: readings, NaN where there is none."""

# Words of the header.
NOW: Final = 0
"""Newest time in ns."""
LATE: Final = 1
"""Events whose time lay before ``NOW`` or was no time; they count as of ``NOW``."""
BAD_PRICE: Final = 2
BAD_QUANTITY: Final = 3
CROSSED: Final = 4
BAD_AGGRESSOR: Final = 5
HEADER: Final = 8

LARGEST_PRICE: Final = (1 << 47) - 1
"""Largest price in ticks."""
LARGEST_QUANTITY: Final = (1 << 46) - 1
"""Largest quantity in lots, of one level, one trade or one walked side."""
LARGEST_TIME: Final = (1 << 62) - 1
LARGEST_DURATION: Final = 10**12
"""Longest window or horizon: 1,000 s."""
LARGEST_CAPACITY: Final = 1 << 16
SECOND_NS: Final = 1_000_000_000

NAN: Final = float("nan")


def require(name: str, value: int, low: int, high: int) -> None:
    """Raise Fatal unless ``value`` is a whole number of low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Fatal(f"{name} must be a whole number from {low} to {high}, was {value!r}")


def require_capacity(name: str, value: int) -> None:
    """Raise Fatal unless ``value`` is a power of two of 2..65,536."""
    require(name, value, 2, LARGEST_CAPACITY)
    if value & (value - 1):
        raise Fatal(f"{name} must be a power of two, was {value}")


def as_rows(name: str, rows: NDArray[Any], columns: int) -> Rows:
    """The rows as int64[n, columns] in C order; raises Rejected for another shape or for floats."""
    if rows.ndim != 2 or rows.shape[1] != columns or rows.dtype.kind not in "iu":
        raise Rejected(f"{name} must be integers of shape (n, {columns}), was {rows.dtype} of shape {rows.shape}")
    return np.ascontiguousarray(rows, dtype=np.int64)


def new_values(rows: int, columns: int) -> Values:
    """Readings that a batch entry fills, all NaN."""
    return np.full((rows, columns), np.nan)
