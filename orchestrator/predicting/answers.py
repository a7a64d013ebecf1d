"""Where predictions come from: at once in event time, from a thread of their own live, or from a tape."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

from config.models import ModelBackend
from config.settings import Settings
from gpu.models.weights import Singles
from market.errors import Fatal
from orchestrator.predicting.engines import (
    ON_CPU,
    PLAYED,
    Answer,
    ComputedBy,
    LiveKernels,
    ModelEngine,
    open_engine,
    open_runtime,
)
from orchestrator.research.models.folder import TrainedModel
from orchestrator.tape.playing import Tape, played_value
from orchestrator.tape.recording import Write, recorded_value

Say = Callable[[str], None]


class Predictions(Protocol):
    """Questions and their answers; neither waits for a model that computes elsewhere."""

    def open(self, name: str, model: TrainedModel, backend: ModelBackend) -> None:
        """A model that will be asked."""

    def computed_by(self, name: str) -> ComputedBy:
        """Who computes a model that was opened."""

    def ask(self, name: str, number: int, window: Singles) -> None:
        """Ask for the prediction of a window float32[window, features]; ``number`` names it and rises."""

    def answer(self, name: str, number: int) -> Answer | None:
        """The answer to a question, once; None when there is none by now, and there never will be."""


class ComputedPredictions:
    """Predictions that are computed when they are asked for: the same in every run, for event time.

    Always on the CPU: runs must be alike on machines with a GPU and without.
    """

    def __init__(self) -> None:
        self._models: dict[str, ModelEngine] = {}
        self._answers: dict[tuple[str, int], Answer] = {}

    def open(self, name: str, model: TrainedModel, backend: ModelBackend) -> None:
        """Load a model."""
        self._models[name] = ModelEngine(open_runtime(model))

    def computed_by(self, name: str) -> ComputedBy:
        """The CPU."""
        return ON_CPU

    def ask(self, name: str, number: int, window: Singles) -> None:
        """Compute."""
        self._answers[name, number] = self._models[name].answer(number, window)

    def answer(self, name: str, number: int) -> Answer | None:
        """What was computed."""
        return self._answers.pop((name, number), None)


class ThreadPredictions:
    """Predictions from a thread: the newest question of each model is answered, older ones that wait are dropped.

    A context manager: the thread runs within it. What breaks a model's computation is raised by the next ``answer``.

    Parameters
    ----------
    kernels: models that stay on the GPU. say: told at the beginning who computes each model.
    """

    def __init__(self, kernels: LiveKernels | None = None, say: Say = lambda text: None) -> None:
        self._kernels = LiveKernels() if kernels is None else kernels
        self._say = say
        self._models: dict[str, ModelEngine] = {}
        self._waiting: deque[tuple[str, int, Singles]] = deque()
        self._answers: dict[tuple[str, int], Answer] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="predictions", daemon=True)

    def __enter__(self) -> ThreadPredictions:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()
        self._kernels.close()

    def open(self, name: str, model: TrainedModel, backend: ModelBackend) -> None:
        """Load a model, before the first question to any. Raises as ``open_engine`` does."""
        self._models[name] = open_engine(name, model, backend, self._kernels)
        self._say(f"model {name}: predictions {self.computed_by(name)}")

    def computed_by(self, name: str) -> ComputedBy:
        """Who computes now: the CPU takes over from a GPU that fails."""
        return self._models[name].by

    def ask(self, name: str, number: int, window: Singles) -> None:
        """Leave a question for the thread, in place of one of the same model that it has not begun."""
        with self._changed:
            kept = [question for question in self._waiting if question[0] != name]
            self._waiting = deque([*kept, (name, number, window)])
            self._changed.notify()

    def answer(self, name: str, number: int) -> Answer | None:
        """The answer if the thread has it; answers to older questions of the model are dropped."""
        with self._changed:
            if self._failure is not None:
                raise Fatal(f"predictions ended: {type(self._failure).__name__}: {self._failure}") from self._failure
            found = self._answers.get((name, number))
            self._answers = {key: each for key, each in self._answers.items() if key[0] != name or key[1] > number}
            return found

    def _run(self) -> None:
        try:
            while (question := self._next()) is not None:
                name, number, window = question
                model = self._models[name]
                before, answer = model.by, model.answer(number, window)
                if model.by != before:
                    self._say(f"model {name}: predictions {model.by}")
                with self._changed:
                    self._answers[name, number] = answer
        except BaseException as error:  # noqa: BLE001  raised in the loop's thread
            with self._changed:
                self._failure = error

    def _next(self) -> tuple[str, int, Singles] | None:
        """The next question; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            return None if self._ended else self._waiting.popleft()


def live_predictions(settings: Settings, stack: ExitStack, say: Say = lambda text: None) -> Predictions:
    """Predictions from a thread until the stack ends; no thread where no model watches."""
    return stack.enter_context(ThreadPredictions(say=say)) if settings.models.watching else ComputedPredictions()


class RecordedPredictions:
    """Predictions whose every answer is written down."""

    def __init__(self, predictions: Predictions, write: Write) -> None:
        self._predictions = predictions
        self._write = write
        self.open = predictions.open
        self.computed_by = predictions.computed_by
        self.ask = predictions.ask

    def answer(self, name: str, number: int) -> Answer | None:
        """The answer."""
        return recorded_value(self._write, "prediction", lambda: self._predictions.answer(name, number))()


class PlayedPredictions:
    """The answers of a tape; nothing is computed."""

    def __init__(self, tape: Tape) -> None:
        self._read: Any = played_value(tape, "prediction", object)

    def open(self, name: str, model: TrainedModel, backend: ModelBackend) -> None:
        """Nothing to load."""

    def computed_by(self, name: str) -> ComputedBy:
        """Nobody."""
        return PLAYED

    def ask(self, name: str, number: int, window: Singles) -> None:
        """Was asked then."""

    def answer(self, name: str, number: int) -> Answer | None:
        """The answer of then."""
        found = self._read()
        return None if found is None else (found[0], found[1], found[2])
