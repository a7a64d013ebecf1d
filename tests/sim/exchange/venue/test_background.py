"""Background traders: a market out of a seed and the times that it is given; and liquidity on request."""

from __future__ import annotations

from typing import Any

import pytest

from market.errors import Fatal
from sim.exchange.venue.events import TopChanged, Traded, VenueEvent
from sim.exchange.venue.kinds import MarketKind, OrderStatus
from sim.exchange.venue.model import BACKGROUND, BackgroundModel
from sim.exchange.venue.venue import SimulatedVenue
from tests.sim.exchange.venue.venues import BUY, SELL, START_NS, SYMBOL, limit, now, spot, symbol_model, venue_model

SECOND_NS = 10**9


def venue(**changed: Any) -> SimulatedVenue:
    fields: dict[str, Any] = {"seed": 11, "spacing_ticks": 3, "half_spread_ticks": 2}
    background = BackgroundModel(**(fields | changed))
    return SimulatedVenue(venue_model(MarketKind.SPOT, symbol_model(background, reference_ticks=1_000_000)))


def events(of: SimulatedVenue, step_ns: int, duration_ns: int = 20 * SECOND_NS) -> list[VenueEvent]:
    found: list[VenueEvent] = []
    for now_ns in range(START_NS, START_NS + duration_ns + 1, step_ns):
        of.advance(now_ns)
        found += of.take_events()
    return found


