"""When a market maker steps back: toxic flow, wide markets, volatility, scheduled news."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from market.errors import Fatal
from market.instruments import Listing
from market.orders.kinds import Side
from market.protocols import Quote, Trade
from market.signals.outputs import Output
from market.signals.reading import TIME_EVENT, TOP_EVENT, TRADE_EVENT, MarketSignals
from market.signals.streaming import SignalSettings
from market.signals.vpin import VpinSettings
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL, Rows

_AGGRESSORS: Final = {None: AGGRESSOR_NONE, Side.BUY: AGGRESSOR_BUY, Side.SELL: AGGRESSOR_SELL}


class Stance(IntEnum):
    """How a market maker stands in the market."""

    NORMAL = 0
    PROTECTIVE = 1
    """Wider quotes."""
    PAUSED = 2
    """No quotes."""


@dataclass(frozen=True, kw_only=True)
class ProtectionParameters:
    """When to step back.

    Parameters
    ----------
    vpin_bucket_lots, vpin_buckets: of VPIN, see ``market.signals.vpin``.
    vpin_limit, toxicity_limit: above either quotes are protective.
    wide_spread_bps: a market wider than this, and VPIN above its limit: no quotes.
    volatility_window_ns, volatility_sample_ns: standard deviation of the returns from sample to sample of the mid.
    volatility_limit_bps: above it no quotes.
    news: times from and until which no quotes stand, in ns since the epoch.
    """

    vpin_bucket_lots: int
    vpin_buckets: int = 50
    vpin_limit: float = 0.7
    toxicity_limit: float = 0.7
    wide_spread_bps: float = 10.0
    volatility_window_ns: int = 10_000_000_000
    volatility_sample_ns: int = 100_000_000
    volatility_limit_bps: float = 20.0
    news: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.volatility_sample_ns <= self.volatility_window_ns:
            raise Fatal(f"{self}: volatility_sample_ns must be from 1 to volatility_window_ns")
        if any(begin >= end for begin, end in self.news):
            raise Fatal(f"{self}: news must begin before it ends")


class Volatility:
    """Standard deviation of the logarithmic returns of the mid over a window, from one sample to the next."""

    def __init__(self, window_ns: int, sample_ns: int) -> None:
        self._window_ns = window_ns
        self._sample_ns = sample_ns
        self._samples: deque[tuple[int, float]] = deque()

    def take(self, time_ns: int, mid: float) -> None:
        """A new mid; kept if the last sample is old enough."""
        if self._samples and time_ns - self._samples[-1][0] < self._sample_ns:
            return
        self._samples.append((time_ns, math.log(mid)))
        while self._samples[0][0] <= time_ns - self._window_ns:
            self._samples.popleft()

    @property
    def value(self) -> float:
        """NaN below three samples."""
        if len(self._samples) < 3:
            return math.nan
        returns = np.diff(np.array([mid for _, mid in self._samples]))
        return float(np.std(returns))


class Protection:
    """Follows one market and says how to stand in it."""

    def __init__(self, parameters: ProtectionParameters) -> None:
        self._parameters = parameters
        vpin = VpinSettings(bucket_lots=parameters.vpin_bucket_lots, buckets=parameters.vpin_buckets)
        self._signals = MarketSignals(SignalSettings(vpin=vpin))
        self._volatility = Volatility(parameters.volatility_window_ns, parameters.volatility_sample_ns)

    def take_quote(self, quote: Quote, listing: Listing) -> None:
        """A new top of book."""
        bid, ask = quote.bid_price // listing.tick, quote.ask_price // listing.tick
        bid_lots, ask_lots = quote.bid_quantity // listing.lot, quote.ask_quantity // listing.lot
        self._signals.update(_row(TOP_EVENT, quote.time_ns, bid, bid_lots, ask, ask_lots))
        self._volatility.take(quote.time_ns, (bid + ask) / 2)

    def take_trade(self, trade: Trade, listing: Listing) -> None:
        """A trade of the market."""
        price, lots = trade.price // listing.tick, trade.quantity // listing.lot
        self._signals.update(_row(TRADE_EVENT, trade.time_ns, price, lots, _AGGRESSORS[trade.aggressor], 0))

    def stance(self, now_ns: int) -> Stance:
        """How to stand now."""
        parameters = self._parameters
        if any(begin <= now_ns < end for begin, end in parameters.news):
            return Stance.PAUSED
        self._signals.update(_row(TIME_EVENT, now_ns, 0, 0, 0, 0))
        readings = self.readings()
        is_informed = readings[Output.VPIN] > parameters.vpin_limit
        spread_bps = 1e4 * readings[Output.SPREAD] / readings[Output.MID]
        if is_informed and spread_bps > parameters.wide_spread_bps:
            return Stance.PAUSED
        if 1e4 * self._volatility.value > parameters.volatility_limit_bps:
            return Stance.PAUSED
        if is_informed or readings[Output.TOXICITY] > parameters.toxicity_limit:
            return Stance.PROTECTIVE
        return Stance.NORMAL

    def readings(self) -> dict[Output, float]:
        """All signals of the market as of the last event."""
        return self._signals.read()

    @property
    def volatility(self) -> float:
        """Standard deviation of the mid's returns; NaN in the beginning."""
        return self._volatility.value


def _row(kind: int, time_ns: int, first: int, second: int, third: int, fourth: int) -> Rows:
    return np.array([[kind, time_ns, first, second, third, fourth]], dtype=np.int64)
