"""What a run keeps of the markets that it sees: candles, and a note when venues do not fit together."""

from __future__ import annotations

import threading
from pathlib import Path

from config.credentials import Credentials
from config.execution import Mode
from market.orders.kinds import Side
from orchestrator.live.session import RunPlan, live_session
from orchestrator.live.taped import play
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import Area, CandleClosed, StateChanged
from tests.orchestrator.live.exchange_world import FUTURES, exchange_world
from tests.orchestrator.live.test_live_run import wait_for

APART = "BTCUSDT on binance-spot and BTCUSDT on binance-usdm"


def test_candles_are_kept_and_venues_that_do_not_fit_are_told_of(tmp_path: Path) -> None:
    tape = tmp_path / "run.tape"
    with exchange_world(tmp_path) as world:
        settings = world.loaded().settings
        settings = settings.model_copy(update={"strategies": settings.strategies.model_copy(update={"active": ()})})
        notes: list[str] = []
        plan = RunPlan(mode=Mode.PAPER, tape=tape)
        with live_session(settings, Credentials(), plan, notes.append) as session:

            def meanwhile() -> None:
                try:
                    wait_for(lambda: session.loop.access.view.quote(0, 1))
                    world.quote(FUTURES, Side.BUY, "60699", "11")
                    world.quote(FUTURES, Side.BUY, "63000", "0.001")
                    world.quote(FUTURES, Side.SELL, "63001", "1")
                    wait_for(lambda: any(note.startswith(APART) for note in notes))
                    journal = journal_path(tmp_path / "journal", 1)
                    wait_for(lambda: len([r for r in read_journal(journal).records if isinstance(r, CandleClosed)]) > 4)
                finally:
                    session.stop("the test is over")

            other = threading.Thread(target=meanwhile)
            other.start()
            summary = session.run()
            other.join()
    records = read_journal(journal_path(tmp_path / "journal", 1)).records
    candles = [record for record in records if isinstance(record, CandleClosed)]
    assert {(candle.instrument, candle.venue) for candle in candles} >= {(0, 0), (0, 1)}
    assert all(candle.low <= candle.open <= candle.high for candle in candles)
    changes = [record for record in records if isinstance(record, StateChanged) and record.area is Area.FEED]
    assert (changes[0].source, changes[0].after) == (APART, "apart")
    again, _, _ = play(tape)
    assert (again.decision_hash, again.counts) == (summary.decision_hash, summary.counts)
