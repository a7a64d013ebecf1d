"""The empirical distribution function of a series: how high a value stands among the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gpu.backend import Backend, choose
from gpu.columns import Floats, Integers
from market.errors import Rejected
from market.native.kernel import entry


def empirical_cdf(values: ArrayLike, *, past_only: bool = False, backend: Backend | str = Backend.AUTO) -> Floats:
    """float64[k]: the part of the known values that is at most each value; NaN where a value is NaN (not known).

    Parameters
    ----------
    values: [k] floats. past_only: compare with the values up to and including each, as one could have done then; else
        with the whole sample, which looks ahead.

    Raises Rejected for another shape or an infinite value.
    """
    column = np.ascontiguousarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise Rejected(f"values must have shape (n,), was {column.shape}")
    infinite = np.flatnonzero(np.isinf(column))
    if len(infinite):
        raise Rejected(f"values[{infinite[0]}] is {column[infinite[0]]}: must be finite, or NaN where not known")
    known = ~np.isnan(column)
    out = np.full(len(column), np.nan)
    out[known] = _ranks(column[known], past_only, choose(backend))
    return out


def _ranks(values: Floats, past_only: bool, backend: Backend) -> Floats:
    distinct, places = np.unique(values, return_inverse=True)
    if not past_only:
        at_most = np.cumsum(np.bincount(places, minlength=len(distinct)))
        return at_most[places] / len(values)
    counts: Integers = np.empty(len(values), dtype=np.int64)
    if backend is Backend.NUMPY:
        for index in range(len(values)):
            counts[index] = np.count_nonzero(values[: index + 1] <= values[index])
    else:
        past_ranks(places.astype(np.int64), np.zeros(len(distinct) + 1, dtype=np.int64), counts)
    return counts / np.arange(1, len(values) + 1)


@entry("void(int64[::1], int64[::1], int64[::1])")
def past_ranks(places: Integers, tree: Integers, out: Integers) -> None:
    """How many places up to each are at most it; ``tree``, zeros, is a Fenwick tree with a node per distinct place."""
    for index in range(len(places)):
        node = places[index] + 1
        while node < len(tree):
            tree[node] += 1
            node += node & -node
        count = 0
        node = places[index] + 1
        while node > 0:
            count += tree[node]
            node -= node & -node
        out[index] = count
