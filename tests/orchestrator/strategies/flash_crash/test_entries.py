"""When a candle is bought, for how much, and why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from market.detector.states import Permission, Reading, Signal, State
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from orchestrator.strategies.flash_crash.entry import Rejection
from orchestrator.strategies.flash_crash.parameters import ExitParameters
from orchestrator.strategies.flash_crash.scoring import Band
from tests.orchestrator.strategies.desk import MS, NEAR, SECOND
from tests.orchestrator.strategies.flash_crash.rig import ENTRY, Rig, active


def test_a_bullish_candle_is_bought_at_a_fifth_of_its_range() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    [order] = rig.purchases
    assert (order.type, order.time_in_force, order.limit_price) == (OrderType.LIMIT, TimeInForce.GTC, 10_020)
    assert order.quantity == 3_000_000 * 333_300 // 1_000_000 // 10_020
    assert [score.band for score in rig.trader.scores] == [Band.GOOD]
    assert order.why.startswith("score 70.0 good (volatility 15.0, acceleration 15.0")


@pytest.mark.parametrize("prices", [(10_100, 10_000), (10_000, 10_100, 10_000)])
def test_a_candle_that_does_not_rise_is_not(prices: tuple[int, ...]) -> None:
    rig = active()
    rig.candle(*prices)
    assert not rig.purchases
    assert not rig.trader.rejections


@pytest.mark.parametrize("state", [state for state in State if state is not State.ACTIVE])
def test_outside_active_nothing_is_bought(state: State) -> None:
    rig = active()
    rig.end(state)
    rig.candle(10_000, 10_100)
    assert not rig.desk.asked
    assert not rig.trader.rejections


def test_liquidity_is_required() -> None:
    rig = active()
    rig.watch.permissions = Permission.LOWER_ENTRY_SCORE
    rig.candle(10_000, 10_100)
    assert rig.trader.rejections == Counter({Rejection.LIQUIDITY: 1})
    assert not rig.purchases


@pytest.mark.parametrize(("quantity", "bought"), [(2, True), (1, False)])
def test_volume_must_exceed_twice_the_mean(quantity: int, bought: bool) -> None:
    """The seconds before traded one lot each; two trades make the candle."""
    rig = active()
    rig.candle(10_000, 10_100, quantity=quantity)
    assert bool(rig.purchases) is bought
    assert rig.trader.rejections == (Counter() if bought else Counter({Rejection.VOLUME: 1}))


def test_volume_must_exceed_a_minimum_too() -> None:
    rig = active(replace(ENTRY, minimum_volume=20))
    rig.candle(10_000, 10_100, quantity=10)
    assert rig.trader.rejections == Counter({Rejection.VOLUME: 1})
    rig.candle(10_000, 10_100, quantity=100)
    assert len(rig.purchases) == 1


def test_a_score_below_seventy_is_rejected_and_exhaustion_lowers_that() -> None:
    rig = active()
    rig.watch.readings[Reading.IMBALANCE] = -0.5
    rig.candle(10_000, 10_100)
    assert rig.trader.rejections == Counter({Rejection.SCORE: 1})
    rig = active(replace(ENTRY, lowered_score=60.0))
    rig.watch.readings[Reading.IMBALANCE] = 0.0
    rig.watch.signals = Signal.SELLING_EXHAUSTION
    rig.candle(10_000, 10_100)
    [score] = rig.trader.scores
    assert 60.0 <= score.total < 70.0
    assert len(rig.purchases) == 1


def test_a_candle_of_too_small_a_range_is_rejected() -> None:
    """Exactly half a percent is enough."""
    entry = replace(ENTRY, minimum_range_ppm=5_000)
    rig = active(entry)
    rig.candle(10_000, 10_049)
    assert rig.trader.rejections == Counter({Rejection.RANGE: 1})
    rig.candle(10_000, 10_050, quantity=100)
    assert len(rig.purchases) == 1


def test_five_seconds_pass_between_entries() -> None:
    rig = active()
    rig.enter()
    entered_ns = rig.desk.now_ns
    for number in range(6):
        rig.candle(10_000, 10_050, quantity=10 ** (number + 2))
    assert len(rig.purchases) == 2
    assert 5 * SECOND <= rig.purchases[-1].decided_ns - entered_ns < 6 * SECOND
    assert rig.trader.rejections == Counter({Rejection.COOLDOWN: 5})


def test_ten_seconds_pass_after_a_loss() -> None:
    rig = active(exits=ExitParameters(stop_ppm=10_000))
    rig.enter()
    rig.bid(9_900)
    rig.desk.fill(rig.sales[-1], price=9_900)
    [trade] = rig.trader.closed
    assert trade.gain < 0
    lost_ns = rig.desk.now_ns
    for number in range(12):
        rig.candle(9_800, 9_850, quantity=10 ** (number + 2))
    assert 10 * SECOND <= rig.purchases[1].decided_ns - lost_ns < 11 * SECOND


def test_at_most_so_many_positions() -> None:
    rig = active(replace(ENTRY, cooldown_ns=0, concurrent=3))
    for number in range(5):
        rig.candle(10_000, 10_100, quantity=10 ** (number + 2))
        if len(rig.purchases) == number + 1:
            rig.desk.fill(rig.purchases[-1])
    assert len(rig.purchases) == 3
    assert rig.trader.rejections == Counter({Rejection.POSITIONS: 2})


def test_an_order_to_buy_waits_for_a_second_and_no_longer() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    [order] = rig.purchases
    rig.desk.pass_time(SECOND - 1)
    assert rig.desk.cancelled == []
    rig.desk.pass_time(1)
    assert rig.desk.cancelled == [order.client_order_id]
    rig.desk.pass_time(SECOND)
    assert rig.desk.cancelled == [order.client_order_id]
    rig.desk.cancel(order)
    assert not rig.trader.closed
    rig.candle(10_000, 10_100, quantity=1_000)
    assert len(rig.purchases) == 2, "an order that bought nothing is no entry"


def waiting() -> Rig:
    """An order for a first candle waits, and a second one was good enough too."""
    rig = active(replace(ENTRY, lifetime_ns=20 * SECOND))
    rig.candle(10_000, 10_100)
    rig.candle(10_050, 10_150, quantity=100)
    return rig


def test_a_later_candle_takes_the_place_of_one_that_waits() -> None:
    """One order to buy at a time: the earlier one has ended before the later one is sent."""
    rig = waiting()
    [first] = rig.purchases
    assert rig.desk.cancelled == [first.client_order_id]
    assert not rig.trader.rejections
    rig.desk.pass_time(10 * MS)
    assert len(rig.purchases) == 1
    rig.desk.cancel(first)
    assert [order.limit_price for order in rig.purchases] == [10_020, 10_070]
    rig.desk.fill(rig.purchases[1])
    rig.bid(10_130)
    assert [order.limit_price for order in rig.sales] == [10_130]


def test_not_where_the_earlier_one_was_bought_after_all() -> None:
    rig = waiting()
    [first] = rig.purchases
    rig.desk.fill(first, quantity=1)
    rig.desk.cancel(first)
    rig.desk.pass_time(SECOND)
    assert len(rig.purchases) == 1
    assert rig.held == 1


def test_not_where_the_earlier_one_ends_too_late() -> None:
    rig = waiting()
    [first] = rig.purchases
    rig.desk.pass_time(SECOND)
    rig.desk.cancel(first)
    rig.desk.pass_time(SECOND)
    assert len(rig.purchases) == 1
    rig.candle(10_000, 10_100, quantity=1_000)
    assert [order.limit_price for order in rig.purchases] == [10_020, 10_020]


def test_not_where_nothing_may_be_bought_any_more() -> None:
    rig = waiting()
    rig.end()
    rig.desk.cancel(rig.purchases[0])
    rig.activate()
    rig.desk.pass_time(10 * MS)
    assert len(rig.purchases) == 1


@pytest.mark.parametrize("event_ends", [True, False])
def test_an_order_to_buy_is_withdrawn_when_nothing_may_be_bought(event_ends: bool) -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    rig.watch.permissions = Permission(0)
    if event_ends:
        rig.end()
    rig.bid(10_050)
    assert rig.desk.cancelled == [rig.purchases[0].client_order_id]


def test_a_refused_order_is_no_trade() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    rig.desk.refuse(rig.purchases[0])
    assert not rig.trader.closed
    rig.candle(10_000, 10_100, quantity=1_000)
    assert len(rig.purchases) == 2


def test_the_second_in_which_the_watch_began_is_not_traded() -> None:
    rig = Rig()
    rig.desk.start()
    rig.activate()
    rig.desk.set_quote(NEAR, 9_999, 10_001)
    rig.candle(10_000, 10_100, quantity=1_000)
    assert not rig.desk.asked


def test_too_little_equity_for_a_lot() -> None:
    rig = active(lot=1_000)
    rig.candle(10_000, 10_100)
    assert rig.trader.rejections == Counter({Rejection.SIZE: 1})


def test_losses_make_positions_smaller() -> None:
    rig = active(replace(ENTRY, cooldown_ns=0, loss_cooldown_ns=0), ExitParameters(stop_ppm=10_000))
    first = rig.enter()
    rig.bid(5_000)
    rig.desk.fill(rig.sales[-1], price=5_000)
    rig.candle(10_000, 10_100, quantity=1_000)
    loss = first.quantity * (10_020 - 5_000)
    assert rig.purchases[-1].quantity == (3_000_000 - loss) * 333_300 // 1_000_000 // 10_020


def test_a_pattern_of_the_candles_before_counts_though_the_rising_one_has_ended_it() -> None:
    rig = active()
    rig.watch.readings[Reading.IMBALANCE] = -0.3
    rig.watch.signals = Signal.BUYING_CLIMAX
    rig.candle(10_000, 10_100)
    [score] = rig.trader.scores
    assert "pattern 10.0" in str(score)


def test_an_order_works_on_while_its_end_is_on_its_way() -> None:
    rig = active()
    rig.candle(10_000, 10_100)
    rig.desk.pass_time(SECOND)
    [name] = rig.desk.cancelled
    assert rig.desk.orders[name].state is OrderState.CANCEL_REQUESTED
    rig.desk.fill(rig.purchases[0], quantity=5)
    rig.desk.cancel(rig.purchases[0])
    assert rig.held == 5
    rig.bid(10_080)
    assert [(order.side, order.quantity) for order in rig.sales] == [(Side.SELL, 5)]
    rig.desk.pass_time(10 * MS)
