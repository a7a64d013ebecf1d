"""Paper trading as the settings say, over a recorded feed."""

from __future__ import annotations

from pathlib import Path

from market.orders.kinds import OrderState
from market.orders.reports import Balances
from orchestrator.live.paper import paper_trading
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.run_loop.worlds import PROFILE, world

SETTINGS = (
    PROFILE.replace("[instruments.BTC]", "[paper]\nlatency_ms = 2\nquote_balance = 5_000\n[instruments.BTC]")
    + "[instruments.BTC.markets.binance-spot]\nprice_decimals = 2\nquantity_decimals = 5\n"
)


def test_every_venue_of_the_feed_has_the_balances_and_the_latency_of_the_settings(tmp_path: Path) -> None:
    small = world(tmp_path, profile=SETTINGS)
    paper = paper_trading(small.settings, small.catalogue, ReplayFeed(small.plan.sources).open(), small.clock)
    paper.gateway.request_balances(0)
    due_ns = paper.gateway.next_ns()
    assert due_ns == 2_000_000
    small.clock.wait_until(2 * due_ns)
    assert not paper.gateway.take(due_ns)
    (report,) = paper.gateway.take(2 * due_ns)
    assert isinstance(report, Balances)
    assert {held.asset: int(held.free) for held in report.balances} == {"BTC": 1, "QUOTE": 5_000}


def test_orders_are_filled_by_what_the_feed_displays(tmp_path: Path) -> None:
    small = world(tmp_path, profile=SETTINGS)
    paper = paper_trading(small.settings, small.catalogue, ReplayFeed(small.plan.sources).open(), small.clock)
    summary = small.loop([TakeTriggers()], paper.gateway, feed=paper.feed).run()
    assert summary.counts.triggers == 3
    assert {order.state for order in summary.orders} <= {OrderState.FILLED, OrderState.EXPIRED}
    assert any(order.fills for order in summary.orders)
    assert summary.counts.contradictions == 0
