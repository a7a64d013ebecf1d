"""The gateways against a simulated exchange on localhost: every type of order, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config.execution import OrderPath
from market.errors import Rejected, Retry
from market.orders.kinds import Liquidity, OrderState, OrderType, Side, TimeInForce
from market.orders.order import Order
from market.orders.reports import Balances, OpenOrders, VenuePositions
from market.risk.position import Position
from orchestrator.execution.requests import MarketKind
from sim.faults.plan import Channel, Fault, FaultKind
from tests.orchestrator.execution import samples
from tests.orchestrator.execution.exchange_world import ALICE, Exchange, Trader, exchange, trader
from tests.orchestrator.execution.samples import FUTURES, FUTURES_VENUE, SPOT_VENUE

MARKET = {"type": OrderType.MARKET, "time_in_force": TimeInForce.IOC, "limit_price": 0}
PATHS = list(OrderPath)
KINDS = list(MarketKind)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def venue(request: pytest.FixtureRequest) -> Iterator[Exchange]:
    with exchange(request.param) as running:
        yield running


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.value)
def alice(request: pytest.FixtureRequest, venue: Exchange) -> Iterator[Trader]:
    with trader(venue, request.param) as made:
        yield made


class Numbers:
    """Orders of this module, each with a number of its own."""

    last = 0


def order(venue: Exchange, **changes: Any) -> Order:
    """A limit order for 0.005 at 60,000, with changes."""
    Numbers.last += 1
    number = SPOT_VENUE if venue.kind is MarketKind.SPOT else FUTURES_VENUE
    return samples.order(Numbers.last, **{"venue": number, "quantity": 500_000, "limit_price": 6_000_000, **changes})


@pytest.fixture(autouse=True)
def empty_book(request: pytest.FixtureRequest) -> None:
    """Nothing of anybody rests and nothing goes wrong when a test begins."""
    if "venue" in request.fixturenames:
        at: Exchange = request.getfixturevalue("venue")
        at.faults()
        at.clear()


def held(done: Order) -> Position:
    """The position that an order's fills make."""
    position = Position()
    for fill in done.fills:
        position = position.traded(done.intent.side, fill.price, fill.quantity, fill.fee, fill.fee_base)
    return position


def test_a_resting_order_is_filled_and_cancelled(venue: Exchange, alice: Trader) -> None:
    name = alice.submit(order(venue))
    alice.until(name, OrderState.OPEN)
    venue.rest(Side.SELL, "60000", "0.002")
    part = alice.until(name, OrderState.PARTIALLY_FILLED)
    assert [(fill.price, fill.quantity, fill.liquidity) for fill in part.fills] == [
        (6_000_000, 200_000, Liquidity.MAKER)
    ]
    alice.gateway.cancel(alice.orders[name])
    done = alice.until(name, OrderState.CANCELLED)
    assert (done.filled, len(done.fills)) == (200_000, 1)


