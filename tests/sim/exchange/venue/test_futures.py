"""USD-M futures: positions, margin, reduce-only, liquidation, funding, countdowns; to the last unit.

One lot at 10,000 ticks is 0.01 USDT; leverage is 20 unless said otherwise.
"""

from __future__ import annotations

import pytest

from sim.exchange.venue.events import OrderUpdated, PositionChanged
from sim.exchange.venue.kinds import ExecutionKind, LedgerReason, OrderKind, OrderStatus, TimeInForce
from sim.exchange.venue.model import BACKGROUND, HOUSE, UNIT
from sim.exchange.venue.records import MarginBalance, Position
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.venue import SimulatedVenue
from tests.sim.exchange.venue.venues import BUY, SELL, START_NS, SYMBOL, futures, limit, market, now, request, spot

LOT = UNIT // 100
"""Money units of a lot at 10,000 ticks."""
HOUR_NS = 3_600 * 10**9


def position(venue: SimulatedVenue, account: str) -> Position:
    return venue.positions(account, SYMBOL)[0]


def margin(venue: SimulatedVenue, account: str) -> MarginBalance:
    return venue.account(account).margins[0]


def quotes(venue: SimulatedVenue, bid: int, ask: int, lots: int = 1_000_000) -> None:
    """Nobody quotes anew; the mark price is then the last price, or the nearer of the two."""
    venue.withdraw(SYMBOL, START_NS)
    venue.inject(SYMBOL, BUY, bid, lots, START_NS)
    venue.inject(SYMBOL, SELL, ask, lots, START_NS)


def test_a_position_opens_grows_shrinks_and_turns() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 100)
    assert (position(venue, "alice").quantity_lots, position(venue, "alice").cost_units) == (100, 100 * LOT)
    quotes(venue, 10_099, 10_100)
    market(venue, "alice", BUY, 100)
    assert position(venue, "alice").cost_units == 201 * LOT
    quotes(venue, 10_200, 10_201)
    market(venue, "alice", SELL, 50)
    (trade,) = venue.trades("alice", SYMBOL, limit=1)
    assert trade.realised_units == 51 * LOT - 201 * LOT // 4
    market(venue, "alice", SELL, 250)
    turned = position(venue, "alice")
    assert (turned.quantity_lots, turned.cost_units) == (-100, -102 * LOT)
    (trade,) = venue.trades("alice", SYMBOL, limit=1)
    assert trade.realised_units == 153 * LOT - (201 * LOT - 201 * LOT // 4)
    assert set(venue.totals().values()) == {0}


def test_the_wallet_takes_profits_and_commissions() -> None:
    venue = futures()
    limit(venue, "alice", SELL, 10_000, 100)
    market(venue, "bob", BUY, 100)
    quotes(venue, 10_100, 10_101)
    market(venue, "bob", SELL, 100)
    bought, sold = 100 * LOT, 101 * LOT
    commissions = bought * 5 // 10_000 + sold * 5 // 10_000
    assert margin(venue, "bob").wallet_units == 1_000 * UNIT + sold - bought - commissions
    assert margin(venue, "alice").wallet_units == 1_000 * UNIT - bought * 2 // 10_000
    assert venue.account(HOUSE).balances[0].free_units == commissions + bought * 2 // 10_000
    reasons = [entry.reason for entry in venue.ledger("bob")]
    assert reasons == [
        LedgerReason.DEPOSIT,
        LedgerReason.COMMISSION,
        LedgerReason.REALIZED_PNL,
        LedgerReason.COMMISSION,
    ]


def test_a_position_that_turns_starts_with_charges_of_its_own() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 100)
    market(venue, "alice", SELL, 100)
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 100)
    assert position(venue, "alice").break_even_units == 100 * LOT + 100 * LOT * 5 // 10_000


