"""A live run whose market data of spot arrives over SBE: it trades as it does over JSON, and refuses without a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.credentials import Credentials, read_credentials
from config.execution import Mode
from market.errors import MissingInput
from orchestrator.live.session import RunPlan, live_session
from tests.orchestrator.live.exchange_world import exchange_world
from tests.orchestrator.live.test_live_run import PROFIT, profit_of, run_with_dislocation

SBE = '[feeds.sources.binance-spot]\nform = "sbe"\n'


def test_a_dislocation_gives_the_same_profit_over_sbe(tmp_path: Path) -> None:
    with exchange_world(tmp_path) as world:
        session, summary = run_with_dislocation(world, "native", extra=SBE)
        assert profit_of(summary.orders) == PROFIT.scaleb(18)
        assert [metrics.rejected for metrics in session.feed.metrics()] == [0, 0]


def test_without_a_key_a_run_does_not_begin(tmp_path: Path) -> None:
    with exchange_world(tmp_path) as world:
        settings = world.loaded(extra=SBE).settings
        for credentials in (Credentials(), read_credentials({**world.environment, "BINANCE_SBE_API_KEY": " "})):
            with (
                pytest.raises(MissingInput, match="BINANCE_SBE_API_KEY"),
                live_session(settings, credentials, RunPlan(mode=Mode.PAPER), print),
            ):
                pass


def test_an_unknown_key_is_no_connection(tmp_path: Path) -> None:
    with exchange_world(tmp_path) as world:
        notes: list[str] = []
        settings = world.loaded(extra=SBE).settings
        credentials = read_credentials({"BINANCE_SBE_API_KEY": "made-up"})
        with live_session(settings, credentials, RunPlan(mode=Mode.PAPER, seconds=1.5), notes.append) as session:
            session.run()
        assert any("no connection" in note for note in notes)
        assert not any("made-up" in note for note in notes)
