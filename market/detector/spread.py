"""I4, spread expansion: ``(ask - bid) / mid`` against a multiple of its baseline.

The baseline is the mean over the spreads at the closes of the last ``baseline_seconds`` whole seconds.
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import (
    ASK,
    BID,
    INFINITY,
    NAN,
    QUOTED,
    SPREAD,
    SPREAD_BASELINE,
    SPREAD_LIMIT,
    SPREAD_MULTIPLIER,
    SPREADS,
    WARM_UP,
)
from market.detector.states import Signal
from market.detector.window import mean, push, samples
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get

_BIT: Final = int(Signal.SPREAD)


@inline
def judge_spread(detector: int) -> None:
    """The top of book was stated anew, or is no longer known."""
    bid, ask = get(detector, BID), get(detector, ASK)
    value = 2 * (ask - bid) / (ask + bid) if get(detector, QUOTED) != 0 else NAN
    put_float(detector, SPREAD, value)
    set_signal(detector, _BIT, value > get_float(detector, SPREAD_LIMIT))


@inline
def close_spread(detector: int, taken: bool) -> None:
    """A second closed; ``taken`` into the baselines or not."""
    if get(detector, QUOTED) == 0:
        return
    window = detector + 8 * SPREADS
    if taken:
        push(window, get_float(detector, SPREAD))
    if samples(window) >= get(detector, WARM_UP):
        baseline = mean(window)
        put_float(detector, SPREAD_BASELINE, baseline)
        limit = get_float(detector, SPREAD_MULTIPLIER) * baseline
        put_float(detector, SPREAD_LIMIT, limit if limit > 0.0 else INFINITY)
        set_signal(detector, _BIT, get_float(detector, SPREAD) > limit)
