"""Trading on paper against books laid out by hand, and against those of a feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from market.errors import Fatal, Rejected
from market.fixed_point import Scale
from market.instruments import Instrument, Listing
from market.orders.cause import Cause, Origin
from market.orders.events import Sent
from market.orders.kinds import Liquidity, OrderState, OrderType, Side, TimeInForce
from market.orders.machine import advance
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import Balance, Balances, OpenOrders, OrderUpdate, VenuePositions
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.clock import EventClock
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import UNIT
from sim.feed.mirrored_feed import MirroredFeed
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.paper_gateway import PaperGateway, PaperVenue
from tests.orchestrator.run_loop.worlds import MS, world

BTC = Instrument(0, "BTC", Scale(-9), Scale(-9))
LISTING = Listing(
    BTC, 0, "binance-spot", "BTCUSDT", tick=10**7, lot=10**4, base_asset="BTC", quote_asset="USDT"
)  # fmt: skip
LATENCY_NS = 1_000
KEY = (0, 0)


@dataclass(frozen=True)
class Market:
    """The feed's market: cents, and 1e-8 of a bitcoin."""

    symbol: str = "BTCUSDT"
    price_decimals: int = 2
    quantity_decimals: int = 8


def venue(listing: Listing = LISTING, market: Market | None = None, kind: MarketKind = MarketKind.SPOT) -> PaperVenue:
    return PaperVenue(
        venue=0,
        name="binance-spot",
        kind=kind,
        markets=((listing, market or Market()),),
        balances={"USDT": 1_000 * UNIT} | ({"BTC": UNIT} if kind is MarketKind.SPOT else {}),
        maker_ppb=0,
        taker_ppb=1_000_000,
    )


@dataclass
class Desk:
    """A gateway with its clock, and the orders as their sender books them."""

    clock: EventClock = field(default_factory=lambda: EventClock(1))
    orders: dict[str, Order] = field(default_factory=dict)
    others: list[object] = field(default_factory=list)
    kind: MarketKind = MarketKind.SPOT

    def __post_init__(self) -> None:
        self.gateway = PaperGateway([venue(kind=self.kind)], self.clock, LATENCY_NS)

    def lay(self, bids: dict[str, str], asks: dict[str, str]) -> None:
        self.gateway.book(KEY, _levels(bids), _levels(asks))

    def send(
        self, side: Side, quantity: str, price: str = "", *, post_only: bool = False, resting: bool = False
    ) -> str:
        intent = OrderIntent(
            cause=Cause(strategy="t", origin=Origin.DECISION, epoch=1, number=len(self.orders)),
            decided_ns=self.clock.now_ns(),
            instrument=0,
            venue=0,
            side=side,
            type=OrderType.LIMIT if price else OrderType.MARKET,
            time_in_force=TimeInForce.GTC if resting or post_only else TimeInForce.IOC,
            quantity=BTC.quantity_scale.count(quantity),
            limit_price=BTC.price_scale.count(price) if price else 0,
            post_only=post_only,
        )
        order = new_order(intent)
        self.gateway.submit(order)
        self.orders[order.client_order_id] = advance(order, Sent(time_ns=self.clock.now_ns()))
        return order.client_order_id

    def settle(self) -> None:
        while (due_ns := self.gateway.next_ns()) is not None:
            self.clock.wait_until(due_ns)
            for report in self.gateway.take(self.clock.now_ns()):
                if isinstance(report, OrderUpdate):
                    order = self.orders[report.client_order_id]
                    self.orders[report.client_order_id] = advance(order, report.event)
                else:
                    self.others.append(report)

    def fills(self, name: str) -> list[tuple[str, str]]:
        scales = (BTC.price_scale, BTC.quantity_scale)
        return [(scales[0].text(f.price), scales[1].text(f.quantity)) for f in self.orders[name].fills]


