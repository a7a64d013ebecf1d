"""Two legs at once, and what is done about one that fails."""

from __future__ import annotations

from market.fastpath.specification import Kind
from market.fixed_point import floor_to
from market.instruments import Catalogue
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.strategies.arbitrage import Arbitrage, ArbitrageParameters
from orchestrator.strategies.arbitrage_metrics import Skip
from orchestrator.strategies.leg_closing import ClosingSettings
from orchestrator.strategies.sizing import FullSize
from orchestrator.strategies.stock import Stock
from orchestrator.strategies.two_leg_plan import Outcome
from tests.orchestrator.strategies.desk import FAR, MS, NEAR, START, Desk, listing, trigger


def desk(parameters: ArbitrageParameters | None = None, catalogue: Catalogue | None = None) -> Desk:
    made = Desk(Arbitrage(parameters or ArbitrageParameters()), catalogue or Catalogue([listing(NEAR), listing(FAR)]))
    made.set_quote(NEAR, 9_990, 10_000)
    made.set_quote(FAR, 10_100, 10_110)
    return made


def outcomes(made: Desk) -> dict[Outcome, int]:
    assert isinstance(made.strategy, Arbitrage)
    return {outcome: count for outcome, count in made.strategy.metrics.outcomes.items() if count}


def skips(made: Desk) -> dict[Skip, int]:
    assert isinstance(made.strategy, Arbitrage)
    return dict(made.strategy.metrics.skipped)


def legs(made: Desk) -> tuple[OrderIntent, OrderIntent]:
    sale, purchase = made.asked[:2]
    return sale, purchase


def test_both_legs_leave_at_once_as_immediate_orders_at_the_triggers_prices() -> None:
    made = desk()
    made.trigger(trigger())
    sale, purchase = legs(made)
    assert (sale.side, sale.venue, sale.limit_price, sale.quantity) == (Side.SELL, FAR, 10_100, 10)
    assert (purchase.side, purchase.venue, purchase.limit_price, purchase.quantity) == (Side.BUY, NEAR, 10_000, 10)
    assert {sale.type, purchase.type} == {OrderType.LIMIT}
    assert {sale.time_in_force, purchase.time_in_force} == {TimeInForce.IOC}
    assert sale.decided_ns == purchase.decided_ns == START