def test_the_same_seed_gives_the_same_market_however_often_it_is_asked() -> None:
    assert events(venue(), SECOND_NS // 10) == events(venue(), 20 * SECOND_NS)


def test_another_seed_gives_another_market() -> None:
    assert events(venue(seed=12), SECOND_NS) != events(venue(), SECOND_NS)


def test_another_stream_trades_otherwise_around_the_same_price() -> None:
    one, other = venue(), venue(stream=2)
    assert events(one, SECOND_NS) != events(other, SECOND_NS)
    middles = [sum(each.depth(SYMBOL).bids[0][:1] + each.depth(SYMBOL).asks[0][:1]) // 2 for each in (one, other)]
    assert abs(middles[0] - middles[1]) <= 100


def test_there_are_levels_and_trades_and_the_book_is_two_sided() -> None:
    market = venue()
    found = events(market, SECOND_NS)
    assert sum(isinstance(event, Traded) for event in found) > 20
    tops = [event for event in found if isinstance(event, TopChanged)]
    assert len(tops) > 100
    depth = market.depth(SYMBOL)
    assert min(len(depth.bids), len(depth.asks)) >= 15
    assert market.depth(SYMBOL, 5).bids == depth.bids[:5]


def test_who_lags_behind_sees_the_same_price_later() -> None:
    fields = {"trades_per_minute": 0, "volatility_percent": 2_000}
    leader, follower = venue(**fields), venue(lag_ns=4 * SECOND_NS, **fields)
    leader.advance(START_NS + 14 * SECOND_NS)
    then = leader.depth(SYMBOL, 1).bids[0][0]
    leader.advance(START_NS + 18 * SECOND_NS)
    assert abs(leader.depth(SYMBOL, 1).bids[0][0] - then) > 100, "the price has moved meanwhile"
    follower.advance(START_NS + 18 * SECOND_NS)
    assert abs(follower.depth(SYMBOL, 1).bids[0][0] - then) < 100


def test_the_basis_lifts_the_price() -> None:
    plain, lifted = venue(trades_per_minute=0), venue(trades_per_minute=0, basis_bps=100)
    for each in (plain, lifted):
        each.advance(START_NS)
    assert lifted.depth(SYMBOL, 1).bids[0][0] - plain.depth(SYMBOL, 1).bids[0][0] == 10_000


def test_accounts_trade_with_the_background() -> None:
    market = venue()
    market.advance(START_NS)
    ask = market.depth(SYMBOL, 1).asks[0][0]
    order = limit(market, "alice", BUY, ask, 1)
    assert order.status is OrderStatus.FILLED
    resting = limit(market, "alice", SELL, ask - 1, 2)
    market.advance(START_NS + 60 * SECOND_NS)
    assert now(market, resting).status is OrderStatus.FILLED
    assert set(market.totals().values()) == {0}


def test_nothing_happened_before_the_first_call_when_no_start_is_given() -> None:
    model = venue_model(MarketKind.SPOT, symbol_model(BackgroundModel(seed=1)), start_ns=0)
    market = SimulatedVenue(model)
    assert market.next_ns() is None
    market.advance(START_NS)
    assert market.next_ns() is not None
    assert market.depth(SYMBOL).time_ns == START_NS


def test_time_never_goes_back() -> None:
    market = venue()
    market.advance(START_NS + SECOND_NS)
    order = limit(market, "alice", BUY, 900_000, 1, at_ns=START_NS)
    assert order.created_ns == START_NS + SECOND_NS


def test_a_dislocation_moves_the_market_until_it_ends() -> None:
    market = venue()
    market.advance(START_NS + SECOND_NS)
    usual = market.depth(SYMBOL, 1).bids[0][0]
    away = limit(market, "alice", BUY, usual - 5_000, 7)
    market.dislocate(SYMBOL, usual - 8_000, 50, START_NS + SECOND_NS, hold_ns=SECOND_NS)
    assert now(market, away).status is OrderStatus.FILLED
    depth = market.depth(SYMBOL)
    assert depth.bids == ((usual - 8_002, 50),)
    assert depth.asks == ((usual - 7_998, 43),), "the ask met the order in its way first"
    market.advance(START_NS + 2 * SECOND_NS - 1)
    assert market.depth(SYMBOL) == depth.__class__(
        symbol=SYMBOL,
        last_update_id=depth.last_update_id,
        bids=depth.bids,
        asks=depth.asks,
        time_ns=START_NS + 2 * SECOND_NS - 1,
    )
    market.advance(START_NS + 3 * SECOND_NS)
    assert abs(market.depth(SYMBOL, 1).bids[0][0] - usual) < 2_000
    assert len(market.depth(SYMBOL).bids) > 10


def test_an_injected_order_is_an_order_like_any_other() -> None:
    market = spot()
    resting = limit(market, "alice", SELL, 10_000, 10)
    placed = market.inject(SYMBOL, BUY, 10_001, 15, START_NS)
    assert (placed.status, placed.executed_lots, placed.account) == (OrderStatus.PARTIALLY_FILLED, 10, BACKGROUND)
    assert placed.executed_units == 10 * 10_000 * 100
    assert now(market, resting).status is OrderStatus.FILLED
    assert market.depth(SYMBOL).bids == ((10_001, 5),)
    assert market.ledger(BACKGROUND) == (), "nobody keeps no books"
    market.withdraw(SYMBOL, START_NS)
    assert market.depth(SYMBOL).bids == ()
    with pytest.raises(Fatal, match="at least 1"):
        market.inject(SYMBOL, BUY, 0, 1, START_NS)


def test_a_recorded_book_can_be_laid_in() -> None:
    market = spot()
    for side, price, lots in ((BUY, 9_999, 5), (BUY, 9_998, 8), (SELL, 10_001, 3), (BUY, 9_999, 6), (BUY, 9_998, 0)):
        market.set_level(SYMBOL, side, price, lots, START_NS)
    depth = market.depth(SYMBOL)
    assert (depth.bids, depth.asks) == (((9_999, 6),), ((10_001, 3),))
    assert market.last_ticks(SYMBOL) == 10_000, "nothing traded"
    assert market.mark_ticks(SYMBOL) == 10_000


def test_an_injected_order_that_finds_the_book_full_is_no_secret() -> None:
    market = SimulatedVenue(venue_model(MarketKind.SPOT, symbol_model(), order_capacity=2))
    market.inject(SYMBOL, BUY, 9_999, 1, START_NS)
    market.inject(SYMBOL, SELL, 10_001, 3, START_NS)
    with pytest.raises(Fatal, match=f"the book of {SYMBOL} full: 2 orders rest"):
        market.inject(SYMBOL, BUY, 9_998, 1, START_NS)
