"""Winners of searches: what they are worth where they were chosen, where they were not, and how much of it is luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from orchestrator.optimizer.deflated import Deflated, deflated_sharpe
from orchestrator.optimizer.folds import Fold, Span, taken
from orchestrator.optimizer.overfitting import Overfitting, distinct, overfitting_probability
from orchestrator.optimizer.scores import Scores, sharpe
from orchestrator.optimizer.search import Desk, joined, run_series
from orchestrator.optimizer.series import Series
from orchestrator.optimizer.study import State, Trial

AS_IT_IS = "as it is"
_NOTHING: Mapping[str, Decimal] = {}


@dataclass(frozen=True)
class Winner:
    """The best trial of a search.

    Parameters
    ----------
    train: where it was chosen. test: on what neither chose it nor any other; None where nothing was kept apart.
    deflated, overfitting: see there, of the training; None where there is too little to say.
    """

    trial: Trial
    train: Scores
    test: Scores | None
    deflated: Deflated | None
    overfitting: Overfitting | None


@dataclass(frozen=True)
class Judged:
    """A search and its winner, None when no trial met the constraints."""

    fold: Fold
    trials: tuple[Trial, ...]
    distinct: int
    winner: Winner | None

    def count(self, state: State) -> int:
        """Trials that ended so."""
        return Counter(trial.state for trial in self.trials)[state]

    @property
    def traded(self) -> int:
        """Complete trials with any fill in their training."""
        return sum(bool(trial.fills) for trial in self.trials)


@dataclass(frozen=True)
class Judgement:
    """What all searches say.

    Parameters
    ----------
    searches: of the folds. best: the search over everything, whose winner is handed over.
    out_of_sample: all tests of the folds' winners, one after the other; None when no fold has one.
    as_it_is, as_it_is_tested: the settings without any parameter, over everything and over the same tests.
    """

    searches: tuple[Judged, ...]
    best: Judged
    out_of_sample: Scores | None
    as_it_is: Scores | None
    as_it_is_tested: Scores | None
    as_it_is_problem: str


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete trial with the highest objective of those that meet the constraints, the first of equal ones."""
    fit = [trial for trial in trials if trial.fits and trial.objective is not None]
    return max(fit, key=lambda trial: (trial.objective or 0.0, -trial.draw), default=None)


def judge(desk: Desk, found: Sequence[tuple[Fold, Sequence[Trial]]]) -> Judgement:
    """Judge the winners of searches, the one over everything first; runs what has to be run for their tests."""
    winners = {fold.name: best_of(trials) for fold, trials in found}
    wanted: dict[str, tuple[Mapping[str, Decimal], int]] = {AS_IT_IS: (_NOTHING, desk.grid.count)}
    for fold, _ in found:
        winner = winners[fold.name]
        if winner is not None:
            until = fold.train_end if fold.test is None else max(fold.train_end, fold.test.end)
            wanted[fold.name] = desk.by_setting(winner.values), until
    series = run_series(desk, wanted)
    judged = [_judged(desk, fold, trials, winners[fold.name], series.get(fold.name)) for fold, trials in found]
    tests = [
        (each.fold.name, each.fold.test)
        for each in judged
        if each.fold.test is not None and each.winner is not None and each.winner.test is not None
    ]
    plain = series[AS_IT_IS]
    return Judgement(
        searches=tuple(judged[1:]),
        best=judged[0],
        out_of_sample=_joined(desk, [(series[name], span) for name, span in tests]),
        as_it_is=None if isinstance(plain, str) else desk.scores(plain, Span(0, desk.grid.count)),
        as_it_is_tested=_joined(desk, [(plain, span) for _, span in tests]),
        as_it_is_problem=plain if isinstance(plain, str) else "",
    )


def _joined(desk: Desk, parts: Sequence[tuple[Series | str, Span]]) -> Scores | None:
    known = [(series, span) for series, span in parts if not isinstance(series, str)]
    if not known:
        return None
    whole = joined(known)
    return desk.scores(whole, Span(0, whole.length))


def _judged(desk: Desk, fold: Fold, trials: Sequence[Trial], winner: Trial | None, run: Series | str | None) -> Judged:
    columns = [
        taken(series.changes, fold.train)
        for trial in trials
        if trial.state is State.COMPLETE
        and (series := desk.kept.get(desk.by_setting(trial.values), fold.train_end)) is not None
    ]
    columns = distinct(columns)
    if winner is None or run is None or isinstance(run, str):
        return Judged(fold, tuple(trials), len(columns), None)
    pruned = sum(trial.state is State.PRUNED for trial in trials)
    blocks = desk.settings.overfitting_blocks
    return Judged(
        fold,
        tuple(trials),
        len(columns),
        Winner(
            trial=winner,
            train=desk.scores(run, *fold.train),
            test=None if fold.test is None else desk.scores(run, fold.test),
            deflated=deflated_sharpe(taken(run.changes, fold.train), list(map(sharpe, columns)), pruned),
            overfitting=overfitting_probability(np.column_stack(columns), blocks) if len(columns) > 1 else None,
        ),
    )
