"""Batches of a few windows by a DeepLOB on a GPU: each launch by itself, and all replayed as one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.gpu.generated_models import lively_weights
from benchmarks.gpu.outcome import Figure, Outcome
from benchmarks.gpu.timing import least_seconds
from gpu.arrays import on_host
from gpu.kernel import KernelModule, KernelSource
from gpu.launch_graph import GraphRecorder
from gpu.models.architecture import PUBLIC_DEEPLOB, DeepLob
from gpu.models_cuda import ModelKernels, Precision
from gpu.recorded_model import RecordedModel
from market.errors import Fatal

BATCHES: Final = (64, 1_024)
"""Windows that share rows."""


def measure_graphs(
    outcome: Outcome,
    module: Callable[[KernelSource], KernelModule],
    xp: Any,
    recorder_of: Callable[[], GraphRecorder],
    architecture: DeepLob = PUBLIC_DEEPLOB,
    batches: Sequence[int] = BATCHES,
    rounds: int = 1,
) -> None:
    """Time from rows to logits, all on the device, by precision and windows of a batch.

    Raises Fatal where the replayed logits are not those of direct launches to the bit; nothing is timed then.
    """
    model, random = lively_weights(architecture, 1), np.random.default_rng(20240808)
    recorder = recorder_of()
    for precision in Precision:
        direct = ModelKernels(model, module, xp, precision)
        replayed = RecordedModel(model, module, xp, recorder, precision)
        for windows in batches:
            shape = (architecture.window + windows - 1, architecture.features)
            rows = xp.asarray(random.standard_normal(shape).astype(np.float32))
            # The second time records, the third is the first that is nothing but a replay.
            found = [replayed.logits(rows) for _ in range(3)][-1]
            if not np.array_equal(on_host(found), on_host(direct.logits(rows))):
                raise Fatal(f"logits of {windows} windows in {precision} differ when replayed: they were not timed")
            name = f"batch of {windows} windows, {precision}"
            for called, kernels, detail in (
                (name, direct, "each launch by itself"),
                (f"{name}, replayed", replayed, "one CUDA graph, and copies of its rows and logits"),
            ):
                taken = least_seconds(xp, lambda kernels=kernels, rows=rows: kernels.logits(rows), rounds)  # type: ignore[misc]
                outcome.add(Figure(called, taken * 1e6, "us", lower_is_better=True, detail=f"DeepLOB, {detail}"))
