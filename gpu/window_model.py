"""Probabilities of every window of a stretch of rows, by a model: ONNX Runtime on the CPU, our kernels on a GPU.

Vectors of rows are computed once on both, whatever windows hold them; results equal those of windows by themselves.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gpu.arrays import choose_for, first_true, is_on_gpu, module_of
from gpu.backend import Backend, choose
from gpu.cupy_graph import CupyRecorder
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.memory import in_parts, rows_that_fit
from gpu.models.onnx_graph import stretch_graph
from gpu.models.onnx_runtime import OnnxModel
from gpu.models.reference import probabilities as softmax
from gpu.models.reference import stretch_logits
from gpu.models.weights import Model, Singles
from gpu.models_cuda import ModelKernels, Precision, fits
from gpu.recorded_model import RecordedModel
from market.errors import Rejected

FEWEST_WINDOWS: Final = 64
"""Of a part: fewer would compute more rows before their first window than windows."""


def backend_for(model: Model, asked: Backend | str) -> Backend:
    """CPU, GPU or NUMPY for what was asked for; auto takes the CPU for a model that a GPU's blocks cannot hold.

    Raises as ``choose`` does.
    """
    is_free = str(asked) == Backend.AUTO
    return choose(asked, has_kernels=fits(model.architecture) if is_free else True)


def _kernels_on_gpu(model: Model, precision: Precision, graphs: bool) -> ModelKernels:
    if graphs:
        return RecordedModel(model, CupyModule, require_gpu(), CupyRecorder(), precision)
    return ModelKernels(model, CupyModule, require_gpu(), precision)


class WindowModel:
    """A model that is applied to every window of rows that follow one another.

    Parameters
    ----------
    backend: auto, cpu (ONNX Runtime), gpu, or numpy (the reference). auto takes the CPU for a model that a GPU's blocks
        cannot hold. threads: of ONNX Runtime; None: all.
    precision: on a GPU; the others compute in float32 and more. kernels: what a GPU computes with; None: of the
        current one. windows_at_once: of a part; None: what fits.
    graphs: whether a GPU records the launches of a number of rows that comes again and replays them, which counts for
        short stretches; the others launch nothing.

    Members
    -------
    backend: what computes: cpu, gpu or numpy. precision: as asked for.

    Raises MissingExtra without a GPU or without ONNX Runtime, Rejected for a model that a GPU's blocks cannot hold.
    """

    def __init__(
        self,
        model: Model,
        *,
        backend: Backend | str = Backend.AUTO,
        threads: int | None = None,
        precision: Precision = Precision.FLOAT32,
        kernels: ModelKernels | None = None,
        windows_at_once: int | None = None,
        graphs: bool = False,
    ) -> None:
        self.model = model
        self.backend = Backend.GPU if kernels is not None else backend_for(model, backend)
        self.precision = precision
        self._at_once = windows_at_once
        self._kernels, self._runtime = kernels, None
        if self.backend is Backend.GPU and kernels is None:
            self._kernels = _kernels_on_gpu(model, precision, graphs)
        elif self.backend is Backend.CPU:
            self._runtime = OnnxModel(stretch_graph(model), threads)

    def probabilities(self, rows: Any) -> Any:
        """float32[n - window + 1, classes] of [n, features], oldest first; on the GPU if the rows lie there.

        Raises Rejected for another shape, fewer rows than a window, and for values that are not finite.
        """
        values = self._checked(rows)
        if self._kernels is not None:
            return self._by_kernels(values)
        if self._runtime is not None:
            return self._runtime.probabilities(values)
        found: Singles = softmax(stretch_logits(self.model, values)).astype(np.float32)
        return found

    def _checked(self, rows: Any) -> Any:
        if self._kernels is None:
            choose_for(is_on_gpu(rows), self.backend)
        xp = module_of(rows)
        values = xp.ascontiguousarray(xp.asarray(rows), dtype=np.float32)
        features, window = self.model.architecture.features, self.model.architecture.window
        if values.ndim != 2 or values.shape[1] != features:
            raise Rejected(f"rows have the shape {values.shape}: must be (rows, {features})")
        if len(values) < window:
            raise Rejected(f"{len(values)} rows: a window has {window}")
        wrong = first_true(~xp.isfinite(values).all(axis=1))
        if wrong >= 0:
            raise Rejected(f"rows[{wrong}] has values that are not finite")
        return values

    def _by_kernels(self, values: Any) -> Any:
        assert self._kernels is not None
        kernels, xp = self._kernels, self._kernels.xp
        stays = is_on_gpu(values)
        windows = len(values) - self.model.architecture.window + 1

        def work(start: int, end: int) -> Any:
            there = xp.asarray(values[start : end + self.model.architecture.window - 1])
            logits = kernels.logits(there)
            powers = xp.exp(logits - logits.max(axis=1, keepdims=True))
            found = powers / powers.sum(axis=1, keepdims=True)
            return found if stays or not hasattr(found, "get") else found.get()

        step = self._at_once or max(FEWEST_WINDOWS, rows_that_fit(xp, kernels.bytes_per_row))
        parts = list(in_parts(xp, windows, step, work))
        return (xp if stays else np).concatenate(parts)
