"""One cancels other, where the venue has no such thing: which order to cancel when something becomes of the other."""

from __future__ import annotations

from market.orders.events import Cancelled, Expired, Filled, Refused
from market.orders.order import Order
from market.orders.reports import OrderUpdate


class OcoPairs:
    """Pairs of orders.

    What ends one of a pair, or fills a part of it, ends the other, once. The venue does not see the pair: between the
    fill of one and the cancellation of the other both may be filled, which a native pair rules out.
    """

    def __init__(self) -> None:
        self._partners: dict[str, Order] = {}

    def __len__(self) -> int:
        return len(self._partners) // 2

    def add(self, first: Order, second: Order) -> None:
        """Remember a pair."""
        self._partners[first.client_order_id] = second
        self._partners[second.client_order_id] = first

    def forget(self, order: Order) -> None:
        """Forget an order's pair, if it has one."""
        partner = self._partners.pop(order.client_order_id, None)
        if partner is not None:
            self._partners.pop(partner.client_order_id, None)

    def to_cancel(self, update: OrderUpdate) -> Order | None:
        """The order to cancel because of what became of its partner, None for none; the pair is forgotten with it."""
        if not isinstance(update.event, Filled | Cancelled | Expired | Refused):
            return None
        partner = self._partners.get(update.client_order_id)
        if partner is not None:
            self.forget(partner)
        return partner