def test_money_is_what_the_venue_says(venue: Exchange, alice: Trader) -> None:
    venue.rest(Side.SELL, "60000.1", "0.003")
    venue.rest(Side.SELL, "60000.2", "0.010")
    before = venue.held("BTC"), venue.held("USDT")
    bought = alice.until(alice.submit(order(venue, **MARKET)), OrderState.FILLED)
    position = held(bought)
    assert [fill.price for fill in bought.fills] == [6_000_010, 6_000_020]
    assert position.fees > 0
    if venue.kind is MarketKind.SPOT:
        assert venue.held("BTC") - before[0] == position.quantity
        assert (venue.held("USDT") - before[1]) * 100 == position.cash - position.fees
        venue.rest(Side.BUY, "59000", "1")
        sold = order(venue, **MARKET, side=Side.SELL, quantity=position.quantity // 1_000 * 1_000)
        done = alice.until(alice.submit(sold), OrderState.FILLED)
        assert all(fill.fee_base == 0 and fill.fee > 0 for fill in done.fills)
    else:
        assert position.quantity == 500_000
        assert (before[1] - venue.held("USDT")) * 100 == position.fees
        venue.rest(Side.BUY, "59000", "1")
        closing = order(venue, **MARKET, side=Side.SELL, reduce_only=True)
        assert alice.until(alice.submit(closing), OrderState.FILLED).filled == 500_000


@pytest.mark.parametrize(
    ("changes", "state", "filled"),
    [
        ({"time_in_force": TimeInForce.IOC}, OrderState.EXPIRED, 200_000),
        ({"time_in_force": TimeInForce.FOK}, OrderState.EXPIRED, 0),
        ({"time_in_force": TimeInForce.IOC, "quantity": 200_000}, OrderState.FILLED, 200_000),
        ({"time_in_force": TimeInForce.FOK, "quantity": 200_000}, OrderState.FILLED, 200_000),
        ({"post_only": True, "limit_price": 5_999_900}, OrderState.OPEN, 0),
        ({"quantity": 900_000_000_000}, OrderState.REJECTED, 0),
    ],
    ids=["ioc", "fok", "ioc-whole", "fok-whole", "post-only", "no-money"],
)
def test_types_of_orders(
    venue: Exchange, alice: Trader, changes: dict[str, Any], state: OrderState, filled: int
) -> None:
    venue.rest(Side.SELL, "60000", "0.002")
    done = alice.until(alice.submit(order(venue, **changes)), state)
    assert done.filled == sum(fill.quantity for fill in done.fills) == filled


def test_a_post_only_order_that_would_trade_ends(venue: Exchange, alice: Trader) -> None:
    venue.rest(Side.SELL, "60000", "0.002")
    ends = OrderState.REJECTED if venue.kind is MarketKind.SPOT else OrderState.EXPIRED
    assert alice.until(alice.submit(order(venue, post_only=True)), ends, OrderState.REJECTED).filled == 0


@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.STOP_LIMIT])
def test_a_stop_becomes_an_order_when_its_price_trades(venue: Exchange, alice: Trader, kind: OrderType) -> None:
    venue.trade("60000")
    limit = 6_020_000 if kind is OrderType.STOP_LIMIT else 0
    name = alice.submit(order(venue, type=kind, limit_price=limit, stop_price=6_010_000))
    alice.until(name, OrderState.OPEN)
    venue.rest(Side.SELL, "60100", "0.020")
    venue.rest(Side.BUY, "60100", "0.001")
    done = alice.until(name, OrderState.FILLED)
    assert (done.filled, done.fills[0].price) == (500_000, 6_010_000)


def test_a_stop_is_cancelled(venue: Exchange, alice: Trader) -> None:
    venue.trade("60000")
    name = alice.submit(order(venue, type=OrderType.STOP, limit_price=0, stop_price=6_010_000))
    alice.until(name, OrderState.OPEN)
    alice.gateway.cancel(alice.orders[name])
    alice.until(name, OrderState.CANCELLED)


def test_of_a_pair_one_cancels_the_other(venue: Exchange, alice: Trader) -> None:
    venue.trade("60000")
    limit = order(venue, limit_price=5_990_000)
    stop = order(venue, type=OrderType.STOP, limit_price=0, stop_price=6_010_000)
    alice.orders.update({limit.client_order_id: limit, stop.client_order_id: stop})
    alice.gateway.submit_oco(limit, stop)
    for name in (limit.client_order_id, stop.client_order_id):
        alice.until(name, OrderState.OPEN)
    venue.rest(Side.SELL, "59900", "0.005")
    alice.until(limit.client_order_id, OrderState.FILLED)
    assert alice.until(stop.client_order_id, OrderState.CANCELLED, OrderState.EXPIRED).filled == 0


def test_open_orders_and_balances_are_those_of_the_venue(venue: Exchange, alice: Trader) -> None:
    names = [alice.submit(order(venue)) for _ in range(2)]
    for name in names:
        alice.until(name, OrderState.OPEN)
    number = alice.orders[names[0]].intent.venue
    alice.others.clear()
    alice.gateway.request_open_orders(number)
    alice.gateway.request_balances(number)
    alice.wait(lambda: len(alice.others) == 2)
    (listed,) = [report for report in alice.others if isinstance(report, OpenOrders)]
    assert {order.client_order_id for order in listed.orders} >= set(names)
    (balances,) = [report for report in alice.others if isinstance(report, Balances)]
    found = {balance.asset: int((balance.free + balance.locked) * 10**8) for balance in balances.balances}
    assert found["USDT"] == venue.held("USDT")
    alice.gateway.cancel_all(0)
    for name in names:
        alice.until(name, OrderState.CANCELLED)


