"""Scores of changes of equity, beside those of the report of a backtest."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.optimizer import Objective
from orchestrator.backtest.performance import performance
from orchestrator.optimizer.scores import OBJECTIVES, drawdown, gain, gain_per_drawdown, scores, sharpe, sortino

CENTS = st.lists(st.integers(-10_000, 10_000), min_size=2, max_size=60)


@settings(derandomize=True, deadline=None)
@given(cents=CENTS)
def test_the_scores_are_those_of_the_report(cents: list[int]) -> None:
    changes = np.array(cents) / 100
    equity = [Decimal(0), *(Decimal(total) / 100 for total in np.cumsum(cents).tolist())]
    report = performance([(number * 10**9, money) for number, money in enumerate(equity)])
    found = scores(Objective.GAIN, changes, np.ones(len(cents), dtype=np.int64), 10**9)
    assert math.isclose(found.gain, float(report.gain), abs_tol=1e-9)
    assert math.isclose(found.drawdown, float(report.drawdown), abs_tol=1e-9)
    assert found.objective == found.gain
    assert found.trades == found.samples == len(cents)
    # Rounding leaves the report a deviation of changes that are all alike.
    if report.sharpe is not None and abs(report.sharpe) < 1e9:
        assert math.isclose(found.sharpe_per_year, report.sharpe, rel_tol=1e-6, abs_tol=1e-6)
    if report.sortino is not None:
        per_year = sortino(changes) * math.sqrt(365 * 86_400)
        assert math.isclose(per_year, report.sortino, rel_tol=1e-6, abs_tol=1e-6)


@pytest.mark.parametrize("objective", list(Objective))
def test_nothing_is_worth_nothing(objective: Objective) -> None:
    for changes in (np.zeros(0), np.zeros(1), np.zeros(9)):
        assert OBJECTIVES[objective](changes) == 0.0


def test_gains_without_a_loss_are_finite() -> None:
    rising = np.array([0.0, 1.0, 2.0])
    assert sortino(rising) == gain_per_drawdown(rising) == 1e9
    assert drawdown(rising) == 0.0


def test_rounding_is_no_deviation() -> None:
    assert sharpe(np.array([0.1 + 0.2, 0.3, 0.3])) == 0.0


def test_by_hand() -> None:
    changes = np.array([2.0, -3.0, 1.0, 4.0])
    assert gain(changes) == 4.0
    assert drawdown(changes) == 3.0
    assert gain_per_drawdown(changes) == 4 / 3
    assert math.isclose(sharpe(changes), 1 / math.sqrt(26 / 3))
    assert math.isclose(sortino(changes), 1 / math.sqrt(9 / 4))
    assert drawdown(np.array([-1.0, 3.0])) == 1.0
