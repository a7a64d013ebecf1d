"""A journal that is kept in memory: for runs that need no crash recovery."""

from __future__ import annotations

from collections.abc import Sequence

from market.orders.events import OrderEvent
from market.orders.machine import advance
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import GatewayReport


class MemoryJournal:
    """Everything that a run wrote down, in order, and an archive of what it forgot; grows without bound.

    Members
    -------
    intents, events, reports, payloads: what was written. forgotten: orders in the archive, by client order id.
    """

    def __init__(self) -> None:
        self.intents: list[OrderIntent] = []
        self.events: list[tuple[str, OrderEvent]] = []
        self.reports: list[GatewayReport] = []
        self.payloads: list[bytes] = []
        self.forgotten: dict[str, Order] = {}

    def intent(self, intent: OrderIntent) -> None:
        """Keep an intent."""
        self.intents.append(intent)

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Keep an order event."""
        self.events.append((client_order_id, event))

    def report(self, report: GatewayReport) -> None:
        """Keep a report."""
        self.reports.append(report)

    def decisions(self, payloads: Sequence[bytes]) -> None:
        """Keep payloads of the fast loop."""
        self.payloads.extend(payloads)

    def forget(self, orders: Sequence[Order]) -> None:
        """Keep orders that the run forgets."""
        self.forgotten.update((order.client_order_id, order) for order in orders)

    def recall(self, client_order_id: str) -> Order | None:
        """Give an order back."""
        return self.forgotten.pop(client_order_id, None)

    def orders(self) -> dict[str, Order]:
        """The orders as the journal alone tells them: what a restart would begin with."""
        orders = {intent.client_order_id: new_order(intent) for intent in self.intents}
        for client_order_id, event in self.events:
            orders[client_order_id] = advance(orders[client_order_id], event)
        return orders


class NoJournal:
    """Writes nothing down: for sweeps over many runs, whose orders the summary holds anyway."""

    def intent(self, intent: OrderIntent) -> None:
        """Forget an intent."""

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Forget an order event."""

    def report(self, report: GatewayReport) -> None:
        """Forget a report."""

    def decisions(self, payloads: Sequence[bytes]) -> None:
        """Forget payloads."""
