"""Which side started each trade: flag, quote rule, tick rule; or how much of a bar was bought.

Quote and tick rule: Lee and Ready, "Inferring Trade Direction from Intraday Data", Journal of Finance 46(2), 1991.
Bulk volume classification: Easley, López de Prado and O'Hara, "Discerning Information from Trade Data", Journal of
Financial Economics 120(2), 2016: of a bar's volume V the part ``Z(change / sigma)`` was bought, Z a distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np

from gpu.columns import Integers, Sides, Trades, require_host
from gpu.distributions import LARGEST_DEGREES, SMALLEST_DEGREES
from market.errors import Rejected
from market.native.kernel import entry, inline
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL

_BUY: Final = AGGRESSOR_BUY
_SELL: Final = AGGRESSOR_SELL
_NONE: Final = AGGRESSOR_NONE


class Rule(StrEnum):
    """How each trade gets its side; what a rule cannot tell stays unknown and fills no bucket."""

    FLAG = "flag"
    """The venue's aggressor flag."""
    FLAG_OR_QUOTE = "flag-or-quote"
    """The flag, else the quote rule: as the streaming signals of ``market.signals`` do it."""
    QUOTE = "quote"
    """Bought above the mid of bid and ask, sold below it, unknown at it or without a quote."""
    TICK = "tick"
    """Bought after a rise of the price, sold after a fall; an equal price keeps the side, unknown before a change."""


class Distribution(StrEnum):
    """The distribution Z of bulk volume classification."""

    NORMAL = "normal"
    STUDENT = "student"


@dataclass(frozen=True)
class TimeBars:
    """Bars of equal time: bar k holds the trades of [k * interval, (k + 1) * interval); without trades none."""

    interval_ns: int

    def __post_init__(self) -> None:
        if not 1 <= self.interval_ns < 1 << 62:
            raise Rejected(f"interval_ns of bars was {self.interval_ns}: must be from 1 to 2^62 - 1")

    def __str__(self) -> str:
        return f"{self.interval_ns / 1e9:g}s"


@dataclass(frozen=True)
class VolumeBars:
    """Bars of equal volume, exactly: trades are split at their edges. All volume counts, whatever its side."""

    lots: int

    def __post_init__(self) -> None:
        if not 1 <= self.lots < 1 << 62:
            raise Rejected(f"lots of volume bars was {self.lots}: must be from 1 to 2^62 - 1")

    def __str__(self) -> str:
        return f"{self.lots}lots"


Bars: TypeAlias = TimeBars | VolumeBars


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """Bulk volume classification.

    Parameters
    ----------
    bars: what changes of price are taken over; the price of a bar is that of its last trade.
    distribution: Z. degrees: of freedom of Student's t, 0.05..1000; not used by the normal one.
    sigma_ticks: standard deviation of the changes, above 0; None: that of all changes of the sample, which looks ahead.

    The first bar of a stream has no change: its volume is of unknown side. Where sigma is 0 (no price ever changed)
    half of each bar counts as bought.
    """

    bars: Bars
    distribution: Distribution = Distribution.NORMAL
    degrees: float = 0.25
    sigma_ticks: float | None = None

    def __post_init__(self) -> None:
        if not SMALLEST_DEGREES <= self.degrees <= LARGEST_DEGREES:
            raise Rejected(f"degrees was {self.degrees!r}: must be from {SMALLEST_DEGREES} to {LARGEST_DEGREES}")
        if self.sigma_ticks is not None and not (math.isfinite(self.sigma_ticks) and self.sigma_ticks >= 0):
            raise Rejected(f"sigma_ticks was {self.sigma_ticks!r}: must be 0 or more, or None")

    def __str__(self) -> str:
        degrees = f"({self.degrees:g})" if self.distribution is Distribution.STUDENT else ""
        return f"bulk-{self.distribution}{degrees}-{self.bars}"


Classifier: TypeAlias = Rule | Bulk


@inline
def _by_quote(price: int, bid: int, ask: int) -> int:
    if bid == 0 or ask == 0 or 2 * price == bid + ask:
        return _NONE
    return _BUY if 2 * price > bid + ask else _SELL


@entry("void(int64[::1], int8[::1], int64[::1], int64[::1], int8[::1])")
def quote_sides(prices: Integers, aggressors: Sides, bids: Integers, asks: Integers, out: Sides) -> None:
    """Sides by the quote rule where ``aggressors`` knows none; an empty ``aggressors`` knows nothing."""
    for index in range(len(prices)):
        side = np.int64(aggressors[index]) if len(aggressors) else _NONE
        out[index] = side if side != _NONE else _by_quote(prices[index], bids[index], asks[index])


@entry("void(int64[::1], int64[::1], int8[::1])")
def tick_sides(prices: Integers, state: Integers, out: Sides) -> None:
    """Sides by the tick rule; ``state``, int64[2], holds the last price (0 before the first) and side."""
    last, side = state[0], state[1]
    for index in range(len(prices)):
        price = prices[index]
        if last != 0 and price != last:
            side = _BUY if price > last else _SELL
        last = price
        out[index] = side
    state[0], state[1] = last, side


class SideRule:
    """Sides of trades that come in parts."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._tick: Integers = np.zeros(2, dtype=np.int64)

    def take(self, trades: Trades) -> Sides:
        """int8[n], sides of the next trades. Raises Rejected where a column that the rule reads is missing."""
        require_columns(self._rule, trades)
        require_host("a stream of sides", trades)
        if self._rule is Rule.FLAG and trades.aggressors is not None:
            return trades.aggressors
        out = np.empty(len(trades), dtype=np.int8)
        if self._rule is Rule.TICK:
            tick_sides(trades.prices, self._tick, out)
            return out
        assert trades.bids is not None
        assert trades.asks is not None
        flags = trades.aggressors if self._rule is Rule.FLAG_OR_QUOTE else None
        quote_sides(trades.prices, flags if flags is not None else out[:0], trades.bids, trades.asks, out)
        return out


def require_columns(rule: Rule, trades: Trades) -> None:
    """Raise Rejected where a column that the rule reads is missing."""
    if rule is Rule.FLAG and trades.aggressors is None:
        raise Rejected("rule 'flag' reads aggressors: these trades have none; use quote, tick or bulk")
    if rule in (Rule.QUOTE, Rule.FLAG_OR_QUOTE) and trades.bids is None:
        raise Rejected(f"rule '{rule}' reads bids and asks: these trades have none; use flag, tick or bulk")
