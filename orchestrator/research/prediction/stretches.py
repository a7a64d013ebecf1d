"""Predictions of many windows: runs of neighbouring rows in pieces of a fixed size, on several threads or on a GPU.

Pieces and therefore results are the same however many threads there are; a row's vector is computed once in a piece.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.backend import choose_threads
from gpu.models.onnx_runtime import Given, OnnxModel
from gpu.models.weights import Singles
from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.baselines.samples import Predictions
from orchestrator.research.datasets.dataset import DatasetMarket
from orchestrator.research.datasets.features import Normalisation
from orchestrator.research.datasets.labels import CLASSES
from orchestrator.research.models.card import Card
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.models.inputs import model_inputs
from orchestrator.research.prediction.computing import Computing, StretchModel, computed_by, is_on_gpu

PIECE: Final = 512
"""Windows that are computed together: their states fit the cache."""
GPU_PIECE: Final = 1 << 20
"""The same on a GPU, which splits them further where they do not fit its memory."""


def predict_windows(
    model: StretchModel,
    inputs: Singles,
    samples: Words,
    window: int,
    threads: int | None = None,
    advance: Callable[[int], None] = lambda windows: None,
) -> Singles:
    """Probabilities float32[m, classes] of the windows that end at some rows.

    Parameters
    ----------
    model: of a stretch of rows, ONNX Runtime's with one thread. inputs: float32[n, features]. samples: int64[m], rising
        rows of at least ``window - 1``. threads: of the CPU. advance: told how many more windows are done.
    """
    on_gpu = is_on_gpu(model)
    together = GPU_PIECE if on_gpu else PIECE
    if isinstance(model, OnnxModel) and model.given is not Given.ROWS:
        raise Rejected("predict_windows takes the graph of a stretch of rows, was given one of windows")
    if len(samples) and (int(samples[0]) < window - 1 or int(samples[-1]) >= len(inputs)):
        raise Rejected(
            f"samples were rows {samples[0]} to {samples[-1]}: must be {window - 1} to {len(inputs) - 1}, the last of "
            "windows"
        )
    pieces = [
        piece
        for run in np.split(np.arange(len(samples)), np.flatnonzero(np.diff(samples) != 1) + 1)
        for piece in np.split(run, np.arange(together, len(run), together))
        if len(piece)
    ]

    def compute(piece: NDArray[np.int64]) -> Singles:
        first, last = int(samples[piece[0]]), int(samples[piece[-1]])
        found: Singles = model.probabilities(inputs[first - window + 1 : last + 1])
        return found

    parts: list[Singles] = []
    with ThreadPoolExecutor(1 if on_gpu else choose_threads(threads)) as pool:
        for found in pool.map(compute, pieces):
            parts.append(found)
            advance(len(found))
    return np.concatenate(parts) if parts else np.zeros((0, CLASSES), dtype=np.float32)


def as_predictions(probabilities: NDArray[Any]) -> Predictions:
    """The most probable class, and probabilities in float64 that add up to 1."""
    doubles = probabilities.astype(np.float64)
    doubles /= doubles.sum(axis=1, keepdims=True)
    return Predictions(np.argmax(doubles, axis=1).astype(np.int8), doubles)


class ModelPredictor:
    """A model beside the baselines: ``study.RowPredictor``."""

    def __init__(
        self, name: str, model: StretchModel, window: int, training: int | None, threads: int | None = None
    ) -> None:
        self._name = name
        self._model = model
        self._window = window
        self._training = training
        self._threads = threads

    @classmethod
    def of_folder(
        cls, model: TrainedModel, threads: int | None = None, computing: Computing | None = None
    ) -> ModelPredictor:
        """That of a trained model; ``computing``: by what, ONNX Runtime if nothing is said."""
        card, made = model.card, model.runtime(Given.ROWS) if computing is None else computing.model(model)
        return cls(model.name, made, card.window, trained_samples(card), threads)

    @property
    def name(self) -> str:
        """For tables."""
        return self._name

    @property
    def computed_by(self) -> dict[str, str]:
        """Who computes and in which precision, for JSON."""
        return computed_by(self._model)

    @property
    def training(self) -> int | None:
        """Samples that it was fitted on."""
        return self._training

    def predict(self, market: DatasetMarket, rows: Words, normalisation: Normalisation) -> Predictions:
        """Classes and probabilities of samples at some rows."""
        # A row more than windows need, since a flow is since the row before.
        first = max(0, int(rows[0]) - self._window) if len(rows) else 0
        last = int(rows[-1]) + 1 if len(rows) else 0
        book, segments = np.asarray(market.book[first:last]), np.asarray(market.segments[first:last])
        inputs = model_inputs(book, segments, market.form, normalisation)
        return as_predictions(predict_windows(self._model, inputs, rows - first, self._window, self._threads))


def trained_samples(card: Card) -> int:
    """Samples that a model was fitted on."""
    return sum(market.samples for market in card.markets)
