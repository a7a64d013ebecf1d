"""What every number passes before an indicator sees it (I22); the first failure is counted by its reason.

Numbers are integers here. ``events.counts_of`` turns float64 into them; what is no number becomes one of the two marks.
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import LARGEST_LIQUIDITY, LARGEST_PRICE, LARGEST_QUANTITY
from market.detector.states import Counter
from market.detector.words import count
from market.native.kernel import inline
from market.wire.records import AGGRESSOR_NONE, AGGRESSOR_SELL

NOT_A_NUMBER: Final = -(1 << 63)
"""Stands for NaN."""
INFINITE: Final = (1 << 63) - 1
"""Stands for infinity of either sign."""
_NOT_A_NUMBER: Final = int(Counter.NOT_A_NUMBER)
_INFINITE: Final = int(Counter.INFINITE)
_NEGATIVE: Final = int(Counter.NEGATIVE)
_ZERO: Final = int(Counter.ZERO)
_TOO_LARGE: Final = int(Counter.TOO_LARGE)
_CROSSED: Final = int(Counter.CROSSED)
_BAD_AGGRESSOR: Final = int(Counter.BAD_AGGRESSOR)


@inline
def _refuse(detector: int, reason: int) -> bool:
    count(detector, reason)
    return False


@inline
def _refuse_number(detector: int, value: int) -> bool:
    if value == NOT_A_NUMBER:
        return _refuse(detector, _NOT_A_NUMBER)
    if value == INFINITE:
        return _refuse(detector, _INFINITE)
    return _refuse(detector, _NEGATIVE if value < 0 else _ZERO if value == 0 else _TOO_LARGE)


@inline
def admit_number(detector: int, value: int, least: int, most: int) -> bool:
    """Whether a number lies between the bounds."""
    return True if least <= value <= most else _refuse_number(detector, value)


@inline
def admit_trade(detector: int, price: int, quantity: int, aggressor: int) -> bool:
    """Whether a trade is possible."""
    if not admit_number(detector, price, 1, LARGEST_PRICE) or not admit_number(detector, quantity, 1, LARGEST_QUANTITY):
        return False
    if aggressor < AGGRESSOR_NONE or aggressor > AGGRESSOR_SELL:
        return _refuse(detector, _BAD_AGGRESSOR)
    return True


@inline
def admit_top(detector: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> bool:
    """Whether a top of book is possible: both sides there and not crossed."""
    if not admit_number(detector, bid, 1, LARGEST_PRICE) or not admit_number(detector, ask, 1, LARGEST_PRICE):
        return False
    if not admit_number(detector, bid_quantity, 1, LARGEST_QUANTITY):
        return False
    if not admit_number(detector, ask_quantity, 1, LARGEST_QUANTITY):
        return False
    return True if bid < ask else _refuse(detector, _CROSSED)


@inline
def admit_depth(detector: int, bid_lots: int, ask_lots: int, bid_liquidity: int, ask_liquidity: int) -> bool:
    """Whether sums over levels are possible: none below 0, and those of lots as bounded as one quantity."""
    if not admit_number(detector, bid_lots, 0, LARGEST_QUANTITY):
        return False
    if not admit_number(detector, ask_lots, 0, LARGEST_QUANTITY):
        return False
    if not admit_number(detector, bid_liquidity, 0, LARGEST_LIQUIDITY):
        return False
    return admit_number(detector, ask_liquidity, 0, LARGEST_LIQUIDITY)