def test_positions_are_those_of_the_futures_venue(venue: Exchange, alice: Trader) -> None:
    if venue.kind is MarketKind.SPOT:
        with pytest.raises(Rejected, match="no positions"):
            alice.gateway.request_positions(SPOT_VENUE)
        return
    venue.rest(Side.BUY, "60000", "0.005")
    alice.until(alice.submit(order(venue, side=Side.SELL)), OrderState.FILLED)
    alice.others.clear()
    alice.gateway.request_positions(FUTURES_VENUE)
    alice.wait(lambda: bool(alice.others))
    (report,) = alice.others
    (held,) = venue.do(lambda: venue.venue.positions(ALICE))
    assert isinstance(report, VenuePositions)
    assert report.quantities == {0: held.quantity_lots * FUTURES.lot}
    assert held.quantity_lots


def test_an_order_that_is_there_already_is_not_made_again(venue: Exchange, alice: Trader) -> None:
    name = alice.submit(order(venue))
    alice.until(name, OrderState.OPEN)
    questions = alice.questions
    alice.gateway.submit(alice.orders[name])
    alice.wait(lambda: alice.questions > questions)
    alice.until(name, OrderState.OPEN)
    assert len(venue.open_orders()) == 1


def test_a_cancellation_that_comes_too_late_finds_out_what_happened(venue: Exchange, alice: Trader) -> None:
    name = alice.submit(order(venue))
    alice.until(name, OrderState.OPEN)
    venue.faults(Fault(kind=FaultKind.DROP, channel=Channel.USER))
    venue.rest(Side.SELL, "60000", "0.005")
    alice.gateway.cancel(alice.orders[name])
    assert alice.until(name, OrderState.FILLED).filled == 500_000


def test_a_lost_answer_is_asked_for_and_nothing_is_sent_twice(venue: Exchange) -> None:
    for path in PATHS:
        with trader(venue, path, timeout_ms=1_000) as hasty:
            venue.faults(Fault(kind=FaultKind.LOST_ANSWER, count=1), Fault(kind=FaultKind.DROP, channel=Channel.USER))
            name = hasty.submit(order(venue))
            assert hasty.until(name, OrderState.OPEN).state is OrderState.OPEN
            assert hasty.questions >= 1
            venue.faults()
            assert len(venue.open_orders()) == 1
            venue.rest(Side.SELL, "60000", "0.005")
            hasty.until(name, OrderState.FILLED)


def test_an_order_that_never_arrived_is_given_up_when_the_venue_would_not_take_it(venue: Exchange) -> None:
    for path in PATHS:
        with trader(venue, path, window_ms=1_000, timeout_ms=1_000) as hasty:
            venue.faults(Fault(kind=FaultKind.DROP, channel=Channel.REQUEST, count=1))
            done = hasty.until(hasty.submit(order(venue)), OrderState.REJECTED)
            assert "never arrived" in done.reason
            assert hasty.questions >= 1
            assert venue.open_orders() == ()


def test_an_error_of_the_server_is_no_refusal(venue: Exchange, alice: Trader) -> None:
    venue.faults(Fault(kind=FaultKind.SERVER_ERROR, count=1))
    name = alice.submit(order(venue))
    alice.until(name, OrderState.UNKNOWN)