def test_margin_follows_the_mark_price() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 10_000)
    paid = 10_000 * LOT * 5 // 10_000
    quotes(venue, 10_099, 10_101)
    assert venue.mark_ticks(SYMBOL) == 10_099
    found = margin(venue, "alice")
    worth = 10_000 * 10_099 * 100
    assert found.wallet_units == 1_000 * UNIT - paid
    assert found.unrealised_units == worth - 10_000 * LOT
    assert found.position_margin_units == -(-worth // 20)
    assert found.maintenance_margin_units == worth * 4 // 1_000
    assert found.available_units == found.margin_units - found.position_margin_units
    assert position(venue, "alice").break_even_units == 10_000 * LOT + paid


def test_orders_take_margin_only_for_what_they_add() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 1_000)
    limit(venue, "alice", SELL, 10_500, 1_500)
    assert margin(venue, "alice").order_margin_units == 0
    order = limit(venue, "alice", BUY, 9_000, 1_000)
    assert margin(venue, "alice").order_margin_units == 9 * UNIT // 20
    venue.cancel("alice", SYMBOL, START_NS, order_id=order.order_id)
    assert margin(venue, "alice").order_margin_units == 0


def test_margin_that_does_not_suffice() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000, 10_000_000)
    for kind, price in ((OrderKind.LIMIT, 10_000), (OrderKind.MARKET, 0)):
        with pytest.raises(VenueRefusal) as raised:
            venue.place(request("alice", BUY, kind, 2_000_000, price), START_NS)
        assert (raised.value.code, raised.value.message) == (-2019, "Margin is insufficient.")
    assert market(venue, "alice", BUY, 1_900_000).status is OrderStatus.FILLED
    with pytest.raises(VenueRefusal, match="-2019"):
        limit(venue, "alice", BUY, 9_000, 200_000)
    assert limit(venue, "alice", SELL, 11_000, 1_900_000).status is OrderStatus.NEW


def test_leverage_is_set_within_bounds_and_margin() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    venue.set_leverage("alice", SYMBOL, 5, START_NS)
    market(venue, "alice", BUY, 400_000)
    assert position(venue, "alice").leverage == 5
    for leverage, code in ((0, -4028), (126, -4028), (3, -2028)):
        with pytest.raises(VenueRefusal) as raised:
            venue.set_leverage("alice", SYMBOL, leverage, START_NS)
        assert raised.value.code == code
    assert position(venue, "alice").leverage == 5


def test_reduce_only_orders_reduce() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    for side in (BUY, SELL):
        with pytest.raises(VenueRefusal) as raised:
            market(venue, "alice", side, 1, reduce_only=True)
        assert (raised.value.code, raised.value.message) == (-2022, "ReduceOnly Order is rejected.")
    market(venue, "alice", BUY, 100)
    with pytest.raises(VenueRefusal, match="-2022"):
        limit(venue, "alice", BUY, 9_000, 10, reduce_only=True)
    order = limit(venue, "alice", SELL, 11_000, 70, reduce_only=True)
    smaller = limit(venue, "alice", SELL, 11_000, 70, reduce_only=True)
    assert (order.quantity_lots, smaller.quantity_lots) == (70, 30)
    market(venue, "alice", SELL, 80)
    assert (now(venue, order).quantity_lots, now(venue, smaller).status) == (20, OrderStatus.EXPIRED)
    market(venue, "alice", SELL, 20)
    assert now(venue, order).status is OrderStatus.EXPIRED


def test_a_reduce_only_order_is_not_amended_beyond_the_position() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 100)
    order = limit(venue, "alice", SELL, 11_000, 60, reduce_only=True)
    with pytest.raises(VenueRefusal, match="-2022"):
        venue.amend("alice", SYMBOL, START_NS, order_id=order.order_id, quantity_lots=101)
    assert venue.amend("alice", SYMBOL, START_NS, order_id=order.order_id, quantity_lots=100).quantity_lots == 100


