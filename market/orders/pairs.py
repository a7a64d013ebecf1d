"""One cancels other: which orders can be a pair, and, where the venue has no such thing, which one to cancel when."""

from __future__ import annotations

from typing import Final

from market.errors import Rejected
from market.orders.events import Cancelled, Expired, Filled, Refused
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent
from market.orders.reports import OrderUpdate

_STOPS: Final = (OrderType.STOP, OrderType.STOP_LIMIT)


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


def check_pair(limit: OrderIntent, stop: OrderIntent) -> None:
    """Raises Rejected unless two orders can be a pair; see ``pair_problem``."""
    problem = pair_problem(limit, stop)
    if problem:
        raise Rejected(f"orders {limit.client_order_id} and {stop.client_order_id}: {problem}")


def pair_problem(limit: OrderIntent, stop: OrderIntent) -> str:
    """Why two orders cannot be a pair, empty when they can.

    The first takes the profit, a limit order that rests; the second ends the loss, a stop order. Both are of the same
    side and quantity, and the limit price is on the better side of the stop price.
    """
    if limit.type is not OrderType.LIMIT or limit.time_in_force is not TimeInForce.GTC:
        return f"the first was {limit.type.name} {limit.time_in_force.name}; expected LIMIT GTC"
    if stop.type not in _STOPS:
        return f"the second was {stop.type.name}; expected STOP or STOP_LIMIT"
    for name in ("instrument", "venue", "side", "quantity"):
        if getattr(limit, name) != getattr(stop, name):
            return f"{name} was {getattr(limit, name)} and {getattr(stop, name)}; expected the same of both"
    if (limit.limit_price - stop.stop_price) * limit.side.sign >= 0:
        better = "below" if limit.side is Side.BUY else "above"
        return f"the limit price was {limit.limit_price}; expected one {better} the stop price {stop.stop_price}"
    return ""
