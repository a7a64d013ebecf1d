"""The last n samples of a quantity, one per second, with their sum and sum of squares.

Both sums are kept in two float64, high and low part, by Knuth's error-free addition (The Art of Computer Programming,
volume 2, section 4.2.2, theorem B): what a sample adds when it comes it takes away when it goes, so nothing drifts.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get, put

_LENGTH: Final = 0
_COUNT: Final = 1
_NEXT: Final = 2
_SUM: Final = 3
_SQUARES: Final = 5
_SAMPLES: Final = 8


@inline
def _add(window: int, word: int, value: float) -> None:
    """Add to a sum of two parts."""
    high = get_float(window, word)
    total = high + value
    back = total - high
    error = (high - (total - back)) + (value - back)
    low = get_float(window, word + 1) + error
    put_float(window, word, total + low)
    put_float(window, word + 1, low - ((total + low) - total))


@inline
def push(window: int, value: float) -> bool:
    """Take a sample; whether the oldest one, now in ``expelled``, had to leave for it."""
    length, at = get(window, _LENGTH), get(window, _NEXT)
    full = get(window, _COUNT) == length
    if full:
        oldest = get_float(window, _SAMPLES + at)
        _add(window, _SUM, -oldest)
        _add(window, _SQUARES, -(oldest * oldest))
        put_float(window, _SAMPLES - 1, oldest)
    else:
        put(window, _COUNT, get(window, _COUNT) + 1)
    put_float(window, _SAMPLES + at, value)
    _add(window, _SUM, value)
    _add(window, _SQUARES, value * value)
    put(window, _NEXT, at + 1 if at + 1 < length else 0)
    return full


@inline
def expelled(window: int) -> float:
    """The sample that left last."""
    return get_float(window, _SAMPLES - 1)


@inline
def samples(window: int) -> int:
    """How many there are."""
    return get(window, _COUNT)


@inline
def mean(window: int) -> float:
    """Of at least one sample."""
    return get_float(window, _SUM) / get(window, _COUNT)


@inline
def deviation(window: int) -> float:
    """Standard deviation of the samples, the root of the mean squared distance from their mean."""
    number = get(window, _COUNT)
    centre = get_float(window, _SUM) / number
    return sqrt(max(get_float(window, _SQUARES) / number - centre * centre, 0.0))
