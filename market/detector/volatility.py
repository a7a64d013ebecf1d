"""I1, volatility spike: sigma_1s against its baseline, and against an absolute threshold.

``sigma_1s = std(log(P_t / P_{t-1}))`` over the last ``volatility_seconds`` returns of whole seconds; the baseline
is the same over the ``baseline_seconds`` returns before those, so that a spike is not part of what it is compared with.
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import (
    BASE_RETURNS,
    FIRST_CLOSE,
    SHORT_RETURNS,
    TAKEN_RETURNS,
    VOLATILITY,
    VOLATILITY_ABSOLUTE,
    VOLATILITY_BASELINE,
    VOLATILITY_MULTIPLIER,
    WARM_UP,
)
from market.detector.returns import log_return
from market.detector.states import Signal
from market.detector.window import deviation, expelled, push, samples
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get, put

_BIT: Final = int(Signal.VOLATILITY)
LEAST_BASELINE: Final = 1e-12
"""A baseline at or below this is no movement at all but what rounding left of sums: nothing is compared with it."""


@inline
def take_return(detector: int, taken: bool) -> None:
    """A second closed, ``taken`` into the baselines or not, whose close and whose predecessor's are a valid move."""
    put(detector, TAKEN_RETURNS, get(detector, TAKEN_RETURNS) + 1 if taken else 0)
    short, base = detector + 8 * SHORT_RETURNS, detector + 8 * BASE_RETURNS
    if push(short, log_return(get(detector, FIRST_CLOSE + 1), get(detector, FIRST_CLOSE))):
        if get(detector, TAKEN_RETURNS) > samples(short):
            push(base, expelled(short))
        put_float(detector, VOLATILITY, deviation(short))
        _judge(detector, base)


@inline
def _judge(detector: int, base: int) -> None:
    sigma = get_float(detector, VOLATILITY)
    absolute = get_float(detector, VOLATILITY_ABSOLUTE)
    spike = absolute > 0.0 and sigma > absolute
    if samples(base) >= get(detector, WARM_UP):
        baseline = deviation(base)
        put_float(detector, VOLATILITY_BASELINE, baseline)
        spike = spike or (baseline > LEAST_BASELINE and sigma > get_float(detector, VOLATILITY_MULTIPLIER) * baseline)
    set_signal(detector, _BIT, spike)
