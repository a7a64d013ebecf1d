"""Whatever is asked of a venue, money is neither made nor lost, and every change of it is in the ledger."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.orders.kinds import Side
from sim.exchange.venue.events import BookChanged, OrderUpdated, TopChanged
from sim.exchange.venue.kinds import CommissionAsset, MarketKind, OrderKind, SelfTradePrevention, TimeInForce
from sim.exchange.venue.model import HOUSE, UNIT, AccountModel, BackgroundModel
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.requests import ListLeg, OcoRequest, PlaceRequest
from sim.exchange.venue.venue import SimulatedVenue
from tests.sim.exchange.venue.venues import START_NS, SYMBOL, symbol_model, venue_model

accounts = st.sampled_from(["alice", "bob", "carol"])
sides = st.sampled_from([Side.BUY, Side.SELL])
prices = st.integers(9_990, 10_010)
lots = st.integers(1, 500)
terms = st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK])
preventions = st.sampled_from(list(SelfTradePrevention))

place_limit = st.tuples(st.just("limit"), accounts, sides, prices, lots, terms, preventions, st.booleans())
place_market = st.tuples(st.just("market"), accounts, sides, st.just(0), lots, terms, preventions, st.booleans())
place_quote = st.tuples(st.just("quote"), accounts, sides, st.just(0), lots, terms, preventions, st.booleans())
stop = st.tuples(st.just("stop"), accounts, sides, prices, lots, terms, preventions, st.booleans())
stop_limit = st.tuples(st.just("stop limit"), accounts, sides, prices, lots, terms, preventions, st.booleans())
oco = st.tuples(st.just("oco"), accounts, sides, prices, lots, terms, preventions, st.booleans())
cancel = st.tuples(st.just("cancel"), accounts, sides, prices, lots, terms, preventions, st.booleans())
amend = st.tuples(st.just("amend"), accounts, sides, prices, lots, terms, preventions, st.booleans())
inject = st.tuples(st.just("inject"), accounts, sides, prices, lots, terms, preventions, st.booleans())
wait = st.tuples(st.just("wait"), accounts, sides, prices, lots, terms, preventions, st.booleans())
action = st.one_of(
    place_limit, place_limit, place_limit, place_market, place_quote, stop, stop_limit, oco, cancel, amend, inject, wait
)
actions = st.lists(action, min_size=5, max_size=50)
Action = tuple[str, str, Side, int, int, TimeInForce, SelfTradePrevention, bool]


def carry_out(venue: SimulatedVenue, step: Action, now_ns: int) -> None:
    what, account, side, price, size, term, prevention, flag = step
    is_futures = venue.model.kind is MarketKind.USD_MARGINED
    common: dict[str, Any] = {
        "account": account,
        "symbol": SYMBOL,
        "side": side,
        "self_trade_prevention": prevention,
    }
    if what == "limit":
        reduce_only = is_futures and flag
        venue.place(
            PlaceRequest(
                **common,
                kind=OrderKind.LIMIT,
                price_ticks=price,
                quantity_lots=size,
                time_in_force=term,
                reduce_only=reduce_only,
            ),
            now_ns,
        )
    elif what == "market":
        venue.place(PlaceRequest(**common, kind=OrderKind.MARKET, quantity_lots=size), now_ns)
    elif what == "quote":
        venue.place(PlaceRequest(**common, kind=OrderKind.MARKET, quote_units=size * UNIT // 100), now_ns)
    elif what == "stop":
        kind = OrderKind.STOP_LOSS if flag else OrderKind.TAKE_PROFIT
        reduce_only = is_futures and size % 2 == 0
        venue.place(
            PlaceRequest(**common, kind=kind, stop_ticks=price, quantity_lots=size, reduce_only=reduce_only), now_ns
        )
    elif what == "stop limit":
        kind = OrderKind.STOP_LOSS_LIMIT if flag else OrderKind.TAKE_PROFIT_LIMIT
        venue.place(
            PlaceRequest(
                **common,
                kind=kind,
                stop_ticks=price,
                price_ticks=20_000 - price,
                quantity_lots=size,
                reduce_only=is_futures and size % 2 == 0,
            ),
            now_ns,
        )
    elif what == "oco":
        stop_leg = ListLeg(kind=OrderKind.STOP_LOSS if flag else OrderKind.STOP_LOSS_LIMIT, stop_ticks=price,
                           price_ticks=0 if flag else price + 1)  # fmt: skip
        limit_leg = ListLeg(kind=OrderKind.LIMIT_MAKER, price_ticks=price + 7 * side.sign * -1)
        above, below = (limit_leg, stop_leg) if side is Side.SELL else (stop_leg, limit_leg)
        venue.place_oco(OcoRequest(**common, quantity_lots=size, above=above, below=below), now_ns)
    elif what == "inject":
        venue.inject(SYMBOL, side, price, size, now_ns)
    elif what == "wait":
        venue.advance(now_ns + size * 10**7)
    else:
        working = venue.open_orders(account)
        if working:
            chosen = working[price % len(working)].order_id
            if what == "cancel":
                venue.cancel(account, SYMBOL, now_ns, order_id=chosen)
            else:
                venue.amend(account, SYMBOL, now_ns, order_id=chosen, quantity_lots=size, price_ticks=price * flag)


def check_money(venue: SimulatedVenue) -> None:
    assert set(venue.totals().values()) <= {0}
    for name in ("alice", "bob", "carol", HOUSE):
        from_ledger: dict[str, int] = {}
        for entry in venue.ledger(name):
            from_ledger[entry.asset] = from_ledger.get(entry.asset, 0) + entry.units
        assert {each.asset: each.total_units for each in venue.account(name).balances if each.total_units} == {
            asset: units for asset, units in from_ledger.items() if units
        }


def check_locks(venue: SimulatedVenue) -> None:
    """On spot nobody owes anything, and what is locked is what working orders may need at most."""
    model = venue.model.symbols[0]
    in_quote = venue.model.commission_asset is CommissionAsset.QUOTE
    for name in ("alice", "bob", "carol"):
        needed = {"BTC": 0, "USDT": 0}
        pairs: dict[int, int] = {}
        for order in venue.open_orders(name):
            price = order.price_ticks or order.stop_ticks
            buys = order.side is Side.BUY
            units = model.quote_units(price, order.remaining_lots) if buys else model.base_units(order.remaining_lots)
            if buys and in_quote:
                units += units * venue.model.taker_ppb // 10**9
            if order.list_id >= 0:
                units, pairs[order.list_id] = max(0, units - pairs.get(order.list_id, 0)), max(
                    units, pairs.get(order.list_id, 0)
                )  # fmt: skip
            needed["USDT" if buys else "BTC"] += units
        for balance in venue.account(name).balances:
            assert balance.free_units >= 0
            assert balance.locked_units == needed[balance.asset]


def check_reduce_only(venue: SimulatedVenue) -> None:
    """Reduce-only orders in the book can do no more than close the position."""
    for name in ("alice", "bob", "carol"):
        position = venue.positions(name, SYMBOL)[0].quantity_lots
        working = [order for order in venue.open_orders(name) if order.reduce_only and order.working]
        assert sum(order.remaining_lots for order in working) <= abs(position)
        assert all(order.side.sign * position < 0 for order in working)


def check_standing(venue: SimulatedVenue) -> None:
    """What the book holds is what nobody's orders and the accounts' working orders have left."""
    depth = venue.depth(SYMBOL)
    for name in ("alice", "bob", "carol"):
        for order in venue.open_orders(name):
            if order.working:
                levels = dict(depth.bids if order.side is Side.BUY else depth.asks)
                assert levels.get(order.price_ticks, 0) >= order.remaining_lots


def check_book(venue: SimulatedVenue, shown: dict[tuple[str, int], int], last_id: int) -> int:
    """The events rebuild the book, with update ids that follow each other."""
    for event in venue.take_events():
        if isinstance(event, BookChanged):
            assert event.first_id == last_id + 1
            assert event.last_id - event.first_id + 1 == len(event.bids) + len(event.asks)
            last_id = event.last_id
            for side, levels in (("bid", event.bids), ("ask", event.asks)):
                for price, size in levels:
                    shown[side, price] = size
        elif isinstance(event, TopChanged):
            bids = [price for (side, price), size in shown.items() if side == "bid" and size]
            asks = [price for (side, price), size in shown.items() if side == "ask" and size]
            assert (event.bid_ticks, event.ask_ticks) == (max(bids, default=0), min(asks, default=0))
        elif isinstance(event, OrderUpdated):
            assert event.order.executed_lots <= event.order.quantity_lots
    depth = venue.depth(SYMBOL)
    assert depth.last_update_id == last_id
    assert {key: size for key, size in shown.items() if size} == {
        **{("bid", price): size for price, size in depth.bids},
        **{("ask", price): size for price, size in depth.asks},
    }
    assert not depth.bids or not depth.asks or depth.bids[0][0] < depth.asks[0][0]
    return last_id


def run(venue: SimulatedVenue, steps: list[Action]) -> None:
    shown: dict[tuple[str, int], int] = {}
    now_ns, last_id = START_NS, 0
    for step in steps:
        now_ns += 10**6
        try:
            carry_out(venue, step, now_ns)
        except VenueRefusal as refusal:
            assert refusal.code < 0  # noqa: PT017
        check_money(venue)
        check_standing(venue)
        if venue.model.kind is MarketKind.SPOT:
            check_locks(venue)
        else:
            check_reduce_only(venue)
        last_id = check_book(venue, shown, last_id)


def with_carol(kind: MarketKind, **changed: Any) -> SimulatedVenue:
    """A poor third account."""
    balances = {"USDT": 3 * UNIT, "BTC": UNIT // 50} if kind is MarketKind.SPOT else {"USDT": UNIT // 5}
    model = venue_model(kind, symbol_model(maximum_stops=3, maximum_orders=6), **changed)
    venue = SimulatedVenue(model)
    venue.open_account(AccountModel(account="carol", balances=balances), START_NS)
    return venue


@pytest.mark.parametrize("commission", list(CommissionAsset))
@settings(derandomize=True, deadline=None, max_examples=80)
@given(steps=actions)
def test_spot(commission: CommissionAsset, steps: list[Action]) -> None:
    run(with_carol(MarketKind.SPOT, commission_asset=commission), steps)


@settings(derandomize=True, deadline=None, max_examples=120)
@given(steps=actions)
def test_futures(steps: list[Action]) -> None:
    run(with_carol(MarketKind.USD_MARGINED, funding_interval_ns=10**9), steps)


@pytest.mark.parametrize("kind", list(MarketKind))
@settings(derandomize=True, deadline=None, max_examples=25)
@given(steps=actions)
def test_the_same_calls_at_the_same_times_give_the_same_events(kind: MarketKind, steps: list[Action]) -> None:
    told = []
    for _ in range(2):
        model = venue_model(kind, symbol_model(BackgroundModel(seed=5, spacing_ticks=2, half_spread_ticks=1)))
        venue = SimulatedVenue(model)
        for number, step in enumerate(steps):
            try:
                carry_out(venue, step, START_NS + number * 10**8)
            except VenueRefusal as refusal:
                assert refusal.message  # noqa: PT017
        assert set(venue.totals().values()) <= {0}
        told.append(venue.take_events())
    assert told[0] == told[1]
