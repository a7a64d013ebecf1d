"""Why a position is left, each with a price path by hand; bought at 10,020 of a candle from 10,000 to 10,100."""

from __future__ import annotations

import pytest

from market.detector.states import State
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from orchestrator.strategies.flash_crash.holding import ExitReason
from orchestrator.strategies.flash_crash.parameters import ExitParameters
from tests.orchestrator.strategies.desk import MS, NEAR, SECOND
from tests.orchestrator.strategies.flash_crash.rig import Rig, active

TARGET = 10_080


def left(rig: Rig, reason: ExitReason) -> OrderIntent:
    """The one order to sell, which is for all and says why; filled, the trade is over."""
    [sale] = rig.sales
    assert sale.why == reason.name.lower()
    assert sale.quantity == rig.held
    kind = OrderType.LIMIT if reason is ExitReason.TARGET else OrderType.MARKET
    assert (sale.type, sale.time_in_force) == (kind, TimeInForce.IOC)
    rig.desk.fill(sale, price=rig.desk.quotes[0, NEAR].bid_price)
    assert [trade.reason for trade in rig.trader.closed] == [reason]
    assert rig.held == 0
    rig.desk.pass_time(SECOND)
    assert len(rig.sales) == 1
    return sale


def test_at_the_target() -> None:
    rig = active()
    rig.enter()
    rig.bid(TARGET - 1)
    assert not rig.sales
    rig.bid(TARGET)
    assert left(rig, ExitReason.TARGET).limit_price == TARGET
    [trade] = rig.trader.closed
    assert trade.gain == trade.bought * (TARGET - 10_020)


def test_a_sale_at_the_target_that_finds_nobody_is_tried_again_later() -> None:
    rig = active()
    rig.enter()
    rig.bid(TARGET)
    rig.desk.expire(rig.sales[0])
    rig.bid(TARGET - 5)
    rig.desk.pass_time(SECOND)
    assert len(rig.sales) == 1, "the target is a price, not a decision to leave"
    rig.bid(TARGET)
    assert len(rig.sales) == 2


@pytest.mark.parametrize("state", [State.RECOVERY, State.SLEEP, State.SHUTDOWN])
def test_when_the_event_is_over(state: State) -> None:
    rig = active()
    rig.enter()
    rig.end(state)
    rig.desk.trade(NEAR, Side.BUY, 10_050, 1)
    left(rig, ExitReason.EVENT_OVER)


def test_at_the_stop() -> None:
    """2.5 % below 10,020 is 9,769.5."""
    rig = active(exits=ExitParameters(stop_ppm=25_000))
    rig.enter()
    rig.bid(9_770)
    assert not rig.sales
    rig.bid(9_769)
    left(rig, ExitReason.STOP)


def test_after_twenty_seconds() -> None:
    rig = active(exits=ExitParameters(maximum_hold_ns=20 * SECOND))
    rig.enter()
    rig.desk.pass_time(20 * SECOND - 1)
    assert not rig.sales
    rig.desk.pass_time(100 * MS)
    left(rig, ExitReason.TIME)


def test_when_a_candle_after_the_entry_closes_bearish() -> None:
    rig = active(exits=ExitParameters(exits_bearish=True))
    rig.enter()
    rig.candle(10_040, 10_030)
    assert not rig.sales, "the candle of the entry began before it"
    rig.candle(10_030, 10_020, 10_030)
    rig.candle(10_030, 10_031)
    assert not rig.sales
    rig.desk.trade(NEAR, Side.SELL, 10_040, 1)
    rig.desk.trade(NEAR, Side.SELL, 10_039, 1)
    assert not rig.sales, "a candle has a colour when it closes"
    rig.desk.pass_time(SECOND)
    left(rig, ExitReason.BEARISH)


def test_at_a_gap_down_between_candles() -> None:
    """0.1 % below a close of 10,040 is 10,029.96."""
    rig = active(exits=ExitParameters(gap_ppm=1_000))
    rig.enter()
    rig.candle(10_040)
    rig.candle(10_030, 10_040)
    assert not rig.sales
    rig.desk.trade(NEAR, Side.SELL, 10_029, 1)
    left(rig, ExitReason.NEGATIVE_GAP)


def test_a_gap_over_a_second_without_trades_is_none() -> None:
    rig = active(exits=ExitParameters(gap_ppm=1_000))
    rig.enter()
    rig.candle(10_040)
    rig.desk.pass_time(SECOND)
    rig.desk.trade(NEAR, Side.SELL, 10_000, 1)
    assert not rig.sales


def test_at_a_sudden_reversal() -> None:
    """1 % within one second, from the highest trade since the entry."""
    rig = active(exits=ExitParameters(reversal_ppm=10_000))
    rig.enter()
    rig.candle(10_070)
    rig.desk.trade(NEAR, Side.SELL, 10_000, 1)
    rig.desk.trade(NEAR, Side.SELL, 9_900, 1)
    assert not rig.sales, "9,900 is 1 % below 10,000, and not more"
    rig.desk.trade(NEAR, Side.SELL, 9_899, 1)
    left(rig, ExitReason.REVERSAL)


