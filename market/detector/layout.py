"""Words of the detector's state: one int64 array that holds integers, and float64 in their slots.

Settings first, so that a state is all that a kernel needs. ``VERSION`` counts up whenever a word changes its meaning.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.detector.settings import MOST_LEVELS, MOST_SECONDS, DetectorSettings
from market.detector.states import READINGS, Counter
from market.errors import Rejected

Words = NDArray[np.int64]
"""int64[n]: state of kernels, or one column of events."""
Rows = NDArray[np.int64]
"""int64[n, m], C order."""
Values = NDArray[np.float64]
"""float64[n, m], C order."""
Flags = NDArray[np.bool_]

VERSION: Final = 2
SLOT_NS: Final = 100_000_000
SLOTS: Final = 10
"""Slots of a second; the trailing second is the open slot and the nine before it."""
NONE: Final = -1
NAN: Final = float("nan")
INFINITY: Final = float("inf")
LARGEST_PRICE: Final = (1 << 47) - 1
LARGEST_QUANTITY: Final = (1 << 46) - 1
LARGEST_LIQUIDITY: Final = 1 << 61
"""Of one side; larger ones are cut here."""
LARGEST_TIME: Final = (1 << 62) - 1

# Settings; those named in _FLOATS are float64.
VERSION_AT: Final = 0
PRICE_SOURCE: Final = 1
MINIMUM_LIQUIDITY: Final = 2
VOLATILITY_MULTIPLIER: Final = 3
VOLATILITY_ABSOLUTE: Final = 4
ACCELERATION_LIMIT: Final = 5
IMBALANCE_LIMIT: Final = 6
SPREAD_MULTIPLIER: Final = 7
VOLUME_SIGMAS: Final = 8
MESSAGE_MULTIPLIER: Final = 9
EXTREME_IMBALANCE: Final = 10
WALL_MULTIPLE: Final = 11
VIOLENT_RANGE: Final = 12
WARM_UP: Final = 13
DEPTH_LEVELS: Final = 14
IMBALANCE_LEVELS: Final = 15
CONFIRM_NS: Final = 16
RECOVERY_NS: Final = 17
DEBOUNCE_NS: Final = 18
JITTER_NS: Final = 19
LIQUIDITY_WARM_UP: Final = 20
BREAK_NS: Final = 21
LEFT_OUT_SECONDS: Final = 22

# The clock.
NOW: Final = 24
"""Newest time taken."""
HEARD: Final = 25
"""Time of the last message taken; NONE while silent: before the first, and after one too long silence."""
PENDING: Final = 26
"""A stamp from the future that waits for support; NONE without one."""
SLOT: Final = 27
"""The open slot: its number since the epoch."""
PARTIAL: Final = 28
"""Whether the open second has not been heard from its start."""
LAST_TRADE: Final = 29
"""Number of the newest trade, top and book."""
LAST_TOP: Final = 30
LAST_BOOK: Final = 31

# The state machine.
STATE: Final = 32
ENTERED: Final = 33
"""Time of the last transition; NONE before the first."""
MET_SINCE: Final = 34
"""Since when the trigger has held, but for short breaks; NONE while it has not. See ``trigger``."""
CALM_SINCE: Final = 35
LOST: Final = 36
"""Whether the feed was lost since the last confirmation."""
SIGNALS: Final = 37
"""Sum of ``Signal`` as of the last event."""
BROKEN_SINCE: Final = 38
"""Since when the trigger does not hold, though what was held is not forgotten; NONE otherwise."""
BREAKS_NS: Final = 39
"""Sum of its breaks that are over."""

# The market.
QUOTED: Final = 40
"""Whether there is a top of book."""
BID: Final = 41
ASK: Final = 42
LAST_PRICE: Final = 43
"""P_t in half ticks; 0 while it is not known."""
FIRST_CLOSE: Final = 44
"""P_t in half ticks at the last three closes, newest first; 0 where the history does not reach."""
BOOK_KNOWN: Final = 47
BID_LOTS: Final = 48
ASK_LOTS: Final = 49
BID_LIQUIDITY: Final = 50
ASK_LIQUIDITY: Final = 51
BID_WALLS: Final = 52
"""NONE: to be counted from the sizes."""
ASK_WALLS: Final = 53
SLOT_DELTA: Final = 54
"""Sums over the open slot, the trailing second and the open second."""
SLOT_MESSAGES: Final = 55
TRAILING_DELTA: Final = 56
TRAILING_MESSAGES: Final = 57
SECOND_DELTA: Final = 58
SECOND_MESSAGES: Final = 59

# The open and the last closed candle, half ticks for none, ticks and lots; see ``candles``.
CANDLE: Final = 60
CLOSED: Final = 66
CANDLE_WORDS: Final = 6
EXHAUSTION_RUN: Final = 72
CLIMAX_RUN: Final = 73
CLIMAX_VOLUMES: Final = 74
"""Volumes of the last five candles of the rising run, newest first."""
CLOSED_RANGE: Final = 79
"""float64: of the last closed candle, 0 without one."""

# Float64: what the indicators read as, and the limits that the next event is compared with.
VOLATILITY: Final = 80
VOLATILITY_BASELINE: Final = 81
ACCELERATION: Final = 82
IMBALANCE: Final = 83
SPREAD: Final = 84
SPREAD_BASELINE: Final = 85
SPREAD_LIMIT: Final = 86
VOLUME_SIGMA: Final = 87
DELTA_LIMIT: Final = 88
MESSAGE_BASELINE: Final = 89
MESSAGE_LIMIT: Final = 90
LIQUIDITY_BASELINE: Final = 91
RANGE: Final = 92

DOUBTED: Final = 93
"""What was refused since it was last stated well: sum of DOUBTED_TOP and DOUBTED_BOOK."""
DOUBTED_TOP: Final = 1
DOUBTED_BOOK: Final = 2

EVENT_SECOND: Final = 94
"""Whether the state was one of an event at some time of the open second. See ``baselines``."""
LEFT_OUT_MORE: Final = 95
"""How many more seconds were left out of the baselines than were taken since."""
TAKEN_RETURNS: Final = 96
"""Returns since the last one of a second that was left out, that one not counted."""

COUNTERS: Final = 100
_AFTER_COUNTERS: Final = COUNTERS + 28
assert len(Counter) <= _AFTER_COUNTERS - COUNTERS
SLOT_RING: Final = _AFTER_COUNTERS
"""Per slot of a second: volume delta and messages."""
SIZES: Final = SLOT_RING + 2 * SLOTS
"""Counts and lots of the walked levels, bids first."""
SIDE_SIZES: Final = 1 + MOST_LEVELS
EVENT_WIDTH: Final = 13
EVENT: Final = SIZES + 2 * SIDE_SIZES
"""The event that a record is made into."""

WINDOW_WORDS: Final = 8 + MOST_SECONDS
_WINDOWS: Final = EVENT + EVENT_WIDTH
SHORT_RETURNS: Final = _WINDOWS
BASE_RETURNS: Final = _WINDOWS + WINDOW_WORDS
SPREADS: Final = _WINDOWS + 2 * WINDOW_WORDS
DELTAS: Final = _WINDOWS + 3 * WINDOW_WORDS
MESSAGES: Final = _WINDOWS + 4 * WINDOW_WORDS
LIQUIDITIES: Final = _WINDOWS + 5 * WINDOW_WORDS

TRANSITION_ROOM: Final = 64
"""Transitions that a state keeps until they are read."""
TRANSITION_HEAD: Final = 8
TRANSITION_WORDS: Final = TRANSITION_HEAD + READINGS
TAKEN: Final = _WINDOWS + 6 * WINDOW_WORDS
"""Transitions that were read; how many there were is a counter."""
TRANSITIONS: Final = TAKEN + 1
STATE_WORDS: Final = TRANSITIONS + TRANSITION_ROOM * TRANSITION_WORDS

_INTEGERS: Final = {
    PRICE_SOURCE: "price_source",
    MINIMUM_LIQUIDITY: "minimum_liquidity",
    WARM_UP: "warm_up_seconds",
    DEPTH_LEVELS: "depth_levels",
    IMBALANCE_LEVELS: "imbalance_levels",
    CONFIRM_NS: "confirm_ns",
    RECOVERY_NS: "recovery_ns",
    DEBOUNCE_NS: "debounce_ns",
    JITTER_NS: "jitter_ns",
    BREAK_NS: "break_ns",
    LEFT_OUT_SECONDS: "left_out_seconds",
}
_FLOATS: Final = {
    VOLATILITY_MULTIPLIER: "volatility_multiplier",
    VOLATILITY_ABSOLUTE: "volatility_absolute",
    ACCELERATION_LIMIT: "acceleration",
    IMBALANCE_LIMIT: "imbalance",
    SPREAD_MULTIPLIER: "spread_multiplier",
    VOLUME_SIGMAS: "volume_sigmas",
    MESSAGE_MULTIPLIER: "message_multiplier",
    EXTREME_IMBALANCE: "extreme_imbalance",
    WALL_MULTIPLE: "wall_multiple",
    VIOLENT_RANGE: "violent_range",
}
_LENGTHS: Final = {
    SHORT_RETURNS: "volatility_seconds",
    BASE_RETURNS: "baseline_seconds",
    SPREADS: "baseline_seconds",
    DELTAS: "baseline_seconds",
    MESSAGES: "baseline_seconds",
    LIQUIDITIES: "liquidity_seconds",
}
SETTING_WORDS: Final = 24
"""Words that settings alone decide, besides the lengths of the windows."""
LENGTH_WORDS: Final = tuple(_LENGTHS)
_UNKNOWN: Final = (VOLATILITY, VOLATILITY_BASELINE, ACCELERATION, IMBALANCE, SPREAD, SPREAD_BASELINE)
_UNKNOWN_TOO: Final = (VOLUME_SIGMA, MESSAGE_BASELINE, LIQUIDITY_BASELINE)


def new_state(settings: DetectorSettings) -> Words:
    """State before the first event; 69 KB."""
    state: Words = np.zeros(STATE_WORDS, dtype=np.int64)
    floats = state.view(np.float64)
    state[VERSION_AT] = VERSION
    for word, name in _INTEGERS.items():
        state[word] = getattr(settings, name)
    for word, name in _FLOATS.items():
        floats[word] = getattr(settings, name)
    for word, name in _LENGTHS.items():
        state[word] = getattr(settings, name)
    state[LIQUIDITY_WARM_UP] = min(settings.warm_up_seconds, settings.liquidity_seconds)
    for word in (HEARD, PENDING, LAST_TRADE, LAST_TOP, LAST_BOOK, ENTERED, MET_SINCE, BROKEN_SINCE, CALM_SINCE):
        state[word] = NONE
    state[PARTIAL] = 1
    floats[[*_UNKNOWN, *_UNKNOWN_TOO]] = NAN
    floats[[SPREAD_LIMIT, MESSAGE_LIMIT]] = INFINITY
    floats[DELTA_LIMIT] = -INFINITY
    return state


def as_rows(name: str, rows: NDArray[Any], columns: int) -> Rows:
    """The rows as int64[n, columns] in C order; raises Rejected for another shape or for floats."""
    if rows.ndim != 2 or rows.shape[1] != columns or rows.dtype.kind not in "iu":
        raise Rejected(f"{name} must be integers of shape (n, {columns}), was {rows.dtype} of shape {rows.shape}")
    return np.ascontiguousarray(rows, dtype=np.int64)
