"""Spot orders, to the last unit: one lot at 10,000 ticks is 0.0001 BTC for 0.01 USDT."""

from __future__ import annotations

import pytest

from sim.exchange.venue.events import BalanceChanged, BookChanged, OrderUpdated, TopChanged, Traded, VenueEvent
from sim.exchange.venue.kinds import (
    CommissionAsset,
    ExecutionKind,
    LedgerReason,
    OrderKind,
    OrderStatus,
    SelfTradePrevention,
    TimeInForce,
)
from sim.exchange.venue.model import BACKGROUND, HOUSE, UNIT
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.venue import SimulatedVenue
from tests.sim.exchange.venue.venues import BUY, SELL, START_NS, SYMBOL, balance, limit, market, now, request, spot

LOT_BASE = 10_000
"""Money units of a lot of BTC."""
LOT_QUOTE = UNIT // 100
"""Money units of a lot at 10,000 ticks, in USDT."""


def refused(venue: SimulatedVenue, account: str, **fields: object) -> tuple[int, str]:
    with pytest.raises(VenueRefusal) as raised:
        venue.place(request(account, **fields), START_NS)  # type: ignore[arg-type]
    return raised.value.code, raised.value.message


def kinds(events: list[VenueEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_purchase_binds_quote_and_a_sale_base() -> None:
    venue = spot()
    limit(venue, "alice", BUY, 9_000, 100)
    limit(venue, "alice", SELL, 11_000, 50)
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT - 90 * LOT_QUOTE, 90 * LOT_QUOTE)
    assert balance(venue, "alice", "BTC") == (10 * UNIT - 50 * LOT_BASE, 50 * LOT_BASE)


def test_a_trade_pays_each_side_less_its_commission_in_what_it_receives() -> None:
    venue = spot()
    limit(venue, "alice", SELL, 10_000, 100)
    order = limit(venue, "bob", BUY, 10_500, 100)
    assert (order.status, order.executed_lots, order.executed_units) == (OrderStatus.FILLED, 100, 100 * LOT_QUOTE)
    base, quote = 100 * LOT_BASE, 100 * LOT_QUOTE
    taker, maker = base * 5 // 10_000, quote * 2 // 10_000
    assert balance(venue, "bob", "BTC") == (10 * UNIT + base - taker, 0)
    assert balance(venue, "bob", "USDT") == (1_000 * UNIT - quote, 0)
    assert balance(venue, "alice", "BTC") == (10 * UNIT - base, 0)
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT + quote - maker, 0)
    assert (balance(venue, HOUSE, "BTC"), balance(venue, HOUSE, "USDT")) == ((taker, 0), (maker, 0))
    (own,) = venue.trades("bob", SYMBOL)
    assert (own.commission_units, own.commission_asset, own.is_maker) == (taker, "BTC", False)
    (other,) = venue.trades("alice", SYMBOL)
    assert (other.commission_units, other.commission_asset, other.is_maker) == (maker, "USDT", True)
    assert own.trade_id == other.trade_id == venue.recent_trades(SYMBOL)[0].trade_id


def test_a_venue_may_take_all_commissions_in_quote() -> None:
    venue = spot(CommissionAsset.QUOTE)
    limit(venue, "alice", SELL, 10_000, 100)
    limit(venue, "bob", BUY, 10_000, 100)
    quote = 100 * LOT_QUOTE
    assert balance(venue, "bob", "BTC") == (10 * UNIT + 100 * LOT_BASE, 0)
    assert balance(venue, "bob", "USDT") == (1_000 * UNIT - quote - quote * 5 // 10_000, 0)
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT + quote - quote * 2 // 10_000, 0)


def test_the_ledger_lists_every_movement() -> None:
    venue = spot()
    limit(venue, "alice", SELL, 10_000, 100)
    limit(venue, "bob", BUY, 10_000, 100)
    entries = venue.ledger("bob")
    assert [(entry.reason, entry.asset, entry.units) for entry in entries] == [
        (LedgerReason.DEPOSIT, "USDT", 1_000 * UNIT),
        (LedgerReason.DEPOSIT, "BTC", 10 * UNIT),
        (LedgerReason.TRADE, "BTC", 100 * LOT_BASE),
        (LedgerReason.TRADE, "USDT", -100 * LOT_QUOTE),
        (LedgerReason.COMMISSION, "BTC", -100 * LOT_BASE * 5 // 10_000),
    ]
    assert venue.ledger("bob", from_number=entries[-1].number) == entries[-1:]


def test_a_partly_filled_order_keeps_what_its_rest_needs() -> None:
    venue = spot()
    order = limit(venue, "alice", BUY, 10_000, 100)
    market(venue, "bob", SELL, 30)
    assert now(venue, order).status is OrderStatus.PARTIALLY_FILLED
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT - 100 * LOT_QUOTE, 70 * LOT_QUOTE)
    cancelled = venue.cancel("alice", SYMBOL, START_NS, order_id=order.order_id)
    assert (cancelled.status, cancelled.executed_lots) == (OrderStatus.CANCELED, 30)
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT - 30 * LOT_QUOTE, 0)


