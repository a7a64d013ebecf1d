"""Orders that wait for a price, and pairs of which one cancels the other."""

from __future__ import annotations

from typing import Any

import pytest

from market.orders.kinds import Side
from sim.exchange.venue.events import ListUpdated, OrderUpdated
from sim.exchange.venue.kinds import (
    CommissionAsset,
    ExecutionKind,
    ListStatus,
    MarketKind,
    OrderKind,
    OrderStatus,
    SelfTradePrevention,
    TimeInForce,
)
from sim.exchange.venue.model import UNIT
from sim.exchange.venue.records import OrderList, VenueOrder
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.requests import ListLeg, OcoRequest
from sim.exchange.venue.venue import SimulatedVenue
from tests.sim.exchange.venue.venues import (
    BUY,
    SELL,
    START_NS,
    SYMBOL,
    balance,
    futures,
    limit,
    market,
    now,
    request,
    spot,
    symbol_model,
    venue_model,
)


def trade_at(venue: SimulatedVenue, price: int) -> None:
    """A trade of nobody with itself."""
    venue.inject(SYMBOL, SELL, price, 1, START_NS)
    venue.inject(SYMBOL, BUY, price, 1, START_NS)


def stop(venue: SimulatedVenue, side: Side, kind: OrderKind, at: int, lots: int = 10, price: int = 0) -> VenueOrder:
    return venue.place(request("alice", side, kind, lots, price, stop_ticks=at), START_NS)


@pytest.mark.parametrize(
    ("side", "kind", "at", "before", "reached"),
    [
        (SELL, OrderKind.STOP_LOSS, 9_900, 9_901, 9_900),
        (BUY, OrderKind.STOP_LOSS, 10_100, 10_099, 10_100),
        (SELL, OrderKind.TAKE_PROFIT, 10_100, 10_099, 10_101),
        (BUY, OrderKind.TAKE_PROFIT, 9_900, 9_901, 9_899),
    ],
)
def test_when_stops_trigger(side: Side, kind: OrderKind, at: int, before: int, reached: int) -> None:
    venue = spot()
    order = stop(venue, side, kind, at)
    assert (order.status, order.working) == (OrderStatus.NEW, False)
    trade_at(venue, before)
    assert now(venue, order).status is OrderStatus.NEW
    venue.take_events()
    trade_at(venue, reached)
    told = [event.execution for event in venue.take_events() if isinstance(event, OrderUpdated)]
    assert told[0] is ExecutionKind.TRIGGERED
    assert now(venue, order).status is OrderStatus.EXPIRED, "nobody was there to trade with"


def test_a_stop_sells_what_it_was_to_sell() -> None:
    venue = spot()
    order = stop(venue, SELL, OrderKind.STOP_LOSS, 9_900)
    assert balance(venue, "alice", "BTC")[1] == 10 * UNIT // 10_000
    venue.inject(SYMBOL, BUY, 9_890, 100, START_NS)
    venue.inject(SYMBOL, SELL, 9_890, 1, START_NS)
    assert (now(venue, order).status, now(venue, order).executed_units) == (OrderStatus.FILLED, 10 * 9_890 * 100)
    assert balance(venue, "alice", "BTC")[1] == 0


def test_a_stop_with_a_limit_rests_at_its_limit() -> None:
    venue = spot()
    order = stop(venue, SELL, OrderKind.STOP_LOSS_LIMIT, 9_900, price=9_895)
    trade_at(venue, 9_900)
    assert (now(venue, order).status, now(venue, order).working) == (OrderStatus.NEW, True)
    assert venue.depth(SYMBOL).asks == ((9_895, 10),)


def test_a_stop_that_buys_at_market_spends_at_most_what_there_is() -> None:
    venue = spot()
    order = stop(venue, BUY, OrderKind.STOP_LOSS, 10_100, lots=99_000)
    venue.inject(SYMBOL, SELL, 12_000, 200_000, START_NS)
    venue.inject(SYMBOL, BUY, 12_000, 1, START_NS)
    found = now(venue, order)
    assert (found.status, found.executed_lots) == (OrderStatus.EXPIRED, 1_000 * UNIT // (12_000 * 100))
    assert balance(venue, "alice", "USDT")[1] == 0
    assert balance(venue, "alice", "USDT")[0] >= 0


def test_a_stop_may_set_off_another() -> None:
    venue = spot()
    first = stop(venue, SELL, OrderKind.STOP_LOSS, 9_900)
    second = stop(venue, SELL, OrderKind.STOP_LOSS, 9_800)
    venue.inject(SYMBOL, BUY, 9_790, 15, START_NS)
    trade_at(venue, 9_900)
    assert now(venue, first).status is OrderStatus.FILLED
    assert (now(venue, second).status, now(venue, second).executed_lots) == (OrderStatus.EXPIRED, 5)


@pytest.mark.parametrize(("venue", "code"), [(spot(), -2010), (futures(), -2021)])
def test_a_stop_whose_price_was_reached_is_refused(venue: SimulatedVenue, code: int) -> None:
    with pytest.raises(VenueRefusal) as raised:
        stop(venue, SELL, OrderKind.STOP_LOSS, 10_000)
    assert raised.value.code == code


def test_a_waiting_stop_can_be_cancelled() -> None:
    venue = spot()
    order = stop(venue, BUY, OrderKind.STOP_LOSS_LIMIT, 10_100, price=10_200)
    assert balance(venue, "alice", "USDT")[1] == 10 * 10_200 * 100
    venue.cancel("alice", SYMBOL, START_NS, order_id=order.order_id)
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT, 0)
    trade_at(venue, 10_100)
    assert now(venue, order).status is OrderStatus.CANCELED


