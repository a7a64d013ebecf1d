"""Icebergs, orders at a best price that show only a part of their size.

Per side, for as long as its best price stays: the volume traded there, the largest quantity displayed there, how
often the display rose again after a trade (a refill), and how many small trades there were. Flags:

- VOLUME: traded > factor * largest displayed quantity, seen while the level is still there. More has traded than was
  ever shown; the idea of a hidden peak in Frey and Sandås, "The Impact of Iceberg Orders in Limit Order Books",
  Quarterly Journal of Finance 7(3), 2017.
- REFILLS and SMALL_PRINTS: their counts reached their limits.

All of it is forgotten when the best price moves or the top of book is withdrawn. Trades and quotes may overtake each
other by a little: the flag looks at sums only, and a refill needs a rise of the display, so neither depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

import numpy as np

from market.native.kernel import entry, inline
from market.native.memory import address_of, get, put
from market.signals.admission import admit_top, admit_trade
from market.signals.layout import HEADER, LARGEST_QUANTITY, Rows, Values, Words, as_rows, new_values, require
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL

FACTOR_HUNDREDTHS: Final = HEADER
REFILL_LIMIT: Final = HEADER + 1
SMALL_LOTS: Final = HEADER + 2
SMALL_LIMIT: Final = HEADER + 3
_SIDE_WORDS: Final = 8
_BID: Final = HEADER + 4
_ASK: Final = _BID + _SIDE_WORDS
STATE_WORDS: Final = _ASK + _SIDE_WORDS

# Words of one side.
PRICE: Final = 0
"""Best price in ticks, 0 without one."""
DISPLAYED: Final = 1
LARGEST: Final = 2
TRADED: Final = 3
REFILLS: Final = 4
SMALL_PRINTS: Final = 5
FLAGS: Final = 6
TRADED_SINCE: Final = 7
"""Whether there was a trade since the level became best or since the last refill."""


class IcebergFlag(IntFlag):
    """What speaks for an iceberg at a best price."""

    VOLUME = 1
    REFILLS = 2
    SMALL_PRINTS = 4


_VOLUME: Final = int(IcebergFlag.VOLUME)
_REFILLS: Final = int(IcebergFlag.REFILLS)
_SMALL_PRINTS: Final = int(IcebergFlag.SMALL_PRINTS)


class IcebergValue(IntEnum):
    """Columns of the readings: flags as ``IcebergFlag``, lots and counts at the best price."""

    BID_FLAGS = 0
    BID_TRADED_LOTS = 1
    BID_REFILLS = 2
    BID_SMALL_PRINTS = 3
    ASK_FLAGS = 4
    ASK_TRADED_LOTS = 5
    ASK_REFILLS = 6
    ASK_SMALL_PRINTS = 7


@dataclass(frozen=True, kw_only=True)
class IcebergSettings:
    """Settings of the iceberg detector.

    Parameters
    ----------
    factor_hundredths: how many times the displayed quantity must have traded, in hundredths; at most 100 times.
    refill_limit, small_print_limit: counts from which their flags are set.
    small_print_lots: largest quantity of a small trade.
    """

    factor_hundredths: int = 250
    refill_limit: int = 10
    small_print_lots: int = 1
    small_print_limit: int = 20

    def __post_init__(self) -> None:
        require("iceberg factor_hundredths", self.factor_hundredths, 1, 10_000)
        require("iceberg refill_limit", self.refill_limit, 1, 10**6)
        require("iceberg small_print_lots", self.small_print_lots, 1, LARGEST_QUANTITY)
        require("iceberg small_print_limit", self.small_print_limit, 1, 10**6)


def new_state(settings: IcebergSettings) -> Words:
    """State without a top of book."""
    state = np.zeros(STATE_WORDS, dtype=np.int64)
    state[FACTOR_HUNDREDTHS] = settings.factor_hundredths
    state[REFILL_LIMIT] = settings.refill_limit
    state[SMALL_LOTS] = settings.small_print_lots
    state[SMALL_LIMIT] = settings.small_print_limit
    return state


@inline
def _new_level(side: int, price: int, displayed: int) -> None:
    put(side, PRICE, price)
    put(side, DISPLAYED, displayed)
    put(side, LARGEST, displayed)
    for word in range(TRADED, _SIDE_WORDS):
        put(side, word, 0)


@inline
def _take_display(state: int, side: int, price: int, displayed: int) -> None:
    if price != get(side, PRICE):
        _new_level(side, price, displayed)
        return
    if displayed > get(side, DISPLAYED) and get(side, TRADED_SINCE) != 0:
        put(side, REFILLS, get(side, REFILLS) + 1)
        put(side, TRADED_SINCE, 0)
    put(side, DISPLAYED, displayed)
    put(side, LARGEST, max(get(side, LARGEST), displayed))
    flags = get(side, FLAGS)
    if get(side, TRADED) * 100 > get(state, FACTOR_HUNDREDTHS) * get(side, LARGEST):
        flags |= _VOLUME
    if get(side, REFILLS) >= get(state, REFILL_LIMIT):
        flags |= _REFILLS
    if get(side, SMALL_PRINTS) >= get(state, SMALL_LIMIT):
        flags |= _SMALL_PRINTS
    put(side, FLAGS, flags)


@inline
def iceberg_top(state: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> None:
    """Take an admitted top of book."""
    _take_display(state, state + 8 * _BID, bid, bid_quantity)
    _take_display(state, state + 8 * _ASK, ask, ask_quantity)


@inline
def iceberg_withdrawn(state: int) -> None:
    """Forget both levels: there is no top of book."""
    _new_level(state + 8 * _BID, 0, 0)
    _new_level(state + 8 * _ASK, 0, 0)


@inline
def iceberg_trade(state: int, price: int, quantity: int, aggressor: int) -> None:
    """Take an admitted trade: sells at the best bid and buys at the best ask, unknown ones by their price."""
    side = 0
    if price == get(state, _BID + PRICE) and aggressor != AGGRESSOR_BUY:
        side = state + 8 * _BID
    elif price == get(state, _ASK + PRICE) and aggressor != AGGRESSOR_SELL:
        side = state + 8 * _ASK
    if side != 0:
        # A sum is cut where it would leave the comparison's range; it is far above every threshold then.
        put(side, TRADED, min(get(side, TRADED) + quantity, LARGEST_QUANTITY * 512))
        put(side, SMALL_PRINTS, get(side, SMALL_PRINTS) + (1 if quantity <= get(state, SMALL_LOTS) else 0))
        put(side, TRADED_SINCE, 1)


@inline
def bid_level(state: int) -> int:
    """Address of the bid side's words."""
    return state + 8 * _BID


