"""What a gateway knows of one order at a venue, and what it tells of it."""

from __future__ import annotations

from collections.abc import Iterable

from market.orders.events import Acknowledged, Cancelled, Expired, Filled, OrderEvent
from market.orders.order import Order
from sim.exchange.venue.kinds import OrderStatus
from sim.exchange.venue.records import VenueOrder, VenueTrade
from sim.gateway.translation import TradedSymbol


class TrackedOrder:
    """An order from its first request on.

    An end is told only after all fills that the venue counts up to it, so that a filled quantity is never taken for
    one that is free again.

    Members
    -------
    valid_until_ns: until when a request for it may still reach the venue, on the venue's clock.
    heard_ns: when something was last heard of it, on ours. has_ended: whether its end was told.
    is_looked_for: whether a question about it is under way. is_acknowledged: whether the venue has named it.
    """

    def __init__(self, order: Order, symbol: TradedSymbol, valid_until_ns: int, now_ns: int) -> None:
        self.client_order_id = order.client_order_id
        self.symbol = symbol
        self.valid_until_ns = valid_until_ns
        self.heard_ns = now_ns
        self.has_ended = False
        self.is_looked_for = False
        self.is_acknowledged = bool(order.venue_order_id)
        self._told = {int(fill.fill_id): fill.quantity // symbol.listing.lot for fill in order.fills}

    def acknowledged(self, order: VenueOrder, now_ns: int) -> Acknowledged:
        """The venue has it."""
        self.is_acknowledged = True
        return Acknowledged(time_ns=now_ns, venue_order_id=str(order.order_id))

    def filled(self, trade: VenueTrade, venue_ns: int, now_ns: int) -> Filled:
        """A fill; told again as often as the venue tells it."""
        self._told[trade.trade_id] = trade.quantity_lots
        return Filled(fill=self.symbol.fill(trade, venue_ns, now_ns))

    def end(self, order: VenueOrder, now_ns: int) -> OrderEvent | None:
        """The end of an order that does not work any more; None while it does, or while fills are missing."""
        if order.is_open or self.lacks_fills(order):
            return None
        self.has_ended = True
        if order.status is OrderStatus.FILLED:
            return None
        if order.status is OrderStatus.CANCELED:
            return Cancelled(time_ns=now_ns, executed=order.executed_lots * self.symbol.listing.lot)
        return Expired(time_ns=now_ns, reason=order.status)

    def lacks_fills(self, order: VenueOrder) -> bool:
        """Whether the venue counts more filled than was told."""
        return order.executed_lots > sum(self._told.values())

    def everything(self, order: VenueOrder, trades: Iterable[VenueTrade], venue_ns: int, now_ns: int
                   ) -> list[OrderEvent]:  # fmt: skip
        """All that the venue says of the order in answer to a request."""
        self.heard_ns = now_ns
        events: list[OrderEvent] = [self.acknowledged(order, now_ns)]
        events += [self.filled(trade, venue_ns, now_ns) for trade in trades]
        end = self.end(order, now_ns)
        return events if end is None else [*events, end]
