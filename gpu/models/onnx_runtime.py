"""Models by ONNX Runtime on the CPU."""

from __future__ import annotations

import importlib
import math
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.backend import choose_threads
from gpu.models.weights import Singles
from market.errors import MissingExtra, MissingInput, Rejected

_ERRORS_ONLY: Final = 3


class Given(Enum):
    """What a graph takes."""

    WINDOWS = "windows"
    """float32[b, window, features]: each window by itself."""
    ROWS = "rows"
    """float32[n, features]: a stretch of rows, every window of which is wanted."""


class OnnxModel:
    """A graph of ``onnx_graph`` that can be run.

    Parameters
    ----------
    source: an ONNX file, or its bytes. threads: of one call; None: as many as this process may run at once.

    Members
    -------
    session: ONNX Runtime's own. given: what it takes. features: values of a row.
    window: rows of a window, None for a graph of a stretch.

    Raises MissingExtra without ONNX Runtime, MissingInput for a file that cannot be read, Rejected for another graph.
    """

    def __init__(self, source: Path | bytes, threads: int | None = 1) -> None:
        runtime = require_onnx_runtime()
        name = str(source) if isinstance(source, Path) else "the model"
        if isinstance(source, Path) and not source.is_file():
            raise MissingInput(f"{source} is not there: `tickwire train` writes models")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = choose_threads(threads)
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            self.session = runtime.InferenceSession(
                str(source) if isinstance(source, Path) else source, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise Rejected(f"{name} is no ONNX model that ONNX Runtime takes: {error}") from error
        inputs = self.session.get_inputs()
        outputs = {each.name for each in self.session.get_outputs()}
        if len(inputs) != 1 or inputs[0].name not in {each.value for each in Given} or "probabilities" not in outputs:
            raise Rejected(f"{name} is no model of ours: expected the input windows or rows, the output probabilities")
        self.given = Given(inputs[0].name)
        self.features = int(inputs[0].shape[-1])
        self.window = int(inputs[0].shape[1]) if self.given is Given.WINDOWS else None
        self._input = inputs[0].name
        self._outputs = ["probabilities"]

    def probabilities(self, inputs: NDArray[Any]) -> Singles:
        """float32[b, classes] of what the graph takes.

        Raises Rejected for another shape, or values that are not finite.
        """
        values = np.ascontiguousarray(inputs, dtype=np.float32)
        expected = (self.window, self.features) if self.window else (self.features,)
        if values.ndim != len(expected) + 1 or values.shape[1:] != expected:
            raise Rejected(
                f"{self._input} has the shape {values.shape}: must be (any, {', '.join(map(str, expected))})"
            )
        # A sum is finite only if all are, and costs a fraction of looking at each; float32 sums of z-scores are far
        # from their largest number.
        if not math.isfinite(values.sum()):
            raise Rejected(f"{self._input} has values that are not finite")
        found: Singles = self.session.run(self._outputs, {self._input: values})[0]
        return found


def require_onnx_runtime() -> Any:
    """The package ``onnxruntime``. Raises MissingExtra without it."""
    try:
        return importlib.import_module("onnxruntime")
    except ImportError:
        raise MissingExtra("models are run by ONNX Runtime: pip install 'tickwire[models]'") from None
