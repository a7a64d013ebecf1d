"""The names of everything that the detector says: states, signals, readings, and why input was refused."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final


class State(IntEnum):
    """Where the detector stands."""

    SLEEP = 0
    """Nothing happens; nothing may be traded."""
    ALERT = 1
    """Enough core indicators fire, but not long enough yet."""
    ACTIVE = 2
    """An event was confirmed: the only state in which positions may be opened."""
    RECOVERY = 3
    """The event is over or the feed was lost: positions may only be closed."""
    SHUTDOWN = 4
    """Switched off until ``restart``."""


class Signal(IntFlag):
    """What fires; the first five are the core indicators."""

    VOLATILITY = 1
    ACCELERATION = 2
    IMBALANCE = 4
    SPREAD = 8
    VOLUME_DELTA = 16
    MESSAGE_VELOCITY = 32
    """Two core indicators suffice."""
    SELLING_EXHAUSTION = 64
    """Lowers the threshold of the entry score."""
    BUYING_CLIMAX = 128
    LIQUIDITY_SUFFICIENT = 256
    """Required for execution."""
    EXTREME_IMBALANCE = 512
    VIOLENT_RANGE = 1024
    """The event is not over."""


CORE: Final = 31
"""The core indicators of ``Signal``."""


class Permission(IntFlag):
    """What the detector allows a trader."""

    ENTER = 1
    """Open positions: ACTIVE, with sufficient liquidity and a feed that is heard."""
    LOWER_ENTRY_SCORE = 2
    """Selling exhaustion was seen: a lower score suffices."""


class Cause(IntEnum):
    """Why a transition happened."""

    TRIGGERED = 0
    """Enough core indicators fire."""
    FADED = 1
    """They no longer do, before the confirmation."""
    CONFIRMED = 2
    """They have done so for longer than the confirmation."""
    CALMED = 3
    """Neither trigger nor violent range for longer than the recovery's confirmation."""
    LOST = 4
    """The feed was silent or broken: what was confirmed is no longer known."""
    COMMANDED = 5
    """``shutdown`` or ``restart``."""


class Counter(IntEnum):
    """Events taken, refused and left out."""

    MESSAGES = 0
    """Messages taken: tops, books and trades."""
    TRADES = 1
    BOOKS = 2
    """Messages that stated the depth."""
    NOT_A_NUMBER = 3
    INFINITE = 4
    NEGATIVE = 5
    ZERO = 6
    TOO_LARGE = 7
    CROSSED = 8
    BAD_AGGRESSOR = 9
    BAD_RETURN = 10
    """Prices of neighbouring seconds more than a factor of 3 apart: the price history starts again."""
    LATE = 11
    """Overtaken by less than the jitter buffer: counted as messages, volume counts now, prices do not."""
    TOO_LATE = 12
    """Overtaken by more than the jitter buffer: dropped."""
    FUTURE = 13
    """Stamped further ahead than the jitter buffer, and not supported by the message after: dropped."""
    REPEATED = 14
    """Known number: dropped."""
    SILENCES = 15
    """Times without a message for longer than the jitter buffer."""
    GAPS = 16
    """Times that the feed said that something is missing."""
    SECONDS = 17
    """Whole seconds."""
    TRANSITIONS = 18
    LEFT_OUT = 19
    """Whole seconds of events, left out of the baselines."""


class Reading(IntEnum):
    """Columns of a reading, float64; NaN where there is no value. Prices in ticks, quantities in lots."""

    STATE = 0
    SIGNALS = 1
    """Sum of ``Signal``."""
    REQUIRED = 2
    """Core indicators that must fire: 2 or 3."""
    PERMISSIONS = 3
    PRICE = 4
    """P_t: mid or last trade, by the settings."""
    VOLATILITY = 5
    """sigma_1s."""
    VOLATILITY_BASELINE = 6
    ACCELERATION = 7
    IMBALANCE = 8
    """OBI."""
    SPREAD = 9
    """Relative to the mid."""
    SPREAD_BASELINE = 10
    VOLUME_DELTA = 11
    VOLUME_SIGMA = 12
    MESSAGES = 13
    """In the trailing second."""
    MESSAGE_BASELINE = 14
    """Per second."""
    EXHAUSTION_RUN = 15
    """Candles of the falling pattern that ends with the last closed one."""
    CLIMAX_RUN = 16
    BID_LIQUIDITY = 17
    """Sum of price times quantity over the best levels, in ticks times lots."""
    ASK_LIQUIDITY = 18
    LIQUIDITY_BASELINE = 19
    """Of both sides together."""
    LIQUIDITY_RATIO = 20
    LIQUIDITY_IMBALANCE = 21
    """(L_bid - L_ask) / (L_bid + L_ask)."""
    BID_WALLS = 22
    """Levels above a multiple of their side's median."""
    ASK_WALLS = 23
    RANGE = 24
    """(high - low) / low of the last closed and of the open candle, the larger one."""
    MET_NS = 25
    """For how long the trigger has held."""
    CALM_NS = 26
    """For how long there was neither trigger nor violent range."""


READINGS: Final = len(Reading)
