"""What is heard in one compiled pass is what the trader hears, and a late start of the trader changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from config.scenarios import ScenarioKind
from market.errors import Fatal
from orchestrator.backtest.plan import read_plan
from orchestrator.backtest.run import run_backtest
from orchestrator.detection.listen import Checkpoint, Heard, listen
from orchestrator.detection.play import _from, listening_settings, play, source_of, traded_market
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


LINES = {
    "a": b"10 {}\n",
    "b": b'12 {"text": "long enough for a place within"}\n',
    "c": b"12 {}\n",
    "d": b"14 {}\n",
    "e": b"damaged\n",
}


def part_of(folder: Path, first_ns: int) -> bytes:
    path = folder / "synthetic.txt"
    path.write_bytes(b"".join(LINES.values()))
    return _from(path, Checkpoint(first_ns, np.zeros(1, dtype=np.int64))).read_bytes()


@pytest.mark.parametrize(("first_ns", "names"), [(10, "abcde"), (12, "bcde"), (14, "de")])
def test_a_part_of_a_recording_is_its_lines_from_a_time_on(tmp_path: Path, first_ns: int, names: str) -> None:
    assert part_of(tmp_path, first_ns) == b"".join(LINES[name] for name in names)


@pytest.mark.parametrize("first_ns", [9, 11, 15])
def test_where_no_line_has_the_time_of_the_snapshot_it_is_another_recording(tmp_path: Path, first_ns: int) -> None:
    with pytest.raises(Fatal, match=f"no line of {first_ns} ns"):
        part_of(tmp_path, first_ns)