def test_a_reduce_only_stop_is_cut_to_the_position_when_it_triggers() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 30)
    fields = {"stop_ticks": 9_900, "reduce_only": True}
    stop = venue.place(request("alice", SELL, OrderKind.STOP_LOSS_LIMIT, 50, 9_950, **fields), START_NS)
    quotes(venue, 9_900, 9_960)
    market(venue, "bob", SELL, 1)
    assert (now(venue, stop).status, now(venue, stop).quantity_lots) == (OrderStatus.NEW, 30)
    market(venue, "bob", BUY, 30)
    assert now(venue, stop).status is OrderStatus.FILLED
    assert venue.open_orders("alice") == ()


def test_a_stop_closes_the_whole_position() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 123)
    stop = venue.place(request("alice", SELL, OrderKind.STOP_LOSS, stop_ticks=9_950, close_position=True), START_NS)
    quotes(venue, 9_949, 9_950)
    market(venue, "bob", BUY, 1)
    assert (now(venue, stop).status, now(venue, stop).executed_lots) == (OrderStatus.FILLED, 123)
    assert position(venue, "alice").quantity_lots == 0


def test_a_post_only_order_is_refused_in_words_of_its_own() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    with pytest.raises(VenueRefusal, match="-5022"):
        limit(venue, "alice", BUY, 10_000, 1, time_in_force=TimeInForce.GTX)
    assert limit(venue, "alice", BUY, 9_999, 1, time_in_force=TimeInForce.GTX).status is OrderStatus.NEW


def test_an_amended_post_only_order_is_refused_where_it_would_trade() -> None:
    venue = futures()
    quotes(venue, 9_990, 10_000)
    order = limit(venue, "alice", BUY, 9_980, 5, time_in_force=TimeInForce.GTX)
    with pytest.raises(VenueRefusal, match="-5022"):
        venue.amend("alice", SYMBOL, START_NS, order_id=order.order_id, quantity_lots=5, price_ticks=10_000)
    with pytest.raises(VenueRefusal, match="-5027"):
        venue.amend("alice", SYMBOL, START_NS, order_id=order.order_id, quantity_lots=5, price_ticks=9_980)
    amended = venue.amend("alice", SYMBOL, START_NS, order_id=order.order_id, quantity_lots=5, price_ticks=9_999)
    assert (amended.price_ticks, amended.status) == (9_999, OrderStatus.NEW)
    assert margin(venue, "alice").order_margin_units == 5 * 9_999 * 100 // 20


def test_a_duplicate_client_order_id_has_a_code_of_its_own() -> None:
    venue = futures()
    limit(venue, "alice", BUY, 9_999, 1, client_order_id="mine")
    with pytest.raises(VenueRefusal, match="-4116"):
        limit(venue, "alice", BUY, 9_999, 1, client_order_id="mine")


def test_an_account_whose_margin_is_gone_is_liquidated() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000, 10_000_000)
    market(venue, "alice", BUY, 1_900_000)
    resting = limit(venue, "alice", SELL, 12_000, 10)
    venue.take_events()
    quotes(venue, 9_515, 9_520, 10_000_000)
    market(venue, "bob", SELL, 1)
    told = [event for event in venue.take_events() if isinstance(event, OrderUpdated) and event.account == "alice"]
    assert told[0].order.order_id == resting.order_id
    assert told[0].execution is ExecutionKind.CANCELED
    assert told[1].order.client_order_id.startswith("autoclose-")
    assert position(venue, "alice").quantity_lots == 0
    lost = 1_900_000 * (10_000 - 9_515) * 100
    paid = 1_900_000 * LOT * 5 // 10_000 + 1_900_000 * 9_515 * 100 * 5 // 10_000
    assert margin(venue, "alice").wallet_units == 1_000 * UNIT - lost - paid
    assert set(venue.totals().values()) == {0}


def test_the_house_pays_what_a_liquidated_account_owes() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000, 10_000_000)
    market(venue, "alice", BUY, 1_900_000)
    quotes(venue, 9_000, 9_001, 10_000_000)
    market(venue, "bob", SELL, 1)
    assert margin(venue, "alice").wallet_units == 0
    assert venue.ledger("alice")[-1].reason is LedgerReason.INSURANCE_CLEAR
    assert set(venue.totals().values()) == {0}


