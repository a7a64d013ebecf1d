"""All searches of one command, from settings and recordings to their judgement."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.loading import Loaded
from config.settings import Settings
from market.errors import Rejected
from orchestrator.backtest.plan import Plan
from orchestrator.optimizer.folder import DATABASE_FILE, DECODED_FOLDER, RUNS_FOLDER, inputs_of, key_of, opened
from orchestrator.optimizer.folds import Fold, Grid, folds_of, whole
from orchestrator.optimizer.judgement import Judgement, judge
from orchestrator.optimizer.kept import KeptRuns
from orchestrator.optimizer.search import Desk, search
from orchestrator.optimizer.shared import share
from orchestrator.optimizer.space import Parameter, space_of
from orchestrator.optimizer.study import Study, Trial, open_storage
from orchestrator.optimizer.workers import open_workers
from orchestrator.replay.plan import SourceFile

_NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Task:
    """A search that can be made: everything about it has been checked.

    Parameters
    ----------
    folds: the search over everything first.
    """

    settings: Settings
    files: tuple[SourceFile, ...]
    plan: Plan
    parameters: tuple[Parameter, ...]
    grid: Grid
    folds: tuple[Fold, ...]
    currency: str

    @property
    def trials(self) -> int:
        """Draws of all searches."""
        return self.settings.optimizer.budget * len(self.folds)


def task_of(loaded: Loaded, settings: Settings, plan: Plan, files: Sequence[SourceFile]) -> Task:
    """What the settings ask for.

    Parameters
    ----------
    loaded: the settings with their sources. settings: the same with what the command line says laid over them.

    Raises Rejected for settings that do not fit the recordings, MissingInput for recordings that are too short.
    """
    parameters = space_of(loaded, settings)
    currency = _currency(settings, plan)
    interval_ns = settings.backtest.sample_interval_ms * _NS_PER_MS
    grid = Grid(plan.tape.first_ns, interval_ns, (plan.tape.last_ns - plan.tape.first_ns) // interval_ns)
    folds = (whole(grid.count), *folds_of(grid, settings.optimizer))
    return Task(settings, tuple(files), plan, parameters, grid, folds, currency)


def optimize(task: Task, out: Path, tell: Callable[[Trial], None]) -> Judgement:
    """Do what is left of the searches in a folder, and judge their winners; ``tell`` hears of every finished trial.

    Trials of an earlier call count as finished. Raises what ends a search; what is finished by then stays so.
    """
    settings = task.settings.optimizer
    inputs = inputs_of(task.settings, task.parameters, task.files)
    with opened(out, inputs):
        storage = open_storage(out / DATABASE_FILE)
        studies = [Study(storage, fold.name, settings, task.parameters) for fold in task.folds]
        for study in studies:
            for trial in study.trials():
                tell(trial)
        decoded = out.resolve() / DECODED_FOLDER
        try:
            shared = share(task.plan, decoded, key_of(inputs))
            with open_workers(settings) as workers:
                kept = KeptRuns(out / RUNS_FOLDER)
                desk = Desk(settings, task.parameters, shared, task.grid, task.currency, kept, workers)
                for study, fold in zip(studies, task.folds, strict=True):
                    search(desk, study, fold, tell)
                return judge(desk, [(fold, study.trials()) for study, fold in zip(studies, task.folds, strict=True)])
        finally:
            shutil.rmtree(decoded, ignore_errors=True)
            storage.engine.dispose()


def _currency(settings: Settings, plan: Plan) -> str:
    traded = sorted({market.listing.quote_asset for market in plan.markets.values()})
    wanted = settings.optimizer.currency
    if wanted:
        if wanted not in traded:
            raise Rejected(f"optimizer.currency was {wanted}: must be one that the recordings trade in, {traded}")
        return wanted
    if len(traded) != 1:
        raise Rejected(f"the recordings trade in {traded}: optimizer.currency must say whose equity is judged")
    return traded[0]
