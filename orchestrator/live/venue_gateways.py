"""One gateway over those of several venues."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from market.errors import DataGap, Rejected
from market.orders.order import Order
from market.orders.reports import GatewayReport, OrderUpdate
from market.protocols import Gateway
from orchestrator.execution.gateway import VenueGateway


class VenueGateways:
    """Sends every order to its venue's gateway and merges what they report, in the order in which it was heard.

    Parameters
    ----------
    gateways: by venue number.
    """

    def __init__(self, gateways: Mapping[int, Gateway]) -> None:
        self._gateways = dict(gateways)
        self._kept: list[GatewayReport] = []

    def submit(self, order: Order) -> None:
        """Send an order; raises Rejected for a venue without a gateway, and as the gateway does."""
        self._of(order.intent.venue).submit(order)

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send a pair; raises as ``submit``."""
        self._of(limit.intent.venue).submit_oco(limit, stop)

    def cancel(self, order: Order) -> None:
        """Ask for an order's cancellation; raises as ``submit``."""
        self._of(order.intent.venue).cancel(order)

    def query(self, order: Order) -> None:
        """Ask what became of an order; raises as ``submit``."""
        self._of(order.intent.venue).query(order)

    def request_open_orders(self, venue: int) -> None:
        """Ask a venue for the orders that work there."""
        self._of(venue).request_open_orders(venue)

    def request_balances(self, venue: int) -> None:
        """Ask a venue for the balances there."""
        self._of(venue).request_balances(venue)

    def request_positions(self, venue: int) -> None:
        """Ask a venue of derivatives for the positions there."""
        self._of(venue).request_positions(venue)

    def next_ns(self) -> int | None:
        """Time of the first report of any venue."""
        waiting = [time_ns for gateway in self._gateways.values() if (time_ns := gateway.next_ns()) is not None]
        if self._kept:
            waiting.append(_time_ns(self._kept[0]))
        return min(waiting, default=None)

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """Reports up to a time; raises DataGap when a venue's stream broke, the rest follows at the next call."""
        reports, self._kept = [self._kept], []
        gaps = []
        for gateway in self._gateways.values():
            try:
                reports.append(list(gateway.take(until_ns)))
            except DataGap as gap:
                gaps.append(str(gap))
        merged = list(heapq.merge(*reports, key=_time_ns))
        if gaps:
            self._kept = merged
            raise DataGap("; ".join(gaps))
        return merged

    def _of(self, venue: int) -> Gateway:
        gateway = self._gateways.get(venue)
        if gateway is None:
            known = ", ".join(map(str, sorted(self._gateways)))
            raise Rejected(f"venue {venue} has no gateway; expected one of {known}")
        return gateway


def _time_ns(report: GatewayReport) -> int:
    return report.event.time_ns if isinstance(report, OrderUpdate) else report.time_ns


def keep_warm(gateways: Mapping[int, VenueGateway]) -> None:
    """Have each make its last order ready again; while a run waits."""
    for gateway in gateways.values():
        gateway.keep_warm()