def test_funding_goes_from_longs_to_shorts() -> None:
    venue = futures(funding_rate_ppb=100_000)
    limit(venue, "alice", SELL, 10_000, 1_000)
    market(venue, "bob", BUY, 1_000)
    wallets = [margin(venue, name).wallet_units for name in ("alice", "bob")]
    due_ns = venue.funding(SYMBOL).next_ns
    assert due_ns % (8 * HOUR_NS) == 0
    assert venue.next_ns() == due_ns
    venue.advance(due_ns - 1)
    assert margin(venue, "bob").wallet_units == wallets[1]
    venue.advance(due_ns)
    paid = 1_000 * LOT // 10_000
    assert margin(venue, "bob").wallet_units == wallets[1] - paid
    assert margin(venue, "alice").wallet_units == wallets[0] + paid
    assert venue.ledger("bob")[-1].reason is LedgerReason.FUNDING_FEE
    commission = 1_000 * LOT * 5 // 10_000
    assert position(venue, "bob").break_even_units == 1_000 * LOT + commission + paid
    assert venue.funding(SYMBOL).next_ns == due_ns + 8 * HOUR_NS


def test_who_cannot_pay_funding_is_liquidated() -> None:
    venue = futures(funding_rate_ppb=49_000_000)
    quotes(venue, 9_999, 10_000, 10_000_000)
    market(venue, "alice", BUY, 1_900_000)
    venue.advance(venue.funding(SYMBOL).next_ns)
    assert position(venue, "alice").quantity_lots == 0
    assert set(venue.totals().values()) == {0}


def test_a_countdown_cancels_unless_it_is_renewed() -> None:
    venue = futures()
    order = limit(venue, "alice", BUY, 9_000, 1)
    other = limit(venue, "bob", BUY, 9_000, 1)
    venue.countdown_cancel("alice", SYMBOL, 1_000, START_NS)
    venue.countdown_cancel("alice", SYMBOL, 1_000, START_NS + 900_000_000)
    venue.advance(START_NS + 1_899_999_999)
    assert now(venue, order).status is OrderStatus.NEW
    assert venue.next_ns() == START_NS + 1_900_000_000
    venue.advance(START_NS + 1_900_000_000)
    assert now(venue, order).status is OrderStatus.CANCELED
    assert now(venue, other).status is OrderStatus.NEW


def test_a_countdown_of_zero_stops_it() -> None:
    venue = futures()
    order = limit(venue, "alice", BUY, 9_000, 1)
    venue.countdown_cancel("alice", SYMBOL, 1_000, START_NS)
    venue.countdown_cancel("alice", SYMBOL, 0, START_NS)
    venue.advance(START_NS + 2_000_000_000)
    assert now(venue, order).status is OrderStatus.NEW


def test_positions_are_told_of() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    venue.take_events()
    market(venue, "alice", BUY, 5)
    (told,) = (event for event in venue.take_events() if isinstance(event, PositionChanged))
    assert (told.account, told.position.quantity_lots) == ("alice", 5)
    assert venue.account(BACKGROUND).positions[0].quantity_lots == -5


def test_only_free_margin_can_be_taken_out() -> None:
    venue = futures()
    quotes(venue, 9_999, 10_000)
    market(venue, "alice", BUY, 100_000)
    free = margin(venue, "alice").available_units
    with pytest.raises(VenueRefusal):
        venue.deposit("alice", "USDT", -free - 1, START_NS)
    venue.deposit("alice", "USDT", -free, START_NS)
    assert margin(venue, "alice").available_units == 0


def test_spot_has_none_of_it() -> None:
    venue = spot()
    for ask in (
        lambda: venue.positions("alice"),
        lambda: venue.funding(SYMBOL),
        lambda: venue.set_leverage("alice", SYMBOL, 2, START_NS),
    ):
        with pytest.raises(VenueRefusal, match="-1014"):
            ask()
