"""The log return between two prices, to the last digits however small it is.

``log(b / a) = 2 atanh(z)`` with ``z = (b - a) / (b + a)``, summed as ``2 (z + z^3/3 + z^5/5 + ...)`` (Abramowitz and
Stegun, Handbook of Mathematical Functions, 4.1.27). A quotient of prices loses the small difference that this is about,
and basic arithmetic alone gives the same bits on every machine.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline

LARGEST_FACTOR: Final = 3
_TERMS: Final = 26
"""Of a factor of 3: the first left out is 0.25^26 / 53 of the first, below 2^-57."""


@inline
def is_valid_move(before: int, after: int) -> bool:
    """Whether both prices are there and at most a factor of 3 apart."""
    return before > 0 and after > 0 and after <= LARGEST_FACTOR * before and before <= LARGEST_FACTOR * after


@inline
def log_return(before: int, after: int) -> float:
    """``log(after / before)`` of a valid move."""
    ratio = (after - before) / (after + before)
    square = ratio * ratio
    power, total, term = ratio, ratio, 1
    while term < _TERMS:
        power *= square
        added = total + power / (2 * term + 1)
        if added == total:
            break
        total = added
        term += 1
    return 2.0 * total
