"""Runs that are invented from their values, so that searches can be tested without backtests."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import numpy as np
from optuna.storages import BaseStorage, InMemoryStorage

from config.optimizer import OptimizerSettings
from orchestrator.optimizer.folds import Fold, Grid
from orchestrator.optimizer.kept import KeptRuns
from orchestrator.optimizer.search import Desk, search
from orchestrator.optimizer.series import Changes, Series
from orchestrator.optimizer.shared import SharedPlan
from orchestrator.optimizer.space import Parameter
from orchestrator.optimizer.study import Study, Trial
from orchestrator.optimizer.trial import Job, Outcome, outcome_of
from orchestrator.optimizer.workers import Here, Workers

SAMPLES = 120
TRIALS = 12
GRID = Grid(0, 10**9, SAMPLES)
PARAMETERS = (
    Parameter("skill", "strategies.a", tuple(Decimal(number) / 10 for number in range(-5, 6)), ranged=True),
    Parameter("noise", "strategies.b", tuple(map(Decimal, ("1", "2", "4")))),
    Parameter("name", "strategies.c", tuple(map(Decimal, range(6)))),
)


@dataclass
class Market:
    """Where trials run.

    Parameters
    ----------
    changed: what is made of the changes of each run. trades: closings in each sample.
    """

    changed: Callable[[Changes], Changes] = lambda changes: changes
    trades: int = 1
    ran: list[str] = field(default_factory=list)

    def run(self, job: Job) -> Outcome:
        """In place of a backtest; values b = 4 with c = 5 fail."""
        values = {setting: str(value) for setting, value in sorted(job.values.items())}
        told = json.dumps(values)
        self.ran.append(told)
        if values.get("strategies.b") == "4" and values.get("strategies.c") == "5":
            return Outcome(None, problem="these do not go together")
        skill, noise = float(job.values.get("strategies.a", 0)), float(job.values.get("strategies.b", 1))
        chance = np.random.default_rng(zlib.crc32(told.encode()))
        changes = self.changed(chance.normal(skill / 3, noise, SAMPLES))[: job.until]
        counts = np.full(job.until, self.trades, dtype=np.int64)
        return outcome_of(Series(changes, counts, counts), job.looks)


def desk_in(folder: Path, settings: OptimizerSettings, executor: Executor | None = None, count: int = 1) -> Desk:
    """What searches in a folder have in common; nothing of it opens the recordings."""
    workers = Workers(Here() if executor is None else executor, count)
    shared = cast(SharedPlan, None)
    return Desk(settings, PARAMETERS, shared, GRID, "USDT", KeptRuns(folder / "runs"), workers)


def searched(
    desk: Desk, fold: Fold, tell: Callable[[Trial], None] = lambda trial: None, *, storage: BaseStorage | None = None
) -> list[Trial]:
    """All trials of a search that is made, or goes on, in a storage; None: in memory, from the beginning."""
    study = Study(InMemoryStorage() if storage is None else storage, fold.name, desk.settings, PARAMETERS)
    search(desk, study, fold, tell)
    return study.trials()


def settings_of(**words: Any) -> OptimizerSettings:
    """Settings of short searches."""
    return OptimizerSettings.model_validate({"trials": TRIALS, "pruning_startup": 3, "overfitting_blocks": 4, **words})
