"""The run loop decides what the compiled replay decides, on the same files and tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from market.fastpath.engine import CpuEngine
from market.instruments import Catalogue
from market.orders.kinds import OrderState
from market.wire.records import Rows
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.settling import SettleMode, SettlingGateway, SettlingSettings
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, GeneratorSettings
from sim.replay.session import Session, SessionSettings

PROFILE = """
extends = "demo"
[venues.binance-spot]
taker_fee_bps = 1.5
[venues.binance-usdm]
taker_fee_bps = 1.5
[venues.binance-cm]
taker_fee_bps = 1.5
[instruments.BTC]
kinds = ["arb", "basis", "imbalance"]
"""


class NoSink:
    def outputs(self, payloads: list[bytes]) -> None:
        pass

    def quotes(self, rows: Rows) -> None:
        pass

    def changes(self, rows: Rows) -> None:
        pass


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[SessionSettings, Catalogue]:
    """Ten generated seconds of three venues; listings that let every leg be sent whole."""
    folder = tmp_path_factory.mktemp("market")
    (folder / "profile.toml").write_text(PROFILE, encoding="utf-8")
    settings = load_settings(folder / "profile.toml")
    files = write_recordings(GeneratorSettings(duration_ns=10 * SECOND_NS), 1, folder)
    plan = session_settings(settings, [SourceFile(file.venue, file.path) for file in files])
    return plan, without_steps(settings)


def without_steps(settings: Settings) -> Catalogue:
    """Listings that take any price and quantity."""
    return Catalogue(replace(listing, tick=1, lot=1, contract_value=0) for listing in catalogue(settings).listings)


def run(plan: SessionSettings, listings: Catalogue, mode: SettleMode, journal: MemoryJournal) -> RunSummary:
    clock = EventClock()
    return RunLoop(
        feed=ReplayFeed(plan.sources).open(),
        clock=clock,
        gateway=SettlingGateway(SettlingSettings(mode, plan.settle_after_ns), clock, listings),
        engine=CpuEngine(plan.sizes),
        catalogue=listings,
        strategies=[TakeTriggers()],
        settings=RunSettings(plan.tables, heartbeat_every_ns=plan.heartbeat_every_ns),
        journal=journal,
    ).run()


@pytest.mark.parametrize(
    ("mode", "state"), [(SettleMode.UNFILLED, OrderState.EXPIRED), (SettleMode.FILLED, OrderState.FILLED)]
)
def test_decisions_are_those_of_the_compiled_replay(
    market: tuple[SessionSettings, Catalogue], mode: SettleMode, state: OrderState
) -> None:
    plan, listings = market
    replayed = Session(replace(plan, filled=mode is SettleMode.FILLED), NoSink()).run()
    summary = run(plan, listings, mode, MemoryJournal())
    assert (summary.decision_hash, summary.parity) == (replayed.decision_hash, replayed.parity)
    assert summary.counters == replayed.counters
    assert summary.counts.triggers == sum(summary.counters[f"trigger{kind}"] for kind in ("Arb", "Basis", "Imbalance"))
    assert summary.counts.triggers >= 10
    assert summary.counters["controlRefused"] == 0
    assert {order.state for order in summary.orders} == {state}


def test_a_run_is_repeatable_and_its_journal_tells_all_of_it(market: tuple[SessionSettings, Catalogue]) -> None:
    plan, listings = market
    first, second = MemoryJournal(), MemoryJournal()
    summary = run(plan, listings, SettleMode.FILLED, first)
    assert run(plan, listings, SettleMode.FILLED, second) == summary
    assert (first.intents, first.events, first.payloads) == (second.intents, second.events, second.payloads)
    assert tuple(first.orders().values()) == summary.orders


def test_cash_and_holdings_add_up_to_the_fills(market: tuple[SessionSettings, Catalogue]) -> None:
    plan, listings = market
    summary = run(plan, listings, SettleMode.FILLED, MemoryJournal())
    for (instrument, venue), position in summary.positions.items():
        orders = [
            order for order in summary.orders if (order.intent.instrument, order.intent.venue) == (instrument, venue)
        ]
        assert position.quantity == sum(order.intent.side.sign * order.filled for order in orders)
        assert position.cash == -sum(order.intent.side.sign * order.notional for order in orders)


def test_decisions_on_real_recordings_are_those_of_the_compiled_replay(data: Path) -> None:
    settings = load_settings("demo")
    files = {
        VenueName.BINANCE_SPOT: "spot_btcusdt",
        VenueName.BINANCE_USDM: "usdm_btcusdt",
        VenueName.BINANCE_CM: "cm_btcusd_perp",
    }
    folder = data / "binance-20240808"
    plan = session_settings(
        settings, [SourceFile(venue, folder / f"{name}_20240808.gz") for venue, name in files.items()]
    )
    replayed = Session(plan, NoSink()).run()
    summary = run(plan, without_steps(settings), SettleMode.UNFILLED, MemoryJournal())
    assert (summary.decision_hash, summary.counters) == (replayed.decision_hash, replayed.counters)
    assert summary.counts.triggers >= 10