def test_both_legs_are_as_large_as_own_trading_on_the_dearer_venue_lets_them_be() -> None:
    class Dear(FullSize):
        def taking(self, market: MarketKey, quantity: int, lot: int) -> int:
            return floor_to(quantity // 2 if market == (0, FAR) else quantity, lot)

    made = Desk(Arbitrage(ArbitrageParameters(), sizing=Dear()))
    made.set_quote(NEAR, 9_990, 10_000)
    made.set_quote(FAR, 10_100, 10_110)
    made.trigger(trigger())
    assert [leg.quantity for leg in legs(made)] == [5, 5]


def test_two_whole_legs_are_a_hit_whose_profit_is_the_edge_less_fees() -> None:
    made = desk()
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.fill(sale, fee=7)
    made.now_ns += 3 * MS
    made.fill(purchase, fee=8)
    assert isinstance(made.strategy, Arbitrage)
    metrics = made.strategy.metrics
    assert outcomes(made) == {Outcome.COMPLETE: 1}
    assert metrics.profit[0] == 10 * 10_100 - 10 * 10_000 - 15
    assert (metrics.hit_rate, metrics.broken_share) == (1.0, 0.0)
    assert metrics.filled_delays.mean_ns == 3 * MS
    assert len(made.asked) == 2


def test_a_missed_quote_leaves_nothing_to_close() -> None:
    made = desk()
    made.trigger(trigger())
    for leg in legs(made):
        made.expire(leg)
    assert outcomes(made) == {Outcome.MISSED: 1}
    assert len(made.asked) == 2


def test_legs_filled_alike_but_not_whole_are_left_as_they_are() -> None:
    made = desk()
    made.trigger(trigger())
    for leg in legs(made):
        made.fill(leg, 4)
        made.expire(leg)
    assert outcomes(made) == {Outcome.PARTIAL: 1}
    assert len(made.asked) == 2


def test_an_open_leg_is_closed_at_market_where_it_was_traded_as_soon_as_the_other_has_failed() -> None:
    made = desk()
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.fill(purchase)
    assert len(made.asked) == 2
    made.refuse(sale)
    closing = made.asked[2]
    assert (closing.type, closing.side, closing.venue, closing.quantity) == (OrderType.MARKET, Side.SELL, NEAR, 10)
    made.fill(closing, price=9_900)
    assert outcomes(made) == {Outcome.CLOSED: 1}
    assert isinstance(made.strategy, Arbitrage)
    assert made.strategy.metrics.profit[0] == 10 * (9_900 - 10_000)
    assert made.strategy.metrics.broken_share == 1.0


def test_only_what_one_leg_has_more_is_closed() -> None:
    made = desk()
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.fill(sale)
    made.fill(purchase, 3)
    made.expire(purchase)
    closing = made.asked[2]
    assert (closing.side, closing.venue, closing.quantity) == (Side.BUY, FAR, 7)


def test_a_commission_taken_in_base_is_not_sold() -> None:
    made = desk()
    made.trigger(trigger(quantity=1_000))
    sale, purchase = legs(made)
    made.fill(purchase, fee=10_000, fee_base=1)
    made.expire(sale)
    assert made.asked[2].quantity == 999
    made.fill(made.asked[2], price=9_990)
    assert outcomes(made) == {Outcome.CLOSED: 1}
    assert made.positions[0, NEAR].quantity == 0


def test_a_closing_order_that_fails_is_sent_again_after_pauses_that_double() -> None:
    made = desk(ArbitrageParameters(closing=ClosingSettings(maximum_quote_age_ns=10**12)))
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.fill(sale)
    made.refuse(purchase)
    for pause_ms, number in ((100, 2), (200, 3), (400, 4)):
        made.refuse(made.asked[number])
        made.pass_time((pause_ms - 1) * MS)
        assert len(made.asked) == number + 1
        made.pass_time(MS)
        assert len(made.asked) == number + 2
    made.fill(made.asked[5], 4, price=10_200)
    made.expire(made.asked[5])
    made.pass_time(800 * MS)
    assert made.asked[6].quantity == 6


def test_nothing_is_closed_blindly_while_the_book_is_unknown_or_old() -> None:
    made = desk()
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.set_quote(FAR, 0, 0)
    made.fill(sale)
    made.expire(purchase)
    made.pass_time(300 * MS)
    assert len(made.asked) == 2
    made.set_quote(FAR, 10_090, 10_095)
    made.pass_time(100 * MS)
    assert made.asked[2].venue == FAR


def test_a_silent_leg_does_not_keep_the_other_open_for_ever() -> None:
    made = desk(ArbitrageParameters(closing=ClosingSettings(maximum_quote_age_ns=10**12)))
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.fill(purchase)
    made.lose(sale)
    made.pass_time(1_999 * MS)
    assert len(made.asked) == 2
    made.pass_time(MS)
    first = made.asked[2]
    assert (first.side, first.venue) == (Side.SELL, NEAR)
    made.fill(first, price=9_990)
    assert not outcomes(made)
    made.fill(sale)
    second = made.asked[3]
    assert (second.side, second.venue, second.quantity) == (Side.BUY, FAR, 10)
    made.fill(second, price=10_110)
    assert outcomes(made) == {Outcome.CLOSED: 1}


def test_a_fill_that_comes_after_the_end_opens_the_plan_again() -> None:
    made = desk()
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.expire(sale)
    made.expire(purchase)
    assert outcomes(made) == {Outcome.MISSED: 1}
    made.fill(sale, 4)
    assert outcomes(made) == {}
    made.fill(made.asked[2], price=10_110)
    assert outcomes(made) == {Outcome.CLOSED: 1}


def test_a_rest_that_the_venue_does_not_take_is_left_open_and_said_to_be() -> None:
    made = desk(catalogue=Catalogue([listing(NEAR, minimum_quantity=5), listing(FAR)]))
    made.trigger(trigger())
    sale, purchase = legs(made)
    made.fill(purchase, 4)
    made.expire(purchase)
    made.expire(sale)
    assert outcomes(made) == {Outcome.LEFT_OPEN: 1}


def test_a_trigger_is_left_alone_when_it_is_thin_late_busy_or_of_another_kind() -> None:
    made = desk(ArbitrageParameters(safety_margin={0: 50}))
    made.trigger(trigger(1, edge=49))
    made.trigger(trigger(2, cause_ns=START - 51 * MS))
    made.trigger(trigger(3, kind=Kind.BASIS))
    assert not made.asked
    made.trigger(trigger(4))
    made.trigger(trigger(5))
    assert len(made.asked) == 2
    assert skips(made) == {Skip.THIN: 1, Skip.LATE: 1, Skip.BUSY: 1}


def test_the_quantity_is_what_the_balances_and_the_lots_of_both_venues_allow() -> None:
    stocks = {(0, FAR): Stock(base=8, quote=0), (0, NEAR): Stock(base=0, quote=10**9)}
    made = desk(ArbitrageParameters(stocks=stocks), Catalogue([listing(NEAR, lot=3), listing(FAR, lot=2)]))
    made.trigger(trigger())
    assert [intent.quantity for intent in legs(made)] == [6, 6]


def test_a_purchase_is_no_larger_than_the_money_with_its_fee() -> None:
    stocks = {(0, NEAR): Stock(base=0, quote=10_000 * 5 + 50)}
    made = desk(ArbitrageParameters(stocks=stocks, taker_fee_ppb={NEAR: 1_000_000}))
    made.trigger(trigger())
    assert legs(made)[1].quantity == 5
    made.fill(legs(made)[0])
    made.fill(legs(made)[1], fee=50)
    made.trigger(trigger(2))
    assert skips(made) == {Skip.STOCK: 1}


def test_rebalancing_is_called_for_when_a_venue_has_too_little_left() -> None:
    stocks = {(0, NEAR): Stock(base=10, quote=200_000), (0, FAR): Stock(base=10, quote=200_000)}
    made = desk(ArbitrageParameters(stocks=stocks))
    made.trigger(trigger())
    for leg in legs(made):
        made.fill(leg)
    assert isinstance(made.strategy, Arbitrage)
    (move,) = made.strategy.transfers
    assert (move.is_base, move.source, move.destination, move.amount) == (True, NEAR, FAR, 10)


def test_the_shadow_mode_sends_nothing_and_looks_whether_the_quotes_would_have_been_met() -> None:
    made = desk(ArbitrageParameters(shadow_ns=5 * MS))
    made.trigger(trigger())
    made.pass_time(5 * MS)
    made.trigger(trigger(2))
    made.set_quote(FAR, 10_099, 10_110)
    made.pass_time(5 * MS)
    assert not made.asked
    assert isinstance(made.strategy, Arbitrage)
    metrics = made.strategy.metrics
    assert [attempt.is_hit for attempt in metrics.shadows] == [True, False]
    assert (metrics.attempts, metrics.hit_rate) == (2, 0.5)


def left(near: int, far: int) -> Desk:
    """A run that begins with what an earlier one left at both venues."""
    made = desk(ArbitrageParameters(markets=((0, NEAR), (0, FAR))))
    for venue, quantity in ((NEAR, near), (FAR, far)):
        side = Side.BUY if quantity > 0 else Side.SELL
        made.positions[0, venue] = Position().traded(side, 10_000, abs(quantity)) if quantity else Position()
    return made


def test_a_leg_that_an_earlier_run_left_open_is_closed_before_anything_is_traded() -> None:
    made = left(near=30, far=-20)
    made.start()
    (closing,) = made.asked
    assert (closing.type, closing.side, closing.venue, closing.quantity) == (OrderType.MARKET, Side.SELL, NEAR, 10)
    made.trigger(trigger())
    assert skips(made) == {Skip.BUSY: 1}
    made.fill(closing, price=9_990)
    made.trigger(trigger(2))
    assert len(made.asked) == 3


def test_a_short_leg_is_bought_back_where_it_was_sold_as_soon_as_the_book_is_known() -> None:
    made = left(near=10, far=-20)
    made.set_quote(FAR, 0, 0)
    made.start()
    assert not made.asked
    made.set_quote(FAR, 10_100, 10_110)
    made.pass_time(100 * MS)
    (closing,) = made.asked
    assert (closing.side, closing.venue, closing.quantity) == (Side.BUY, FAR, 10)


def test_positions_that_even_out_are_left_as_they_are() -> None:
    made = left(near=20, far=-20)
    made.start()
    made.trigger(trigger())
    assert len(made.asked) == 2
