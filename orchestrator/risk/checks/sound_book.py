"""No trading on a book that is not synchronised or is stale."""

from __future__ import annotations

from market.book import book as header
from market.errors import Rejected
from market.orders.order import OrderIntent
from market.protocols import MarketView
from orchestrator.risk.limits import MarketLimits, RiskLimits


class SoundBook:
    """Refuses orders where the market is not known: no quote, a book without sequence, a quote or a venue too old."""

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits
        self._of_venue: dict[int, list[int]] = {}
        for instrument, venue in limits.markets:
            self._of_venue.setdefault(venue, []).append(instrument)

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected saying what is wrong with the book."""
        market = self._limits.market((intent.instrument, intent.venue))
        problem = self.problem(market, view)
        if problem:
            raise Rejected(f"order {intent.client_order_id}: {problem}")

    def problem(self, market: MarketLimits, view: MarketView) -> str:
        """What is wrong with a market's book, empty when it may be traded on."""
        quote = view.quote(*market.key)
        if quote is None:
            return f"{market.listing} had no best bid and offer; expected a book that is synchronised and two-sided"
        book = view.book(*market.key)
        if book is not None and book[header.STARTED] and not book[header.SYNCHRONISED]:
            return f"the book of {market.listing} had lost its sequence; expected one that is synchronised"
        age_ns = view.now_ns - quote.time_ns
        if age_ns > market.maximum_age_ns:
            return f"the quote of {market.listing} was {age_ns} ns old; expected at most {market.maximum_age_ns} ns"
        # A quote of the market itself proves that its venue was heard; only an old one makes others worth a look.
        silence_ns = age_ns
        if age_ns > market.maximum_silence_ns:
            silence_ns = view.now_ns - self._heard_ns(market.listing.venue, view)
        if silence_ns > market.maximum_silence_ns:
            return (
                f"{market.listing.venue_name} was silent for {silence_ns} ns; expected at most "
                f"{market.maximum_silence_ns} ns"
            )
        return ""

    def _heard_ns(self, venue: int, view: MarketView) -> int:
        quotes = (view.quote(instrument, venue) for instrument in self._of_venue[venue])
        return max((quote.time_ns for quote in quotes if quote is not None), default=0)
