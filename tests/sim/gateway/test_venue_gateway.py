"""The simulator gateway over a line that fails: what is reported, and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from market.errors import DataGap, Rejected, Retry
from market.orders.cause import Cause, Origin
from market.orders.events import (
    Acknowledged,
    Cancelled,
    CancelRefused,
    Expired,
    Filled,
    OutcomeUnknown,
    Refused,
    Sent,
)
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.machine import advance
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import Balances, OpenOrders, OrderUpdate, VenuePositions
from sim.exchange.venue.kinds import MarketKind
from sim.faults.plan import Channel, Fault, FaultKind
from sim.gateway.venue_gateway import VenueAccess, VenueGateway
from sim.gateway.venue_session import SessionModel
from tests.sim.virtual.lines import BTC, CATALOGUE, MS, SECOND_NS, START_NS, SYMBOL, fault, line, pass_until

Heard = tuple[float, type[object]]


@dataclass
class Desk:
    """A gateway whose reports are kept with the ms at which they were heard."""

    faults: tuple[Fault, ...] = ()
    model: SessionModel = field(default_factory=SessionModel)
    kind: MarketKind = MarketKind.SPOT
    heard: list[tuple[float, object]] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.line = line(*self.faults, kind=self.kind)
        self.clock = self.line.clock
        self.gateway = VenueGateway([VenueAccess(0, self.line, "desk")], CATALOGUE, self.clock, self.model)
        self.gateway.start()
        self.go_on(10)

    def send(self, quantity: str = "0.1", price: str = "100.01", *, resting: bool = False) -> Order:
        intent = OrderIntent(
            cause=Cause(strategy="t", origin=Origin.DECISION, epoch=1, number=len(self.orders)),
            decided_ns=self.clock.now_ns(),
            instrument=0,
            venue=0,
            side=Side.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC if resting else TimeInForce.IOC,
            quantity=BTC.quantity_scale.count(quantity),
            limit_price=BTC.price_scale.count(price),
        )
        order = advance(new_order(intent), Sent(time_ns=self.clock.now_ns()))
        self.gateway.submit(order)
        self.orders[order.client_order_id] = order
        return order

    def go_on(self, until_ms: float) -> None:
        """Let time pass, booking what is reported."""
        end_ns = START_NS + round(until_ms * MS)
        now_ns = self.clock.now_ns()
        while now_ns < end_ns:
            now_ns = self.clock.wait_until(end_ns)
            while (due_ns := self.gateway.next_ns()) is not None and due_ns <= now_ns:
                self.take(now_ns)

    def take(self, now_ns: int) -> None:
        after_ms = (now_ns - START_NS) / MS
        try:
            reports = self.gateway.take(now_ns)
        except DataGap as gap:
            self.heard.append((after_ms, gap))
            return
        for report in reports:
            event = report.event if isinstance(report, OrderUpdate) else report
            self.heard.append((after_ms, event))
            if isinstance(report, OrderUpdate):
                order = self.orders[report.client_order_id]
                self.orders[report.client_order_id] = advance(order, report.event)

    def kinds(self, *kinds: type[object]) -> list[Heard]:
        chosen = kinds or (object,)
        return [(at, type(event)) for at, event in self.heard if isinstance(event, chosen)]


def test_an_order_is_reported_by_its_answer_and_by_the_stream_and_counts_once() -> None:
    desk = Desk()
    order = desk.send()
    desk.go_on(20)
    assert desk.kinds() == [(12, Acknowledged), (12, Filled), (12, Acknowledged), (12, Filled)]
    booked = desk.orders[order.client_order_id]
    assert len(booked.fills) == 1
    assert booked.fee == booked.notional // 1_000


def test_what_is_not_filled_of_an_immediate_order_expires() -> None:
    desk = Desk()
    desk.send("0.6")
    desk.go_on(20)
    assert desk.kinds(Expired)[0] == (12, Expired)


def test_a_refusal_of_the_venue_is_one_of_the_order() -> None:
    desk = Desk()
    desk.send("1", "900", resting=True)
    desk.go_on(20)
    assert desk.kinds() == [(12, Refused)]


def test_a_lost_answer_makes_the_outcome_unknown_until_it_is_asked_for() -> None:
    desk = Desk((fault(FaultKind.LOST_ANSWER, at_ns=5 * MS, duration_ns=10 * MS), fault(FaultKind.DROP, Channel.USER)))
    order = desk.send()
    desk.go_on(1_020)
    assert desk.kinds() == [(1_010, OutcomeUnknown)]
    desk.gateway.query(desk.orders[order.client_order_id])
    desk.go_on(1_030)
    assert desk.kinds()[1:] == [(1_022, Acknowledged), (1_022, Filled)]


def test_an_order_that_never_arrived_is_refused_only_when_it_cannot_arrive_any_more() -> None:
    desk = Desk(
        (fault(FaultKind.DROP, Channel.REQUEST, at_ns=5 * MS, duration_ns=10 * MS),),
        SessionModel(timeout_ns=300 * MS, window_ns=1_000 * MS, poll_ns=10 * SECOND_NS),
    )
    order = desk.send()
    desk.go_on(500)
    desk.gateway.query(order)
    desk.go_on(1_020)
    assert desk.kinds() == [(310, OutcomeUnknown), (502, OutcomeUnknown)]
    desk.gateway.query(order)
    desk.go_on(1_100)
    assert desk.kinds()[2:] == [(1_022, Refused)]


def test_an_order_that_comes_too_late_is_refused_by_the_venue() -> None:
    desk = Desk(
        (fault(FaultKind.DELAY, Channel.REQUEST, at_ns=5 * MS, duration_ns=10 * MS, amount_ns=1_200 * MS),),
        SessionModel(poll_ns=10 * SECOND_NS),
    )
    desk.send()
    desk.go_on(1_300)
    assert desk.kinds() == [(1_010, OutcomeUnknown), (1_212, Refused)]
    assert desk.line.venue.all_orders("desk", SYMBOL) == ()


def test_a_server_error_leaves_the_outcome_unknown() -> None:
    desk = Desk((fault(FaultKind.SERVER_ERROR, at_ns=5 * MS, duration_ns=10 * MS),))
    desk.send()
    desk.go_on(20)
    assert desk.kinds() == [(12, OutcomeUnknown)]


def test_while_we_are_banned_nothing_is_sent() -> None:
    desk = Desk((fault(FaultKind.BAN, at_ns=5 * MS, duration_ns=500 * MS),))
    desk.send()
    desk.go_on(20)
    assert desk.kinds() == [(12, Refused)]
    with pytest.raises(Retry, match="banned us"):
        desk.send()
    desk.go_on(506)
    desk.send()
    desk.go_on(520)
    assert desk.kinds(Filled)


def test_a_cut_stream_stops_orders_and_is_a_gap_once_it_stands_again() -> None:
    desk = Desk((fault(FaultKind.DISCONNECT, at_ns=100 * MS),))
    desk.go_on(101)
    with pytest.raises(Retry, match="the user-data stream is down"):
        desk.send()
    desk.go_on(200)
    assert desk.kinds() == [(152, DataGap)]
    desk.send()


def test_a_silent_stream_is_given_up() -> None:
    desk = Desk((fault(FaultKind.HALF_OPEN, at_ns=100 * MS, duration_ns=1_400 * MS),))
    desk.go_on(3_000)
    ((at_ms, kind),) = desk.kinds()
    assert kind is DataGap
    assert 1_500 < at_ms < 2_700


def test_an_expired_key_and_an_unreadable_message_end_the_stream() -> None:
    expired = Desk((fault(FaultKind.EXPIRE_LISTEN_KEYS, at_ns=100 * MS),))
    garbled = Desk((fault(FaultKind.CORRUPT, Channel.USER, at_ns=100 * MS, count=1),))
    for desk in (expired, garbled):
        desk.go_on(1_000)
        assert [kind for _, kind in desk.kinds()] == [DataGap]


def test_an_end_is_told_after_the_fills_that_came_before_it() -> None:
    """The fill's report is late, so the cancellation's answer is followed by a question before the end is told."""
    desk = Desk((fault(FaultKind.LATE_FILL, amount_ns=700 * MS),))
    order = desk.send(resting=True, quantity="0.3", price="100")
    desk.go_on(50)
    desk.line.act(lambda venue, now_ns: venue.inject(SYMBOL, Side.SELL, 10_000, 10_000, now_ns))
    desk.go_on(60)
    desk.gateway.cancel(order)
    desk.go_on(100)
    told = [kind for _, kind in desk.kinds(Filled, Cancelled)]
    assert told[:2] == [Filled, Cancelled]
    desk.go_on(1_000)
    assert desk.orders[order.client_order_id].filled == BTC.quantity_scale.count("0.1")


def test_a_cancellation_of_what_does_not_work_is_refused_and_asked_about() -> None:
    desk = Desk((fault(FaultKind.DROP, Channel.USER),))
    order = desk.send(resting=True, quantity="0.3", price="100")
    desk.go_on(50)
    desk.line.act(lambda venue, now_ns: venue.inject(SYMBOL, Side.SELL, 10_000, 30_000, now_ns))
    desk.gateway.cancel(order)
    desk.go_on(60)
    assert [kind for _, kind in desk.kinds(CancelRefused, Filled)] == [CancelRefused, Filled]


def test_an_order_that_nothing_is_heard_of_is_asked_about() -> None:
    desk = Desk((fault(FaultKind.DROP, Channel.USER),))
    order = desk.send(resting=True, quantity="0.3", price="100")
    desk.go_on(50)
    desk.line.act(lambda venue, now_ns: venue.inject(SYMBOL, Side.SELL, 10_000, 30_000, now_ns))
    desk.go_on(2_500)
    assert desk.orders[order.client_order_id].remaining == 0


def test_a_clock_that_is_off_is_measured_with_the_first_refusal() -> None:
    desk = Desk((fault(FaultKind.CLOCK_SKEW, at_ns=5 * MS, duration_ns=SECOND_NS, amount_ns=-1_500 * MS),))
    desk.send()
    desk.go_on(20)
    assert desk.kinds() == [(12, Refused)]
    desk.send()
    desk.go_on(30)
    assert desk.kinds(Filled)


def test_lists_of_orders_and_balances() -> None:
    desk = Desk()
    order = desk.send(resting=True, price="99")
    desk.gateway.request_open_orders(0)
    desk.gateway.request_balances(0)
    desk.go_on(20)
    (orders,) = (report for _, report in desk.heard if isinstance(report, OpenOrders))
    assert [listed.client_order_id for listed in orders.orders] == [order.client_order_id]
    (balances,) = (report for _, report in desk.heard if isinstance(report, Balances))
    assert {held.asset: held.locked for held in balances.balances} == {"BTC": 0, "USDT": Decimal("9.9099")}


def test_positions_of_a_futures_venue() -> None:
    desk = Desk(kind=MarketKind.USD_MARGINED)
    desk.send("0.2")
    desk.go_on(20)
    desk.gateway.request_positions(0)
    desk.go_on(30)
    (report,) = (report for _, report in desk.heard if isinstance(report, VenuePositions))
    assert report.quantities == {0: BTC.quantity_scale.count("0.2")}
    with pytest.raises(Rejected, match="no positions"):
        Desk().gateway.request_positions(0)


def test_a_venue_that_is_not_connected_is_refused() -> None:
    with pytest.raises(Rejected, match="venue 3 is not connected"):
        Desk().gateway.request_balances(3)


def test_time_passes_without_anybody_waiting() -> None:
    made = line()
    pass_until(made.clock, 50)
    assert made.clock.now_ns() == START_NS + 50 * MS
