"""I3, order book imbalance: ``OBI = (V_bid - V_ask) / (V_bid + V_ask)`` over the lots of the best N levels per side."""

from __future__ import annotations

from typing import Final

from market.detector.layout import ASK_LOTS, BID_LOTS, BOOK_KNOWN, IMBALANCE, IMBALANCE_LIMIT, NAN
from market.detector.states import Signal
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get

_BIT: Final = int(Signal.IMBALANCE)


@inline
def balance(bid: int, ask: int) -> float:
    """``(bid - ask) / (bid + ask)``; NaN when both are 0."""
    return (bid - ask) / (bid + ask) if bid + ask > 0 else NAN


@inline
def judge_imbalance(detector: int) -> None:
    """The depth was stated anew, or is no longer known."""
    value = balance(get(detector, BID_LOTS), get(detector, ASK_LOTS)) if get(detector, BOOK_KNOWN) != 0 else NAN
    put_float(detector, IMBALANCE, value)
    set_signal(detector, _BIT, value < get_float(detector, IMBALANCE_LIMIT))