def _levels(texts: dict[str, str]) -> dict[int, int]:
    return {int(Decimal(price) * 100): int(Decimal(quantity) * 10**8) for price, quantity in texts.items()}


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.lay({"99.99": "0.5", "99.98": "1"}, {"100.01": "0.2", "100.02": "0.3"})
    return made


def test_an_order_that_takes_walks_the_displayed_levels(desk: Desk) -> None:
    name = desk.send(Side.BUY, "0.4")
    desk.settle()
    assert desk.orders[name].state is OrderState.FILLED
    assert desk.fills(name) == [("100.01", "0.2"), ("100.02", "0.2")]
    assert {fill.liquidity for fill in desk.orders[name].fills} == {Liquidity.TAKER}
    assert desk.orders[name].fee == desk.orders[name].notional // 1_000


def test_what_was_taken_is_displayed_again_only_when_the_live_level_changes(desk: Desk) -> None:
    desk.send(Side.BUY, "0.2", "100.01")
    desk.settle()
    again = desk.send(Side.BUY, "0.1", "100.01")
    desk.settle()
    assert desk.orders[again].state is OrderState.EXPIRED
    desk.lay({"99.99": "0.5", "99.98": "1"}, {"100.01": "0.15", "100.02": "0.3"})
    later = desk.send(Side.BUY, "0.1", "100.01")
    desk.settle()
    assert desk.orders[later].state is OrderState.FILLED


def test_what_is_not_displayed_expires(desk: Desk) -> None:
    name = desk.send(Side.BUY, "0.6", "100.02")
    desk.settle()
    assert desk.orders[name].state is OrderState.EXPIRED
    assert desk.orders[name].filled == BTC.quantity_scale.count("0.5")


def test_a_resting_order_is_filled_at_its_price_when_the_market_reaches_it(desk: Desk) -> None:
    name = desk.send(Side.BUY, "0.3", "100.00", post_only=True)
    desk.settle()
    assert desk.orders[name].state is OrderState.OPEN
    desk.lay({"99.98": "1"}, {"100.00": "0.1", "100.02": "0.3"})
    desk.settle()
    assert desk.fills(name) == [("100", "0.3")]
    assert desk.orders[name].state is OrderState.FILLED
    assert {fill.liquidity for fill in desk.orders[name].fills} == {Liquidity.MAKER}
    assert desk.orders[name].fee == 0


def test_a_post_only_order_that_would_take_is_refused(desk: Desk) -> None:
    name = desk.send(Side.BUY, "0.1", "100.01", post_only=True)
    desk.settle()
    assert desk.orders[name].state is OrderState.REJECTED


def test_nothing_trades_while_the_book_is_not_known(desk: Desk) -> None:
    desk.lay({}, {})
    name = desk.send(Side.BUY, "0.1", "100.01")
    desk.settle()
    assert desk.orders[name].state is OrderState.EXPIRED


def test_cancelling_asking_and_listing(desk: Desk) -> None:
    name = desk.send(Side.SELL, "0.1", "101", resting=True)
    desk.settle()
    desk.gateway.request_open_orders(0)
    desk.gateway.request_balances(0)
    desk.gateway.query(desk.orders[name])
    desk.settle()
    orders, balances = desk.others
    assert isinstance(orders, OpenOrders)
    assert [order.client_order_id for order in orders.orders] == [name]
    assert isinstance(balances, Balances)
    assert balances.balances[0] == Balance(asset="BTC", free=Decimal("0.90000000"), locked=Decimal("0.10000000"))
    desk.gateway.cancel(desk.orders[name])
    desk.settle()
    assert desk.orders[name].state is OrderState.CANCELLED


