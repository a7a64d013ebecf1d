"""Searches: the same each time, going on after an interruption, and blind for what will judge them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from config.optimizer import OptimizerSettings
from orchestrator.optimizer import search as module
from orchestrator.optimizer.folds import Fold, Span, folds_of, whole
from orchestrator.optimizer.series import Changes
from orchestrator.optimizer.study import State, Trial, open_storage
from tests.orchestrator.optimizer.invented import GRID, SAMPLES, TRIALS, Market, desk_in, searched, settings_of


def searched_in(
    folder: Path, settings: OptimizerSettings, tell: Callable[[Trial], None] = lambda trial: None
) -> list[Trial]:
    """A search that is made, or goes on, in a folder's file."""
    folder.mkdir(exist_ok=True)
    storage = open_storage(folder / "study.db")
    try:
        return searched(desk_in(folder, settings), whole(SAMPLES), tell, storage=storage)
    finally:
        storage.engine.dispose()


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    """Every trial runs there."""
    market = Market()
    monkeypatch.setattr(module, "run_trial", market.run)
    return market


def test_a_seed_says_what_is_found(market: Market, tmp_path: Path) -> None:
    found = [
        searched(desk_in(tmp_path / name, settings_of(seed=seed)), whole(SAMPLES))
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    ]
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert [trial.draw for trial in found[0]] == list(range(TRIALS))
    assert {trial.state for trial in found[0]} >= {State.COMPLETE, State.PRUNED}


@pytest.mark.parametrize("search", ["bayesian", "random"])
def test_an_interrupted_search_goes_on_as_if_nothing_had_been(search: str, market: Market, tmp_path: Path) -> None:
    settings = settings_of(search=search)
    straight = searched(desk_in(tmp_path / "straight", settings), whole(SAMPLES))
    in_all = len(market.ran)
    market.ran.clear()
    heard: list[Trial] = []

    def interrupt(trial: Trial) -> None:
        heard.append(trial)
        if len(heard) in (4, 9):
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            searched_in(tmp_path / "twice", settings, interrupt)
    again = searched_in(tmp_path / "twice", settings, interrupt)
    assert again == straight == heard
    assert len(market.ran) == in_all


def test_a_finished_search_runs_nothing_and_a_longer_one_the_rest(market: Market, tmp_path: Path) -> None:
    short = searched_in(tmp_path, settings_of(trials=6))
    market.ran.clear()
    assert searched_in(tmp_path, settings_of(trials=6)) == short
    assert market.ran == []
    assert searched_in(tmp_path, settings_of(trials=9))[:6] == short
    assert 0 < len(market.ran) <= 3


def test_several_workers_find_what_one_does_where_draws_do_not_learn(market: Market, tmp_path: Path) -> None:
    settings = settings_of(search="random")
    one = searched(desk_in(tmp_path / "one", settings), whole(SAMPLES))
    with ThreadPoolExecutor(3) as executor:
        desk = desk_in(tmp_path / "three", settings, executor, 3)
        assert searched(desk, whole(SAMPLES)) == one


def test_the_same_run_is_not_made_twice(market: Market, tmp_path: Path) -> None:
    settings = settings_of(search="random", purge_s=0)
    desk = desk_in(tmp_path, settings)
    for fold in (whole(SAMPLES), *folds_of(GRID, settings)):
        searched(desk, fold)
    complete = [told for told in market.ran if '"strategies.b": "4", "strategies.c": "5"' not in told]
    assert len(complete) == len(set(complete))


@pytest.mark.parametrize("validation", ["walk-forward", "purged"])
def test_no_search_knows_what_will_judge_it(validation: str, market: Market, tmp_path: Path) -> None:
    settings = settings_of(validation=validation, purge_s=2, embargo_s=3, folds=2)
    for number, fold in enumerate(folds_of(GRID, settings)):

        def otherwise(changes: Changes, fold: Fold = fold) -> Changes:
            """Other changes wherever the fold does not train."""
            other = np.random.default_rng(9).normal(0.0, 100.0, SAMPLES)
            for span in fold.train:
                other[span.start : span.end] = changes[span.start : span.end]
            return other

        places = (tmp_path / f"{number}", tmp_path / f"{number}-otherwise")
        market.changed = lambda changes: changes
        honest = searched(desk_in(places[0], settings), fold)
        market.changed = otherwise
        assert searched(desk_in(places[1], settings), fold) == honest


def test_what_other_searches_found_does_not_change_one(market: Market, tmp_path: Path) -> None:
    settings = settings_of(purge_s=0)
    fold = folds_of(GRID, settings)[0]
    alone = searched(desk_in(tmp_path / "alone", settings), fold)
    desk = desk_in(tmp_path / "after", settings)
    searched(desk, whole(SAMPLES))
    assert searched(desk, fold) == alone


def test_failures_are_kept_with_their_reason(market: Market, tmp_path: Path) -> None:
    settings = settings_of(search="random", trials=60)
    failed = [trial for trial in searched(desk_in(tmp_path, settings), whole(SAMPLES)) if trial.state is State.FAILED]
    assert failed
    assert {trial.problem for trial in failed} == {"these do not go together"}
    assert all(trial.objective is None and not trial.fits for trial in failed)


def test_constraints_say_what_fits(market: Market, tmp_path: Path) -> None:
    settings = settings_of(search="random", minimum_trades=SAMPLES, maximum_drawdown=20)
    trials = searched(desk_in(tmp_path, settings), whole(SAMPLES))
    complete = [trial for trial in trials if trial.drawdown is not None]
    assert {trial.fits for trial in complete} == {True, False}
    assert all(trial.fits == ((trial.drawdown or 0) <= 20) for trial in complete)
    strict = settings_of(search="random", minimum_trades=SAMPLES + 1)
    other = tmp_path / "strict"
    assert not any(trial.fits for trial in searched(desk_in(other, strict), whole(SAMPLES)))


def test_looks_are_within_the_training(market: Market, tmp_path: Path) -> None:
    fold = Fold("odd", (Span(0, 10), Span(50, 60)), Span(20, 30))
    trials = searched(desk_in(tmp_path, settings_of()), fold)
    assert len(trials) == TRIALS
