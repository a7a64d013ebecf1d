"""A run whose position on the futures venue is changed behind its back trades no more until a person has seen it."""

from __future__ import annotations

import threading
from pathlib import Path

from config.credentials import read_credentials
from config.execution import Mode
from market.orders.kinds import Side
from orchestrator.live.session import RunPlan, live_session
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import StateChanged
from sim.exchange.venue.kinds import OrderKind
from sim.exchange.venue.requests import PlaceRequest
from tests.orchestrator.live.exchange_world import ACCOUNT, FUTURES, SYMBOL, ExchangeWorld, exchange_world
from tests.orchestrator.live.test_live_run import wait_for

EVERY_SECOND = "[risk.reconciliation]\ninterval_s = 1\nconfirmations = 2\n"


def sell_behind_its_back(world: ExchangeWorld, lots: int) -> None:
    """Somebody else trades on the account."""
    request = PlaceRequest(account=ACCOUNT, symbol=SYMBOL, side=Side.SELL, kind=OrderKind.MARKET, quantity_lots=lots)
    world.do(lambda: world.venues[FUTURES].place(request, world.clock.now_ns()))


def test_a_position_that_somebody_else_changed_pauses_the_run(tmp_path: Path) -> None:
    notes: list[str] = []
    states: list[str] = []
    with exchange_world(tmp_path) as world:
        settings = world.loaded(extra=EVERY_SECOND).settings
        credentials = read_credentials(world.environment)
        with live_session(settings, credentials, RunPlan(mode=Mode.LIVE), notes.append) as session:
            supervisor = session.risk.supervisor

            def go_on() -> None:
                try:
                    wait_for(lambda: session.readiness.is_ready and supervisor.guard.state.name == "RUNNING")
                    sell_behind_its_back(world, 3)
                    wait_for(lambda: supervisor.guard.state.name == "PAUSED")
                    states.append(next(iter(supervisor.guard.pauses.values())).detail)
                finally:
                    session.stop("the test is over")

            other = threading.Thread(target=go_on)
            other.start()
            session.run()
            other.join()
    assert states == ["the position in BTCUSDT on binance-usdm was -0.003 there; expected 0"]
    assert f"not as the venue says: {states[0]}" in notes
    changes = [
        record
        for record in read_journal(journal_path(tmp_path / "journal", 1)).records
        if isinstance(record, StateChanged) and record.source == "reconciliation"
    ]
    assert [(change.after, change.detail) for change in changes] == [("position", states[0])]
