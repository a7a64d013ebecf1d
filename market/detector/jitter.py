"""The jitter buffer: which time counts, and what silence, gaps and odd stamps do.

Time goes forward with messages by at most the jitter buffer at once. A stamp further ahead waits for a second message
whose stamp lies within the buffer of it: a single one from the future is never followed, a real silence costs one
message. After a silence or a gap nothing that was known before it counts: books, the trailing second, candles, price
history and every confirmation start again; only the baselines stay.
"""

from __future__ import annotations

from typing import Final

from market.detector.candles import end_runs
from market.detector.known_market import withdraw_depth, withdraw_top
from market.detector.layout import (
    CALM_SINCE,
    HEARD,
    JITTER_NS,
    LARGEST_TIME,
    LAST_PRICE,
    LOST,
    NONE,
    NOW,
    PENDING,
)
from market.detector.seconds import forget_prices, roll, start_grid
from market.detector.states import Counter
from market.detector.trigger import forget_trigger
from market.detector.words import count
from market.native.kernel import inline, shared
from market.native.memory import get, put

DROPPED: Final = 0
LATE: Final = 1
"""Counts as a message now; what it states is old."""
ON_TIME: Final = 2
_LATE: Final = int(Counter.LATE)
_TOO_LATE: Final = int(Counter.TOO_LATE)
_FUTURE: Final = int(Counter.FUTURE)
_SILENCES: Final = int(Counter.SILENCES)


@shared
def lose_feed(detector: int) -> None:
    """Nothing that was known of the market, and nothing that was confirmed, holds any more."""
    put(detector, HEARD, NONE)
    put(detector, LOST, 1)
    forget_trigger(detector)
    put(detector, CALM_SINCE, NONE)
    withdraw_top(detector)
    withdraw_depth(detector)
    put(detector, LAST_PRICE, 0)
    forget_prices(detector)
    end_runs(detector)
    start_grid(detector)


@inline
def pass_time(detector: int, time_ns: int) -> None:
    """Let a time come that is not before now."""
    put(detector, NOW, time_ns)
    if get(detector, HEARD) == NONE:
        return
    if time_ns - get(detector, HEARD) > get(detector, JITTER_NS):
        count(detector, _SILENCES)
        lose_feed(detector)
    else:
        roll(detector)


@inline
def hear(detector: int) -> None:
    """A message was taken now."""
    if get(detector, HEARD) == NONE:
        start_grid(detector)
    put(detector, HEARD, get(detector, NOW))


@shared
def _admit_jump(detector: int, time_ns: int) -> int:
    """A stamp further ahead than the jitter buffer: the second of two that support each other moves the time."""
    pending = get(detector, PENDING)
    if time_ns > LARGEST_TIME:
        count(detector, _FUTURE)
        return DROPPED
    if pending != NONE and abs(time_ns - pending) <= get(detector, JITTER_NS):
        put(detector, PENDING, NONE)
        pass_time(detector, time_ns)
        return ON_TIME
    if pending != NONE:
        count(detector, _FUTURE)
    put(detector, PENDING, time_ns)
    return DROPPED


@inline
def admit_time(detector: int, time_ns: int) -> int:
    """What becomes of a message by its time: DROPPED, LATE or ON_TIME; time has passed when it is taken."""
    ahead, jitter = time_ns - get(detector, NOW), get(detector, JITTER_NS)
    if time_ns < 0 or ahead < -jitter:
        count(detector, _TOO_LATE)
        return DROPPED
    if ahead > jitter:
        return _admit_jump(detector, time_ns)
    if get(detector, PENDING) != NONE:
        put(detector, PENDING, NONE)
        count(detector, _FUTURE)
    if ahead < 0:
        count(detector, _LATE)
        return LATE
    pass_time(detector, time_ns)
    return ON_TIME
