"""Reading everything that the detector knows into one row, and what it allows."""

from __future__ import annotations

from typing import Final

from market.detector.layout import (
    ACCELERATION,
    ASK_LIQUIDITY,
    BID_LIQUIDITY,
    BOOK_KNOWN,
    CALM_SINCE,
    CLIMAX_RUN,
    EXHAUSTION_RUN,
    HEARD,
    IMBALANCE,
    LAST_PRICE,
    LIQUIDITY_BASELINE,
    MESSAGE_BASELINE,
    NAN,
    NONE,
    NOW,
    RANGE,
    SIGNALS,
    SPREAD,
    SPREAD_BASELINE,
    STATE,
    TRAILING_DELTA,
    TRAILING_MESSAGES,
    VOLATILITY,
    VOLATILITY_BASELINE,
    VOLUME_SIGMA,
    Values,
    Words,
)
from market.detector.liquidity import liquidity_imbalance, liquidity_ratio
from market.detector.machine import ACTIVE
from market.detector.states import Permission, Signal
from market.detector.trigger import held_ns
from market.detector.walls import ASKS, BIDS, walls
from market.native.float_memory import get_float, put_float
from market.native.kernel import entry, inline, shared
from market.native.memory import address_of, get

_VELOCITY: Final = int(Signal.MESSAGE_VELOCITY)
_SUFFICIENT: Final = int(Signal.LIQUIDITY_SUFFICIENT)
_EXHAUSTION: Final = int(Signal.SELLING_EXHAUSTION)
_ENTER: Final = int(Permission.ENTER)
_LOWER: Final = int(Permission.LOWER_ENTRY_SCORE)
MOST_REQUIRED: Final = 3
LEAST_REQUIRED: Final = 2


@inline
def required(signals: int) -> int:
    """Core indicators that must fire."""
    return LEAST_REQUIRED if signals & _VELOCITY != 0 else MOST_REQUIRED


@inline
def is_heard(detector: int) -> bool:
    """Whether a message came within the jitter buffer."""
    return get(detector, HEARD) != NONE


@inline
def permissions(detector: int) -> int:
    """Sum of ``Permission``."""
    signals = get(detector, SIGNALS)
    enter = get(detector, STATE) == ACTIVE and signals & _SUFFICIENT != 0 and is_heard(detector)
    return (_ENTER if enter else 0) + (_LOWER if signals & _EXHAUSTION != 0 else 0)


@inline
def _elapsed(detector: int, start: int) -> float:
    return float(get(detector, NOW) - start) if start >= 0 else NAN


@shared
def write_reading(detector: int, row: int) -> None:
    """Write the columns of ``Reading`` as float64 from an address on."""
    signals = get(detector, SIGNALS)
    book = get(detector, BOOK_KNOWN) != 0
    put_float(row, 0, float(get(detector, STATE)))
    put_float(row, 1, float(signals))
    put_float(row, 2, float(required(signals)))
    put_float(row, 3, float(permissions(detector)))
    put_float(row, 4, get(detector, LAST_PRICE) / 2 if get(detector, LAST_PRICE) > 0 else NAN)
    put_float(row, 5, get_float(detector, VOLATILITY))
    put_float(row, 6, get_float(detector, VOLATILITY_BASELINE))
    put_float(row, 7, get_float(detector, ACCELERATION))
    put_float(row, 8, get_float(detector, IMBALANCE))
    put_float(row, 9, get_float(detector, SPREAD))
    put_float(row, 10, get_float(detector, SPREAD_BASELINE))
    put_float(row, 11, float(get(detector, TRAILING_DELTA)))
    put_float(row, 12, get_float(detector, VOLUME_SIGMA))
    put_float(row, 13, float(get(detector, TRAILING_MESSAGES)))
    put_float(row, 14, get_float(detector, MESSAGE_BASELINE))
    put_float(row, 15, float(get(detector, EXHAUSTION_RUN)))
    put_float(row, 16, float(get(detector, CLIMAX_RUN)))
    put_float(row, 17, float(get(detector, BID_LIQUIDITY)) if book else NAN)
    put_float(row, 18, float(get(detector, ASK_LIQUIDITY)) if book else NAN)
    put_float(row, 19, get_float(detector, LIQUIDITY_BASELINE))
    put_float(row, 20, liquidity_ratio(detector))
    put_float(row, 21, liquidity_imbalance(detector))
    put_float(row, 22, walls(detector, BIDS))
    put_float(row, 23, walls(detector, ASKS))
    put_float(row, 24, get_float(detector, RANGE))
    met_ns = held_ns(detector)
    put_float(row, 25, float(met_ns) if met_ns >= 0 else NAN)
    put_float(row, 26, _elapsed(detector, get(detector, CALM_SINCE)))


@entry("int64(int64[::1])")
def permissions_once(detector: Words) -> int:
    """What a trader is allowed as of the last event: sum of ``Permission``."""
    return permissions(address_of(detector))


@entry("void(int64[::1], float64[:, ::1])")
def read_once(detector: Words, out: Values) -> None:
    """Write a reading as of the last event into the first row of ``out``, float64[n, READINGS]."""
    write_reading(address_of(detector), address_of(out))
