"""Fifty half hours: what holds over all of them. What is missed is said in docs/scenarios.md, not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loading import load_settings
from orchestrator.detection.cases import Seeds, cases
from orchestrator.detection.run import Verdicts, run_cases
from orchestrator.detection.summary import summary

SESSIONS = 50
FALSE_PER_SESSION = 1 / 20


@pytest.mark.long
def test_what_holds_over_fifty_sessions(tmp_path: Path) -> None:
    settings = load_settings("flash-crash", local=None, environment={})
    wanted = cases(settings.scenarios, Seeds.TUNING, SESSIONS)
    verdicts = run_cases(settings, wanted, Verdicts(tmp_path, "fifty"), 2, lambda verdict: None)
    result = summary(verdicts, settings.scenarios.duration_s)
    assert result["sessions"] == SESSIONS
    for check in ("recall_early", "quiet_orders", "only_in_active", "nothing_held_after"):
        assert result["checks"][check], check
    assert result["false_per_volatile_session"] <= FALSE_PER_SESSION
    assert result["entries"] > 0