def test_a_better_price_gives_back_the_difference() -> None:
    venue = spot()
    limit(venue, "alice", SELL, 10_000, 40)
    limit(venue, "bob", BUY, 12_000, 100)
    assert balance(venue, "bob", "USDT") == (1_000 * UNIT - 40 * LOT_QUOTE - 72 * LOT_QUOTE, 72 * LOT_QUOTE)


@pytest.mark.parametrize(("side", "price", "lots"), [(BUY, 10_000, 100_001), (SELL, 10_000, 100_001)])
def test_nobody_spends_what_he_has_not(side: object, price: int, lots: int) -> None:
    venue = spot()
    found = refused(venue, "alice", side=side, kind=OrderKind.LIMIT, price=price, lots=lots)
    assert found == (-2010, "Account has insufficient balance for requested action.")
    assert venue.open_orders("alice") == ()
    assert venue.take_events() == []


def test_a_market_purchase_needs_the_money_for_what_it_meets() -> None:
    venue = spot()
    venue.inject(SYMBOL, SELL, 10_000, 90_000, START_NS)
    venue.inject(SYMBOL, SELL, 19_000, 90_000, START_NS)
    assert refused(venue, "alice", side=BUY, kind=OrderKind.MARKET, lots=96_000)[0] == -2010
    order = market(venue, "alice", BUY, 95_000)
    assert order.executed_units == 90_000 * LOT_QUOTE + 5_000 * LOT_QUOTE * 19 // 10


def test_a_market_order_by_money_spends_at_most_that() -> None:
    venue = spot()
    venue.inject(SYMBOL, SELL, 10_000, 100, START_NS)
    venue.inject(SYMBOL, SELL, 10_001, 1_000, START_NS)
    order = venue.place(request("alice", BUY, OrderKind.MARKET, quote_units=150 * LOT_QUOTE), START_NS)
    assert (order.executed_lots, order.quantity_lots, order.status) == (149, 149, OrderStatus.FILLED)
    assert order.executed_units <= 150 * LOT_QUOTE < order.executed_units + LOT_QUOTE * 10_001 // 10_000
    assert order.quote_units == 150 * LOT_QUOTE


def test_a_market_order_by_money_that_buys_nothing_is_refused() -> None:
    venue = spot()
    fields: dict[str, object] = {"side": BUY, "kind": OrderKind.MARKET}
    assert refused(venue, "alice", **fields, quote_units=UNIT) == (-1112, "No orders on book for symbol.")
    venue.inject(SYMBOL, SELL, 10_000, 100, START_NS)
    too_little = refused(venue, "alice", **fields, quote_units=LOT_QUOTE - 1)
    assert too_little == (-1013, "Filter failure: LOT_SIZE")
    assert refused(venue, "alice", **fields, quote_units=-LOT_QUOTE)[0] == -1102


def test_a_market_order_expires_where_the_book_ends() -> None:
    venue = spot()
    venue.inject(SYMBOL, SELL, 10_000, 100, START_NS)
    order = market(venue, "alice", BUY, 150)
    assert (order.status, order.executed_lots) == (OrderStatus.EXPIRED, 100)
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT - 100 * LOT_QUOTE, 0)
    assert market(venue, "alice", BUY, 150).status is OrderStatus.EXPIRED


def test_immediate_or_cancel_expires_and_fill_or_kill_trades_whole_or_not() -> None:
    venue = spot()
    venue.inject(SYMBOL, SELL, 10_000, 100, START_NS)
    killed = limit(venue, "alice", BUY, 10_000, 101, time_in_force=TimeInForce.FOK)
    assert (killed.status, killed.executed_lots) == (OrderStatus.EXPIRED, 0)
    immediate = limit(venue, "alice", BUY, 10_000, 60, time_in_force=TimeInForce.IOC)
    assert (immediate.status, immediate.executed_lots) == (OrderStatus.FILLED, 60)
    rest = limit(venue, "alice", BUY, 10_000, 60, time_in_force=TimeInForce.IOC)
    assert (rest.status, rest.executed_lots) == (OrderStatus.EXPIRED, 40)
    assert venue.open_orders("alice") == ()
    assert balance(venue, "alice", "USDT")[1] == 0


