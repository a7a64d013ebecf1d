"""Walking the best levels of a ladder fast: bit by bit through the window, instead of level by level from its tick."""

from __future__ import annotations

from market.book.ladder import _LOWER, _QUANTITY, BASE, BEST, BETTER_OUTSIDE, MIRROR, WINDOW, _next_index
from market.native.kernel import inline
from market.native.memory import get, trailing_zeros


@inline
def walkable(side: int) -> bool:
    """Whether the window holds the best level, so that a walk may begin."""
    return get(side, BEST) < WINDOW and get(side, BETTER_OUTSIDE) == 0


@inline
def first_bits(side: int) -> tuple[int, int]:
    """Where a walk begins: the place of a group of 64 levels, and which of them it has still to come to."""
    word = get(side, BEST) >> 6
    return word, get(side, _LOWER + word)


@inline
def next_bits(side: int, word: int) -> tuple[int, int]:
    """The next group that holds a level; no bits when there is none."""
    index = _next_index(side, word + 1)
    if index >= WINDOW:
        return word, 0
    return index >> 6, get(side, _LOWER + (index >> 6))


@inline
def level_at(side: int, word: int, bits: int) -> tuple[int, int]:
    """Tick and lots of the best level among a group's bits, which are not 0; ``bits & (bits - 1)`` are those after."""
    index = word * 64 + trailing_zeros(bits)
    return get(side, BASE) + (index ^ get(side, MIRROR)), get(side, _QUANTITY + index)
