"""The empirical distribution function of a series: how high a value stands among the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gpu.arrays import choose_for, first_true, gpu_array, is_on_gpu, module_of, on_host
from gpu.backend import Backend
from gpu.columns import Floats, Integers
from market.errors import Rejected
from market.native.kernel import entry


def empirical_cdf(values: ArrayLike, *, past_only: bool = False, backend: Backend | str = Backend.AUTO) -> Floats:
    """float64[k]: the part of the known values that is at most each value; NaN where a value is NaN (not known).

    Parameters
    ----------
    values: [k] floats. past_only: compare with the values up to and including each, as one could have done then; else
        with the whole sample, which looks ahead.

    Values on a GPU give ranks there; those of the past are computed on the host. Raises Rejected for another shape
    or an infinite value.
    """
    on_gpu = is_on_gpu(values)
    chosen = choose_for(on_gpu, backend, has_kernels=on_gpu)
    column: Floats = gpu_array("values", values) if on_gpu else np.asarray(values)
    xp = module_of(column)
    column = xp.ascontiguousarray(column, dtype=np.float64)
    if column.ndim != 1:
        raise Rejected(f"values must have shape (n,), was {column.shape}")
    infinite = first_true(xp.isinf(column))
    if infinite >= 0:
        raise Rejected(f"values[{infinite}] is {column[infinite]}: must be finite, or NaN where not known")
    known = ~xp.isnan(column)
    out: Floats = xp.full(len(column), np.nan)
    if past_only:
        out[known] = xp.asarray(_past_ranks(on_host(column[known]), chosen))
    else:
        out[known] = _ranks(column[known])
    return out


def _ranks(values: Floats) -> Floats:
    if not len(values):
        return values
    xp = module_of(values)
    distinct, places = xp.unique(values, return_inverse=True)
    at_most = xp.cumsum(xp.bincount(places, minlength=len(distinct)))
    found: Floats = at_most[places] / len(values)
    return found


def _past_ranks(values: Floats, backend: Backend) -> Floats:
    distinct, places = np.unique(values, return_inverse=True)
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
