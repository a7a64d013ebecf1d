"""The gateway: orders of the run loop against a tape, told when they would be heard."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.fixed_point import Scale
from market.instruments import Instrument, Listing
from market.orders.cause import Cause, Origin
from market.orders.events import Acknowledged, Cancelled, CancelRefused, Expired, Filled, OrderEvent, Refused, Sent
from market.orders.kinds import Liquidity, OrderState, OrderType, Side, TimeInForce
from market.orders.machine import advance
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import Balances, GatewayReport, OpenOrders, OrderUpdate, VenuePositions
from market.wire.records import AGGRESSOR_SELL
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.gateway import BacktestGateway, BacktestMarket
from sim.backtest.latency import Latency
from sim.clock import EventClock
from tests.sim.backtest.tapes import TapeWriter

LISTING = Listing(
    Instrument(0, "AB", Scale(-2), Scale(-3)), 0, "venue", "ABQ", tick=10, lot=5, base_asset="AB", quote_asset="Q"
)
MODEL = MatchModel(latency=Latency(entry_ns=10, response_ns=20), maker_ppb=10**6, taker_ppb=2 * 10**6)


class Stage:
    """A clock, a gateway, and what it said."""

    def __init__(self, writer: TapeWriter, model: MatchModel = MODEL, *, is_derivative: bool = False) -> None:
        self.clock = EventClock(10)
        core = BacktestCore(writer.tape(), [model], keeps_received=False)
        balances = {(0, "AB"): Decimal(5), (0, "Q"): Decimal(1_000)}
        self.gateway = BacktestGateway(core, {(0, 0): BacktestMarket(0, LISTING, is_derivative)}, self.clock, balances)
        self.heard: list[tuple[int, GatewayReport]] = []

    def go(self, until_ns: int) -> list[OrderEvent]:
        """Let time pass as the loop does; what was heard of orders on the way."""
        start = len(self.heard)
        while (due_ns := self.gateway.next_ns()) is not None and due_ns <= until_ns:
            self.clock.wait_until(due_ns)
            self.heard += [(due_ns, report) for report in self.gateway.take(due_ns)]
        self.clock.wait_until(until_ns)
        return [report.event for _, report in self.heard[start:] if isinstance(report, OrderUpdate)]

    def send(self, number: int, side: Side, price: int, quantity: int, **what: object) -> Order:
        """An order that is sent now, counts of the instrument."""
        kind, time_in_force = (OrderType.LIMIT, TimeInForce.GTC) if price else (OrderType.MARKET, TimeInForce.IOC)
        fields = {"type": kind, "time_in_force": time_in_force, "venue": 0, **what}
        intent = OrderIntent(
            cause=Cause(strategy="test", origin=Origin.DECISION, epoch=1, number=number),
            decided_ns=self.clock.now_ns(),
            instrument=0,
            side=side,
            quantity=quantity,
            limit_price=price,
            **fields,  # type: ignore[arg-type]
        )
        order = advance(new_order(intent), Sent(time_ns=self.clock.now_ns()))
        self.gateway.submit(order)
        return order


def book() -> TapeWriter:
    return TapeWriter().snapshot(1, ((100, 10), (99, 20)), ((102, 10), (103, 20)))


def test_an_order_is_heard_of_after_its_latencies_in_counts_of_the_instrument() -> None:
    stage = Stage(book().trade(50, 100, 12, AGGRESSOR_SELL))
    stage.send(1, Side.BUY, 1000, 25)
    acknowledged, filled = stage.go(100)
    assert acknowledged == Acknowledged(time_ns=40, venue_order_id="0")
    assert isinstance(filled, Filled)
    fill = filled.fill
    assert (fill.price, fill.quantity, fill.liquidity) == (1000, 10, Liquidity.MAKER)
    assert (fill.venue_ns, fill.receive_ns) == (50, 70)
    assert fill.fee == 50
    assert [at for at, _ in stage.heard] == [40, 70]


def test_what_ends_an_order_is_told() -> None:
    stage = Stage(book().trade(300, 99, 1, AGGRESSOR_SELL))
    resting = stage.send(1, Side.BUY, 1000, 25)
    stage.go(60)
    stage.gateway.cancel(resting)
    stage.send(2, Side.BUY, 0, 500)
    stage.send(3, Side.BUY, 1020, 5, post_only=True)
    stage.gateway.cancel(resting)
    events = stage.go(200)
    assert [type(event) for event in events] == [
        Cancelled,
        Acknowledged,
        Filled,
        Filled,
        Expired,
        Acknowledged,
        CancelRefused,
    ]
    assert isinstance(events[0], Cancelled)
    assert events[0].executed == 0
    stage.send(4, Side.BUY, 1030, 5, post_only=True)
    stage.send(5, Side.SELL, 1000, 5, post_only=True)
    refused = [event for event in stage.go(290) if isinstance(event, Refused)]
    assert [event.reason for event in refused] == ["a post-only order would have traded"]


def test_questions_are_answered_with_what_the_venue_knew() -> None:
    stage = Stage(book().trade(50, 99, 1, AGGRESSOR_SELL).book(500))
    first = stage.send(1, Side.BUY, 1000, 25)
    second = stage.send(2, Side.BUY, 900, 5)
    stage.go(80)
    stage.gateway.query(first)
    stage.gateway.request_open_orders(0)
    stage.gateway.request_balances(0)
    stage.gateway.request_positions(0)
    events = stage.go(200)
    assert [type(event) for event in events] == [Acknowledged, Filled]
    reports = [report for at, report in stage.heard if at == 110 and not isinstance(report, OrderUpdate)]
    listed, balances, positions = reports
    assert isinstance(listed, OpenOrders)
    assert [order.client_order_id for order in listed.orders] == [second.client_order_id]
    assert isinstance(balances, Balances)
    held = {balance.asset: balance.free + balance.locked for balance in balances.balances}
    assert held == {"AB": Decimal("5.025"), "Q": Decimal(1_000) - Decimal("0.25") - Decimal("0.0005")}
    assert positions == VenuePositions(time_ns=110, venue=0, quantities={0: 25})


def test_an_order_that_never_came_is_unknown() -> None:
    stage = Stage(book())
    order = stage.send(1, Side.BUY, 1000, 25)
    other = Stage(book().book(500))
    other.gateway.query(order)
    other.gateway.cancel(order)
    assert [type(event) for event in other.go(100)] == [Refused, CancelRefused]


def test_sending_again_makes_no_second_order() -> None:
    stage = Stage(book().book(500))
    order = stage.send(1, Side.BUY, 1000, 25)
    stage.go(60)
    stage.gateway.submit(order)
    assert stage.go(100) == [Acknowledged(time_ns=90, venue_order_id="0")]


def test_what_is_not_simulated_is_refused_at_once() -> None:
    stage = Stage(book())
    with pytest.raises(Rejected, match="STOP"):
        stage.send(1, Side.BUY, 0, 25, type=OrderType.STOP, stop_price=1000, time_in_force=TimeInForce.GTC)
    with pytest.raises(Rejected, match="whole ticks"):
        stage.send(2, Side.BUY, 1001, 25)
    with pytest.raises(Rejected, match="pair"):
        stage.gateway.submit_oco(stage.send(4, Side.SELL, 1100, 5), stage.send(5, Side.SELL, 1200, 5))
    with pytest.raises(Rejected, match="not on the tape"):
        stage.send(3, Side.BUY, 1000, 25, venue=1)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    st.integers(0, 15),
    st.integers(0, 15),
    st.lists(st.tuples(st.integers(1, 40), st.integers(95, 105), st.integers(1, 9)), max_size=20),
    st.lists(st.tuples(st.integers(11, 200), st.integers(95, 105), st.integers(1, 9)), max_size=8),
)
def test_reports_come_at_their_time_and_make_a_sound_history(
    entry_ns: int, response_ns: int, trades: list[tuple[int, int, int]], orders: list[tuple[int, int, int]]
) -> None:
    writer, time_ns = book(), 10
    for pause, price, lots in trades:
        time_ns += pause
        writer.trade(time_ns, price, lots, AGGRESSOR_SELL)
    stage = Stage(writer.book(2_000), MatchModel(latency=Latency(entry_ns, response_ns)))
    sent: dict[str, Order] = {}
    for number, (at_ns, price, lots) in enumerate(sorted(orders)):
        stage.go(at_ns)
        order = stage.send(number, Side.BUY, 10 * price, 5 * lots)
        sent[order.client_order_id] = order
    stage.go(1_500)
    for at_ns, report in stage.heard:
        assert isinstance(report, OrderUpdate)
        assert report.time_ns == at_ns
        sent[report.client_order_id] = advance(sent[report.client_order_id], report.event)
        if isinstance(report.event, Filled):
            assert report.event.fill.venue_ns + response_ns <= at_ns
    for order in sent.values():
        assert order.state is not OrderState.SENT
        assert order.state is OrderState.FILLED or order.remaining > 0
