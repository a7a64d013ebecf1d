"""Checks of the kernels of models against the reference, on any device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu.generated_models import lively_weights
from gpu.arrays import on_host
from gpu.kernel import KernelModule, KernelSource
from gpu.live_model import LiveModel, SharedMemory
from gpu.models.architecture import Architecture
from gpu.models.reference import row_vectors, stretch_logits
from gpu.models_cuda import ModelKernels, Precision
from tests.gpu.models.shapes import rows_for

TOLERANCE = 1e-6
"""Of float32 logits whose size is about 1."""


def check_model(
    architecture: Architecture, windows: int, module: Callable[[KernelSource], KernelModule], xp: Any
) -> None:
    """Logits of every window are the reference's in float64; those of windows by themselves are the same to the bit."""
    model = lively_weights(architecture, seed=11)
    rows = rows_for(architecture, windows)
    kernels = ModelKernels(model, module, xp)
    found = on_host(kernels.logits(xp.asarray(rows)))
    np.testing.assert_allclose(found, stretch_logits(model, rows), atol=TOLERANCE, rtol=TOLERANCE)
    for window in {0, windows // 2, windows - 1}:
        alone = kernels.logits(xp.asarray(rows[window : window + architecture.window]))
        np.testing.assert_array_equal(on_host(alone)[0], found[window])


def check_bfloat16(
    architecture: Architecture, windows: int, module: Callable[[KernelSource], KernelModule], xp: Any
) -> float:
    """Vectors of rows in bfloat16 are off by a small part of what they vary by; logits of windows by themselves are the
    same to the bit. Returns the largest error of a logit."""
    model, rows = lively_weights(architecture, seed=11), rows_for(architecture, windows)
    kernels = ModelKernels(model, module, xp, Precision.BFLOAT16)
    expected = row_vectors(model, rows)
    varies = (expected - expected.mean(axis=0)).std()
    errors = (on_host(kernels.row_vectors(xp.asarray(rows))) - expected) / varies
    # Thirteen layers round one after another, each by up to a 256th.
    assert 0.0 < np.sqrt((errors**2).mean()) <= 0.05
    assert np.abs(errors).max() <= 0.25
    found = on_host(kernels.logits(xp.asarray(rows)))
    alone = on_host(kernels.logits(xp.asarray(rows[windows - 1 :])))
    np.testing.assert_array_equal(alone[0], found[-1])
    return float(np.abs(found - stretch_logits(model, rows)).max())


def check_live(
    architecture: Architecture,
    rows: int,
    module: Callable[[KernelSource], KernelModule],
    xp: Any,
    memory: SharedMemory,
    at_once: int = 3,
    **words: Any,
) -> None:
    """Logits of rows that are published some at a time are the reference's of every window, in float64.

    words: how the model is spread over blocks.
    """
    model = lively_weights(architecture, seed=11)
    columns = rows_for(architecture, rows - architecture.window + 1)
    found = []
    with LiveModel(model, module, xp, memory, **words) as live:
        for start in range(0, rows, at_once):
            for row in columns[start : start + at_once]:
                live.publish(row)
            live.run(min(rows, start + at_once))
            found += [live.logits(number) for number in range(start, min(rows, start + at_once))]
    before = architecture.window - 1
    assert found[:before] == [None] * before
    expected = stretch_logits(model, columns)
    np.testing.assert_allclose(np.stack(found[before:]), expected, atol=TOLERANCE, rtol=TOLERANCE)  # type: ignore[arg-type]
