"""A bid and an offer around the mid: where they stand, when they move, when they go."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.fixed_point import floor_to
from market.instruments import Catalogue
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import MarketKey, MarketView, Quote
from market.risk.position import Position
from orchestrator.strategies.maker_metrics import MakerMetrics, MakerMetricsParameters
from orchestrator.strategies.market_making import MarketMaking, MarketMakingParameters
from orchestrator.strategies.protection import ProtectionParameters, Stance, Volatility
from orchestrator.strategies.quoting import QuotingParameters, is_leaning, targets
from orchestrator.strategies.sizing import FullSize, Sizing
from orchestrator.strategies.stock import Stock
from tests.orchestrator.strategies.desk import MS, NEAR, SECOND, START, Desk, listing

KEY = (0, NEAR)


def quote(bid: int, ask: int, bid_quantity: int = 100, ask_quantity: int = 100) -> Quote:
    return Quote(
        instrument=0,
        venue=NEAR,
        sequence=1,
        bid_price=bid,
        bid_quantity=bid_quantity,
        ask_price=ask,
        ask_quantity=ask_quantity,
        time_ns=START,
    )


def quoting(**changes: int) -> QuotingParameters:
    return QuotingParameters(**{"quantity": 10, "inventory_limit": 40, **changes})


def maker(
    news: tuple[tuple[int, int], ...] = (), stock: Stock | None = None, sizing: Sizing | None = None, **changes: int
) -> Desk:
    protection = ProtectionParameters(vpin_bucket_lots=10, vpin_buckets=3, news=news)
    parameters = MarketMakingParameters(market=KEY, quoting=quoting(**changes), protection=protection, stock=stock)
    made = Desk(MarketMaking(parameters, sizing=sizing), Catalogue([listing(NEAR)]))
    made.start()
    return made


def last(made: Desk, side: Side) -> OrderIntent:
    return next(intent for intent in reversed(made.asked) if intent.side is side)


def test_quotes_stand_half_a_spread_from_the_mid() -> None:
    """mid * (1 - 0.001 / 2) and mid * (1 + 0.001 / 2)."""
    wanted = targets(quote(99_990, 100_010), listing(NEAR), 0, quoting())
    assert wanted.bid is not None
    assert wanted.ask is not None
    assert (wanted.bid.price, wanted.ask.price) == (99_950, 100_050)
    assert (wanted.bid.quantity, wanted.ask.quantity) == (10, 10)


@settings(derandomize=True, deadline=None)
@given(
    bid=st.integers(1_000, 10**9),
    spread=st.integers(1, 1_000),
    sizes=st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)),
    inventory=st.integers(-40, 40),
    leans=st.booleans(),
)
def test_quotes_rest_and_never_pass_the_inventory_limit(
    bid: int, spread: int, sizes: tuple[int, int], inventory: int, leans: bool
) -> None:
    market = quote(bid, bid + spread, *sizes)
    parameters = quoting(spread_ppb=0, imbalance_weight_ppb=10_000_000, size_skew_ppm=500_000)
    wanted = targets(market, listing(NEAR), inventory, parameters, leans=leans)
    if wanted.bid is not None:
        assert wanted.bid.price < market.ask_price
        assert inventory + wanted.bid.quantity <= 40
    if wanted.ask is not None:
        assert wanted.ask.price > market.bid_price
        assert inventory - wanted.ask.quantity >= -40


def test_more_bids_than_offers_shift_both_quotes_up_and_make_the_offer_smaller() -> None:
    parameters = quoting(imbalance_weight_ppb=100_000, size_skew_ppm=500_000)
    wanted = targets(quote(99_900, 100_100, 300, 100), listing(NEAR), 0, parameters)
    assert wanted.bid is not None
    assert wanted.ask is not None
    # Microprice: 99,900 + 200 * 3/4, which is 50 above the mid; the imbalance of one half adds 0.005 % of the mid.
    assert (wanted.bid.price, wanted.ask.price) == (100_000 - 50 + 55, 100_000 + 50 + 55)
    assert (wanted.bid.quantity, wanted.ask.quantity) == (10, 8)


def test_an_inventory_that_leans_widens_the_side_that_would_add_until_it_is_flat() -> None:
    parameters = quoting()
    assert not is_leaning(False, 19, parameters)
    assert is_leaning(False, 20, parameters)
    assert is_leaning(True, 1, parameters)
    assert not is_leaning(True, 0, parameters)
    wanted = targets(quote(99_990, 100_010), listing(NEAR), 20, parameters, leans=True)
    assert wanted.bid is not None
    assert wanted.ask is not None
    assert (wanted.bid.price, wanted.ask.price) == (99_900, 100_050)
    full = targets(quote(99_990, 100_010), listing(NEAR), 40, parameters, leans=True)
    assert full.bid is None
    assert full.ask is not None


def test_a_book_change_places_both_quotes_and_a_small_one_leaves_them() -> None:
    made = maker()
    made.set_quote(NEAR, 99_990, 100_010)
    assert [(intent.side, intent.limit_price) for intent in made.asked] == [(Side.BUY, 99_950), (Side.SELL, 100_050)]
    assert all(intent.post_only and intent.type is OrderType.LIMIT for intent in made.asked)
    assert {intent.time_in_force for intent in made.asked} == {TimeInForce.GTC}
    made.set_quote(NEAR, 99_994, 100_014)
    assert (len(made.asked), made.cancelled) == (2, [])


def test_a_target_that_moved_is_reposted_once_the_old_order_has_ended() -> None:
    made = maker()
    made.set_quote(NEAR, 99_990, 100_010)
    made.set_quote(NEAR, 100_090, 100_110)
    assert made.cancelled == [intent.client_order_id for intent in made.asked]
    made.set_quote(NEAR, 100_091, 100_111)
    assert (len(made.asked), len(made.cancelled)) == (2, 2)
    made.cancel(made.asked[0])
    assert (made.asked[2].side, made.asked[2].limit_price) == (Side.BUY, 100_051)


def test_a_fill_is_replaced_and_counts_against_the_inventory() -> None:
    made = maker(inventory_limit=15)
    made.set_quote(NEAR, 99_990, 100_010)
    made.fill(last(made, Side.BUY), 4)
    assert made.cancelled == [last(made, Side.BUY).client_order_id]
    made.fill(last(made, Side.BUY))
    assert (len(made.asked), last(made, Side.BUY).quantity) == (3, 5)


def test_a_refusal_is_not_answered_by_the_same_order_at_once() -> None:
    made = maker()
    made.set_quote(NEAR, 99_990, 100_010)
    made.refuse(last(made, Side.BUY))
    made.set_quote(NEAR, 99_990, 100_010)
    assert len(made.asked) == 2
    made.pass_time(500 * MS)
    assert len(made.asked) == 3


def test_quotes_go_when_the_book_does_and_when_it_grows_old() -> None:
    for age in (False, True):
        made = maker()
        made.set_quote(NEAR, 99_990, 100_010)
        if age:
            made.pass_time(2 * SECOND)
            assert not made.cancelled
            made.pass_time(500 * MS)
        else:
            made.set_quote(NEAR, 0, 0)
        assert len(made.cancelled) == 2


def test_quotes_are_off_around_news() -> None:
    made = maker(news=((START + SECOND, START + 2 * SECOND),))
    made.set_quote(NEAR, 99_990, 100_010)
    made.pass_time(SECOND)
    assert len(made.cancelled) == 2
    for intent in made.asked[:2]:
        made.cancel(intent)
    made.pass_time(SECOND)
    assert len(made.asked) == 4


def test_toxic_flow_widens_the_quotes() -> None:
    made = maker(microprice_weight_ppm=0)
    made.set_quote(NEAR, 99_990, 100_010)
    for _ in range(4):
        made.trade(NEAR, Side.BUY, 100_010, 10)
    assert isinstance(made.strategy, MarketMaking)
    assert made.strategy.stance is Stance.PROTECTIVE
    assert len(made.cancelled) == 2
    made.cancel(made.asked[0])
    assert made.asked[2].limit_price == 99_850


def test_toxic_flow_in_a_wide_market_ends_quoting() -> None:
    made = maker()
    made.set_quote(NEAR, 99_900, 100_100)
    for _ in range(4):
        made.trade(NEAR, Side.BUY, 100_100, 10)
    assert isinstance(made.strategy, MarketMaking)
    assert made.strategy.stance is Stance.PAUSED
    assert len(made.cancelled) == 2


def test_a_volatile_market_ends_quoting() -> None:
    made = maker()
    for turn in range(6):
        made.set_quote(NEAR, 99_990 + 1_000 * (turn % 2), 100_010 + 1_000 * (turn % 2))
        made.pass_time(100 * MS)
    assert isinstance(made.strategy, MarketMaking)
    assert made.strategy.stance is Stance.PAUSED


def test_volatility_is_the_deviation_of_the_returns_in_the_window() -> None:
    volatility = Volatility(10 * MS, MS)
    assert math.isnan(volatility.value)
    for step in range(20):
        volatility.take(START + step * MS, 100.0 * (1.01 if step % 2 else 1.0))
    assert volatility.value == pytest.approx(math.log(1.01), rel=1e-2)


def test_what_is_sold_is_there_and_what_is_bought_is_paid_for() -> None:
    made = maker(stock=Stock(base=3, quote=99_950 * 7))
    made.set_quote(NEAR, 99_990, 100_010)
    assert [intent.quantity for intent in made.asked] == [7, 3]


def test_metrics_by_hand() -> None:
    """Bought at 99,950 and sold at 100,050 with the mid at 100,000; it then falls by 100."""
    made = maker()
    made.set_quote(NEAR, 99_990, 100_010)
    bid, ask = made.asked
    made.fill(bid, fee=10)
    made.pass_time(SECOND)
    made.set_quote(NEAR, 99_990, 100_010)
    made.fill(ask, fee=10)
    made.pass_time(6 * SECOND)
    made.set_quote(NEAR, 99_890, 99_910)
    assert isinstance(made.strategy, MarketMaking)
    assert made.strategy.metrics is not None
    numbers = made.strategy.metrics.as_numbers()
    assert numbers["win_rate"] == 1.0
    assert numbers["fill_ratio"] == 20 / 40
    assert numbers["realised_spread"] == 50.0
    # Ten for one second of seven.
    assert numbers["inventory_variance"] == pytest.approx(100 / 7 - (10 / 7) ** 2)
    assert numbers["inventory_turnover"] == pytest.approx(20 / math.sqrt(100 / 7))


def test_markouts_are_negative_when_the_market_moves_on_against_our_fills() -> None:
    metrics = MakerMetrics(MakerMetricsParameters(tick=1, horizons_ns=(MS,)))
    metrics.take_mid(2_000, Position(), START)
    metrics.take_fill(Side.BUY, 999, 1, None, Position(), START)
    metrics.take_mid(1_980, Position(), START + MS)
    metrics.take_mid(1_980, Position(), START + 3 * MS)
    assert metrics.as_numbers()["markout_1_ms"] == -10.0
    assert metrics.as_numbers()["realised_spread"] == -9.0


class Halved(FullSize):
    """Half of what a strategy likes."""

    def resting(self, market: MarketKey, side: Side, price: int, quantity: int, lot: int, view: MarketView) -> int:
        return floor_to(quantity // 2, lot)


def test_quotes_are_as_large_as_own_trading_lets_them_be() -> None:
    made = maker()
    sized = maker(sizing=Halved())
    for desk in (made, sized):
        desk.set_quote(NEAR, 10_000, 10_002)
    assert [order.quantity * 2 for order in sized.asked] == [order.quantity for order in made.asked]
    assert sized.cancelled == []
