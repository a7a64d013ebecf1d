"""Both strategies on a generated market, through the run loop in event time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from config.loading import load_settings
from config.settings import Settings
from market.fastpath.engine import CpuEngine
from market.fixed_point import Scale
from market.instruments import Catalogue
from market.orders.kinds import OrderState, Side
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from orchestrator.strategies.arbitrage import Arbitrage
from orchestrator.strategies.arbitrage_metrics import Skip
from orchestrator.strategies.assembly import strategies
from orchestrator.strategies.market_making import MarketMaking
from orchestrator.strategies.sizing import FullSize
from orchestrator.strategies.two_leg_plan import Outcome
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.settling import SettleMode, SettlingGateway, SettlingSettings
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, GeneratorSettings
from sim.replay.session import SessionSettings

PROFILE = """
extends = "demo"
[venues.binance-spot]
taker_fee_bps = 0.5
[venues.binance-usdm]
taker_fee_bps = 0.5
[venues.binance-cm]
enabled = false
taker_fee_bps = 0.5
[instruments.BTC]
kinds = ["arb"]
[strategies]
active = ["arbitrage", "market-making"]
[strategies.arbitrage]
concurrent_plans = 10
[strategies.market_making]
instrument = "BTC"
venue = "binance-spot"
quantity = 0.01
inventory_limit = 0.05
spread = 0.0001
repost_bps = 0.1
vpin_bucket = 5
vpin_buckets = 5
"""

Market = tuple[Settings, SessionSettings, Catalogue]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Six generated seconds of three venues; listings with lots of a thousandth."""
    folder = tmp_path_factory.mktemp("market")
    (folder / "profile.toml").write_text(PROFILE, encoding="utf-8")
    settings = load_settings(folder / "profile.toml")
    generated = GeneratorSettings(duration_ns=6 * SECOND_NS, dislocations_per_minute=60)
    files = write_recordings(generated, 3, folder)
    plan = session_settings(settings, [SourceFile(file.venue, file.path) for file in files])
    lot = Scale(-9).count("0.001")
    listings = Catalogue(
        replace(listing, lot=lot, contract_value=0, tick=listing.tick) for listing in catalogue(settings).listings
    )
    return settings, plan, listings


def run(market: Market, mode: SettleMode) -> tuple[Arbitrage, MarketMaking, RunSummary]:
    settings, plan, listings = market
    clock = EventClock()
    arbitrage, maker = strategies(settings, listings, FullSize())
    assert isinstance(arbitrage, Arbitrage)
    assert isinstance(maker, MarketMaking)
    summary = RunLoop(
        feed=ReplayFeed(plan.sources).open(),
        clock=clock,
        gateway=SettlingGateway(SettlingSettings(mode, 1_000_000), clock, listings),
        engine=CpuEngine(plan.sizes),
        catalogue=listings,
        strategies=[arbitrage, maker],
        settings=RunSettings(plan.tables, heartbeat_every_ns=plan.heartbeat_every_ns),
    ).run()
    return arbitrage, maker, summary


def test_every_trigger_that_is_taken_is_two_legs_and_every_filled_pair_leaves_nothing_open(market: Market) -> None:
    arbitrage, _, summary = run(market, SettleMode.FILLED)
    metrics = arbitrage.metrics
    legs = [order for order in summary.orders if order.intent.cause.strategy == "arb"]
    assert metrics.attempts + sum(metrics.skipped.values()) == summary.counts.triggers
    assert metrics.attempts >= 3
    assert len(legs) == 2 * metrics.attempts
    assert metrics.outcomes == {Outcome.COMPLETE: metrics.attempts}
    assert sum(order.intent.side.sign * order.filled for order in legs) == 0
    assert metrics.profit[0] == -sum(order.intent.side.sign * order.notional for order in legs) > 0
    assert set(metrics.skipped) <= {Skip.OWN, Skip.BUSY}


def test_unfilled_legs_are_misses(market: Market) -> None:
    arbitrage, _, summary = run(market, SettleMode.UNFILLED)
    assert arbitrage.metrics.outcomes == {Outcome.MISSED: arbitrage.metrics.attempts}
    assert arbitrage.metrics.hit_rate == 0.0
    assert summary.counts.strategy_errors == 0


def test_at_most_one_quote_per_side_works_and_each_stands_away_from_the_market(market: Market) -> None:
    _, maker, summary = run(market, SettleMode.UNFILLED)
    quotes = [order for order in summary.orders if order.intent.cause.strategy == "maker"]
    assert len(quotes) >= 10
    assert {order.intent.post_only for order in quotes} == {True}
    for side in Side:
        of_side = [order for order in quotes if order.intent.side is side]
        for before, after in pairwise(of_side):
            assert before.state is OrderState.CANCELLED
            assert before.ended_ns <= after.sent_ns
    assert maker.metrics is not None
    assert maker.metrics.as_numbers()["fill_ratio"] == 0.0


def test_an_inventory_never_passes_its_limit(market: Market) -> None:
    """Every quote is filled at once: the side that adds stops at the limit."""
    _, maker, summary = run(market, SettleMode.FILLED)
    held, furthest = 0, 0
    fills = [
        (fill.receive_ns, order.intent.side.sign * fill.quantity)
        for order in summary.orders
        if order.intent.cause.strategy == "maker"
        for fill in order.fills
    ]
    for _, signed in sorted(fills):
        held += signed
        furthest = max(furthest, abs(held))
    assert 0 < furthest <= Scale(-9).count("0.05")
    assert maker.metrics is not None
    assert maker.metrics.as_numbers()["fill_ratio"] > 0.9
