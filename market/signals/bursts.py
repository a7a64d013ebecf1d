"""Trade bursts, from arrival rates and shortening gaps between trades.

The rate is trades in a window over its length; a high-frequency mode starts above one rate and ends below another,
so that it does not flicker. Gaps are mean inter-arrival times over the last n trades and over a longer stretch;
their ratio falls below 1 as trades come faster. Each trade of a message counts, also at equal times.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from market.errors import Fatal
from market.native.kernel import entry, inline
from market.native.memory import address_of, get, put
from market.signals.admission import admit_time
from market.signals.layout import (
    HEADER,
    LARGEST_CAPACITY,
    LARGEST_DURATION,
    NAN,
    SECOND_NS,
    Values,
    Words,
    new_values,
    require,
    require_capacity,
)

WINDOW_NS: Final = HEADER
CAPACITY: Final = HEADER + 1
OLDEST: Final = HEADER + 2
"""Number of the oldest trade in the window; trade times are kept at ``number mod capacity``."""
NEXT: Final = HEADER + 3
OVERFLOWS: Final = HEADER + 4
"""Trades that left the window early because the ring was full: the rate is then too low."""
ON_ABOVE: Final = HEADER + 5
"""The mode starts with more trades than this in the window."""
OFF_BELOW: Final = HEADER + 6
"""The mode ends with fewer trades than this in the window."""
MODE: Final = HEADER + 7
BURSTS: Final = HEADER + 8
"""How often the mode started."""
SHORT: Final = HEADER + 9
LONG: Final = HEADER + 10
_TIMES: Final = HEADER + 12


class BurstValue(IntEnum):
    """Columns of the readings."""

    TRADES_PER_SECOND = 0
    HIGH_FREQUENCY = 1
    """1 in the high-frequency mode, else 0."""
    MEAN_GAP_NS = 2
    """Mean time between the last trades; NaN before there are enough."""
    GAP_RATIO = 3
    """That over the mean of the longer stretch; NaN before there are enough, or when the longer one is 0."""


@dataclass(frozen=True, kw_only=True)
class BurstSettings:
    """Settings of the burst detector.

    Parameters
    ----------
    window_ns: length of the window that rates are taken over.
    capacity: trade times kept, a power of two above ``long_gaps``.
    on_per_second, off_per_second: rates above which the mode starts and below which it ends.
    short_gaps, long_gaps: inter-arrival times in the two means.
    """

    window_ns: int = SECOND_NS
    capacity: int = 8192
    on_per_second: int = 200
    off_per_second: int = 100
    short_gaps: int = 16
    long_gaps: int = 256

    def __post_init__(self) -> None:
        require("burst window_ns", self.window_ns, 1, LARGEST_DURATION)
        require_capacity("burst capacity", self.capacity)
        require("burst off_per_second", self.off_per_second, 1, 10**6)
        require("burst on_per_second", self.on_per_second, self.off_per_second, 10**6)
        require("burst short_gaps", self.short_gaps, 1, LARGEST_CAPACITY)
        require("burst long_gaps", self.long_gaps, self.short_gaps, LARGEST_CAPACITY)
        if self.long_gaps >= self.capacity:
            raise Fatal(f"burst capacity must be above long_gaps {self.long_gaps}, was {self.capacity}")

    @property
    def on_above(self) -> int:
        """Largest number of trades in the window that does not start the mode."""
        return self.on_per_second * self.window_ns // SECOND_NS

    @property
    def off_below(self) -> int:
        """Smallest number of trades in the window that does not end the mode."""
        return -(-self.off_per_second * self.window_ns // SECOND_NS)


def new_state(settings: BurstSettings) -> Words:
    """State without a trade."""
    state = np.zeros(_TIMES + settings.capacity, dtype=np.int64)
    state[WINDOW_NS] = settings.window_ns
    state[CAPACITY] = settings.capacity
    state[ON_ABOVE] = settings.on_above
    state[OFF_BELOW] = settings.off_below
    state[SHORT] = settings.short_gaps
    state[LONG] = settings.long_gaps
    return state


@inline
def _time_of(state: int, number: int) -> int:
    return get(state, _TIMES + (number & (get(state, CAPACITY) - 1)))


@inline
def _trades(state: int) -> int:
    return get(state, NEXT) - get(state, OLDEST)


@inline
def burst_time(state: int, now: int) -> None:
    """Let old trades leave the window, which may end the mode."""
    limit = now - get(state, WINDOW_NS)
    while _trades(state) > 0 and _time_of(state, get(state, OLDEST)) <= limit:
        put(state, OLDEST, get(state, OLDEST) + 1)
    if _trades(state) < get(state, OFF_BELOW):
        put(state, MODE, 0)


@inline
def burst_trade(state: int, now: int) -> None:
    """Take an admitted trade, after ``burst_time``."""
    number = get(state, NEXT)
    if _trades(state) == get(state, CAPACITY):
        put(state, OLDEST, get(state, OLDEST) + 1)
        put(state, OVERFLOWS, get(state, OVERFLOWS) + 1)
    put(state, _TIMES + (number & (get(state, CAPACITY) - 1)), now)
    put(state, NEXT, number + 1)
    if get(state, MODE) == 0 and _trades(state) > get(state, ON_ABOVE):
        put(state, MODE, 1)
        put(state, BURSTS, get(state, BURSTS) + 1)


@inline
def trades_per_second(state: int) -> float:
    """Trades in the window over its length in seconds."""
    return _trades(state) * SECOND_NS / get(state, WINDOW_NS)


@inline
def mean_gap_ns(state: int, gaps: int) -> float:
    """Mean of the last ``gaps`` inter-arrival times; NaN before there are as many."""
    last = get(state, NEXT) - 1
    return (_time_of(state, last) - _time_of(state, last - gaps)) / gaps if last >= gaps else NAN


@inline
def gap_ratio(state: int) -> float:
    """Short mean gap over long mean gap; NaN before there are enough trades, or when the long one is 0."""
    longer = mean_gap_ns(state, get(state, LONG))
    return mean_gap_ns(state, get(state, SHORT)) / longer if longer > 0.0 else NAN


@entry("void(int64[::1], int64[::1], float64[:, ::1])")
def burst_batch(state: Words, times_ns: Words, out: Values) -> None:
    """Take trades by their times; ``out[n, 4]`` gets the readings after each."""
    base = address_of(state)
    for index in range(len(times_ns)):
        now = admit_time(base, times_ns[index])
        burst_time(base, now)
        burst_trade(base, now)
        out[index, 0] = trades_per_second(base)
        out[index, 1] = get(base, MODE)
        out[index, 2] = mean_gap_ns(base, get(base, SHORT))
        out[index, 3] = gap_ratio(base)


class Bursts:
    """Trade rate and high-frequency mode, for the slow loop."""

    def __init__(self, settings: BurstSettings) -> None:
        self.state = new_state(settings)

    def update(self, times_ns: Words) -> Values:
        """Take int64[n] trade times; returns float64[n, 4] as ``BurstValue``."""
        out = new_values(len(times_ns), len(BurstValue))
        burst_batch(self.state, np.ascontiguousarray(times_ns, dtype=np.int64), out)
        return out
