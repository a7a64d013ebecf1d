"""Conditions of markets, feeds and orders under which trading pauses; each look says what is wrong, or nothing.

Spread: wider than a multiple of its mean over a window. Liquidity: the worth of the best levels of both sides below a
minimum. A market without a sound book is not judged: no order passes there anyway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from config.risk import GuardSettings
from market.errors import Fatal
from market.orders.kinds import OrderState
from market.protocols import MarketKey, MarketView, Quote
from orchestrator.risk.book_levels import BookLevels, best_levels
from orchestrator.risk.guard import Reason, Scope
from orchestrator.risk.limits import MarketLimits, RiskLimits, capital_amount
from orchestrator.risk.readings import FeedReading, GatewayReading

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_PER_TRILLION: Final = 10**12
_PPM_PER_TRILLION: Final = 10**6


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look at a condition found; ``detail`` is empty when all is well."""

    reason: Reason
    scope: Scope
    detail: str


class SpreadBaseline:
    """Mean relative spread over a sliding window, per trillion."""

    def __init__(self, window_ns: int, warm_up_ns: int) -> None:
        if not 0 < warm_up_ns <= window_ns:
            raise Fatal(f"warm-up of a baseline was {warm_up_ns} ns; expected 1 to its window, {window_ns} ns")
        self._window_ns = window_ns
        self._warm_up_ns = warm_up_ns
        self._samples: deque[tuple[int, int]] = deque()
        self._sum = 0
        self._first_ns = -1

    def take(self, spread: int, now_ns: int) -> int | None:
        """Add a sample; returns the mean of those before it, None during the warm-up."""
        while self._samples and self._samples[0][0] <= now_ns - self._window_ns:
            self._sum -= self._samples.popleft()[1]
        warm = 0 <= self._first_ns <= now_ns - self._warm_up_ns and bool(self._samples)
        mean = self._sum // len(self._samples) if warm else None
        if self._first_ns < 0:
            self._first_ns = now_ns
        self._samples.append((now_ns, spread))
        self._sum += spread
        return mean


def relative_spread(quote: Quote) -> int:
    """(ask - bid) / mid, per trillion."""
    return 2 * _PER_TRILLION * (quote.ask_price - quote.bid_price) // (quote.ask_price + quote.bid_price)


class Conditions:
    """Looks at everything that can pause trading by itself."""

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits
        self._settings: GuardSettings = limits.settings.guards
        window_ns, warm_up_ns = self._settings.spread_window_s * _NS_PER_S, self._settings.spread_warm_up_s * _NS_PER_S
        self._baselines: dict[MarketKey, SpreadBaseline] = {
            key: SpreadBaseline(window_ns, warm_up_ns) for key in limits.markets
        }

    def use(self, limits: RiskLimits) -> None:
        """Judge by other limits from here on; baselines stay, over the time that they were made for."""
        self._limits, self._settings = limits, limits.settings.guards

    def markets(self, view: MarketView) -> Iterator[Finding]:
        """Spread and liquidity of every market that has a sound book."""
        for key, market in self._limits.markets.items():
            quote = view.quote(*key)
            if quote is None:
                continue
            scope = Scope(venue=key[1], instrument=key[0])
            yield Finding(Reason.SPREAD, scope, self._spread(market, quote, view.now_ns))
            book = view.book(*key)
            levels = None if book is None else best_levels(book, self._settings.liquidity_levels, market)
            if levels is not None:
                yield Finding(Reason.LIQUIDITY, scope, self._liquidity(market, levels))

    def feeds(self, readings: list[FeedReading], now_ns: int) -> Iterator[Finding]:
        """Connection, delay and silence of every feed."""
        for reading in readings:
            scope = Scope(venue=reading.venue)
            lost = "" if reading.connected else f"the feed of venue {reading.venue} was not connected"
            yield Finding(Reason.DISCONNECTED, scope, lost)
            most_ns = self._settings.maximum_feed_latency_ms * _NS_PER_MS
            late = ""
            if reading.latency_ns is not None and reading.latency_ns > most_ns:
                late = f"market data of venue {reading.venue} was {reading.latency_ns} ns late; expected {most_ns} ns"
            yield Finding(Reason.FEED_LATENCY, scope, late)
            most_ns = self._settings.maximum_feed_silence_ms * _NS_PER_MS
            silence_ns = now_ns - reading.heard_ns
            silent = f"venue {reading.venue} was silent for {silence_ns} ns; expected at most {most_ns} ns"
            yield Finding(Reason.FEED_SILENCE, scope, silent if silence_ns > most_ns else "")

    def gateways(self, readings: list[GatewayReading]) -> Iterator[Finding]:
        """Connection and circuit breaker of every order path; the scope names no instrument, as that of feeds."""
        for reading in readings:
            scope = Scope(venue=reading.venue)
            detail = reading.broken
            if not detail and not reading.connected:
                detail = f"the order path of venue {reading.venue} was not connected"
            yield Finding(Reason.CIRCUIT_BREAKER, scope, detail)

    def orders(self, view: MarketView) -> Iterator[Finding]:
        """The longest wait for a first word about an order, by venue."""
        longest = {key[1]: 0 for key in self._limits.markets}
        for order in view.working_orders():
            if order.state is OrderState.SENT:
                venue = order.intent.venue
                longest[venue] = max(longest.get(venue, 0), view.now_ns - order.sent_ns)
        most_ns = self._settings.maximum_order_latency_ms * _NS_PER_MS
        for venue, wait_ns in longest.items():
            text = f"an order on venue {venue} was without an answer for {wait_ns} ns; expected at most {most_ns} ns"
            yield Finding(Reason.ORDER_LATENCY, Scope(venue=venue), text if wait_ns > most_ns else "")

    def _spread(self, market: MarketLimits, quote: Quote, now_ns: int) -> str:
        spread = relative_spread(quote)
        mean = self._baselines[market.key].take(spread, now_ns)
        multiple = self._settings.spread_multiple
        if mean is None or spread <= multiple * mean:
            return ""
        return (
            f"the spread of {market.listing} was {spread} ppb; expected at most {multiple} times its mean, {mean} ppb"
        )

    def _liquidity(self, market: MarketLimits, levels: BookLevels) -> str:
        limits = self._limits.instruments[market.listing.instrument.number]
        worth = levels.notional * limits.worth
        if worth >= limits.minimum_liquidity:
            return ""
        return (
            f"the best {self._settings.liquidity_levels} levels of {market.listing} were worth "
            f"{capital_amount(worth).normalize():f}; expected at least "
            f"{capital_amount(limits.minimum_liquidity).normalize():f}"
        )
