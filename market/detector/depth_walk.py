"""Sums over the best levels of a book, and their sizes, from one walk over its ladders.

Walked anew after each depth update: an update of a recorded Bitcoin market nearly always touches its best 20 levels,
and nothing can drift. Levels outside the ladder's window are not walked. A level counts with at most 2^57 ticks times
lots and a side with at most 2^46 - 1 lots, so that no sum overflows.
"""

from __future__ import annotations

from typing import Final

from market.book.ladder_walk import first_bits, level_at, next_bits, walkable
from market.detector.layout import (
    DEPTH_LEVELS,
    IMBALANCE_LEVELS,
    LARGEST_LIQUIDITY,
    LARGEST_QUANTITY,
    SIDE_SIZES,
    SIZES,
)
from market.native.kernel import inline, shared
from market.native.memory import get, put

_LARGEST_LEVEL: Final = 1 << 57
_LARGEST_EXACT: Final = float(_LARGEST_LEVEL)


@inline
def level_worth(tick: int, lots: int) -> int:
    """``tick * lots``, cut at 2^57."""
    return tick * lots if float(tick) * float(lots) < _LARGEST_EXACT else _LARGEST_LEVEL


@shared
def walk_side(detector: int, side: int, ladder: int) -> tuple[int, int]:
    """Lots over the levels of OBI and worth over the levels of liquidity; the sizes go into the state.

    A side whose best level is outside the ladder's window counts as empty until the window has moved.
    """
    levels, imbalance_levels = get(detector, DEPTH_LEVELS), get(detector, IMBALANCE_LEVELS)
    sizes = detector + 8 * (SIZES + SIDE_SIZES * side)
    lots, worth, index = 0, 0, 0
    word, bits = first_bits(ladder) if walkable(ladder) else (0, 0)
    while bits != 0 and index < levels:
        tick, size = level_at(ladder, word, bits)
        if index < imbalance_levels:
            lots += size
        worth += level_worth(tick, size)
        index += 1
        put(sizes, index, size)
        bits &= bits - 1
        if bits == 0:
            word, bits = next_bits(ladder, word)
    put(sizes, 0, index)
    return min(lots, LARGEST_QUANTITY), min(worth, LARGEST_LIQUIDITY)
