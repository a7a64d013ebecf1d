"""Checks of recorded launches against direct ones, on any device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.arrays import on_host
from gpu.kernel import KernelModule, KernelSource
from gpu.launch_graph import GraphRecorder, KeptArrays
from gpu.models.architecture import Architecture
from gpu.models_cuda import ModelKernels, Precision
from gpu.recorded_model import RecordedModel
from gpu.vpin_cuda import VpinKernels, source
from market.errors import Fatal
from tests.gpu.models.shapes import rows_for

Compile = Callable[[KernelSource], KernelModule]


def check_sums(module: Compile, xp: Any, recorder: GraphRecorder) -> None:
    """Three launches that hand arrays on: nothing runs while they are recorded, each replay sums what is there then."""
    memory = KeptArrays(xp)
    kernels, random = VpinKernels(module(source()), memory), np.random.default_rng(5)
    lots, sides = xp.asarray(np.ones(5_000, np.int32)), xp.asarray(np.ones(5_000, np.int8))
    with memory.keeping() as kept:
        kernels.trade_sums(lots, sides)
    found: list[Any] = []
    with memory.again(kept):
        lots[...] = 2
        graph = recorder.record(lambda: found.append(kernels.trade_sums(lots, sides)))
    [sums] = found
    assert int(on_host(sums.volumes)[-1]) == 5_000
    for _ in range(3):
        lots[...] = xp.asarray(random.integers(1, 100, 5_000).astype(np.int32))
        sides[...] = xp.asarray(random.integers(1, 3, 5_000).astype(np.int8))
        graph.launch()
        direct = kernels.trade_sums(lots, sides)
        np.testing.assert_array_equal(on_host(sums.volumes), np.cumsum(on_host(lots)))
        for one, other in ((sums.volumes, direct.volumes), (sums.bought, direct.bought)):
            np.testing.assert_array_equal(on_host(one), on_host(other))


def check_model_replays(
    architecture: Architecture,
    module: Compile,
    xp: Any,
    recorder: GraphRecorder,
    precision: Precision = Precision.FLOAT32,
) -> None:
    """Logits of stretches whose length comes again are those of direct launches, to the bit, and stay what they are."""
    model = lively_weights(architecture, seed=11)
    direct = ModelKernels(model, module, xp, precision)
    replayed = RecordedModel(model, module, xp, recorder, precision)
    long, short = (rows_for(architecture, windows) for windows in (19, 4))
    stretches = [long, long[::-1], short, -long, short[::-1], long]
    found = [replayed.logits(xp.asarray(np.ascontiguousarray(rows))) for rows in stretches]
    assert replayed.recorded_rows == [len(short), len(long)]
    for rows, logits in zip(stretches, found, strict=True):
        expected = on_host(direct.logits(xp.asarray(np.ascontiguousarray(rows))))
        np.testing.assert_array_equal(on_host(logits), expected)
    assert not np.array_equal(on_host(found[0]), on_host(found[1]))


def check_refusals(module: Compile, xp: Any, recorder: GraphRecorder) -> None:
    """Work that takes memory, reads or records is refused, and what comes after it is recorded and run as ever."""
    kernels, ones = VpinKernels(module(source()), xp), np.ones(10, np.int32)
    lots, sides = xp.asarray(ones), xp.asarray(ones.astype(np.int8))
    sums = kernels.trade_sums(lots, sides)

    def fail() -> None:
        raise ValueError("of the work itself")

    refused: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: xp.empty(3, np.float32), Fatal, "memory was asked for while launches were recorded"),
        (lambda: kernels.trade_sums(lots, sides), Fatal, "memory was asked for while launches were recorded"),
        (lambda: lots + lots, Fatal, "memory was asked for while launches were recorded"),
        (lambda: sums.volumes.get(), Fatal, "an array was read while launches were recorded"),
        (lambda: int(sums.volumes[-1]), Fatal, "an array was read while launches were recorded"),
        (lambda: recorder.record(fail), Fatal, "launches are being recorded already"),
        (fail, ValueError, "of the work itself"),
    ]
    for work, error, says in refused:
        with pytest.raises(error, match=says):
            recorder.record(work)
        assert int(on_host(kernels.trade_sums(lots, sides).volumes)[-1]) == 10
    check_sums(module, xp, recorder)
