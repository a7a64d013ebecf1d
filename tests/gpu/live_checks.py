"""Checks of models that stay on a device beside one another and are asked for windows, on any device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.gpu.generated_models import lively_weights
from gpu.models.architecture import Architecture
from gpu.models.reference import probabilities, stretch_logits
from gpu.models.weights import Model
from orchestrator.predicting.engines import LiveKernels, LiveWindows
from tests.gpu.model_checks import TOLERANCE
from tests.gpu.models.shapes import rows_for

SKIPPED = (0, 1, 3)
"""Rows that nobody asked about, from one question to the next."""
_WINDOWS = 12


def check_windows(architectures: Sequence[Architecture], kernels: LiveKernels) -> None:
    """Answers are the reference's of each window: row after row, past rows that nobody asked about, after a break."""
    models = [lively_weights(architecture, seed=3) for architecture in architectures]
    # All are there before the first is asked.
    staying = [LiveWindows(kernels.open(model)) for model in models]
    newest = [0] * len(models)
    try:
        for run, skipped in enumerate(SKIPPED):
            for number, model in enumerate(models):
                newest[number] = _check_run(staying[number], model, newest[number], run, skipped)
    finally:
        kernels.close()


def _check_run(staying: LiveWindows, model: Model, before: int, run: int, skipped: int) -> int:
    """Ask about a run of rows that follows a break; returns the number of its last row."""
    window, rows = model.architecture.window, rows_for(model.architecture, _WINDOWS, seed=run)
    expected = probabilities(stretch_logits(model, rows))
    assert np.abs(expected - expected.mean(axis=0)).max() > 1_000 * TOLERANCE
    for first in range(0, _WINDOWS, 1 + skipped):
        found = staying.answer(before + first + window, rows[first : first + window])
        np.testing.assert_allclose(found, expected[first], rtol=0, atol=TOLERANCE)
    return before + len(rows)
