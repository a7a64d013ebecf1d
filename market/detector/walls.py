"""I8d, walls: levels larger than a multiple of the median size of their side's best levels.

The median of an even number of sizes is the mean of the middle two. Found when it is asked for, not with every update:
nothing but scores depends on it, and sorting costs more than the rest of an update.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.detector.layout import ASK_WALLS, BID_WALLS, BOOK_KNOWN, NAN, SIDE_SIZES, SIZES, WALL_MULTIPLE
from market.detector.settings import MOST_LEVELS
from market.native.float_memory import get_float
from market.native.kernel import inline, part
from market.native.memory import get

BIDS: Final = 0
ASKS: Final = 1


@part
def count_walls(sizes: int, multiple: float) -> int:
    """Walls among sizes, the first word being how many there are."""
    number = get(sizes, 0)
    if number == 0:
        return 0
    ordered = np.empty(MOST_LEVELS, dtype=np.int64)
    for index in range(number):
        size, at = get(sizes, 1 + index), index
        while at > 0 and ordered[at - 1] > size:
            ordered[at] = ordered[at - 1]
            at -= 1
        ordered[at] = size
    median = (ordered[(number - 1) // 2] + ordered[number // 2]) / 2
    walls = 0
    for index in range(number):
        walls += ordered[index] > multiple * median
    return walls


@inline
def walls(detector: int, side: int) -> float:
    """Walls of one side; NaN while the book is not known."""
    if get(detector, BOOK_KNOWN) == 0:
        return NAN
    stated = get(detector, BID_WALLS if side == BIDS else ASK_WALLS)
    if stated >= 0:
        return float(stated)
    return float(count_walls(detector + 8 * (SIZES + SIDE_SIZES * side), get_float(detector, WALL_MULTIPLE)))
