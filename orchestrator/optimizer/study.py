"""The trials of a search: drawn by Optuna, and written to a SQLite file as each one is finished.

Draws are numbered, and the sampler of each is seeded with its number: a search that goes on after an interruption
draws what it would have drawn. Trials under way are in memory only, so none is ever found half done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np

from config.optimizer import OptimizerSettings, Search
from market.errors import MissingExtra, MissingInput
from orchestrator.optimizer.scores import Scores
from orchestrator.optimizer.space import Parameter
from orchestrator.optimizer.trial import Outcome

try:
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.trial import FrozenTrial, TrialState
    from sqlalchemy.exc import SQLAlchemyError
except ImportError as error:
    raise MissingExtra(
        f"the optimizer needs Optuna ({error}); install the extra: pip install 'tickwire[tune]'"
    ) from error

STARTUP_DRAWS: Final = 10
"""Independent draws before the first one that TPE makes."""
_BUSY_S: Final = 60


class State(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


_STATES: Final = {
    TrialState.COMPLETE: State.COMPLETE,
    TrialState.PRUNED: State.PRUNED,
    TrialState.FAIL: State.FAILED,
}


@dataclass(frozen=True)
class Trial:
    """One finished trial.

    Parameters
    ----------
    draw: its number. values: by parameter. objective: None unless it is complete. fits: whether it meets the
    constraints. trades, fills, gain, drawdown: of its training, None unless it is complete. problem: why it failed.
    """

    draw: int
    state: State
    values: Mapping[str, Decimal]
    objective: float | None
    fits: bool
    trades: int | None = None
    fills: int | None = None
    gain: float | None = None
    drawdown: float | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Draw:
    """A trial under way."""

    number: int
    values: Mapping[str, Decimal]
    trial: optuna.trial.Trial


def open_storage(path: Path) -> optuna.storages.RDBStorage:
    """The SQLite file of a study, made where there is none; raises MissingInput for one that is something else."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.storages.RDBStorage(
            f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": _BUSY_S}, "hide_parameters": True}
        )
    except (SQLAlchemyError, RuntimeError, optuna.exceptions.OptunaError) as error:
        text = str(error).splitlines()[0]
        raise MissingInput(f"{path} cannot be used as an Optuna study: {type(error).__name__}: {text}") from error


