"""Drift and outcomes, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from orchestrator.cli.output import Output
from orchestrator.predicting.plan import show_models
from orchestrator.predicting.rows import Window
from orchestrator.predicting.watch import Drift, Outcomes
from orchestrator.research.models.card import read_card
from tests.orchestrator.research.models.small_model import GRID_MODEL

SURE_UP = (0.1, 0.1, 0.8)
SURE_DOWN = (0.8, 0.1, 0.1)


def test_drift_is_the_population_stability_index() -> None:
    card = read_card(GRID_MODEL)
    drift = Drift(card, rows=100)
    far = np.full(12, 100.0, dtype=np.float32)
    full: list[bool] = []
    for _ in range(100):
        drift.take(far)
        full.append(drift.is_full)
    assert full == [False] * 99 + [True]
    then = (np.array(card.shares) * 100 + 0.5) / 105
    now = np.full(10, 0.5 / 105)
    now[-1] = 100.5 / 105
    expected = np.mean([sum((a - b) * math.log(a / b) for a, b in zip(now, each, strict=True)) for each in then])
    assert drift.index() == pytest.approx(expected, rel=1e-9)


def test_drift_forgets_what_is_older_than_its_rows() -> None:
    card = read_card(GRID_MODEL)
    drift, fresh = Drift(card, rows=50), Drift(card, rows=50)
    random = np.random.default_rng(1)
    for _ in range(30):
        drift.take(np.full(12, 100.0, dtype=np.float32))
    for row in random.standard_normal((50, 12)).astype(np.float32):
        drift.take(row)
        fresh.take(row)
    assert drift.index() == pytest.approx(fresh.index(), rel=1e-12)


def test_a_prediction_comes_true_by_the_mean_of_the_next_rows() -> None:
    outcomes = Outcomes(horizon=2, alpha=0.001, kept=3, act_above=0.7)
    outcomes.take(1, 1_000)
    outcomes.predicted(1, SURE_UP)
    outcomes.take(2, 1_000)
    outcomes.predicted(2, SURE_DOWN)
    assert outcomes.judged == 0
    outcomes.take(3, 1_004)
    # Mean 1,002 after 1,000: up, as was said.
    assert (outcomes.judged, outcomes.right, outcomes.sure_right) == (1, 1, 1)
    outcomes.take(4, 1_000)
    # Mean 1,002 after 1,000 again, where down was said.
    assert (outcomes.judged, outcomes.right, outcomes.sure, outcomes.sure_right) == (2, 1, 2, 1)
    assert outcomes.calibration_error() is None
    outcomes.predicted(3, (0.2, 0.6, 0.2))
    outcomes.take(5, 1_000)
    # Down by more than a thousandth after 1,004: three of a mean confidence of 0.8, 0.8 and 0.6, one right.
    assert outcomes.judged == 3
    assert outcomes.calibration_error() == pytest.approx((abs(1 - 1.6) + abs(0 - 0.6)) / 3)


def test_predictions_before_a_break_are_never_judged() -> None:
    outcomes = Outcomes(horizon=2, alpha=0.001, kept=3, act_above=0.7)
    outcomes.take(1, 1_000)
    outcomes.predicted(1, SURE_UP)
    outcomes.interrupt()
    outcomes.predicted(1, SURE_UP)
    for number in range(2, 8):
        outcomes.take(number, 2_000)
    assert outcomes.judged == 0


def test_a_window_has_the_newest_rows_in_order() -> None:
    window = Window(rows=3, features=2)
    for number in range(20):
        window.take(np.full(2, number, dtype=np.float32))
        if number >= 2:
            assert window.newest()[:, 0].tolist() == [number - 2, number - 1, number]
    kept = window.newest()
    window.take(np.zeros(2, dtype=np.float32))
    assert kept[:, 0].tolist() == [17, 18, 19]


def test_people_are_shown_what_came_of_models(capsys: pytest.CaptureFixture[str]) -> None:
    counted: dict[str, Any] = dict.fromkeys(("predictions", "late", "judged", "right", "sure", "sure_and_right"), 7)
    counted |= {"would_act": 3, "would_refuse": 0, "computed_by": "gpu"}
    dropped = {"time_ns": 1_723_161_254_000_000_000, "why": "inputs drifted: index 1.160, limit 0.5"}
    result: dict[str, dict[str, Any]] = {
        "btc": {"set_to": "active", "mode": "shadow", "dropped": dropped, **counted},
        "eth": {"set_to": "filter", "mode": "filter", "dropped": None, **counted},
    }
    show_models(Output(as_json=False), result)
    show_models(Output(as_json=False), {})
    shown = capsys.readouterr().out
    assert "btc" in shown
    assert "would refuse" in shown
    assert shown.count("models") == 1
    assert shown.count("dropped") == 1
    assert "btc dropped to shadow at 23:54:14 UTC: inputs drifted: index 1.160, limit 0.5" in shown
