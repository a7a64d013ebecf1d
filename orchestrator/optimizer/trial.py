"""One trial: a backtest with some parameters, watched while it runs, and ended early when it is hopeless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from config.optimizer import Objective
from config.settings import Settings
from market.errors import TickwireError
from market.protocols import MarketKey
from market.risk.position import Position
from market.wire.records import Words
from orchestrator.backtest.performance import closing_gains
from orchestrator.backtest.plan import Plan
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.backtest.states import amount_of, fills_in_order
from orchestrator.optimizer.folds import Grid, Span, taken
from orchestrator.optimizer.scores import OBJECTIVES
from orchestrator.optimizer.series import Changes, Series
from orchestrator.optimizer.shared import SharedPlan
from orchestrator.optimizer.space import settings_with
from orchestrator.run_loop.access import PeriodicTask, RunAccess


@dataclass(frozen=True)
class Looks:
    """When a trial is looked at, and what it must have reached by then.

    Parameters
    ----------
    ends: samples after which is looked. trains: the training up to each. limits: at each look, the least of its best
        objective so far with which it goes on; None: it goes on.
    """

    objective: Objective
    ends: tuple[int, ...] = ()
    trains: tuple[tuple[Span, ...], ...] = ()
    limits: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Job:
    """A trial as it is handed to whoever runs it.

    Parameters
    ----------
    values: by setting. currency: of the equity. until: samples that are run.
    """

    shared: SharedPlan
    grid: Grid
    currency: str
    values: Mapping[str, Decimal]
    until: int
    looks: Looks


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a trial.

    Parameters
    ----------
    series: None for one that was ended early or failed. seen: the objective at each look.
    pruned: whether it was ended early. problem: why it failed, else empty.
    """

    series: Series | None
    seen: tuple[float, ...] = ()
    pruned: bool = False
    problem: str = ""


@dataclass
class Watch:
    """Looks at changes as they become known.

    Members
    -------
    seen: the objective at each look so far. hopeless: whether the last one was below its limit.
    """

    looks: Looks
    seen: list[float] = field(default_factory=list)
    hopeless: bool = False

    @property
    def next_end(self) -> int | None:
        """Samples that the next look needs; None when there is none."""
        return None if self.hopeless or len(self.seen) == len(self.looks.ends) else self.looks.ends[len(self.seen)]

    def look(self, changes: Changes) -> None:
        """Look at all the changes up to the next look or further."""
        number = len(self.seen)
        self.seen.append(OBJECTIVES[self.looks.objective](taken(changes, self.looks.trains[number])))
        limit = self.looks.limits[number]
        self.hopeless = limit is not None and max(self.seen) < limit


def outcome_of(series: Series, looks: Looks) -> Outcome:
    """What a trial would have come to whose samples are known already."""
    watch = Watch(looks)
    while watch.next_end is not None:
        watch.look(series.changes)
    return Outcome(None if watch.hopeless else series, tuple(watch.seen), watch.hopeless)


def run_trial(job: Job) -> Outcome:
    """Run a trial.

    Parameters that end a run by an error are a failed trial; raises MissingInput when its recordings are not there.
    """
    plan = job.shared.open(job.shared.plan.settings)
    try:
        return watched_run(job, plan, settings_with(job.shared.plan.settings, job.values))
    except TickwireError as error:
        return Outcome(None, problem=f"{type(error).__name__}: {error}")


def watched_run(job: Job, plan: Plan, settings: Settings) -> Outcome:
    """Run a plan with other settings, as a job says."""
    curve = _Curve(job, plan)
    # One sample more, so that the last one is taken before the feed ends.
    until_ns = job.grid.end_ns(job.until)
    run = run_backtest(replace(plan, settings=settings), until_ns=until_ns, periodic=(curve.task,))
    if run.summary.interrupted:
        raise KeyboardInterrupt
    if curve.watch.hopeless:
        return Outcome(None, tuple(curve.watch.seen), pruned=True)
    return Outcome(_series(job, run, curve.changes(job.until)), tuple(curve.watch.seen))


class _Curve:
    """Takes the equity of a run at intervals, and has hopeless ones looked through."""

    def __init__(self, job: Job, plan: Plan) -> None:
        self.watch = Watch(job.looks)
        self.task = PeriodicTask("trial", job.grid.interval_ns, self._take)
        self._grid = job.grid
        self._markets = [
            (key, plan.catalogue.listing(*key))
            for key in sorted(plan.markets)
            if plan.catalogue.listing(*key).quote_asset == job.currency
        ]
        self._marks: dict[MarketKey, int] = {}
        self._times: list[int] = []
        self._equity: list[float] = []

    def changes(self, until: int) -> Changes:
        """Changes of the samples before one; equity that was not taken is as it was before."""
        ends = self._grid.first_ns + self._grid.interval_ns * np.arange(until + 1)
        place = np.searchsorted(np.array(self._times, dtype=np.int64), ends, side="right")
        return np.diff(np.array([0.0, *self._equity])[place])

    def _take(self, run: RunAccess, now_ns: int) -> None:
        total = Decimal(0)
        for key, listing in self._markets:
            quote, position = run.view.quote(*key), run.positions.get(key, Position())
            if quote is not None:
                self._marks[key] = (quote.bid_price + quote.ask_price) // 2
            mark = self._marks.get(key)
            if mark is not None:
                total += amount_of(listing, position.realised + position.unrealised(mark) - position.fees)
        self._times.append(now_ns)
        self._equity.append(float(total))
        end = self.watch.next_end
        # A sample later, so that the one at its end has been taken whenever the run began.
        if end is not None and now_ns >= self._grid.end_ns(end):
            self.watch.look(self.changes(end))
            if self.watch.hopeless:
                run.stop()


def _series(job: Job, run: BacktestRun, changes: Changes) -> Series:
    listings, orders = run.plan.catalogue, run.summary.orders
    closed = [time_ns for time_ns, _ in closing_gains(orders, listings, job.currency)]
    filled = [fill.receive_ns for _, fill in fills_in_order(orders)]
    return Series(changes, _counted(job.grid, closed, job.until), _counted(job.grid, filled, job.until))


def _counted(grid: Grid, times_ns: Sequence[int], until: int) -> Words:
    """How many of the times lie in each sample."""
    samples = (np.array(times_ns, dtype=np.int64) - grid.first_ns) // grid.interval_ns
    return np.bincount(samples[(samples >= 0) & (samples < until)], minlength=until).astype(np.int64)
