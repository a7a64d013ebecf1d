"""Trials of the optimizer on all cores: how busy they are, and what a trial costs beside one plain backtest.

The flash-crash trader over its documented space, drawn at random, on the USD-M recording of BTC put end to end several
times. A plain backtest reads and decodes the recording and runs; a trial maps what was decoded once. Both are counted
in CPU seconds, which other load on the machine changes little. Workers are idle when no trial runs in them, from the
first one's start to the last one's end.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Report
from benchmarks.recordings import available_files
from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from market.wire import records
from market.wire.records import Batch, Kind, Rows
from orchestrator.backtest.plan import Plan, plan_over, tape_clock
from orchestrator.backtest.run import run_backtest
from orchestrator.optimizer.folds import Grid, whole
from orchestrator.optimizer.kept import KeptRuns
from orchestrator.optimizer.search import Desk, search
from orchestrator.optimizer.shared import share
from orchestrator.optimizer.space import documented_space
from orchestrator.optimizer.study import State, Study, open_storage
from orchestrator.optimizer.trial import Job, Outcome
from orchestrator.optimizer.workers import Workers, open_workers
from orchestrator.replay.plan import session_settings
from orchestrator.run_loop.catalogue import catalogue
from sim.backtest.tape import read_tape
from sim.generator.recording import is_synthetic
from sim.generator.settings import Coin
from sim.replay.source import Source, SourceSettings

REPEATS: Final = 2
MOST_TRIALS: Final = 200
TRIALS_PER_ROUND: Final = 20
LEAST_OCCUPANCY: Final = 0.9
_SECOND_NS: Final = 10**9
_PROFILE: Final = """
extends = "demo"
[strategies]
active = ["flash-crash"]
[strategies.flash_crash.markets.btc]
instrument = "BTC"
venue = "binance-usdm"
capital_quote = 10_000
[optimizer]
search = "random"
"""


def measure(report: Report) -> None:
    """Twenty trials per round, 200 at most."""
    trials = min(MOST_TRIALS, TRIALS_PER_ROUND * report.rounds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = _settings(folder, trials)
        file = next(file for file in available_files(Coin.BTC) if file.venue is VenueName.BINANCE_USDM)
        if is_synthetic(file.path):
            report.call_synthetic()
        (source,) = session_settings(settings, [file]).sources
        if not isinstance(source, SourceSettings):
            raise Fatal(f"{file.path} is not a recording of lines")
        repeated = Repeated(**vars(source), times=REPEATS)
        plain = [_plain(settings, repeated) for _ in range(min(3, report.rounds) + 1)][1:]
        _search(report, folder, settings, repeated, plain)


def _settings(folder: Path, trials: int) -> Settings:
    path = folder / "crash.toml"
    path.write_text(f"{_PROFILE}trials = {trials}\n", encoding="utf-8")
    return load_settings(path, local=None, environment={})


def _plan(settings: Settings, source: Repeated) -> Plan:
    tape = read_tape([source], tape_clock(settings), quotes=True)
    return plan_over(settings, [source], tape, catalogue(settings))


def _plain(settings: Settings, source: Repeated) -> float:
    """CPU seconds of a backtest from its file to its end."""
    start = time.process_time()
    run_backtest(_plan(settings, source))
    return time.process_time() - start


def _search(report: Report, folder: Path, settings: Settings, source: Repeated, plain: list[float]) -> None:
    plan = _plan(settings, source)
    interval_ns = settings.backtest.sample_interval_ms * 1_000_000
    grid = Grid(plan.tape.first_ns, interval_ns, (plan.tape.last_ns - plan.tape.first_ns) // interval_ns)
    optimizer, space = settings.optimizer, documented_space(settings)
    shared = share(plan, folder / "decoded", "benchmark")
    storage = open_storage(folder / "optuna_study.db")
    with open_workers(optimizer) as workers:
        timed = Timed(workers.executor)
        desk = Desk(optimizer, space, shared, grid, "USDT", KeptRuns(folder / "runs"), Workers(timed, workers.count))
        study = Study(storage, "whole", optimizer, space)
        search(desk, study, whole(grid.count), lambda trial: None)
        done = study.trials()
    storage.engine.dispose()
    if any(trial.state is not State.COMPLETE for trial in done):
        raise Fatal(f"trials failed, the first: {next(trial.problem for trial in done if trial.problem)}")
    _report(report, timed.spent, plain, workers.count, grid)


def _report(report: Report, spent: list[Spent], plain: list[float], cores: int, grid: Grid) -> None:
    lasted = max(each.ended for each in spent) - min(each.began for each in spent)
    busy = sum(each.ended - each.began for each in spent) / (lasted * cores)
    cpu = sum(each.cpu for each in spent) / (lasted * cores)
    case = f"{len(spent)} trials of {grid.count * grid.interval_ns / _SECOND_NS:,.0f} s on {cores} cores"
    report.against_target(f"{case}: idle share of the workers", "%", [100 * (1 - busy)], 100 * (1 - LEAST_OCCUPANCY))
    report.alone(f"{case}: workers in trials", "%", round(100 * busy, 1))
    report.alone(f"{case}: CPU that trials got", "% of all cores", round(100 * cpu, 1))
    middle = statistics.median(each.cpu for each in spent)
    report.compare(
        f"{case}: one trial", "CPU s", [middle] * len(plain), "one plain backtest", plain, target=1.0,
        caveat="reads and decodes its recording itself; the first trial of each worker, which maps it, is counted too",
    )  # fmt: skip
    report.note(f"{case} took {lasted:,.0f} s; CPU is below 100 % where other work shares the machine")


@dataclass(frozen=True)
class Spent:
    """What a trial took in its worker: CPU seconds, and when it began and ended on the machine's monotonic clock."""

    cpu: float
    began: float
    ended: float


