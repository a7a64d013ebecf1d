"""Risk arithmetic: room, cash, profit and exposure in exact integers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.orders.kinds import Side
from market.risk.drawdown import Drawdown
from market.risk.exposure import Holding, exposure, exposure_by_instrument
from market.risk.notional import fee, notional, round_trip_cost
from market.risk.order_flow import OrderFlow
from market.risk.position import Position
from market.risk.room import Standing, room_to_buy, room_to_sell

prices = st.integers(1, 1 << 48)
quantities = st.integers(1, 1 << 48)
trades = st.lists(st.tuples(st.sampled_from(Side), prices, quantities, st.integers(-1000, 1000)), max_size=20)


@given(amount=st.integers(0, 1 << 96), rate=st.integers(-(10**8), 10**8))
@settings(derandomize=True, deadline=None)
def test_a_fee_is_the_least_count_that_covers_it(amount: int, rate: int) -> None:
    exact = Fraction(amount) * rate / 10**9
    assert 0 <= fee(amount, rate) - exact < 1


def test_round_trip_of_a_taker_at_ten_basis_points() -> None:
    assert round_trip_cost(notional(100, 50), notional(110, 50), 1_000_000, 1_000_000) == 5 + 6


@given(trades=trades, mark=prices)
@settings(derandomize=True, deadline=None)
def test_nothing_is_lost_or_made(trades: list[tuple[Side, int, int, int]], mark: int) -> None:
    position = Position()
    cash = held = fees = 0
    for side, price, quantity, paid in trades:
        position = position.traded(side, price, quantity, paid)
        cash -= side.sign * price * quantity
        held += side.sign * quantity
        fees += paid
        assert (position.cash, position.quantity, position.fees) == (cash, held, fees)
        assert position.cash + position.cost == position.realised
        assert position.equity(mark) == position.realised + position.unrealised(mark) - position.fees
        assert position.cost * position.quantity >= 0
        assert position.quantity or not position.cost


@given(trades=trades, mark=prices, data=st.data())
@settings(derandomize=True, deadline=None)
def test_a_fee_in_base_is_paid_from_what_is_held(
    trades: list[tuple[Side, int, int, int]], mark: int, data: st.DataObject
) -> None:
    position = Position()
    base = quote = 0
    for side, price, quantity, fee_quote in trades:
        fee_base = data.draw(st.integers(-quantity, quantity))
        position = position.traded(side, price, quantity, fee_base * price + fee_quote, fee_base)
        base += side.sign * quantity - fee_base
        quote -= side.sign * price * quantity + fee_quote
        assert position.quantity == base
        assert position.equity(mark) == quote + base * mark
        assert position.cash + position.cost == position.realised


def test_buying_ten_and_paying_one_of_them_is_buying_nine() -> None:
    held = Position().traded(Side.BUY, 100, 10, fee=100, fee_base=1)
    assert held == Position(quantity=9, cost=900, cash=-900, fees=100)
    assert held.equity(100) == -100


@given(trades=trades)
@settings(derandomize=True, deadline=None)
def test_average_cost_stays_within_a_count_per_closing_trade(trades: list[tuple[Side, int, int, int]]) -> None:
    position, quantity, cost = Position(), 0, Fraction(0)
    for side, price, size, _ in trades:
        position = position.traded(side, price, size)
        signed = side.sign * size
        if quantity * signed < 0:
            closed = min(size, abs(quantity))
            cost -= cost * closed / abs(quantity)
            cost += side.sign * (size - closed) * price
        else:
            cost += signed * price
        quantity += signed
        assert abs(position.cost - cost) <= len(trades)


def test_realised_profit_is_by_average_cost() -> None:
    held = Position().traded(Side.BUY, 100, 1).traded(Side.BUY, 110, 1).traded(Side.SELL, 120, 1)
    assert (held.realised, held.cost, held.quantity) == (15, 105, 1)
    turned = held.traded(Side.SELL, 100, 3)
    assert (turned.realised, turned.cost, turned.quantity) == (10, -200, -2)
    assert turned.unrealised(90) == 20
    assert turned.exposure(90) == -180


def test_pending_orders_are_never_netted() -> None:
    standing = Standing(position=3).committed(Side.BUY, 5).committed(Side.SELL, 4)
    assert standing.room(Side.BUY, 10) == room_to_buy(10, 3, 5) == 2
    assert standing.room(Side.SELL, 10) == room_to_sell(10, 3, 4) == 9
    assert (standing.worst_position(Side.BUY), standing.worst_position(Side.SELL)) == (8, -1)


@given(
    orders=st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(0, 50)), max_size=20),
    limit=st.integers(0, 200),
)
@settings(derandomize=True, deadline=None)
def test_orders_within_their_room_keep_the_limit_whatever_is_filled(
    orders: list[tuple[Side, int, int]], limit: int
) -> None:
    standing = Standing()
    sent = []
    for side, wanted, filled in orders:
        quantity = min(wanted, standing.room(side, limit))
        if quantity > 0:
            standing = standing.committed(side, quantity)
            sent.append((side, quantity, min(filled, quantity)))
    for side, quantity, filled in sent:
        standing = standing.settled(side, quantity, filled)
        assert abs(standing.position) <= limit
    assert (standing.pending_buy, standing.pending_sell) == (0, 0)


@pytest.mark.parametrize(("released", "filled"), [(6, 0), (3, 4), (-1, -1)])
def test_more_cannot_be_settled_than_is_pending(released: int, filled: int) -> None:
    with pytest.raises(Rejected, match="what is pending"):
        Standing().committed(Side.BUY, 5).settled(Side.BUY, released, filled)


def test_a_late_fill_moves_the_position_alone() -> None:
    assert Standing(pending_buy=2).traded(Side.SELL, 3) == Standing(position=-3, pending_buy=2)


def test_exposure_adds_over_scales_and_venues() -> None:
    holdings = [
        Holding(0, Standing(position=2, pending_sell=5), mark=100, exponent=-2),
        Holding(0, Standing(position=-1), mark=100, exponent=-2),
        Holding(1, Standing(position=-3, pending_sell=1), mark=7, exponent=-1),
    ]
    total = exposure(holdings)
    assert (total.net, total.gross, total.worst, total.exponent) == (100 - 210, 300 + 210, 300 + 100 + 280, -2)
    by_instrument = exposure_by_instrument(holdings)
    assert (by_instrument[0].net, by_instrument[0].gross) == (100, 300)
    assert (by_instrument[1].net, by_instrument[1].exponent) == (-21, -1)
    assert exposure([]).gross == 0


def test_ratios_are_compared_without_division() -> None:
    flow = OrderFlow()
    assert not flow.exceeds_order_to_trade(2)
    flow = flow.with_order().with_order().with_order().with_cancel()
    assert flow.exceeds_order_to_trade(3)
    assert not flow.exceeds_order_to_trade(4)
    assert flow.exceeds_cancels(33)
    assert not flow.exceeds_cancels(34)
    assert not flow.with_trade().with_trade().exceeds_order_to_trade(2)


@given(path=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30))
@settings(derandomize=True, deadline=None)
def test_drawdown_is_the_deepest_fall_from_a_peak(path: list[int]) -> None:
    drawdown = Drawdown.starting(path[0])
    for equity in path[1:]:
        drawdown = drawdown.updated(equity)
    falls = [max(path[: end + 1]) - path[end] for end in range(len(path))]
    assert (drawdown.deepest, drawdown.current) == (max(falls), falls[-1])
    assert drawdown.peak == max(path)


def test_drawdown_in_millionths_is_rounded_up() -> None:
    drawdown = Drawdown.starting(3_000_000).updated(2_999_999)
    assert (drawdown.current_ppm, drawdown.deepest_ppm) == (1, 1)
    assert drawdown.updated(4_000_000).current_ppm == 0
    assert Drawdown.starting(0).updated(-5).current_ppm == 1_000_000
