"""One trial: its samples, what a shorter run knows, and when it is ended early."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from config.optimizer import Objective
from orchestrator.backtest.performance import closings, equity_curves
from orchestrator.backtest.run import run_backtest
from orchestrator.optimizer.folds import Grid, Span
from orchestrator.optimizer.shared import SharedPlan
from orchestrator.optimizer.trial import Job, Looks, Outcome, Watch, outcome_of, run_trial

Make = Callable[[int, Looks], Job]


@pytest.fixture(scope="module")
def whole(job: Make, grid: Grid, no_looks: Looks) -> Outcome:
    """The trial to its end."""
    return run_trial(job(grid.count, no_looks))


def test_the_samples_are_those_of_a_plain_backtest(whole: Outcome, shared: SharedPlan, grid: Grid) -> None:
    run = run_backtest(shared.open(shared.plan.settings))
    listings = run.plan.catalogue
    curve = equity_curves(run.states.rows, {str(each): each.quote_asset for each in listings.listings})["USDT"]
    assert whole.series is not None
    equity = np.cumsum(whole.series.changes)
    ends = [grid.end_ns(sample) for sample in range(grid.count)]
    for end, found in list(zip(ends, equity, strict=True))[::7]:
        before = [float(money) for time_ns, money in curve if time_ns <= end]
        assert math.isclose(found, before[-1] if before else 0.0, abs_tol=1e-9)
    assert whole.series.trades.sum() == closings(run.summary.orders, listings, "USDT").count > 1
    assert whole.series.fills.sum() == sum(len(order.fills) for order in run.summary.orders)


@pytest.mark.parametrize("share", [0.3, 0.71])
def test_a_shorter_run_knows_the_same_of_its_time(
    share: float, whole: Outcome, job: Make, grid: Grid, no_looks: Looks
) -> None:
    until = int(share * grid.count)
    cut = run_trial(job(until, no_looks)).series
    assert cut is not None
    assert whole.series is not None
    assert cut.changes.tolist() == whole.series.changes[:until].tolist()
    assert cut.trades.tolist() == whole.series.trades[:until].tolist()
    assert cut.fills.tolist() == whole.series.fills[:until].tolist()


def test_looks_see_the_training_alone_and_end_what_is_hopeless(whole: Outcome, job: Make, grid: Grid) -> None:
    ends = (grid.count // 4, grid.count // 2)
    trains = tuple((Span(10, end),) for end in ends)
    patient = Looks(Objective.GAIN, ends, trains, (None, None))
    seen = run_trial(job(grid.count, patient))
    assert whole.series is not None
    assert seen.seen == tuple(math.fsum(whole.series.changes[10:end]) for end in ends)
    assert not seen.pruned
    assert seen.series is not None
    assert seen.series.changes.tolist() == whole.series.changes.tolist()
    strict = replace(patient, limits=(seen.seen[0] - 1.0, max(seen.seen) + 1e-6))
    ended = run_trial(job(grid.count, strict))
    assert (ended.pruned, ended.series, ended.seen) == (True, None, seen.seen)
    known = outcome_of(whole.series, strict)
    assert (known.pruned, known.series, known.seen) == (True, None, seen.seen)
    assert outcome_of(whole.series, patient).seen == seen.seen


def test_the_best_look_so_far_is_what_counts() -> None:
    looks = Looks(Objective.GAIN, (1, 2), ((Span(0, 1),), (Span(0, 2),)), (None, 1.5))
    watch = Watch(looks)
    changes = np.array([2.0, -5.0])
    watch.look(changes[:1])
    watch.look(changes)
    assert watch.seen == [2.0, -3.0]
    assert not watch.hopeless
    assert watch.next_end is None


def test_values_that_do_not_fit_together_are_a_failed_trial(job: Make, grid: Grid, no_looks: Looks) -> None:
    values = {"strategies.market_making.spread": Decimal(2)}
    failed = run_trial(replace(job(grid.count, no_looks), values=values))
    assert failed.series is None
    assert not failed.pruned
    assert "spread" in failed.problem