class Timed(Executor):
    """Another executor that writes down what each trial took."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.spent: list[Spent] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The trial's outcome."""
        told: Future[Any] = Future()

        def tell(done: Future[tuple[Outcome, Spent]]) -> None:
            error = done.exception()
            if error is not None:
                told.set_exception(error)
                return
            outcome, spent = done.result()
            self.spent.append(spent)
            told.set_result(outcome)

        self._executor.submit(run_timed, fn, *args, **kwargs).add_done_callback(tell)
        return told


def run_timed(run: Callable[[Job], Outcome], job: Job) -> tuple[Outcome, Spent]:
    """A trial and what it took."""
    began, cpu = time.monotonic(), time.process_time()
    outcome = run(job)
    return outcome, Spent(time.process_time() - cpu, began, time.monotonic())


@dataclass(frozen=True)
class Repeated(SourceSettings):
    """A recording several times end to end, its times and the numbers of its updates going on."""

    times: int = 1

    def open(self) -> Source:
        """Open the recording; raises MissingInput if it cannot be read."""
        return RepeatedSource(self)


class RepeatedSource(Source):
    """See ``Repeated``."""

    def __init__(self, settings: Repeated) -> None:
        super().__init__(settings)
        self._once = SourceSettings(**{name: value for name, value in vars(settings).items() if name != "times"})
        self._times = settings.times

    def batches(self) -> Iterator[Batch]:
        """Batches of each time, one after the other."""
        times_ns, ids = [], []
        for batch in self._once.open().batches():
            rows = batch.filled()
            times_ns += [int(rows[0, records.RECEIVE_NS]), int(rows[-1, records.RECEIVE_NS])] if len(rows) else []
            ids += rows[_numbered(rows, records.LAST_ID), records.LAST_ID].tolist()
        for number in range(self._times):
            later_ns = number * (max(times_ns) - min(times_ns) + _SECOND_NS)
            later_ids = number * (max(ids) - min(ids) + 1)
            for batch in self._once.open().batches():
                rows = batch.filled()
                rows[rows[:, records.EVENT_NS] > 0, records.EVENT_NS] += later_ns
                rows[:, records.RECEIVE_NS] += later_ns
                for column in (records.FIRST_ID, records.LAST_ID, records.PREVIOUS_ID):
                    rows[_numbered(rows, column), column] += later_ids
                yield batch


def _numbered(rows: Rows, column: int) -> NDArray[np.bool_]:
    """Rows that have a number of an update in a column."""
    return np.isin(rows[:, records.KIND], (Kind.DIFF, Kind.SNAPSHOT, Kind.QUOTE)) & (rows[:, column] > 0)
