"""Several venues behind one gateway: orders find theirs, reports come in order, a broken stream loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from market.errors import DataGap, Rejected
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import GatewayReport, OpenOrders
from orchestrator.live.venue_gateways import VenueGateways


@dataclass
class Noted:
    """A gateway that notes what it is asked and says what it is told to."""

    asked: list[tuple[str, object]] = field(default_factory=list)
    reports: list[GatewayReport] = field(default_factory=list)
    breaks: bool = False

    def submit(self, order: Order) -> None:
        self.asked.append(("submit", order))

    def cancel(self, order: Order) -> None:
        self.asked.append(("cancel", order))

    def query(self, order: Order) -> None:
        self.asked.append(("query", order))

    def request_open_orders(self, venue: int) -> None:
        self.asked.append(("open orders", venue))

    def request_balances(self, venue: int) -> None:
        self.asked.append(("balances", venue))

    def submit_oco(self, limit: Order, stop: Order) -> None:
        self.submit(limit)
        self.submit(stop)

    def request_positions(self, venue: int) -> None:
        self.asked.append(("positions", venue))

    def next_ns(self) -> int | None:
        return min((report_time(report) for report in self.reports), default=None)

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        if self.breaks:
            self.breaks = False
            raise DataGap("the stream broke")
        due = [report for report in self.reports if report_time(report) <= until_ns]
        self.reports = [report for report in self.reports if report_time(report) > until_ns]
        return due


def report_time(report: GatewayReport) -> int:
    assert isinstance(report, OpenOrders)
    return report.time_ns


def said(time_ns: int, venue: int = 0) -> OpenOrders:
    return OpenOrders(time_ns=time_ns, venue=venue, orders=())


def order(venue: int) -> Order:
    return new_order(
        OrderIntent(
            cause=Cause(strategy="test", origin=Origin.DECISION, epoch=1, number=1),
            decided_ns=1,
            instrument=0,
            venue=venue,
            side=Side.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=1,
            limit_price=1,
        )
    )


def test_every_call_reaches_the_venue_that_it_is_for() -> None:
    first, second = Noted(), Noted()
    both = VenueGateways({0: first, 1: second})
    wanted = order(1)
    both.submit(wanted)
    both.cancel(wanted)
    both.query(wanted)
    both.request_open_orders(0)
    both.request_balances(1)
    assert first.asked == [("open orders", 0)]
    assert second.asked == [("submit", wanted), ("cancel", wanted), ("query", wanted), ("balances", 1)]


def test_a_venue_without_a_gateway_is_refused() -> None:
    with pytest.raises(Rejected, match="venue 2 has no gateway; expected one of 0"):
        VenueGateways({0: Noted()}).submit(order(2))


def test_reports_come_in_order_of_time() -> None:
    both = VenueGateways({0: Noted(reports=[said(1), said(4)]), 1: Noted(reports=[said(2, 1), said(3, 1)])})
    assert both.next_ns() == 1
    assert [report_time(report) for report in both.take(3)] == [1, 2, 3]
    assert both.next_ns() == 4


def test_a_broken_stream_is_told_first_and_the_other_venue_s_reports_follow() -> None:
    both = VenueGateways({0: Noted(reports=[said(1)]), 1: Noted(breaks=True, reports=[said(2, 1)])})
    with pytest.raises(DataGap, match="the stream broke"):
        both.take(5)
    assert both.next_ns() == 1
    assert [report_time(report) for report in both.take(5)] == [1, 2]
    assert both.next_ns() is None