def test_a_maker_only_order_is_refused_rather_than_traded() -> None:
    venue = spot()
    venue.inject(SYMBOL, SELL, 10_000, 100, START_NS)
    found = refused(venue, "alice", side=BUY, kind=OrderKind.LIMIT_MAKER, price=10_000, lots=1)
    assert found == (-2010, "Order would immediately match and take.")
    order = venue.place(request("alice", BUY, OrderKind.LIMIT_MAKER, 1, 9_999), START_NS)
    assert order.status is OrderStatus.NEW


def test_a_client_order_id_works_once_at_a_time() -> None:
    venue = spot()
    first = limit(venue, "alice", BUY, 9_000, 1, client_order_id="mine")
    found = refused(venue, "alice", side=BUY, kind=OrderKind.LIMIT, price=9_000, lots=1, client_order_id="mine")
    assert found == (-2010, "Duplicate order sent.")
    limit(venue, "bob", BUY, 9_000, 1, client_order_id="mine")
    venue.cancel("alice", SYMBOL, START_NS, client_order_id="mine")
    second = limit(venue, "alice", BUY, 9_000, 1, client_order_id="mine")
    assert venue.order("alice", SYMBOL, client_order_id="mine").order_id == second.order_id
    assert venue.order("alice", SYMBOL, order_id=first.order_id).status is OrderStatus.CANCELED


def test_what_is_not_there_is_said_with_the_codes_of_the_question() -> None:
    venue = spot()
    order = limit(venue, "bob", BUY, 9_000, 1)
    with pytest.raises(VenueRefusal) as raised:
        venue.order("alice", SYMBOL, order_id=order.order_id)
    assert (raised.value.code, raised.value.message) == (-2013, "Order does not exist.")
    for order_id, client_order_id in ((order.order_id, ""), (0, "nothing")):
        with pytest.raises(VenueRefusal) as raised:
            venue.cancel("alice", SYMBOL, START_NS, order_id=order_id, client_order_id=client_order_id)
        assert (raised.value.code, raised.value.message) == (-2011, "Unknown order sent.")
    with pytest.raises(VenueRefusal) as raised:
        venue.cancel_all("alice", SYMBOL, START_NS)
    assert raised.value.code == -2011
    with pytest.raises(VenueRefusal) as raised:
        venue.depth("ETHUSDT")
    assert (raised.value.code, raised.value.message) == (-1121, "Invalid symbol.")
    for name in ("dora", HOUSE, BACKGROUND):
        assert refused(venue, name, side=BUY, kind=OrderKind.LIMIT, price=9_000, lots=1)[0] == -2015


def test_an_order_is_told_of_from_its_beginning_to_its_end() -> None:
    venue = spot()
    venue.inject(SYMBOL, SELL, 10_000, 5, START_NS)
    venue.take_events()
    order = limit(venue, "alice", BUY, 10_000, 8)
    assert kinds(venue.take_events()) == [
        "OrderUpdated", "Traded", "OrderUpdated", "BookChanged", "TopChanged", "BalanceChanged"
    ]  # fmt: skip
    venue.cancel("alice", SYMBOL, START_NS, order_id=order.order_id, request_client_order_id="bye")
    events = venue.take_events()
    assert kinds(events) == ["OrderUpdated", "BookChanged", "TopChanged", "BalanceChanged"]
    assert isinstance(events[0], OrderUpdated)
    assert (events[0].execution, events[0].request_client_order_id) == (ExecutionKind.CANCELED, "bye")


def test_a_trade_is_told_with_both_orders_and_the_side_that_made() -> None:
    venue = spot()
    resting = limit(venue, "alice", SELL, 10_000, 5)
    venue.take_events()
    taking = market(venue, "bob", BUY, 2)
    events = venue.take_events()
    trade = next(event for event in events if isinstance(event, Traded)).trade
    assert (trade.buyer_order_id, trade.seller_order_id) == (taking.order_id, resting.order_id)
    assert (trade.buyer_is_maker, trade.price_ticks, trade.quantity_lots) == (False, 10_000, 2)
    updates = [(event.account, event.execution) for event in events if isinstance(event, OrderUpdated)]
    assert updates == [
        ("bob", ExecutionKind.NEW), ("alice", ExecutionKind.TRADE), ("bob", ExecutionKind.TRADE)
    ]  # fmt: skip
    changed = next(event for event in events if isinstance(event, BookChanged))
    assert changed.asks == ((10_000, 3),)
    top = next(event for event in events if isinstance(event, TopChanged))
    assert (top.bid_ticks, top.ask_ticks, top.ask_lots) == (0, 10_000, 3)
    assert {event.account for event in events if isinstance(event, BalanceChanged)} == {"alice", "bob"}