@inline
def ask_level(state: int) -> int:
    """Address of the ask side's words."""
    return state + 8 * _ASK


@inline
def _read_side(side: int, out: Values, row: int, column: int) -> None:
    out[row, column] = get(side, FLAGS)
    out[row, column + 1] = get(side, TRADED)
    out[row, column + 2] = get(side, REFILLS)
    out[row, column + 3] = get(side, SMALL_PRINTS)


@entry("void(int64[::1], int64[:, ::1], float64[:, ::1])")
def iceberg_batch(state: Words, events: Rows, out: Values) -> None:
    """Take events of five numbers; ``out[n, 8]`` gets the readings after each.

    A top of book is (0, bid, bid quantity, ask, ask quantity), a trade (1, price, quantity, aggressor, 0). A refused
    top of book counts as withdrawn.
    """
    base = address_of(state)
    for index in range(len(events)):
        first, second, third, fourth = events[index, 1], events[index, 2], events[index, 3], events[index, 4]
        if events[index, 0] == 0:
            if admit_top(base, first, second, third, fourth):
                iceberg_top(base, first, second, third, fourth)
            else:
                iceberg_withdrawn(base)
        elif admit_trade(base, first, second, third):
            iceberg_trade(base, first, second, third)
        _read_side(bid_level(base), out, index, 0)
        _read_side(ask_level(base), out, index, 4)


class Icebergs:
    """Iceberg flags at both best prices, for the slow loop."""

    def __init__(self, settings: IcebergSettings) -> None:
        self.state = new_state(settings)

    def update(self, events: Rows) -> Values:
        """Take int64[n, 5] events as ``iceberg_batch``; returns float64[n, 8] as ``IcebergValue``."""
        rows = as_rows("events", events, 5)
        out = new_values(len(rows), len(IcebergValue))
        iceberg_batch(self.state, rows, out)
        return out
