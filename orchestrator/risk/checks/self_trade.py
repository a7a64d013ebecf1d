"""No order of ours may trade with another one of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from market.errors import Rejected
from market.orders.kinds import OrderType, Side
from market.orders.order import Order, OrderIntent
from market.protocols import MarketView

_STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class SelfTradePrevention:
    """Refuses an order that would cross a working order of ours in the same book.

    Whatever may still stand in the book counts: orders on their way, of unknown outcome, and with a cancellation that
    has not been confirmed. Stops wait outside the book; when they are triggered, the venue's own prevention judges.
    """

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the order that stands in the way."""
        if intent.type in _STOPS:
            return
        for order in view.working_orders():
            if order.intent.side is not intent.side and _crosses(intent, order):
                scale = view.listing(intent.instrument, intent.venue).instrument.price_scale
                raise Rejected(
                    f"order {intent.client_order_id}: {intent.side.name} at {_price(intent, scale.text)} would trade "
                    f"with our own {order.client_order_id}, {order.intent.side.name} at "
                    f"{_price(order.intent, scale.text)}; cancel that one first"
                )


def _crosses(intent: OrderIntent, order: Order) -> bool:
    """Whether two orders of opposite sides could trade with each other."""
    other = order.intent
    if other.venue != intent.venue or other.instrument != intent.instrument or other.type in _STOPS:
        return False
    if OrderType.MARKET in (intent.type, other.type):
        return True
    buy, sell = (intent, other) if intent.side is Side.BUY else (other, intent)
    return buy.limit_price >= sell.limit_price


def _price(intent: OrderIntent, text: Callable[[int], str]) -> str:
    return text(intent.limit_price) if intent.limit_price else "market"
