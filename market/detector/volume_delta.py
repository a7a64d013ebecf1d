"""I5, aggressive volume delta: ``dV = V_buy - V_sell`` of the trailing second, below a number of sigmas under 0.

sigma is the standard deviation of the volume deltas of the last ``baseline_seconds`` whole seconds. Volume without a
known aggressor counts for neither side. The z-score that scoring uses is ``dV / sigma``.
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import (
    DELTA_LIMIT,
    DELTAS,
    INFINITY,
    SECOND_DELTA,
    SLOT_DELTA,
    TRAILING_DELTA,
    VOLUME_SIGMA,
    VOLUME_SIGMAS,
    WARM_UP,
)
from market.detector.states import Signal
from market.detector.window import deviation, push, samples
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get, put

_BIT: Final = int(Signal.VOLUME_DELTA)


@inline
def judge_delta(detector: int) -> None:
    """The trailing second or its limit changed."""
    set_signal(detector, _BIT, get(detector, TRAILING_DELTA) < get_float(detector, DELTA_LIMIT))


@inline
def add_delta(detector: int, lots: int) -> None:
    """A trade: lots bought, or below 0 sold."""
    put(detector, SLOT_DELTA, get(detector, SLOT_DELTA) + lots)
    put(detector, TRAILING_DELTA, get(detector, TRAILING_DELTA) + lots)
    put(detector, SECOND_DELTA, get(detector, SECOND_DELTA) + lots)
    judge_delta(detector)


@inline
def close_delta(detector: int, taken: bool) -> None:
    """A whole second closed; ``taken`` into the baselines or not."""
    window = detector + 8 * DELTAS
    if taken:
        push(window, float(get(detector, SECOND_DELTA)))
    if samples(window) >= get(detector, WARM_UP):
        sigma = deviation(window)
        put_float(detector, VOLUME_SIGMA, sigma)
        limit = -get_float(detector, VOLUME_SIGMAS) * sigma
        put_float(detector, DELTA_LIMIT, limit if limit < 0.0 else -INFINITY)