def test_what_fills_one_of_a_pair_cancels_the_other(desk: Desk) -> None:
    def order(number: int, kind: OrderType, limit_price: int = 0, stop_price: int = 0) -> Order:
        time = TimeInForce.GTC if kind is OrderType.LIMIT else TimeInForce.IOC
        names = [Cause(strategy="t", origin=Origin.DECISION, epoch=2, number=one) for one in (1, 2)]
        intent = OrderIntent(
            cause=names[number],
            decided_ns=1,
            instrument=0,
            venue=0,
            side=Side.SELL,
            type=kind,
            time_in_force=time,
            quantity=BTC.quantity_scale.count("0.1"),
            partner=names[1 - number].client_order_id,
            limit_price=limit_price,
            stop_price=stop_price,
        )
        made = new_order(intent)
        desk.orders[made.client_order_id] = advance(made, Sent(time_ns=1))
        return made

    limit = order(0, OrderType.LIMIT, limit_price=BTC.price_scale.count("100.5"))
    stop = order(1, OrderType.STOP, stop_price=BTC.price_scale.count("90"))
    bought = desk.send(Side.BUY, "0.1")
    desk.settle()
    assert desk.orders.pop(bought).state is OrderState.FILLED, "stops are seen from the last price"
    desk.gateway.submit_oco(limit, stop)
    desk.settle()
    assert {order.state for order in desk.orders.values()} == {OrderState.OPEN}
    desk.lay({"100.5": "1"}, {"100.6": "1"})
    desk.settle()
    assert desk.orders[limit.client_order_id].state is OrderState.FILLED
    assert desk.orders[stop.client_order_id].state is OrderState.CANCELLED


def test_positions_of_a_futures_venue() -> None:
    desk = Desk(kind=MarketKind.USD_MARGINED)
    desk.lay({"99.99": "0.5"}, {"100.01": "0.2"})
    desk.send(Side.SELL, "0.3")
    desk.settle()
    desk.gateway.request_positions(0)
    desk.settle()
    (report,) = desk.others
    assert isinstance(report, VenuePositions)
    assert report.quantities == {0: -BTC.quantity_scale.count("0.3")}
    with pytest.raises(Rejected, match="no positions"):
        Desk().gateway.request_positions(0)


def test_what_the_account_cannot_pay_for_is_refused(desk: Desk) -> None:
    name = desk.send(Side.SELL, "1.5", "101", resting=True)
    desk.settle()
    assert desk.orders[name].state is OrderState.REJECTED
    assert "insufficient balance" in desk.orders[name].reason


def test_unknown_venues_and_inverse_contracts_are_refused(desk: Desk) -> None:
    with pytest.raises(Rejected, match="venue 7 is not traded on paper"):
        desk.gateway.request_balances(7)
    inverse = Listing(BTC, 0, "cm", "BTCUSD_PERP", tick=10**8, lot=10, contract_value=10**20)
    with pytest.raises(Fatal, match="cannot be traded on paper"):
        PaperGateway([venue(inverse)], desk.clock, LATENCY_NS)


def test_a_run_trades_on_paper_against_its_own_feed(tmp_path: Path) -> None:
    """The three triggers of the recording buy 0.01 at 61,700.01, which is displayed."""
    small = world(tmp_path)
    (listing,) = [
        listing for listing in small.catalogue.listings if (listing.instrument.number, listing.venue) == (0, 0)
    ]
    feed = ReplayFeed(small.plan.sources).open()
    paper = PaperVenue(
        venue=0,
        name="binance-spot",
        kind=MarketKind.SPOT,
        markets=((listing, Market()),),
        balances={"BTC": UNIT, "QUOTE": 10**6 * UNIT},
        maker_ppb=0,
        taker_ppb=0,
    )
    gateway = PaperGateway([paper], small.clock, MS)
    mirrored = MirroredFeed(feed, gateway)
    summary = small.loop([TakeTriggers()], gateway, feed=mirrored).run()
    assert summary.counts.triggers == 3
    assert {order.state for order in summary.orders} <= {OrderState.FILLED, OrderState.EXPIRED}
    assert any(order.fills for order in summary.orders)
