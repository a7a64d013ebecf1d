"""What an order's price is, and how far it may be from the market."""

from __future__ import annotations

from typing import Final

from market.errors import Rejected
from market.orders.kinds import OrderType, Side
from market.orders.order import OrderIntent
from market.protocols import MarketView, Quote
from orchestrator.risk.limits import RiskLimits

_BPS_TENTHS: Final = 10_000 * 10_000
"""Settings in basis points have up to four digits after the point that count."""


def quote_of(intent: OrderIntent, view: MarketView) -> Quote:
    """Best bid and offer of an order's market; raises Rejected when there is none."""
    quote = view.quote(intent.instrument, intent.venue)
    if quote is None:
        raise Rejected(
            f"order {intent.client_order_id}: {view.listing(intent.instrument, intent.venue)} had no best bid and "
            "offer; expected a book that is synchronised, two-sided and not crossed"
        )
    return quote


def worth_price(intent: OrderIntent, view: MarketView) -> int:
    """The price at which an order is valued: the highest that it can be filled at, as far as that is known.

    Raises Rejected for a market or sell order without a quote.
    """
    if intent.type is OrderType.STOP:
        return intent.stop_price
    if intent.side is Side.BUY:
        return intent.limit_price or quote_of(intent, view).ask_price
    return max(intent.limit_price, quote_of(intent, view).bid_price)


class PriceCollar:
    """Refuses prices outside the instrument's bounds, and those worse than the opposite side of the book by too much.

    A bid far below the market is no danger and passes. Stops are compared with the bounds alone.
    """

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits
        self._reach = int(limits.settings.limits.collar_bps * 10_000)

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the bound."""
        market = self._limits.market((intent.instrument, intent.venue))
        for price in (intent.limit_price, intent.stop_price):
            if price and not market.price_low <= price <= market.price_high:
                raise _refused(intent, view, price, "within", market.price_low, market.price_high)
        if intent.type is not OrderType.LIMIT:
            return
        quote = quote_of(intent, view)
        if intent.side is Side.BUY:
            most = quote.ask_price + quote.ask_price * self._reach // _BPS_TENTHS
            if intent.limit_price > most:
                raise _refused(intent, view, intent.limit_price, "collar", 0, most)
            return
        least = quote.bid_price - quote.bid_price * self._reach // _BPS_TENTHS
        if intent.limit_price < least:
            raise _refused(intent, view, intent.limit_price, "collar", least, market.price_high)


def _refused(intent: OrderIntent, view: MarketView, price: int, rule: str, low: int, high: int) -> Rejected:
    listing = view.listing(intent.instrument, intent.venue)
    scale = listing.instrument.price_scale
    what = "the bounds of its instrument" if rule == "within" else "the collar around the book"
    return Rejected(
        f"order {intent.client_order_id}: price on {listing} was {scale.text(price)}; expected {scale.text(low)} to "
        f"{scale.text(high)}, {what}"
    )
