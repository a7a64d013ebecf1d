"""Where predictions come from: a thread that answers the newest question, and a tape that answers as then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from config.models import ModelBackend
from gpu.models.weights import Singles
from market.errors import Fatal
from orchestrator.predicting.answers import (
    ComputedPredictions,
    PlayedPredictions,
    Predictions,
    RecordedPredictions,
    ThreadPredictions,
)
from orchestrator.predicting.engines import ON_CPU, PLAYED, Answer
from orchestrator.research.models.folder import TrainedModel
from orchestrator.tape.calls import Call
from orchestrator.tape.playing import Tape

PATIENCE_S = 60.0
WINDOW = np.zeros((5, 12), dtype=np.float32)


class Slow:
    """In place of a trained model and its runtime: computes when the test lets it, says what it was asked."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.failure = failure

    classes = 3

    def one_window(self) -> Slow:
        """Itself."""
        return self

    def probabilities(self, window: Singles) -> Answer:
        """Of the first value of the window."""
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        return float(window[0, 0]), 0.0, 1.0


def opened(predictions: Predictions, model: Slow) -> None:
    predictions.open("slow", cast(TrainedModel, model), ModelBackend.CPU)


def eventually(read: Callable[[], Answer | None]) -> Answer:
    """What comes in the end; the condition of the thread's lock is asked again and again, for a bounded time."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE_S / 0.005)):
        found = read()
        if found is not None:
            return found
        waiting.wait(0.005)
    raise AssertionError("no answer came")


def window_of(value: float) -> Singles:
    return np.full((5, 12), value, dtype=np.float32)


def test_the_newest_question_is_answered_and_nobody_waits() -> None:
    model = Slow()
    with ThreadPredictions() as predictions:
        opened(predictions, model)
        predictions.ask("slow", 1, window_of(0.25))
        assert model.begun.acquire(timeout=PATIENCE_S)
        # The thread is busy with the first; the second is dropped for the third.
        predictions.ask("slow", 2, window_of(0.5))
        predictions.ask("slow", 3, window_of(0.75))
        assert predictions.answer("slow", 1) is None
        model.may_end.release(2)
        assert model.begun.acquire(timeout=PATIENCE_S)
        assert eventually(lambda: predictions.answer("slow", 3)) == (0.75, 0.0, 1.0)
        assert predictions.answer("slow", 2) is None
        assert not model.begun.acquire(blocking=False)


def test_what_breaks_a_model_is_raised_where_the_answer_is_asked_for() -> None:
    model = Slow(RuntimeError("out of memory"))
    with ThreadPredictions() as predictions:
        opened(predictions, model)
        predictions.ask("slow", 1, WINDOW)
        model.may_end.release()
        with pytest.raises(Fatal, match="predictions ended: RuntimeError: out of memory"):
            eventually(lambda: predictions.answer("slow", 1))


def test_the_thread_ends_with_its_block_even_with_questions_left() -> None:
    model = Slow()
    with ThreadPredictions() as predictions:
        opened(predictions, model)
        model.may_end.release(10)
        for number in range(5):
            predictions.ask("slow", number, WINDOW)
    assert not any(thread.name == "predictions" for thread in threading.enumerate())


def test_a_tape_answers_as_then_and_computes_nothing() -> None:
    calls: list[Call] = []
    model = Slow()
    model.may_end.release(2)
    recorded = RecordedPredictions(ComputedPredictions(), calls.append)
    opened(recorded, model)
    recorded.ask("slow", 1, window_of(0.125))
    said: list[Any] = [recorded.answer("slow", 1), recorded.answer("slow", 1)]
    assert said == [(0.125, 0.0, 1.0), None]
    assert recorded.computed_by("slow") == ON_CPU
    played = PlayedPredictions(Tape(iter(calls)))
    opened(played, Slow())
    assert played.computed_by("slow") == PLAYED
    played.ask("slow", 1, WINDOW)
    assert [played.answer("slow", 1), played.answer("slow", 1)] == said