def sell_pair(venue: SimulatedVenue, **changed: Any) -> OrderList:
    """Take profit at 10,500, stop at 9,500 and sell down to 9,490."""
    fields: dict[str, Any] = {
        "account": "alice",
        "symbol": SYMBOL,
        "side": SELL,
        "quantity_lots": 10,
        "above": ListLeg(kind=OrderKind.LIMIT_MAKER, price_ticks=10_500, client_order_id="above"),
        "below": ListLeg(kind=OrderKind.STOP_LOSS_LIMIT, stop_ticks=9_500, price_ticks=9_490, client_order_id="below"),
        "list_client_order_id": "pair",
    }
    return venue.place_oco(OcoRequest(**(fields | changed)), START_NS)


def statuses(venue: SimulatedVenue) -> list[OrderStatus]:
    return [order.status for order in venue.order_list("alice", list_client_order_id="pair").orders]


def test_a_pair_binds_its_money_once() -> None:
    venue = spot()
    pair = sell_pair(venue)
    assert (pair.status, len(pair.orders)) == (ListStatus.EXECUTING, 2)
    assert balance(venue, "alice", "BTC")[1] == 10 * UNIT // 10_000
    assert len(venue.open_orders("alice", SYMBOL)) == 2


def test_when_the_limit_trades_the_stop_expires() -> None:
    venue = spot()
    sell_pair(venue)
    venue.take_events()
    venue.inject(SYMBOL, BUY, 10_500, 4, START_NS)
    assert statuses(venue) == [OrderStatus.PARTIALLY_FILLED, OrderStatus.EXPIRED]
    assert balance(venue, "alice", "BTC")[1] == 6 * UNIT // 10_000
    venue.inject(SYMBOL, BUY, 10_500, 6, START_NS)
    assert statuses(venue) == [OrderStatus.FILLED, OrderStatus.EXPIRED]
    done = [event for event in venue.take_events() if isinstance(event, ListUpdated)]
    assert [event.order_list.status for event in done] == [ListStatus.ALL_DONE]


def test_when_the_stop_triggers_the_limit_expires() -> None:
    venue = spot()
    sell_pair(venue)
    trade_at(venue, 9_500)
    assert statuses(venue) == [OrderStatus.EXPIRED, OrderStatus.NEW]
    assert venue.depth(SYMBOL).asks == ((9_490, 10),)
    assert balance(venue, "alice", "BTC")[1] == 10 * UNIT // 10_000
    venue.inject(SYMBOL, BUY, 9_490, 10, START_NS)
    assert statuses(venue) == [OrderStatus.EXPIRED, OrderStatus.FILLED]
    assert balance(venue, "alice", "BTC") == (10 * UNIT - 10 * UNIT // 10_000, 0)


@pytest.mark.parametrize("by_list", [True, False])
def test_cancelling_one_cancels_both(by_list: bool) -> None:
    venue = spot()
    pair = sell_pair(venue)
    if by_list:
        assert venue.cancel_list("alice", SYMBOL, START_NS, list_id=pair.list_id).status is ListStatus.ALL_DONE
    else:
        venue.cancel("alice", SYMBOL, START_NS, client_order_id="below")
    assert statuses(venue) == [OrderStatus.CANCELED, OrderStatus.CANCELED]
    assert balance(venue, "alice", "BTC") == (10 * UNIT, 0)
    with pytest.raises(VenueRefusal, match="-2011"):
        venue.cancel_list("alice", SYMBOL, START_NS, list_id=pair.list_id)


def test_a_pair_that_buys_binds_what_the_dearer_order_needs() -> None:
    venue = spot()
    sell_pair(
        venue,
        side=BUY,
        above=ListLeg(kind=OrderKind.STOP_LOSS_LIMIT, stop_ticks=10_500, price_ticks=10_600, client_order_id="above"),
        below=ListLeg(kind=OrderKind.LIMIT_MAKER, price_ticks=9_500, client_order_id="below"),
    )
    assert balance(venue, "alice", "USDT")[1] == 10 * 10_600 * 100
    venue.inject(SYMBOL, SELL, 9_500, 4, START_NS)
    assert balance(venue, "alice", "USDT") == (1_000 * UNIT - 10 * 9_500 * 100, 6 * 9_500 * 100)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"above": ListLeg(kind=OrderKind.LIMIT_MAKER, price_ticks=9_400)}, -2010),
        ({"below": ListLeg(kind=OrderKind.LIMIT_MAKER, price_ticks=9_400)}, -1014),
        ({"above": ListLeg(kind=OrderKind.LIMIT, price_ticks=10_500)}, -1014),
        ({"below": ListLeg(kind=OrderKind.STOP_LOSS, stop_ticks=10_001)}, -2010),
        ({"quantity_lots": 200_000}, -2010),
        ({"below": ListLeg(kind=OrderKind.STOP_LOSS, stop_ticks=9_500, client_order_id="above")}, -2010),
    ],
)
def test_pairs_that_are_refused_leave_nothing_behind(changed: dict[str, Any], code: int) -> None:
    venue = spot()
    with pytest.raises(VenueRefusal) as raised:
        sell_pair(venue, **changed)
    assert raised.value.code == code
    assert venue.open_orders("alice") == ()
    assert balance(venue, "alice", "BTC") == (10 * UNIT, 0)
    with pytest.raises(VenueRefusal, match="-2013"):
        venue.order_list("alice", list_client_order_id="pair")


