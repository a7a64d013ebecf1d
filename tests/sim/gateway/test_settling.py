"""The simplest venue: everything is answered after the same time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from market.errors import Fatal, Rejected
from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument, Listing
from market.orders.cause import Cause, Origin
from market.orders.events import Sent
from market.orders.kinds import Liquidity, OrderState, OrderType, Side, TimeInForce
from market.orders.machine import replay
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import Balance, Balances, OpenOrders, OrderUpdate, VenuePositions
from sim.clock import EventClock
from sim.gateway.settling import SettleMode, SettlingGateway, SettlingSettings
from tests.market.orders.samples import intent

BTC = Instrument(0, "BTC", Scale(-2), Scale(-5))
LISTINGS = Catalogue([Listing(BTC, 0, "binance-spot", "BTCUSDT", tick=1, lot=1, base_asset="BTC", quote_asset="USDT")])
SETTINGS = SettlingSettings(
    SettleMode.UNFILLED,
    latency_ns=1000,
    maker_ppb={0: 500_000},
    taker_ppb={0: 1_000_000},
    balances={(0, "USDT"): Decimal(1_000), (0, "BTC"): Decimal("0.5"), (1, "ETH"): Decimal(9)},
)


class Venue:
    """A gateway with its clock, and the orders as their sender books them."""

    def __init__(self, settings: SettlingSettings = SETTINGS) -> None:
        self.clock = EventClock(1)
        self.gateway = SettlingGateway(settings, self.clock, LISTINGS)
        self.reports: list[object] = []

    def submit(self, **changes: Any) -> Order:
        order = new_order(wanted(**changes))
        self.gateway.submit(order)
        return order

    def answers(self) -> list[object]:
        """All that is due next; the clock goes there."""
        due = self.gateway.next_ns()
        assert due is not None
        return list(self.gateway.take(self.clock.wait_until(due)))

    def outcome(self, order: Order) -> Order:
        updates = [report for report in self.answers() if isinstance(report, OrderUpdate)]
        return replay(order, [Sent(time_ns=1), *(update.event for update in updates)])


def wanted(**changes: Any) -> OrderIntent:
    return intent(**{"limit_price": 6_000_000, "quantity": 1_000, **changes})


def test_an_immediate_order_expires_after_the_latency() -> None:
    venue = Venue()
    order = venue.submit(time_in_force=TimeInForce.IOC)
    assert venue.gateway.next_ns() == 1001
    assert venue.gateway.take(1000) == []
    done = venue.outcome(order)
    assert (done.state, done.acknowledged_ns, done.ended_ns) == (OrderState.EXPIRED, 1001, 1001)
    assert venue.gateway.next_ns() is None


def test_a_resting_order_works_until_it_is_cancelled() -> None:
    venue = Venue()
    order = venue.submit()
    assert venue.outcome(order).state is OrderState.OPEN
    venue.gateway.request_open_orders(0)
    (listed,) = venue.answers()
    assert isinstance(listed, OpenOrders)
    assert [(found.client_order_id, found.filled) for found in listed.orders] == [(order.client_order_id, 0)]
    venue.gateway.cancel(order)
    venue.gateway.cancel(order)
    first, second = venue.answers()
    assert isinstance(first, OrderUpdate)
    assert isinstance(second, OrderUpdate)
    assert (type(first.event).__name__, type(second.event).__name__) == ("Cancelled", "CancelRefused")


@pytest.mark.parametrize(
    ("post_only", "liquidity", "fee"), [(True, Liquidity.MAKER, 3_000_000), (False, Liquidity.TAKER, 6_000_000)]
)
def test_a_fill_is_at_the_limit_with_the_fee_of_its_kind(post_only: bool, liquidity: Liquidity, fee: int) -> None:
    venue = Venue(replace(SETTINGS, mode=SettleMode.FILLED))
    done = venue.outcome(venue.submit(post_only=post_only))
    assert done.state is OrderState.FILLED
    assert (done.fills[0].liquidity, done.fee, done.notional) == (liquidity, fee, 6_000_000_000)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": OrderType.MARKET, "limit_price": 0, "time_in_force": TimeInForce.IOC},
        {"type": OrderType.STOP, "limit_price": 0, "stop_price": 5},
    ],
)
def test_orders_without_a_price_are_refused(changes: dict[str, Any]) -> None:
    venue = Venue(replace(SETTINGS, mode=SettleMode.FILLED))
    done = venue.outcome(venue.submit(**changes))
    assert done.state is OrderState.REJECTED
    assert "no price" in done.reason


def test_sending_or_asking_again_tells_what_happened_and_makes_no_second_order() -> None:
    venue = Venue(replace(SETTINGS, mode=SettleMode.FILLED))
    done = venue.outcome(venue.submit())
    order = venue.submit()
    again = venue.outcome(order)
    assert (again.fills[0].fill_id, again.filled) == (done.fills[0].fill_id, done.filled)
    venue.gateway.query(order)
    updates = venue.answers()
    assert replay(done, [update.event for update in updates if isinstance(update, OrderUpdate)]) is done
    venue.gateway.request_balances(0)
    (report,) = venue.answers()
    assert isinstance(report, Balances)
    assert report.balances[0].free == Decimal("0.51")


def test_an_order_that_the_venue_never_saw_is_refused_when_it_is_asked_for() -> None:
    venue = Venue()
    order = new_order(wanted())
    venue.gateway.query(order)
    venue.gateway.cancel(order)
    asked, cancelled = venue.answers()
    assert isinstance(asked, OrderUpdate)
    assert isinstance(cancelled, OrderUpdate)
    assert (type(asked.event).__name__, type(cancelled.event).__name__) == ("Refused", "CancelRefused")


def test_balances_move_with_fills_and_are_locked_by_resting_orders() -> None:
    venue = Venue()
    venue.submit()
    other = Cause(strategy="other", origin=Origin.DECISION, epoch=1, number=1)
    venue.submit(cause=other, side=Side.SELL, quantity=2_000, limit_price=7_000_000)
    venue.gateway.request_balances(0)
    report = venue.answers()[-1]
    assert isinstance(report, Balances)
    assert report.balances == (
        Balance(asset="BTC", free=Decimal("0.48"), locked=Decimal("0.02")),
        Balance(asset="USDT", free=Decimal(400), locked=Decimal(600)),
    )
    filled = Venue(replace(SETTINGS, mode=SettleMode.FILLED))
    filled.submit()
    filled.gateway.request_balances(0)
    report = filled.answers()[-1]
    assert isinstance(report, Balances)
    assert [(held.asset, held.free) for held in report.balances] == [
        ("BTC", Decimal("0.51")),
        ("USDT", Decimal(1_000) - 600 - Decimal("0.6")),
    ]


def test_positions_are_what_fills_add_up_to() -> None:
    filled = Venue(replace(SETTINGS, mode=SettleMode.FILLED))
    order = filled.submit()
    filled.gateway.request_positions(0)
    report = filled.answers()[-1]
    assert isinstance(report, VenuePositions)
    assert report.quantities == {0: order.intent.quantity}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Rejected, match="not listed on venue 3"):
        Venue().submit(venue=3)
    with pytest.raises(Fatal, match="latency was -1"):
        replace(SETTINGS, latency_ns=-1)


def test_event_time_goes_where_it_is_sent_and_never_back() -> None:
    clock = EventClock(5)
    assert clock.wait_until(9) == clock.wait_until(7) == clock.now_ns() == 9
