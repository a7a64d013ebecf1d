"""I7, patterns of one-second candles, and the violent range.

A candle holds the trades of one second: open, high, low, close in ticks, volume in lots. A second without a trade has
none and ends every run. Selling exhaustion (I7a): at least three neighbouring falling candles (close < open), the
lower wick of each above 20 % of its range, each wick more than 10 % longer than the one before, each body smaller.
Buying climax (I7b): at least three neighbouring rising candles with upper wicks above 20 % of their range, the newest
at more than 1.5 times the mean volume of the two, three or four right before it. A run of more than five candles
contains one of three to five at its end.
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import (
    CANDLE,
    CANDLE_WORDS,
    CLIMAX_RUN,
    CLIMAX_VOLUMES,
    CLOSED,
    CLOSED_RANGE,
    EXHAUSTION_RUN,
    LARGEST_QUANTITY,
    RANGE,
    VIOLENT_RANGE,
)
from market.detector.states import Signal
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get, put

OPEN: Final = 0
HIGH: Final = 1
LOW: Final = 2
CLOSE: Final = 3
VOLUME: Final = 4
TRADED: Final = 5
"""Trades in the candle; 0: there is none, and nothing else of it means anything."""
LEAST_RUN: Final = 3
LONGEST_RUN: Final = 5
_WICK_PARTS: Final = 5
"""A wick is long above a fifth of the range."""
_EXHAUSTION: Final = int(Signal.SELLING_EXHAUSTION)
_CLIMAX: Final = int(Signal.BUYING_CLIMAX)
_VIOLENT: Final = int(Signal.VIOLENT_RANGE)


@inline
def _range(candle: int) -> float:
    return (get(candle, HIGH) - get(candle, LOW)) / get(candle, LOW)


@inline
def _judge_range(detector: int, value: float) -> None:
    put_float(detector, RANGE, value)
    set_signal(detector, _VIOLENT, value > get_float(detector, VIOLENT_RANGE))


@inline
def add_volume(detector: int, lots: int) -> None:
    """Volume of a trade whose price is not wanted, for the open candle if there is one."""
    candle = detector + 8 * CANDLE
    if get(candle, TRADED) != 0:
        put(candle, VOLUME, min(get(candle, VOLUME) + lots, LARGEST_QUANTITY))


@inline
def add_trade(detector: int, price: int, lots: int) -> None:
    """A trade of the open second."""
    candle = detector + 8 * CANDLE
    if get(candle, TRADED) == 0:
        put(candle, OPEN, price)
        put(candle, HIGH, price)
        put(candle, LOW, price)
        put(candle, VOLUME, 0)
    put(candle, CLOSE, price)
    put(candle, TRADED, get(candle, TRADED) + 1)
    put(candle, VOLUME, min(get(candle, VOLUME) + lots, LARGEST_QUANTITY))
    if price > get(candle, HIGH):
        put(candle, HIGH, price)
    if price < get(candle, LOW):
        put(candle, LOW, price)
    _judge_range(detector, max(_range(candle), get_float(detector, CLOSED_RANGE)))


@inline
def _is_long(wick: int, candle: int) -> bool:
    return _WICK_PARTS * wick > get(candle, HIGH) - get(candle, LOW)


@inline
def _take_falling(detector: int, candle: int, before: int) -> None:
    """Continue, begin or end the run of selling exhaustion."""
    body, wick = get(candle, OPEN) - get(candle, CLOSE), get(candle, CLOSE) - get(candle, LOW)
    if body <= 0 or not _is_long(wick, candle):
        put(detector, EXHAUSTION_RUN, 0)
        return
    earlier_body = get(before, OPEN) - get(before, CLOSE)
    earlier_wick = get(before, CLOSE) - get(before, LOW)
    run = get(detector, EXHAUSTION_RUN)
    follows = run > 0 and 10 * wick > 11 * earlier_wick and body < earlier_body
    put(detector, EXHAUSTION_RUN, run + 1 if follows else 1)


@inline
def _take_rising(detector: int, candle: int) -> None:
    """Continue or end the run of rising candles, the newest volume first."""
    body, wick = get(candle, CLOSE) - get(candle, OPEN), get(candle, HIGH) - get(candle, CLOSE)
    if body <= 0 or not _is_long(wick, candle):
        put(detector, CLIMAX_RUN, 0)
        return
    for place in range(LONGEST_RUN - 1, 0, -1):
        put(detector, CLIMAX_VOLUMES + place, get(detector, CLIMAX_VOLUMES + place - 1))
    put(detector, CLIMAX_VOLUMES, get(candle, VOLUME))
    put(detector, CLIMAX_RUN, get(detector, CLIMAX_RUN) + 1)


@inline
def _is_climax(detector: int) -> bool:
    """Whether the newest volume is above 1.5 times the mean of those before it, over any length of run."""
    newest, earlier = get(detector, CLIMAX_VOLUMES), get(detector, CLIMAX_VOLUMES + 1)
    for length in range(LEAST_RUN, min(get(detector, CLIMAX_RUN), LONGEST_RUN) + 1):
        earlier += get(detector, CLIMAX_VOLUMES + length - 1)
        if 2 * newest * (length - 1) > 3 * earlier:
            return True
    return False


@inline
def end_runs(detector: int) -> None:
    """A second without a candle: every run ends."""
    put(detector, EXHAUSTION_RUN, 0)
    put(detector, CLIMAX_RUN, 0)
    put(detector + 8 * CLOSED, TRADED, 0)
    put(detector + 8 * CANDLE, TRADED, 0)
    put_float(detector, CLOSED_RANGE, 0.0)
    set_signal(detector, _EXHAUSTION, False)
    set_signal(detector, _CLIMAX, False)
    _judge_range(detector, 0.0)


@inline
def close_candle(detector: int) -> None:
    """A whole second closed."""
    candle, closed = detector + 8 * CANDLE, detector + 8 * CLOSED
    if get(candle, TRADED) == 0:
        end_runs(detector)
        return
    _take_falling(detector, candle, closed)
    _take_rising(detector, candle)
    set_signal(detector, _EXHAUSTION, get(detector, EXHAUSTION_RUN) >= LEAST_RUN)
    set_signal(detector, _CLIMAX, _is_climax(detector))
    for word in range(CANDLE_WORDS):
        put(closed, word, get(candle, word))
    put(candle, TRADED, 0)
    put_float(detector, CLOSED_RANGE, _range(closed))
    _judge_range(detector, _range(closed))
