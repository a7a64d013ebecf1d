"""Volume buckets and VPIN over whole arrays in NumPy: what every other back end must equal."""

from __future__ import annotations

import numpy as np

from gpu.columns import Floats, Integers


def reference_edges(volumes: Integers, bought: Integers, bucket_lots: int) -> tuple[Integers, Integers]:
    """Bought volume up to every bucket edge, and the row that reached it; int64[k] each.

    Parameters
    ----------
    volumes, bought: int64[n], classified lots of each row and those of them that were bought. A row that is bought
        in part spreads it evenly: an edge inside it gets its share, rounded down.
    """
    volume = np.cumsum(volumes, dtype=np.int64)
    total = int(volume[-1]) if len(volume) else 0
    edges = np.arange(1, total // bucket_lots + 1, dtype=np.int64) * bucket_lots
    rows = np.searchsorted(volume, edges, side="left").astype(np.int64)
    inside = edges - (volume[rows] - volumes[rows])
    before = np.cumsum(bought, dtype=np.int64)[rows] - bought[rows]
    return before + _shares(bought[rows], volumes[rows], inside), rows


def _shares(parts: Integers, wholes: Integers, inside: Integers) -> Integers:
    """``floor(part * inside / whole)``, exactly: in Python's integers, which have no largest."""
    simple = (parts == 0) | (parts == wholes)
    shares = np.where(parts == 0, 0, inside)
    for row in np.flatnonzero(~simple).tolist():
        shares[row] = int(parts[row]) * int(inside[row]) // int(wholes[row])
    return shares


def reference_means(imbalances: Integers, bucket_lots: int, window: int) -> Floats:
    """``sum of the last n imbalances / (n V)``; NaN for the first n - 1."""
    totals = np.concatenate(([0], np.cumsum(imbalances, dtype=np.int64)))
    means = np.full(len(imbalances), np.nan)
    if len(imbalances) >= window:
        means[window - 1 :] = (totals[window:] - totals[:-window]) / (window * bucket_lots)
    return means
