"""A CUDA source compiled and launched by CuPy, with the launches of ``KernelModule``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gpu.compile_gate import options_of
from gpu.device import require_gpu
from gpu.kernel import KernelSource, LaunchShape, prototype_of

_STATIC_SHARED_BYTES: Final = 48 * 1024
"""Dynamic shared memory beyond this has to be asked for, kernel by kernel."""


class CupyModule:
    """A source compiled for the current device; launches go to CuPy's current stream, or into the graph it captures.

    Raises ``MissingExtra`` without CuPy, or without a device that it can use.
    """

    def __init__(self, source: KernelSource) -> None:
        cupy = require_gpu()
        self.source = source
        # CuPy keeps what was compiled by source and options, and does not look at what the source includes.
        digest = f"-DSOURCE_DIGEST=x{source.digest()}"
        self._module = cupy.RawModule(code=source.text, options=(*options_of(source), digest))
        self._functions: dict[str, Any] = {}
        self._shared_bytes: dict[str, int] = {}

    def launch(self, kernel: str, shape: LaunchShape, arguments: Sequence[Any]) -> None:
        """Run a kernel over a grid, after what is in the stream. Raises as ``KernelModule.launch`` says."""
        prototype_of(self.source, kernel).check(arguments)
        function = self._function(kernel)
        # Asked for once: it holds for every launch after that.
        if shape.shared_bytes > self._shared_bytes.get(kernel, _STATIC_SHARED_BYTES):
            function.max_dynamic_shared_size_bytes = shape.shared_bytes
            self._shared_bytes[kernel] = shape.shared_bytes
        function(shape.grid, shape.block, tuple(arguments), shared_mem=shape.shared_bytes)

    def _function(self, kernel: str) -> Any:
        if kernel not in self._functions:
            self._functions[kernel] = self._module.get_function(kernel)
        return self._functions[kernel]