def test_at_the_trailing_stop() -> None:
    """0.2 % below a local maximum of 10,070 is 10,049.86."""
    rig = active(exits=ExitParameters(trailing_ppm=2_000))
    rig.enter()
    rig.bid(10_030)
    rig.bid(9_990)
    assert not rig.sales, "0.2 % below 10,030 is less than what was paid: there is nothing to protect"
    rig.bid(10_070)
    rig.bid(10_050)
    assert not rig.sales
    rig.bid(10_049)
    left(rig, ExitReason.TRAILING)


def test_the_target_sinks_after_five_seconds() -> None:
    """From 10,080 at 5 s to 10,020 at 20 s: 10,060 at 10 s."""
    rig = active(exits=ExitParameters(decay_after_ns=5 * SECOND))
    rig.enter()
    rig.desk.pass_time(5 * SECOND)
    rig.bid(TARGET - 1)
    assert not rig.sales
    rig.desk.pass_time(5 * SECOND)
    rig.bid(10_059)
    assert len(rig.sales) == 1
    rig = active(exits=ExitParameters(decay_after_ns=5 * SECOND))
    rig.enter()
    rig.desk.pass_time(10 * SECOND)
    rig.bid(10_059)
    assert not rig.sales
    rig.bid(10_060)
    assert left(rig, ExitReason.TARGET).limit_price == 10_060


def test_readme_has_neither_stop_nor_time() -> None:
    rig = active(exits=ExitParameters())
    rig.enter()
    rig.bid(5_000)
    rig.candle(10_000, 5_000)
    rig.desk.pass_time(600 * SECOND)
    assert not rig.sales


def test_what_is_left_urgently_is_sold_until_nothing_is_left() -> None:
    rig = active(exits=ExitParameters(stop_ppm=25_000))
    rig.enter()
    held = rig.held
    rig.bid(9_700)
    rig.desk.fill(rig.sales[0], quantity=10, price=9_700)
    rig.desk.expire(rig.sales[0])
    rig.bid(10_100)
    assert [sale.quantity for sale in rig.sales] == [held, held - 10]
    rig.desk.refuse(rig.sales[1])
    rig.bid(10_101)
    assert len(rig.sales) == 2, "not again at once"
    rig.desk.pass_time(200 * MS)
    assert [sale.quantity for sale in rig.sales] == [held, held - 10, held - 10]
    rig.desk.fill(rig.sales[2], price=10_101)
    assert rig.held == 0
    assert [trade.reason for trade in rig.trader.closed] == [ExitReason.STOP]


def test_without_a_quote_nothing_is_sold_until_there_is_one() -> None:
    rig = active()
    rig.enter()
    rig.desk.set_quote(NEAR, 0, 0)
    rig.end()
    rig.desk.pass_time(SECOND)
    assert not rig.sales
    rig.bid(9_000)
    left(rig, ExitReason.EVENT_OVER)


def test_what_is_still_being_bought_is_withdrawn_before_anything_is_sold() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    order = rig.purchases[0]
    rig.desk.fill(order, quantity=10)
    rig.bid(TARGET)
    assert rig.desk.cancelled == [order.client_order_id]
    assert not rig.sales
    rig.desk.fill(order, quantity=5)
    rig.desk.cancel(order)
    assert [sale.quantity for sale in rig.sales] == [15]


def test_an_order_to_buy_of_unknown_outcome_does_not_keep_what_is_held() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    rig.desk.fill(rig.purchases[0], quantity=10)
    rig.desk.lose(rig.purchases[0])
    rig.end()
    rig.bid(10_000)
    assert [sale.quantity for sale in rig.sales] == [10]


def test_a_fill_after_the_end_is_sold() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    order = rig.purchases[0]
    rig.end()
    rig.bid(10_050)
    rig.desk.cancel(order)
    rig.desk.pass_time(SECOND)
    rig.desk.fill(order, quantity=7)
    [sale] = rig.sales
    assert (sale.quantity, sale.type) == (7, OrderType.MARKET)


def test_a_fee_in_what_was_bought_leaves_parts_of_a_lot() -> None:
    rig = active(lot=10)
    rig.candle(10_000, 10_100)
    order = rig.purchases[0]
    assert order.quantity % 10 == 0
    rig.desk.fill(order, quantity=order.quantity, fee=10_020, fee_base=1)
    rig.bid(TARGET)
    [sale] = rig.sales
    assert sale.quantity == order.quantity - 10
    rig.desk.fill(sale)
    assert rig.held == 9
    [trade] = rig.trader.closed
    assert trade.fees == 10_020


def test_a_fill_that_the_fee_took_whole_leaves_nothing_to_sell() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    rig.desk.fill(rig.purchases[0], quantity=1, fee=10_020, fee_base=1)
    rig.bid(10_090)
    assert not rig.sales
    rig.desk.fill(rig.purchases[0], quantity=4)
    rig.bid(10_091)
    rig.desk.cancel(rig.purchases[0])
    assert [sale.quantity for sale in rig.sales] == [4]
