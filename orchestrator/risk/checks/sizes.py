"""How large one order may be, and how many may work."""

from __future__ import annotations

from market.errors import Rejected
from market.orders.order import OrderIntent
from market.protocols import MarketView
from orchestrator.risk.checks.prices import worth_price
from orchestrator.risk.limits import RiskLimits


class OrderSize:
    """Refuses an order of too large a quantity or notional."""

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the limit."""
        market = self._limits.market((intent.instrument, intent.venue))
        if intent.quantity > market.quantity:
            text = market.listing.instrument.quantity_scale.text
            raise Rejected(
                f"order {intent.client_order_id}: quantity was {text(intent.quantity)}; expected at most "
                f"{text(market.quantity)} on {market.listing}"
            )
        notional = worth_price(intent, view) * intent.quantity
        if notional > market.order_notional:
            raise Rejected(
                f"order {intent.client_order_id}: notional was {notional}; expected at most {market.order_notional} "
                f"counts of 1e{market.listing.instrument.notional_exponent} on {market.listing}"
            )


class OpenOrderCount:
    """Refuses an order while too many work."""

    def __init__(self, limits: RiskLimits) -> None:
        self._most = limits.settings.limits.maximum_open_orders

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the limit."""
        working = view.working_orders()
        if len(working) < self._most:
            return
        others = sum(order.client_order_id != intent.client_order_id for order in working)
        if others >= self._most:
            raise Rejected(
                f"order {intent.client_order_id}: {others} orders were working; expected fewer than {self._most}"
            )
