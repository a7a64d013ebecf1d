"""What a market's detector knows after each event, and the samples that it took of every second.

The detector itself takes the events, so that silences, gaps, late and refused messages are what they are to it. Only
its baselines are left out: they are statistics of the samples, which a sweep takes for many windows at once.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpu.columns import Integers
from market.detector.events import take_event
from market.detector.layout import (
    ACCELERATION,
    DELTAS,
    EVENT_WIDTH,
    FIRST_CLOSE,
    IMBALANCE,
    MESSAGES,
    NOW,
    SHORT_RETURNS,
    SPREAD,
    SPREADS,
    TRAILING_DELTA,
    TRAILING_MESSAGES,
    TRANSITION_ROOM,
    Rows,
    Words,
    as_rows,
    new_state,
)
from market.detector.settings import MOST_SECONDS, DetectorSettings
from market.detector.transitions import take_transitions, unread
from market.errors import Rejected
from market.native.float_memory import get_float
from market.native.kernel import entry, inline
from market.native.memory import address_of, get

Table: TypeAlias = NDArray[np.float64]

RETURN: Final = 0
SPREAD_SAMPLE: Final = 1
DELTA: Final = 2
MESSAGE_COUNT: Final = 3
SAMPLED: Final = 4
"""What is sampled at the close of a second."""

ACCELERATED: Final = 0
UNBALANCED: Final = 1
SPREAD_NOW: Final = 2
DELTA_NOW: Final = 3
MESSAGES_NOW: Final = 4
COLUMNS: Final = 5

# Words of a window of market/detector/window.py.
_NEXT: Final = 2
_SAMPLES: Final = 8
_ROOM: Final = 8
"""Samples of one kind that one event can bring: seconds that a silence shorter than the jitter buffer closes."""


@dataclass(frozen=True, eq=False)
class EventTable:
    """A row per event that was taken.

    Parameters
    ----------
    times_ns: int64[n], the detector's time. values: float64[n, COLUMNS], NaN where not known. counters:
        int32[n, SAMPLED], samples so far. prices_known: bool[n], whether the last close and the one before it are a
        valid move. samples: per kind float64[m], those that these events brought.
    """

    times_ns: Integers
    values: Table
    counters: NDArray[np.int32]
    prices_known: NDArray[np.bool_]
    samples: tuple[NDArray[np.float64], ...]

    def __len__(self) -> int:
        return len(self.times_ns)


class EventFold:
    """The detector of one market, which takes events and says what a sweep needs of them."""

    def __init__(self, settings: DetectorSettings) -> None:
        longest = {"volatility_seconds": MOST_SECONDS, "baseline_seconds": MOST_SECONDS}
        whole = {"warm_up_seconds": MOST_SECONDS, "left_out_seconds": 0}
        self._state = new_state(dataclasses.replace(settings, **whole, **longest))  # type: ignore[arg-type]
        self._counters: Integers = np.zeros(SAMPLED, dtype=np.int64)

    def take(self, events: Rows) -> EventTable:
        """Take int64[n, 13] events, see ``market.detector.events``. Raises Rejected at an unknown kind."""
        rows = as_rows("events", events, EVENT_WIDTH)
        count = len(rows)
        times: Integers = np.empty(count, dtype=np.int64)
        values: Table = np.empty((count, COLUMNS))
        counters: Integers = np.empty((count, SAMPLED + 1), dtype=np.int64)
        samples: Table = np.empty((SAMPLED, _ROOM * count))
        begun, taken = self._counters.copy(), 0
        while taken < count:
            until = fold_events(self._state, rows, taken, self._counters, begun, times, values, counters, samples)
            drained = take_transitions(self._state)
            if until == taken and not drained:
                raise Rejected(f"event {taken} has kind {rows[taken, 0]}, expected 0 to 7; it and later were not taken")
            taken = until
        new = (self._counters - begun).tolist()
        kept = tuple(samples[kind, :number].copy() for kind, number in enumerate(new))
        return EventTable(times, values, counters[:, :SAMPLED].astype(np.int32), counters[:, SAMPLED] != 0, kept)


@inline
def _take_samples(window: int, before: int, kind: int, place: int, samples: Any) -> int:
    """Copy the samples that a window took since its next place was ``before``; returns how many."""
    place_now, made = get(window, _NEXT), 0
    while before != place_now:
        samples[kind, place + made] = get_float(window, _SAMPLES + before)
        before = before + 1 if before + 1 < MOST_SECONDS else 0
        made += 1
    return made


@entry(
    "int64(int64[::1], int64[:, ::1], int64, int64[::1], int64[::1], int64[::1], float64[:, ::1], int64[:, ::1], "
    "float64[:, ::1])"
)
def fold_events(
    detector: Words,
    events: Rows,
    first: int,
    counters: Integers,
    begun: Integers,
    times_ns: Integers,
    values: Table,
    rows: Integers,
    samples: Table,
) -> int:
    """Take events from ``first`` on until the end, an unknown kind, or until transitions have to be read.

    ``counters``, int64[SAMPLED], are the samples so far, ``begun`` those before the call's arrays began; ``rows`` gets
    the counters after each event and whether its prices are known. Returns the first row that was not taken.
    """
    base, address = address_of(detector), address_of(events)
    for index in range(first, len(events)):
        if unread(base) == TRANSITION_ROOM:
            return index
        returns, spreads = get(base + 8 * SHORT_RETURNS, _NEXT), get(base + 8 * SPREADS, _NEXT)
        deltas, messages = get(base + 8 * DELTAS, _NEXT), get(base + 8 * MESSAGES, _NEXT)
        if not take_event(base, address + 8 * EVENT_WIDTH * index):
            return index
        counters[0] += _take_samples(base + 8 * SHORT_RETURNS, returns, 0, counters[0] - begun[0], samples)
        counters[1] += _take_samples(base + 8 * SPREADS, spreads, 1, counters[1] - begun[1], samples)
        counters[2] += _take_samples(base + 8 * DELTAS, deltas, 2, counters[2] - begun[2], samples)
        counters[3] += _take_samples(base + 8 * MESSAGES, messages, 3, counters[3] - begun[3], samples)
        times_ns[index] = get(base, NOW)
        values[index, 0] = get_float(base, ACCELERATION)
        values[index, 1] = get_float(base, IMBALANCE)
        values[index, 2] = get_float(base, SPREAD)
        values[index, 3] = float(get(base, TRAILING_DELTA))
        values[index, 4] = float(get(base, TRAILING_MESSAGES))
        for kind in range(4):
            rows[index, kind] = counters[kind]
        rows[index, 4] = int(get(base, FIRST_CLOSE + 1) != 0)
    return len(events)
