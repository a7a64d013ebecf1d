"""Winners: who wins, what judges them, and what is said when nobody does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orchestrator.optimizer import search as module
from orchestrator.optimizer.folds import Fold, folds_of, whole
from orchestrator.optimizer.judgement import Judgement, best_of, judge
from orchestrator.optimizer.result import why_none
from orchestrator.optimizer.scores import sharpe
from orchestrator.optimizer.search import Desk
from orchestrator.optimizer.study import State, Trial
from tests.orchestrator.optimizer.invented import GRID, SAMPLES, Market, desk_in, searched, settings_of


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    """Every trial runs there."""
    market = Market()
    monkeypatch.setattr(module, "run_trial", market.run)
    return market


def judged(desk: Desk) -> Judgement:
    folds: list[Fold] = [whole(SAMPLES), *folds_of(GRID, desk.settings)]
    return judge(desk, [(fold, searched(desk, fold)) for fold in folds])


def test_winners_are_judged_where_they_were_not_chosen(market: Market, tmp_path: Path) -> None:
    desk = desk_in(tmp_path, settings_of(search="random", purge_s=2, folds=3))
    found = judged(desk)
    tests = []
    for each in found.searches:
        assert each.winner is not None
        assert each.fold.test is not None
        fitting = [trial for trial in each.trials if trial.fits]
        assert each.winner.trial.objective == max(trial.objective or 0.0 for trial in fitting)
        assert each.winner.train.objective == each.winner.trial.objective
        run = desk.kept.get(desk.by_setting(each.winner.trial.values), each.fold.test.end)
        assert run is not None
        tests.append(run.changes[each.fold.test.start : each.fold.test.end])
        assert each.winner.test is not None
        assert each.winner.test.sharpe == sharpe(tests[-1])
    assert found.out_of_sample is not None
    assert found.out_of_sample.sharpe == sharpe(np.concatenate(tests))
    assert found.best.winner is not None
    assert found.best.winner.test is None
    assert found.as_it_is is not None
    assert found.as_it_is.samples == SAMPLES
    assert found.as_it_is_tested is not None
    assert found.as_it_is_tested.samples == found.out_of_sample.samples


def test_luck_is_stated_beside_every_winner(market: Market, tmp_path: Path) -> None:
    found = judged(desk_in(tmp_path, settings_of(search="random", purge_s=0, folds=2)))
    for each in (*found.searches, found.best):
        assert each.winner is not None
        assert each.winner.deflated is not None
        assert each.winner.overfitting is not None
        different = {tuple(trial.values.items()) for trial in each.trials if trial.state is State.COMPLETE}
        assert each.winner.deflated.trials == each.winner.overfitting.trials == len(different) == each.distinct
        assert 0 <= each.winner.deflated.probability <= 1
        assert each.winner.overfitting.blocks == 4


def test_trials_that_were_ended_early_count_as_tries(market: Market, tmp_path: Path) -> None:
    found = judged(desk_in(tmp_path, settings_of(trials=25, purge_s=0, folds=1)))
    pruned = found.best.count(State.PRUNED)
    assert pruned > 0
    assert found.best.winner is not None
    assert found.best.winner.deflated is not None
    assert found.best.winner.deflated.trials == found.best.distinct + pruned


def test_the_first_of_equal_ones_wins_and_nobody_that_breaks_a_constraint() -> None:
    def trial(draw: int, objective: float, *, fits: bool = True) -> Trial:
        return Trial(draw, State.COMPLETE, {}, objective, fits)

    trials = [trial(0, 1.0), trial(1, 2.0), trial(2, 2.0), trial(3, 5.0, fits=False)]
    winner = best_of(trials)
    assert winner is not None
    assert winner.draw == 1
    assert best_of(trials[3:]) is None
    negative = best_of([trial(0, -2.0), trial(1, -1.0)])
    assert negative is not None
    assert negative.draw == 1


@pytest.mark.parametrize(
    ("trades", "words", "said"),
    [
        (0, {}, "no trade at all"),
        (1, {"minimum_trades": 1_000}, "closed less than optimizer.minimum_trades = 1000"),
        (1, {"maximum_drawdown": 0.001}, "fell by more than optimizer.maximum_drawdown"),
    ],
)
def test_why_there_is_no_winner_is_said(
    trades: int, words: dict[str, object], said: str, market: Market, tmp_path: Path
) -> None:
    market.trades = trades
    desk = desk_in(tmp_path, settings_of(search="random", purge_s=0, folds=1, **words))
    found = judged(desk)
    assert found.best.winner is None
    assert found.out_of_sample is None
    assert said in why_none(desk.settings, found.best)


def test_trials_that_all_failed_are_told_with_their_reason(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator.optimizer.trial import Outcome

    monkeypatch.setattr(module, "run_trial", lambda job: Outcome(None, problem="Fatal: too large"))
    desk = desk_in(tmp_path, settings_of(search="random", purge_s=0, folds=1))
    found = judged(desk)
    assert found.best.count(State.FAILED) == len(found.best.trials)
    assert found.as_it_is_problem == "Fatal: too large"
    assert "Fatal: too large" in why_none(desk.settings, found.best)
