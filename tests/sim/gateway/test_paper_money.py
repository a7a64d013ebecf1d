"""On paper cash, inventory and fees balance to the unit after everything that happens."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from market.orders.kinds import Side
from market.orders.reports import Balances
from tests.sim.gateway.test_paper import BTC, KEY, Desk

SIDES = st.sampled_from(Side)
STEPS = st.one_of(
    st.tuples(st.just("book"), st.integers(-4, 4), st.integers(1, 40)),
    st.tuples(st.just("trade"), SIDES, st.integers(9_990, 10_010), st.integers(1, 40)),
    st.tuples(st.just("take"), SIDES, st.integers(1, 30)),
    st.tuples(st.just("rest"), SIDES, st.integers(9_990, 10_010), st.integers(1, 30)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
)
CENTI, HUNDREDTH = Decimal("0.01"), 10**6
"""A hundredth of a coin, in coins and in lots of the feed."""


def carry_out(desk: Desk, step: tuple[object, ...]) -> None:
    """One thing that happens: to the market, or by us."""
    match step:
        case ("book", int(middle), int(lots)):
            bids = {9_999 + middle - level: lots * HUNDREDTH for level in range(3)}
            desk.gateway.book(KEY, bids, {10_001 + middle + level: lots * HUNDREDTH for level in range(3)})
        case ("trade", Side() as side, int(tick), int(lots)):
            desk.gateway.trade(KEY, side, tick, lots * HUNDREDTH, desk.clock.now_ns())
        case ("take", Side() as side, int(lots)):
            desk.send(side, f"{lots * CENTI}")
        case ("rest", Side() as side, int(tick), int(lots)):
            desk.send(side, f"{lots * CENTI}", f"{tick * CENTI}", resting=True)
        case ("cancel", int(number)) if desk.orders:
            desk.gateway.cancel(list(desk.orders.values())[number % len(desk.orders)])
    desk.settle()


def check_money(desk: Desk) -> None:
    """What the account holds is what it began with and what the fills say."""
    desk.gateway.request_balances(0)
    desk.settle()
    report = desk.others[-1]
    assert isinstance(report, Balances)
    held = {balance.asset: balance.free + balance.locked for balance in report.balances}
    bought = paid = 0
    for order in desk.orders.values():
        for fill in order.fills:
            bought += order.intent.side.sign * fill.quantity - fill.fee_base
            paid += order.intent.side.sign * fill.notional + fill.fee
    assert held["BTC"] == 1 + BTC.quantity_scale.decimal(bought)
    assert held["USDT"] == 1_000 - Decimal(paid).scaleb(BTC.notional_exponent)
    assert all(balance.free >= 0 and balance.locked >= 0 for balance in report.balances)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(STEPS, min_size=4, max_size=25))
def test_the_account_is_what_the_fills_say_after_every_step(steps: list[tuple[object, ...]]) -> None:
    desk = Desk()
    carry_out(desk, ("book", 0, 20))
    for step in steps:
        carry_out(desk, step)
        check_money(desk)
