"""Verdicts to statistics, sessions to verdicts, and a run that goes on where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from config.loading import load_settings
from config.scenarios import ScenarioKind
from config.settings import Settings
from market.errors import MissingInput
from orchestrator.detection.cases import Seeds, cases
from orchestrator.detection.judge import Verdict, judge
from orchestrator.detection.run import VERDICTS_FILE, Verdicts, fingerprint, run_cases
from orchestrator.detection.summary import quantiles, summary

POCKET, QUIET, VOLATILE = ScenarioKind.AIR_POCKET, ScenarioKind.QUIET, ScenarioKind.VOLATILE


def settings_of(duration_s: int = 240) -> Settings:
    """The profile with short sessions."""
    settings = load_settings("flash-crash", local=None, environment={})
    return settings.model_copy(
        update={"scenarios": settings.scenarios.model_copy(update={"duration_s": duration_s, "sessions": 1_000})}
    )


def verdict(number: int, kind: ScenarioKind, **words: object) -> Verdict:
    content = {"messages": 1, "alerts": 0, "actives": 0, "false_actives": 0, "active_s": 0.0} | words
    return Verdict(number=number, kind=kind, seed=number, **content)  # type: ignore[arg-type]


def test_eight_of_twenty_sessions_crash_and_seeds_are_apart() -> None:
    scenarios = settings_of().scenarios
    tuning, unseen = (cases(scenarios, seeds, scenarios.sessions) for seeds in (Seeds.TUNING, Seeds.EVALUATION))
    assert sum(case.kind.is_crash for case in tuning[:20]) == 8
    assert sum(case.kind is VOLATILE for case in tuning[:20]) == 6
    assert {case.kind for case in tuning[:20]} == set(ScenarioKind)
    assert not {case.seed for case in tuning} & {case.seed for case in unseen}
    assert {case.kind for case in cases(scenarios, Seeds.TUNING, 5, QUIET)} == {QUIET}


def test_shares_are_of_what_there_is() -> None:
    found = verdict(0, POCKET, actives=1, delay_s=4.0, fallen_pct=30.0, fall_pct=5.0, entries=1, orders=2)
    late = verdict(1, POCKET, actives=2, false_actives=1, delay_s=8.0, fallen_pct=60.0, fall_pct=5.0)
    missed = verdict(2, POCKET, fall_pct=4.0)
    result = summary([found, late, missed, verdict(3, QUIET), verdict(4, VOLATILE, actives=1, false_actives=1)], 43_200)
    assert result["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert result["recall_early"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["precision"] == 0.5
    assert result["entered"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["false_per_day"] == 1.0
    assert result["false_per_volatile_session"] == 1.0
    assert result["delay_s"]["p50"] == 6.0
    assert result["checks"] == {
        "recall_early": False,
        "false_actives": False,
        "quiet_orders": True,
        "entered": False,
        "only_in_active": True,
        "nothing_held_after": True,
    }


def test_orders_on_quiet_days_and_what_is_left_fail_the_checks() -> None:
    checks = summary([verdict(0, QUIET, orders=1, outside=1, left=1)], 1_800)["checks"]
    assert not checks["quiet_orders"]
    assert not checks["only_in_active"]
    assert not checks["nothing_held_after"]


def test_quantiles_of_few() -> None:
    assert quantiles([]) is None
    assert quantiles([3.0]) == {"p10": 3.0, "p50": 3.0, "p90": 3.0, "max": 3.0}


def test_a_crash_is_found_and_a_quiet_session_is_left_alone(tmp_path: Path) -> None:
    settings = settings_of()
    crash, quiet = (
        judge(replace(cases(settings.scenarios, Seeds.TUNING, 1, kind)[0], seed=5), settings, tmp_path)
        for kind in (POCKET, QUIET)
    )
    assert crash.is_detected
    assert crash.is_early
    assert crash.actives - crash.false_actives >= 1
    assert not crash.outside
    assert not crash.left
    assert crash.asleep
    assert (quiet.actives, quiet.orders, quiet.delay_s) == (0, 0, None)
    assert not list(tmp_path.iterdir())


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    settings, about = settings_of(120), "settings and seeds"
    wanted = cases(settings.scenarios, Seeds.TUNING, 2, QUIET)
    told: list[int] = []
    first = run_cases(settings, wanted[:1], Verdicts(tmp_path, about), 1, lambda one: told.append(one.number))
    with (tmp_path / VERDICTS_FILE).open("a", encoding="utf-8") as file:
        file.write('{"number": 1, "ki')
    both = run_cases(settings, wanted, Verdicts(tmp_path, about), 1, lambda one: told.append(one.number))
    assert told == [0, 1]
    assert both[0] == first[0]
    lines = (tmp_path / VERDICTS_FILE).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["number"] for line in lines[1:]] == [0, 1]


def test_verdicts_of_other_settings_are_refused(tmp_path: Path) -> None:
    settings = settings_of()
    about = fingerprint(settings, Seeds.TUNING, None)
    Verdicts(tmp_path, about)
    other = fingerprint(settings, Seeds.EVALUATION, None)
    assert about != other
    with pytest.raises(MissingInput, match="other settings or seeds"):
        Verdicts(tmp_path, other)
    more = settings.model_copy(update={"scenarios": settings.scenarios.model_copy(update={"sessions": 900})})
    assert fingerprint(more, Seeds.TUNING, None) == about


@pytest.mark.parametrize("line", ["not json", "[1]", '{"number": 1}', '{"number": 1, "kind": "none"}'])
def test_damaged_verdicts_are_refused(tmp_path: Path, line: str) -> None:
    Verdicts(tmp_path, "a")
    with (tmp_path / VERDICTS_FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(MissingInput, match="line 2"):
        Verdicts(tmp_path, "a")