class Study:
    """One search in the file; single-threaded.

    Parameters
    ----------
    name: of the search in the file.
    """

    def __init__(
        self,
        storage: optuna.storages.BaseStorage,
        name: str,
        settings: OptimizerSettings,
        parameters: Sequence[Parameter],
    ) -> None:
        self._settings = settings
        self._parameters = {parameter.name: parameter for parameter in parameters}
        self._distributions = {parameter.name: distribution(parameter) for parameter in parameters}
        self._kept = optuna.create_study(
            storage=storage, study_name=name, direction="maximize", load_if_exists=True, sampler=_random(settings, 0)
        )
        self._running = optuna.create_study(direction="maximize", sampler=_random(settings, 0))
        self._running.add_trials(self._kept.get_trials(deepcopy=False))

    def left(self) -> list[int]:
        """Numbers of the draws that are not finished, in order."""
        done = {_draw_of(trial) for trial in self._finished()}
        return [number for number in range(self._settings.budget) if number not in done]

    def trials(self) -> list[Trial]:
        """The finished trials, by their numbers."""
        return sorted((self._told(trial) for trial in self._finished()), key=lambda trial: trial.draw)

    def draw(self, number: int) -> Draw:
        """Begin a trial."""
        self._running.sampler = self._sampler(number)
        trial = self._running.ask(self._distributions)
        trial.set_user_attr("draw", number)
        return Draw(number, self._values(trial.params), trial)

    def limits(self, looks: int) -> tuple[float | None, ...]:
        """What the best objective up to each look must reach: the median of the complete trials there.

        The rule of Optuna's MedianPruner, as known before the trial begins; None where nothing is asked for.
        """
        complete = [trial for trial in self._finished() if trial.state == TrialState.COMPLETE]
        if self._settings.search is not Search.BAYESIAN or len(complete) < self._settings.pruning_startup:
            return (None,) * looks
        return tuple(
            _median([trial.intermediate_values[look] for trial in complete if look in trial.intermediate_values])
            for look in range(looks)
        )

    def finish(self, draw: Draw, outcome: Outcome, found: Scores | None, fills: int = 0) -> Trial:
        """Write down what came of a trial.

        Parameters
        ----------
        found: of its training; None for a trial that was ended early or failed.
        """
        trial = draw.trial
        for look, value in enumerate(outcome.seen):
            trial.report(value, look)
        if outcome.pruned:
            self._running.tell(trial, state=TrialState.PRUNED)
        elif found is None:
            trial.set_user_attr("problem", outcome.problem)
            self._running.tell(trial, state=TrialState.FAIL)
        else:
            for key, value in self.excess(found).items():
                trial.set_constraint(key, value)
            told = {"trades": found.trades, "fills": fills, "gain": found.gain, "drawdown": found.drawdown}
            trial.set_user_attr("found", told)
            self._running.tell(trial, found.objective)
        frozen = self._running.get_trials(deepcopy=False)[trial.number]
        self._kept.add_trial(frozen)
        return self._told(frozen)

    def excess(self, found: Scores) -> dict[str, float]:
        """By how much each constraint is broken; 0 or less where it holds."""
        limits = {"trades": float(self._settings.minimum_trades - found.trades)}
        if self._settings.maximum_drawdown:
            limits["drawdown"] = found.drawdown - float(self._settings.maximum_drawdown)
        return limits

    def _finished(self) -> Iterable[FrozenTrial]:
        return self._running.get_trials(deepcopy=False, states=tuple(_STATES))

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        if self._settings.search is not Search.BAYESIAN:
            return _random(self._settings, number)
        return optuna.samplers.TPESampler(n_startup_trials=STARTUP_DRAWS, seed=_seed(self._settings.seed, number))

    def _values(self, drawn: Mapping[str, Any]) -> dict[str, Decimal]:
        return {name: value_of(parameter, drawn[name]) for name, parameter in self._parameters.items()}

    def _told(self, trial: FrozenTrial) -> Trial:
        notes = trial.user_attrs
        state = _STATES[trial.state]
        complete = state is State.COMPLETE
        return Trial(
            draw=_draw_of(trial),
            state=state,
            values=self._values(trial.params),
            objective=trial.value if complete else None,
            fits=complete and all(excess <= 0 for excess in trial.constraints.values()),
            problem=notes.get("problem", ""),
            **notes.get("found", {}),
        )


def distribution(parameter: Parameter) -> BaseDistribution:
    """How Optuna draws a parameter: a range as numbers in order, else any of the values."""
    choices = parameter.choices
    if parameter.ranged and len(choices) > 1:
        return FloatDistribution(float(choices[0]), float(choices[-1]), step=float(choices[1] - choices[0]))
    return CategoricalDistribution([str(choice) for choice in choices])


def value_of(parameter: Parameter, drawn: float | str) -> Decimal:
    """The exact value that was drawn."""
    choices = parameter.choices
    if isinstance(drawn, str):
        return Decimal(drawn)
    step = choices[1] - choices[0]
    return choices[round((Decimal(drawn) - choices[0]) / step)]


def _draw_of(trial: FrozenTrial) -> int:
    return int(trial.user_attrs["draw"])


def _random(settings: OptimizerSettings, number: int) -> optuna.samplers.RandomSampler:
    return optuna.samplers.RandomSampler(seed=_seed(settings.seed, number))


def _seed(seed: int, number: int) -> int:
    """A seed of its own for each draw."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(np.array(values))) if values else None
