"""One window at a time by ONNX Runtime on the CPU, through buffers that are bound once."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu.models.onnx_runtime import Given, OnnxModel
from gpu.models.weights import Singles
from market.errors import Rejected

_OUTPUT: Final = "probabilities"
_DEVICE: Final = "cpu"


class OneWindow:
    """A graph of windows that is asked for one window at a time, by one thread.

    The window is copied into a buffer that the graph always reads, and the answer comes in one that it always writes:
    ONNX Runtime then looks up no names, wraps no arrays and makes none. Answers are those of ``OnnxModel`` bit for bit.

    Raises Rejected for a graph of a stretch of rows.
    """

    def __init__(self, model: OnnxModel) -> None:
        if model.given is not Given.WINDOWS or model.window is None:
            raise Rejected("one window at a time needs the graph of windows by themselves, was given one of a stretch")
        self._shape = (model.window, model.features)
        self._input: Singles = np.zeros((1, *self._shape), dtype=np.float32)
        self._window = self._input[0]
        self._values = self._input.reshape(-1)
        self._zeros = np.zeros_like(self._values)
        given = Given.WINDOWS.value
        self._output: Singles = model.session.run([_OUTPUT], {given: self._input})[0]
        self._answer = self._output[0]
        self._binding = model.session.io_binding()
        for bind, name, values in (
            (self._binding.bind_input, given, self._input),
            (self._binding.bind_output, _OUTPUT, self._output),
        ):
            bind(name, _DEVICE, 0, np.float32, values.shape, values.ctypes.data)
        self._run = model.session.run_with_iobinding

    @property
    def classes(self) -> int:
        """Probabilities of an answer."""
        return len(self._answer)

    def probabilities(self, window: Singles) -> tuple[float, ...]:
        """Of each class, for a window [window, features] of numbers, rounded to float32.

        Raises Rejected for another shape, or values that are not finite.
        """
        if window.shape != self._shape:
            raise Rejected(f"a window has the shape {window.shape}: must be {self._shape}")
        self._window[...] = window
        # Zero times a number is zero, and times what is not finite not a number: no sum can be too large, and one call
        # looks at all values.
        if self._zeros.dot(self._values) != 0.0:
            raise Rejected("the window has values that are not finite")
        self._run(self._binding)
        return tuple(self._answer.tolist())
