"""I8a to I8c: what the best levels of the book are worth.

``L = sum over the best N levels of P_i * V_i`` per side, in ticks times lots.

- I8a, liquidity ratio: ``(L_bid + L_ask) / mean``, the mean being over the last ``liquidity_seconds`` closes of whole
  seconds.
- I8b, sufficiency: ``L_bid + L_ask > minimum_liquidity``; an unknown book is not sufficient.
- I8c, extreme imbalance: ``|L_bid - L_ask| / (L_bid + L_ask) > extreme_imbalance``.
"""

from __future__ import annotations

from typing import Final

from market.detector.imbalance import balance
from market.detector.layout import (
    ASK_LIQUIDITY,
    BID_LIQUIDITY,
    BOOK_KNOWN,
    EXTREME_IMBALANCE,
    LIQUIDITIES,
    LIQUIDITY_BASELINE,
    LIQUIDITY_WARM_UP,
    MINIMUM_LIQUIDITY,
    NAN,
)
from market.detector.states import Signal
from market.detector.window import mean, push, samples
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get

_SUFFICIENT: Final = int(Signal.LIQUIDITY_SUFFICIENT)
_EXTREME: Final = int(Signal.EXTREME_IMBALANCE)


@inline
def total_liquidity(detector: int) -> int:
    """Of both sides together; 0 while the book is not known."""
    return get(detector, BID_LIQUIDITY) + get(detector, ASK_LIQUIDITY) if get(detector, BOOK_KNOWN) != 0 else 0


@inline
def liquidity_imbalance(detector: int) -> float:
    """``(L_bid - L_ask) / (L_bid + L_ask)``; NaN while the book is not known."""
    known = get(detector, BOOK_KNOWN) != 0
    return balance(get(detector, BID_LIQUIDITY), get(detector, ASK_LIQUIDITY)) if known else NAN


@inline
def liquidity_ratio(detector: int) -> float:
    """I8a; NaN while the book or its baseline is not known."""
    baseline = get_float(detector, LIQUIDITY_BASELINE)
    return total_liquidity(detector) / baseline if get(detector, BOOK_KNOWN) != 0 and baseline > 0.0 else NAN


@inline
def judge_liquidity(detector: int) -> None:
    """The depth was stated anew, or is no longer known."""
    set_signal(detector, _SUFFICIENT, total_liquidity(detector) > get(detector, MINIMUM_LIQUIDITY))
    set_signal(detector, _EXTREME, abs(liquidity_imbalance(detector)) > get_float(detector, EXTREME_IMBALANCE))


@inline
def close_liquidity(detector: int) -> None:
    """A whole second closed."""
    if get(detector, BOOK_KNOWN) == 0:
        return
    window = detector + 8 * LIQUIDITIES
    push(window, float(total_liquidity(detector)))
    if samples(window) >= get(detector, LIQUIDITY_WARM_UP):
        put_float(detector, LIQUIDITY_BASELINE, mean(window))