def test_fewer_lots_keep_the_place_in_the_queue() -> None:
    venue = spot()
    first = limit(venue, "alice", SELL, 10_000, 10)
    limit(venue, "bob", SELL, 10_000, 10)
    amended = venue.amend("alice", SYMBOL, START_NS, order_id=first.order_id, quantity_lots=6)
    assert amended.quantity_lots == 6
    assert balance(venue, "alice", "BTC")[1] == 6 * LOT_BASE
    venue.inject(SYMBOL, BUY, 10_000, 6, START_NS)
    assert now(venue, first).status is OrderStatus.FILLED


def test_an_amended_order_may_trade_and_pays_as_a_taker() -> None:
    venue = spot()
    venue.inject(SYMBOL, SELL, 10_100, 10, START_NS)
    order = limit(venue, "alice", BUY, 10_000, 10)
    amended = venue.amend("alice", SYMBOL, START_NS, order_id=order.order_id, quantity_lots=12, price_ticks=10_100)
    assert (amended.status, amended.executed_lots) == (OrderStatus.PARTIALLY_FILLED, 10)
    assert not venue.trades("alice", SYMBOL)[0].is_maker
    assert balance(venue, "alice", "USDT")[1] == 2 * 101 * UNIT // 10_000


def test_amendments_that_are_refused_change_nothing() -> None:
    venue = spot()
    order = limit(venue, "alice", BUY, 10_000, 10)
    market(venue, "bob", SELL, 4)
    for lots, price, code in ((10, 0, -2038), (4, 0, -2038), (10**6, 0, -2010), (0, 0, -1013), (10, 1_999, -1013)):
        with pytest.raises(VenueRefusal) as raised:
            venue.amend("alice", SYMBOL, START_NS, order_id=order.order_id, quantity_lots=lots, price_ticks=price)
        assert raised.value.code == code
    assert venue.depth(SYMBOL).bids == ((10_000, 6),)
    assert balance(venue, "alice", "USDT")[1] == 6 * LOT_QUOTE


@pytest.mark.parametrize(
    ("prevention", "of_taker", "of_maker"),
    [
        (SelfTradePrevention.NONE, OrderStatus.FILLED, OrderStatus.FILLED),
        (SelfTradePrevention.EXPIRE_TAKER, OrderStatus.EXPIRED_IN_MATCH, OrderStatus.NEW),
        (SelfTradePrevention.EXPIRE_MAKER, OrderStatus.NEW, OrderStatus.EXPIRED_IN_MATCH),
        (SelfTradePrevention.EXPIRE_BOTH, OrderStatus.EXPIRED_IN_MATCH, OrderStatus.EXPIRED_IN_MATCH),
    ],
)
def test_an_account_does_not_trade_with_itself(
    prevention: SelfTradePrevention, of_taker: OrderStatus, of_maker: OrderStatus
) -> None:
    venue = spot()
    maker = limit(venue, "alice", SELL, 10_000, 10)
    taker = limit(venue, "alice", BUY, 10_000, 10, self_trade_prevention=prevention)
    assert (now(venue, taker).status, now(venue, maker).status) == (of_taker, of_maker)


def test_orders_and_trades_are_listed_from_an_id_on() -> None:
    venue = spot()
    orders = [limit(venue, "alice", SELL, 10_000 + number, 1) for number in range(5)]
    market(venue, "bob", BUY, 3)
    assert [order.order_id for order in venue.open_orders("alice", SYMBOL)] == [each.order_id for each in orders[3:]]
    assert [order.order_id for order in venue.all_orders("alice", SYMBOL, limit=2)] == [
        each.order_id for each in orders[3:]
    ]
    listed = venue.all_orders("alice", SYMBOL, from_order_id=orders[1].order_id, limit=2)
    assert [order.order_id for order in listed] == [each.order_id for each in orders[1:3]]
    trades = venue.trades("alice", SYMBOL)
    assert venue.trades("alice", SYMBOL, from_trade_id=trades[1].trade_id) == trades[1:]
    assert venue.trades("alice", SYMBOL, order_id=orders[2].order_id) == trades[2:]
    assert venue.trades("alice", SYMBOL, limit=1) == trades[2:]


def test_money_comes_in_and_goes_out_as_far_as_it_is_free() -> None:
    venue = spot()
    venue.deposit("alice", "USDT", 5, START_NS)
    assert balance(venue, "alice", "USDT")[0] == 1_000 * UNIT + 5
    told = venue.take_events()[0]
    assert isinstance(told, BalanceChanged)
    assert (told.reason, told.delta_units) == (LedgerReason.DEPOSIT, 5)
    limit(venue, "alice", BUY, 10_000, 50_000)
    with pytest.raises(VenueRefusal):
        venue.deposit("alice", "USDT", -600 * UNIT, START_NS)
    venue.deposit("alice", "USDT", -500 * UNIT, START_NS)
    assert set(venue.totals().values()) == {0}
