"""What is heard in one compiled pass is what the trader hears, and a late start of the trader changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.scenarios import ScenarioKind
from orchestrator.backtest.plan import read_plan
from orchestrator.backtest.run import run_backtest
from orchestrator.detection.listen import Heard, listen
from orchestrator.detection.play import listening_settings, play, source_of, traded_market
from orchestrator.replay.plan import SourceFile
from orchestrator.strategies.flash_crash.plan import flash_crash_traders
from orchestrator.strategies.sizing import FullSize
from sim.scenarios.plan import draw_plan
from sim.scenarios.recording import session_lines
from tests.orchestrator.detection.test_statistics import settings_of


def heard_session(folder: Path, kind: ScenarioKind, seed: int, duration_s: int) -> tuple[Path, Heard]:
    settings = settings_of(duration_s)
    path = folder / "synthetic.txt"
    path.write_bytes(b"".join(session_lines(draw_plan(settings.scenarios, kind, seed))))
    return path, listen(source_of(settings, path), listening_settings(settings))


@pytest.mark.long
def test_what_is_heard_is_what_the_trader_hears(tmp_path: Path) -> None:
    path, heard = heard_session(tmp_path, ScenarioKind.AIR_POCKET, 5, 240)
    settings = settings_of()
    plan = read_plan(settings, [SourceFile(traded_market(settings).venue, path)])
    [trader] = flash_crash_traders(settings, plan.catalogue, FullSize())
    run_backtest(plan, [trader])
    own = [(one.time_ns, one.before, one.after, one.signals) for one in trader.take_transitions()]
    assert own == [(one.time_ns, one.before, one.after, one.signals) for one in heard.transitions]
    assert heard.spans


@pytest.mark.long
def test_a_late_start_changes_no_decision(tmp_path: Path) -> None:
    settings = settings_of(420)
    path, heard = heard_session(tmp_path, ScenarioKind.AIR_POCKET, 5, 420)
    assert heard.checkpoint is not None
    assert play(settings, path, heard) == play(settings, path, heard, whole=True)
