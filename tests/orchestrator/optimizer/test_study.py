"""Draws and their file: the rule of Optuna's own pruner, exact values, and files that are something else."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import InMemoryStorage

from config.optimizer import Objective
from market.errors import MissingInput
from orchestrator.optimizer.folds import Span
from orchestrator.optimizer.scores import Scores
from orchestrator.optimizer.series import Series
from orchestrator.optimizer.space import Parameter
from orchestrator.optimizer.study import State, Study, distribution, open_storage, value_of
from orchestrator.optimizer.trial import Looks, outcome_of
from tests.orchestrator.optimizer.invented import PARAMETERS, settings_of

LOOKS = 4
STARTUP = 5


def scores_of(value: float) -> Scores:
    return Scores(value, value, 0.0, 0.0, 0.0, trades=3, samples=LOOKS + 1)


def test_trials_end_where_the_median_pruner_ends_them() -> None:
    chance = np.random.default_rng(1)
    theirs = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP))
    ended = []
    ours = Study(InMemoryStorage(), "whole", settings_of(trials=25, pruning_startup=STARTUP), PARAMETERS)
    for number in range(25):
        changes = chance.normal(0, 1, LOOKS + 1).round(1)
        draw = ours.draw(number)
        trains = tuple((Span(0, look + 1),) for look in range(LOOKS))
        looks = Looks(Objective.GAIN, tuple(range(1, LOOKS + 1)), trains, ours.limits(LOOKS))
        nothing = np.zeros(LOOKS + 1, dtype=np.int64)
        outcome = outcome_of(Series(changes, nothing, nothing), looks)
        ours.finish(draw, outcome, None if outcome.pruned else scores_of(float(changes.sum())))
        trial = theirs.ask()
        pruned_at = None
        for look, value in enumerate(np.cumsum(changes)[:LOOKS]):
            trial.report(float(value), look)
            if trial.should_prune():
                pruned_at = look
                break
        if pruned_at is None:
            theirs.tell(trial, float(changes.sum()))
        else:
            theirs.tell(trial, state=optuna.trial.TrialState.PRUNED)
        assert (len(outcome.seen) - 1 if outcome.pruned else None) == pruned_at
        ended.append(outcome.pruned)
    assert [trial.state is State.PRUNED for trial in ours.trials()] == ended
    assert 5 < sum(ended) < 20


def test_only_a_search_that_learns_ends_trials() -> None:
    study = Study(InMemoryStorage(), "whole", settings_of(search="random"), PARAMETERS)
    for number in range(STARTUP + 1):
        nothing = np.zeros(2, dtype=np.int64)
        outcome = outcome_of(
            Series(np.ones(2), nothing, nothing), Looks(Objective.GAIN, (1,), ((Span(0, 1),),), (None,))
        )
        study.finish(study.draw(number), outcome, scores_of(1.0))
    assert study.limits(1) == (None,)


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter("a", "strategies.a", tuple(Decimal(number) * Decimal("0.000002") for number in range(1, 41)), True),
        Parameter("a", "strategies.a", tuple(Decimal(number) * 3 for number in range(-20, 20)), True),
        Parameter("a", "strategies.a", (Decimal(7),), True),
        Parameter("a", "strategies.a", tuple(map(Decimal, ("0.1", "-3", "1E+3")))),
    ],
)
def test_what_is_drawn_is_one_of_the_values_exactly(parameter: Parameter) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = {
        value_of(parameter, study.ask({"a": distribution(parameter)}).params["a"]) for _ in range(40 * len("values"))
    }
    assert drawn <= set(parameter.choices)
    assert len(drawn) > len(parameter.choices) * 0.9 - 1


def test_a_file_that_is_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("not a database, but long enough to be looked at" * 30)
    with pytest.raises(MissingInput, match=r"study\.db"):
        open_storage(tmp_path / "study.db")
    with pytest.raises(MissingInput, match="nowhere"):
        open_storage(tmp_path / "nowhere" / "study.db")
