"""In the middle of a trade the program is started again."""

from __future__ import annotations

import pytest

from market.detector.states import State
from market.errors import Rejected
from market.orders.kinds import OrderType
from orchestrator.strategies.flash_crash.holding import ExitReason
from orchestrator.strategies.flash_crash.parameters import ExitParameters
from orchestrator.strategies.flash_crash.state import read_state, state_bytes
from tests.orchestrator.strategies.desk import SECOND
from tests.orchestrator.strategies.flash_crash.rig import Rig, active


def test_a_position_goes_on_with_its_target_and_its_clock() -> None:
    before = active(exits=ExitParameters(maximum_hold_ns=20 * SECOND))
    before.enter()
    opened_ns = before.desk.now_ns
    after = before.restart()
    assert after.trader.standing is State.ACTIVE
    after.bid(10_079)
    assert not after.desk.asked
    after.bid(10_080)
    [sale] = after.sales
    assert (sale.quantity, sale.limit_price) == (before.held, 10_080)
    after.desk.fill(sale)
    [trade] = after.trader.closed
    assert (trade.opened_ns, trade.reason) == (opened_ns, ExitReason.TARGET)
    assert trade.gain == trade.bought * 60


def test_the_time_exit_counts_from_the_entry_not_from_the_start() -> None:
    before = active(exits=ExitParameters(maximum_hold_ns=20 * SECOND))
    before.enter()
    opened_ns = before.desk.now_ns
    after = before.restart()
    after.desk.pass_time(19 * SECOND)
    assert not after.sales
    after.desk.pass_time(SECOND)
    [sale] = after.sales
    assert 20 * SECOND <= sale.decided_ns - opened_ns < 21 * SECOND


def test_cooldown_volumes_ranges_and_counts_are_kept() -> None:
    before = active()
    before.enter()
    before.bid(10_080)
    before.desk.fill(before.sales[0])
    before.candle(10_000, 10_100, quantity=100)
    assert sum(before.trader.rejections.values()) == 1
    after = before.restart()
    assert after.trader.rejections == before.trader.rejections
    after.candle(10_000, 10_100, quantity=1_000)
    after.candle(10_000, 10_100, quantity=10_000)
    assert sum(after.trader.rejections.values()) == 2, "the second of the start is not whole, the next one is"
    assert not after.desk.asked


def test_an_order_to_buy_that_was_left_is_withdrawn_and_what_it_bought_is_sold() -> None:
    before = active()
    before.candle(10_000, 10_100)
    [order] = before.purchases
    after = before.restart()
    assert after.desk.cancelled == [order.client_order_id]
    after.desk.fill(order, quantity=9)
    after.desk.cancel(order)
    after.bid(10_080)
    assert [(sale.quantity, sale.limit_price) for sale in after.sales] == [(9, 10_080)]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_position_of_unknown_story_is_sold_at_once(keeps: bool) -> None:
    """The state was saved before the entry was filled, or not at all."""
    before = active()
    before.candle(10_000, 10_100)
    saved = before.trader.save()
    before.desk.fill(before.purchases[0])
    after = Rig(before.parameters.entry, before.parameters.exits)
    if keeps:
        after.trader.restore(saved)
    after.desk.positions = dict(before.desk.positions)
    after.desk.epoch = 2
    after.desk.now_ns = before.desk.now_ns
    after.desk.start()
    after.bid(9_000)
    [sale] = after.sales
    assert (sale.quantity, sale.type, sale.why) == (before.held, OrderType.MARKET, "left_over")
    after.desk.fill(sale, price=9_000)
    assert after.held == 0
    assert [trade.reason for trade in after.trader.closed] == [ExitReason.LEFT_OVER]


def test_a_late_fill_of_an_order_that_nobody_remembers_is_sold_at_once() -> None:
    before = active()
    before.candle(10_000, 10_100)
    after = before.restart(keeps=False)
    after.desk.fill(before.purchases[0], quantity=4)
    after.desk.cancel(before.purchases[0])
    after.bid(10_050)
    [sale] = after.sales
    assert (sale.quantity, sale.why) == (4, "left_over")


def test_money_beyond_64_bits_is_kept() -> None:
    """5,000 of a currency that is counted in 1e-18 are 5e21."""
    before = active()
    before.candle(10_000, 10_100)
    state = read_state(before.trader.save())
    [holding] = state.holdings
    holding.paid, holding.fees = 5 * 10**21, 2**66
    after = Rig(before.parameters.entry, before.parameters.exits)
    after.trader.restore(state_bytes(state))
    [kept] = read_state(after.trader.save()).holdings
    assert (kept.paid, kept.fees, kept.entry_order) == (5 * 10**21, 2**66, holding.entry_order)


@pytest.mark.parametrize("content", [b"", b"\x01", b"not a state"])
def test_a_damaged_state_is_refused(content: bytes) -> None:
    rig = Rig()
    with pytest.raises(Rejected, match="damaged"):
        rig.trader.restore(content)


def test_a_state_of_another_version_is_refused() -> None:
    rig = Rig()
    content = rig.trader.save().replace(b"\xa7version\x01", b"\xa7version\x02")
    with pytest.raises(Rejected, match="version 2"):
        rig.trader.restore(content)
