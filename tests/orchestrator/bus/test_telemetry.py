"""What a run tells without being asked."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from market.orders.kinds import Liquidity, Side
from market.orders.order import Fill
from market.protocols import Started, Trade, Traded
from orchestrator.bus import messages
from orchestrator.bus.messages import DataMessage
from orchestrator.bus.records import BusSide
from orchestrator.bus.telemetry import Executions, TradeTelemetry, guard_message, health_message, health_task
from orchestrator.feeds.health import HealthMetrics, SourceState
from orchestrator.risk.guard import GuardState
from orchestrator.risk.supervisor import GuardChange
from tests.orchestrator.risk.floor import BTC, SPOT, floor

METRICS = HealthMetrics(
    source="binance-spot",
    time_ns=7,
    state=SourceState.LIVE,
    messages_per_second=120.5,
    latency_mean_ns=2_500_000,
    latency_p50_ns=2_000_000,
    latency_p99_ns=9_000_000,
    records=1,
    rejected=2,
    gaps=3,
    reconnections=4,
    regressions=5,
    books_checked=6,
    books_corrupted=0,
    switches=0,
    cross_checks=0,
    cross_differences=0,
    bid_levels=(10, 20),
    ask_levels=(11, 21),
    snapshot_age_ns=1_500_000_000,
    queued=0,
)


@pytest.mark.parametrize(("aggressor", "side"), [(Side.BUY, BusSide.BUY), (Side.SELL, BusSide.SELL), (None, None)])
def test_trades_are_published_in_decimals(aggressor: Side | None, side: BusSide | None) -> None:
    small, published = floor(), list[DataMessage]()
    strategy = TradeTelemetry(small.catalogue, published.append)
    assert (BTC, SPOT) in strategy.wakes.trades
    trade = Trade(
        instrument=BTC,
        venue=SPOT,
        aggressor=aggressor,
        price=61_700_010_000_000,
        quantity=10_000_000,
        time_ns=5,
        trade_id=28_457,
    )
    assert list(strategy.wake(Traded(trade=trade), small)) == []
    assert list(strategy.wake(Started(time_ns=5), small)) == []
    assert published == [
        messages.Trade(
            venue="binance-spot",
            symbol="BTCUSDT",
            trade_id="28457",
            price=Decimal("61700.01"),
            quantity=Decimal("0.01"),
            side=side,
            timestamp_ns=5,
            exchange_timestamp_ns=0,
        )
    ]


def test_health_is_published_per_source() -> None:
    small, published = floor(), list[DataMessage]()
    task = health_task(lambda: [METRICS, METRICS], published.append, 1_000)
    task.action(small.access, 8)
    assert published == [health_message(METRICS)] * 2
    assert task.every_ns == 1_000_000_000
    assert health_message(METRICS) == messages.HealthMetrics(
        venue="binance-spot",
        timestamp_ns=7,
        msgs_per_second=120.5,
        feed_latency_ms=2.5,
        feed_latency_p50_ms=2.0,
        feed_latency_p99_ms=9.0,
        gap_count=3,
        reconnection_count=4,
        orderbook_depth_bids=30,
        orderbook_depth_asks=32,
        last_snapshot_age_seconds=1.5,
    )


def test_what_is_not_known_stays_unknown() -> None:
    quiet = msgspec.structs.replace(METRICS, latency_mean_ns=None, latency_p50_ns=None, snapshot_age_ns=None)
    found = health_message(quiet)
    assert (found.feed_latency_ms, found.feed_latency_p50_ms, found.last_snapshot_age_seconds) == (None, None, None)


def test_changes_of_the_guard_are_states_in_words() -> None:
    change = GuardChange(time_ns=3, before=GuardState.RUNNING, after=GuardState.HALTED, reason="storm")
    assert guard_message(change) == messages.StateChange(
        subject="guard", timestamp_ns=3, old_state="running", new_state="halted", reason="storm"
    )


def test_fills_of_other_runs_are_not_told() -> None:
    small, told = floor(), list[messages.OrderExecution]()
    executions = Executions(small.catalogue, told.append)
    fill = Fill(fill_id="1", price=5, quantity=1, fee=0, liquidity=Liquidity.MAKER, venue_ns=1, receive_ns=2)
    executions.filled("other-d1-1-0", fill)
    executions.task.action(small.access, 1)
    assert told == []
