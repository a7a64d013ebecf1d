"""One search: draws are handed to whoever runs trials, and what came of them is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from config.optimizer import OptimizerSettings, Search
from orchestrator.optimizer.folds import Fold, Grid, Span, taken
from orchestrator.optimizer.kept import KeptRuns
from orchestrator.optimizer.scores import Scores, scores
from orchestrator.optimizer.series import Series
from orchestrator.optimizer.shared import SharedPlan
from orchestrator.optimizer.space import Parameter
from orchestrator.optimizer.study import Draw, Study, Trial
from orchestrator.optimizer.trial import Job, Looks, Outcome, outcome_of, run_trial
from orchestrator.optimizer.workers import Workers


@dataclass(frozen=True)
class Desk:
    """What all searches of a command have in common.

    Parameters
    ----------
    currency: whose equity is judged.
    """

    settings: OptimizerSettings
    parameters: tuple[Parameter, ...]
    shared: SharedPlan
    grid: Grid
    currency: str
    kept: KeptRuns
    workers: Workers

    def by_setting(self, values: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Values by setting, from those by parameter."""
        return {parameter.setting: values[parameter.name] for parameter in self.parameters if parameter.name in values}

    def job(self, values: Mapping[str, Decimal], until: int, looks: Looks | None = None) -> Job:
        """A trial of some values by setting."""
        looks = Looks(self.settings.objective) if looks is None else looks
        return Job(self.shared, self.grid, self.currency, values, until, looks)

    def scores(self, series: Series, *spans: Span) -> Scores:
        """Of some samples of a run."""
        changes, trades = taken(series.changes, spans), taken(series.trades, spans)
        return scores(self.settings.objective, changes, trades, self.grid.interval_ns)


def search(desk: Desk, study: Study, fold: Fold, tell: Callable[[Trial], None]) -> None:
    """Finish all draws of a search; ``tell`` hears of each. Errors that no parameters caused pass through."""
    left = iter(study.left())
    under_way: dict[Future[Outcome], tuple[Draw, Looks]] = {}

    def take_next() -> bool:
        number = next(left, None)
        if number is None:
            return False
        draw = study.draw(number)
        looks = looks_of(desk.settings, fold, study)
        values = desk.by_setting(draw.values)
        known = desk.kept.get(values, fold.train_end)
        if known is not None:
            tell(_finish(desk, study, fold, draw, outcome_of(known, looks)))
        else:
            job = desk.job(values, fold.train_end, looks)
            under_way[desk.workers.executor.submit(run_trial, job)] = draw, looks
        return True

    try:
        while True:
            while len(under_way) < desk.workers.at_once and take_next():
                pass
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda each: under_way[each][0].number):
                draw, _ = under_way.pop(future)
                outcome = future.result()
                if outcome.series is not None:
                    desk.kept.put(desk.by_setting(draw.values), outcome.series)
                tell(_finish(desk, study, fold, draw, outcome))
    finally:
        for future in under_way:
            future.cancel()


def _finish(desk: Desk, study: Study, fold: Fold, draw: Draw, outcome: Outcome) -> Trial:
    if outcome.series is None:
        return study.finish(draw, outcome, None)
    fills = int(taken(outcome.series.fills, fold.train).sum())
    return study.finish(draw, outcome, desk.scores(outcome.series, *fold.train), fills)


def looks_of(settings: OptimizerSettings, fold: Fold, study: Study) -> Looks:
    """When a trial of a search that prunes is looked at, and what is asked of it then."""
    steps = settings.pruning_steps if settings.search is Search.BAYESIAN else 0
    ends = tuple(fold.end_of(step / steps) for step in range(1, steps))
    return Looks(settings.objective, ends, tuple(map(fold.train_before, ends)), study.limits(len(ends)))


def run_series(desk: Desk, wanted: Mapping[str, tuple[Mapping[str, Decimal], int]]) -> dict[str, Series | str]:
    """Series of runs by any names, each of values by setting and so many samples; a text where the run failed."""
    found: dict[str, Series | str] = {}
    under_way: dict[str, Future[Outcome]] = {}
    try:
        for name, (values, until) in wanted.items():
            known = desk.kept.get(values, until)
            if known is not None:
                found[name] = known
            else:
                under_way[name] = desk.workers.executor.submit(run_trial, desk.job(values, until))
        wait(under_way.values())
        for name, future in under_way.items():
            outcome = future.result()
            found[name] = outcome.problem if outcome.series is None else outcome.series
            if outcome.series is not None:
                desk.kept.put(wanted[name][0], outcome.series)
    finally:
        for future in under_way.values():
            future.cancel()
    return found


def joined(parts: list[tuple[Series, Span]]) -> Series:
    """Parts of several runs, one after the other."""
    return Series(
        np.concatenate([series.changes[span.start : span.end] for series, span in parts]),
        np.concatenate([series.trades[span.start : span.end] for series, span in parts]),
        np.concatenate([series.fills[span.start : span.end] for series, span in parts]),
    )