def test_self_trade_prevention_ends_a_whole_pair() -> None:
    venue = spot()
    sell_pair(venue)
    limit(venue, "alice", BUY, 10_500, 4, self_trade_prevention=SelfTradePrevention.EXPIRE_MAKER)
    assert statuses(venue) == [OrderStatus.EXPIRED_IN_MATCH, OrderStatus.EXPIRED_IN_MATCH]
    assert balance(venue, "alice", "BTC") == (10 * UNIT, 0)


def test_order_lists_are_for_spot() -> None:
    with pytest.raises(VenueRefusal, match="-1014"):
        sell_pair(futures())


def test_of_two_stops_reached_at_once_the_older_trades() -> None:
    venue = spot()
    sell_pair(venue, above=ListLeg(kind=OrderKind.TAKE_PROFIT, stop_ticks=10_500, client_order_id="above"))
    venue.inject(SYMBOL, BUY, 10_500, 1, START_NS)
    venue.inject(SYMBOL, BUY, 9_500, 1, START_NS)
    venue.inject(SYMBOL, SELL, 9_500, 2, START_NS)
    assert statuses(venue) == [OrderStatus.EXPIRED, OrderStatus.EXPIRED]
    told = [event for event in venue.take_events() if isinstance(event, OrderUpdated)]
    assert [event.order.client_order_id for event in told if event.execution is ExecutionKind.TRIGGERED] == ["above"]
    assert balance(venue, "alice", "BTC") == (10 * UNIT, 0)


def test_a_stop_that_buys_leaves_room_for_the_commission() -> None:
    venue = spot(CommissionAsset.QUOTE)
    order = stop(venue, BUY, OrderKind.STOP_LOSS, 10_100, lots=98_000)
    venue.inject(SYMBOL, SELL, 12_000, 200_000, START_NS)
    venue.inject(SYMBOL, BUY, 12_000, 1, START_NS)
    found = now(venue, order)
    assert found.executed_lots == 1_000 * UNIT * 10_000 // 10_005 // (12_000 * 100)
    assert 0 <= balance(venue, "alice", "USDT")[0] < 12_000 * 100 * 2


def test_a_triggered_stop_that_finds_the_book_full_expires() -> None:
    venue = SimulatedVenue(venue_model(MarketKind.SPOT, symbol_model(), order_capacity=2))
    order = stop(venue, SELL, OrderKind.STOP_LOSS_LIMIT, 9_900, price=9_950)
    venue.inject(SYMBOL, BUY, 9_900, 3, START_NS)
    venue.inject(SYMBOL, BUY, 9_800, 1, START_NS)
    with pytest.raises(VenueRefusal, match="MAX_NUM_ORDERS"):
        limit(venue, "bob", SELL, 10_000, 1)
    market(venue, "bob", SELL, 1)
    assert now(venue, order).status is OrderStatus.EXPIRED
    assert balance(venue, "alice", "BTC") == (10 * UNIT, 0)


def test_a_triggered_stop_that_may_only_make_expires_rather_than_takes() -> None:
    venue = futures()
    fields: dict[str, Any] = {"stop_ticks": 9_900, "time_in_force": TimeInForce.GTX}
    order = venue.place(request("alice", SELL, OrderKind.STOP_LOSS_LIMIT, 10, 9_890, **fields), START_NS)
    venue.inject(SYMBOL, BUY, 9_900, 3, START_NS)
    market(venue, "bob", SELL, 1)
    assert (now(venue, order).status, now(venue, order).executed_lots) == (OrderStatus.EXPIRED, 0)
