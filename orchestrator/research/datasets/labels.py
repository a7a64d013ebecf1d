"""What the mid does next: smoothed moves and their classes.

The move of row t is ``(m+ - m) / m`` with m the mid of row t and m+ the mean of the mids of rows t + 1 to t + k (Zhang,
Zohren and Roberts, "DeepLOB", IEEE Transactions on Signal Processing 67(11), 2019; Ntakaris et al. 2018). It looks at
these rows alone. Sums are of integers, so no other row can change a bit of it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Rejected
from market.wire.records import Rows, Words

Floats = NDArray[np.float64]
Classes = NDArray[np.int8]


class Move(IntEnum):
    """Classes of labels, as in every array of them."""

    DOWN = 0
    SAME = 1
    UP = 2


CLASSES: Final = len(Move)
NO_LABEL: Final = -1
_LARGEST_SUM: Final = 1 << 62


def double_mids(book: Rows) -> Words:
    """Twice the mid of each row of ``BookRows.book``, in ticks: best ask and best bid."""
    mids: Words = book[:, 0] + book[:, 2]
    return mids


def segment_ends(segments: Words) -> Words:
    """For each row the first row after its segment; segments are runs of equal numbers."""
    ends = np.flatnonzero(np.concatenate([segments[1:] != segments[:-1], [len(segments) > 0]])) + 1
    found: Words = np.repeat(ends, np.diff(ends, prepend=0)).astype(np.int64)
    return found


def segment_starts(segments: Words) -> Words:
    """For each row the first row of its segment."""
    reversed_ends = segment_ends(segments[::-1])
    found: Words = len(segments) - reversed_ends[::-1]
    return found


def smoothed_moves(mids: Words, segments: Words, horizon: int) -> Floats:
    """Relative moves of the mid to its mean over the next rows; NaN where fewer than ``horizon`` rows follow.

    Parameters
    ----------
    mids: int64[n], above 0; their unit does not matter. segments: int64[n].
    horizon: rows to look ahead, at least 1.

    Raises Rejected for an impossible horizon or mids.
    """
    if horizon < 1:
        raise Rejected(f"horizon was {horizon}: must be at least 1 row")
    if len(mids) != len(segments):
        raise Rejected(f"mids has {len(mids)} rows, segments {len(segments)}: must be as many")
    if len(mids) and (int(mids.min()) < 1 or int(mids.max()) >= _LARGEST_SUM // horizon):
        raise Rejected(f"mids[{int(mids.argmin())}] is {mids.min()}: all must be above 0, and their sums below 2^62")
    moves: Floats = np.full(len(mids), np.nan)
    rows = np.flatnonzero(np.arange(len(mids)) + horizon < segment_ends(segments))
    # Sums may wrap around, their differences are exact all the same.
    sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(mids)])
    level = horizon * mids[rows]
    moves[rows] = (sums[rows + horizon + 1] - sums[rows + 1] - level) / level
    return moves


def past_moves(mids: Words, segments: Words, rows: int) -> Floats:
    """Relative moves of the mid from its mean over the ``rows`` rows before; NaN where there are fewer."""
    if rows < 1:
        raise Rejected(f"the rows of a past move were {rows}: must be at least 1")
    moves: Floats = np.full(len(mids), np.nan)
    known = np.flatnonzero(np.arange(len(mids)) - rows >= segment_starts(segments))
    sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(mids)])
    before = sums[known] - sums[known - rows]
    moves[known] = (rows * mids[known] - before) / before
    return moves


def classify(moves: Floats, alpha: float) -> Classes:
    """Classes of moves: UP above ``alpha``, DOWN below ``-alpha``, else SAME; NO_LABEL where there is no move."""
    if not 0.0 <= alpha < np.inf:
        raise Rejected(f"alpha was {alpha}: must be a number of at least 0")
    labels: Classes = np.where(moves > alpha, Move.UP, np.where(moves < -alpha, Move.DOWN, Move.SAME)).astype(np.int8)
    labels[~np.isfinite(moves)] = NO_LABEL
    return labels


def balanced_alpha(moves: Floats) -> float:
    """The alpha that makes SAME a third of the known moves, as nearly as their values allow.

    Raises Rejected when no move is known.
    """
    sizes = np.sort(np.abs(moves[np.isfinite(moves)]))
    if not len(sizes):
        raise Rejected(
            "no row of the training part has a label, so no alpha can be chosen: give alpha, or shorten "
            "window and horizon"
        )
    upper = float(sizes[len(sizes) // CLASSES])
    below = int(np.searchsorted(sizes, upper))
    up_to = int(np.searchsorted(sizes, upper, side="right"))
    if below == 0 or up_to - len(sizes) / CLASSES <= len(sizes) / CLASSES - below:
        return upper
    return float(sizes[below - 1])
