"""I6, message velocity: messages of the trailing second against a multiple of the baseline's messages per second.

The baseline is the mean over the last ``baseline_seconds`` whole seconds. A message is whatever the venue sent for the
market and was not dropped: a top of book, a depth update, a trade.
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import (
    INFINITY,
    MESSAGE_BASELINE,
    MESSAGE_LIMIT,
    MESSAGE_MULTIPLIER,
    MESSAGES,
    SECOND_MESSAGES,
    SLOT_MESSAGES,
    TRAILING_MESSAGES,
    WARM_UP,
)
from market.detector.states import Signal
from market.detector.window import mean, push, samples
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get, put

_BIT: Final = int(Signal.MESSAGE_VELOCITY)


@inline
def judge_velocity(detector: int) -> None:
    """The trailing second or its limit changed."""
    set_signal(detector, _BIT, get(detector, TRAILING_MESSAGES) > get_float(detector, MESSAGE_LIMIT))


@inline
def add_message(detector: int) -> None:
    """A message was taken."""
    put(detector, SLOT_MESSAGES, get(detector, SLOT_MESSAGES) + 1)
    put(detector, TRAILING_MESSAGES, get(detector, TRAILING_MESSAGES) + 1)
    put(detector, SECOND_MESSAGES, get(detector, SECOND_MESSAGES) + 1)
    judge_velocity(detector)


@inline
def close_messages(detector: int, taken: bool) -> None:
    """A whole second closed; ``taken`` into the baselines or not."""
    window = detector + 8 * MESSAGES
    if taken:
        push(window, float(get(detector, SECOND_MESSAGES)))
    if samples(window) >= get(detector, WARM_UP):
        baseline = mean(window)
        put_float(detector, MESSAGE_BASELINE, baseline)
        limit = get_float(detector, MESSAGE_MULTIPLIER) * baseline
        put_float(detector, MESSAGE_LIMIT, limit if limit > 0.0 else INFINITY)