def test_a_broken_stream_is_one_gap_and_nothing_is_missed(venue: Exchange) -> None:
    for path in PATHS:
        with trader(venue, path) as bold:
            name = bold.submit(order(venue))
            bold.until(name, OrderState.OPEN)
            venue.do(lambda: venue.server.servers["venue"].disconnect())
            venue.rest(Side.SELL, "60000", "0.003")
            part = bold.until(name, OrderState.PARTIALLY_FILLED)
            assert (part.filled, bold.gaps) == (300_000, 1)
            assert bold.gateway.is_connected
            venue.rest(Side.SELL, "60000", "0.002")
            bold.until(name, OrderState.FILLED)
            assert bold.gaps == 1


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.CORRUPT, FaultKind.DUPLICATE, FaultKind.REORDER])
def test_reports_that_are_harmed_on_the_way_lose_no_fill(venue: Exchange, kind: FaultKind) -> None:
    with trader(venue, OrderPath.CCXT_WEBSOCKET) as bold:
        name = bold.submit(order(venue))
        bold.until(name, OrderState.OPEN)
        venue.faults(Fault(kind=kind, channel=Channel.USER, count=1))
        venue.rest(Side.SELL, "60000", "0.003")
        venue.rest(Side.SELL, "60000", "0.002")
        done = bold.until(name, OrderState.FILLED)
        assert [fill.quantity for fill in sorted(done.fills, key=lambda fill: int(fill.fill_id))] == [300_000, 200_000]


def test_an_order_that_ends_at_once_is_asked_for_when_its_last_report_is_lost(venue: Exchange) -> None:
    """Nothing follows it that would show that something is missing."""
    with trader(venue, OrderPath.CCXT_WEBSOCKET) as bold:
        venue.faults(Fault(kind=FaultKind.DROP, channel=Channel.USER))
        venue.rest(Side.SELL, "60000", "0.002")
        whole = bold.submit(order(venue, time_in_force=TimeInForce.IOC, quantity=200_000))
        assert len(bold.until(whole, OrderState.FILLED).fills) == 1
        empty = bold.submit(order(venue, time_in_force=TimeInForce.IOC))
        assert bold.until(empty, OrderState.EXPIRED).filled == 0
        # Spot lists the fills in its answer.
        assert bold.questions >= (venue.kind is MarketKind.USD_MARGINED)


def test_an_expired_listen_key_is_a_gap() -> None:
    with exchange(MarketKind.USD_MARGINED) as venue, trader(venue, OrderPath.CCXT_REST) as bold:
        name = bold.submit(order(venue))
        bold.until(name, OrderState.OPEN)
        venue.faults(Fault(kind=FaultKind.EXPIRE_LISTEN_KEYS))
        bold.wait(lambda: bold.gaps == 1 and not bold.unasked)
        bold.until(name, OrderState.OPEN)
        venue.rest(Side.SELL, "60000", "0.005")
        bold.until(name, OrderState.FILLED)


def test_a_ban_is_respected(venue: Exchange) -> None:
    with trader(venue, OrderPath.CCXT_REST) as bold:
        venue.faults(Fault(kind=FaultKind.BAN))
        assert bold.until(bold.submit(order(venue)), OrderState.REJECTED).reason.startswith("418")
        with pytest.raises(Retry, match="ban"):
            bold.gateway.submit(order(venue))


def test_a_session_that_is_logged_on_with_ed25519(venue: Exchange) -> None:
    with trader(venue, OrderPath.NATIVE, key="ed25519") as signed:
        name = signed.submit(order(venue))
        signed.until(name, OrderState.OPEN)
        signed.gateway.cancel(signed.orders[name])
        signed.until(name, OrderState.CANCELLED)


def test_keys_are_not_logged(venue: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with trader(venue, OrderPath.CCXT_REST) as made:
        made.until(made.submit(order(venue)), OrderState.OPEN)
    for secret in (venue.keys["hmac"].key, venue.keys["hmac"].secret, "signature="):
        assert secret not in caplog.text


def test_orders_of_an_earlier_run_are_found_again(venue: Exchange) -> None:
    with trader(venue, OrderPath.CCXT_REST) as first:
        name = first.submit(order(venue))
        first.until(name, OrderState.OPEN)
        as_intended = first.orders[name]
    venue.rest(Side.SELL, "60000", "0.003")
    with trader(venue, OrderPath.NATIVE, window_ms=1_000) as second:
        second.orders[name] = order_again(as_intended)
        lost = order(venue)
        second.orders[lost.client_order_id] = lost
        for one in (as_intended, lost):
            second.gateway.query(one)
        assert second.until(name, OrderState.PARTIALLY_FILLED).filled == 300_000
        second.until(lost.client_order_id, OrderState.REJECTED)


def order_again(known: Order) -> Order:
    """The order as a journal has it that ends with sending it."""
    return samples.sent(known.intent)
