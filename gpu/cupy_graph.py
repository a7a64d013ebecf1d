"""CUDA graphs by CuPy: launches are captured in a stream of their own, and replayed in the current one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from gpu.device import require_gpu
from gpu.launch_graph import ALLOCATED, NESTED, READ
from market.errors import Fatal

_REFUSED_BY_CUPY: Final = "is capturing"
"""In what CuPy says of a stream that it would have to wait for."""


class CupyGraph:
    """A captured graph: ``LaunchGraph``."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    def launch(self) -> None:
        """As ``LaunchGraph`` says."""
        self._graph.launch()


class CupyRecorder:
    """Captures the launches of one thread: ``GraphRecorder``.

    Raises ``MissingExtra`` without a GPU.
    """

    def __init__(self) -> None:
        self._cupy = require_gpu()
        # The default stream cannot be captured, and one that waits for it would have it captured with it.
        self._stream = self._cupy.cuda.Stream(non_blocking=True)

    def record(self, work: Callable[[], object]) -> CupyGraph:
        """As ``GraphRecorder`` says."""
        if self._stream.is_capturing():
            raise Fatal(NESTED)
        with self._capturing(), without_memory(self._cupy):
            work()
        try:
            graph = self._stream.end_capture()
        except RuntimeError as refused:
            raise Fatal(_refused(refused)) from refused
        # What the device has to know of a graph goes there now, not with the first launch.
        graph.upload()
        return CupyGraph(graph)

    @contextlib.contextmanager
    def _capturing(self) -> Iterator[None]:
        """The stream captures and is the current one; it ends capturing where the work fails."""
        with self._stream:
            # Of this thread alone, so that other threads may do meanwhile what a recording may not.
            self._stream.begin_capture(self._cupy.cuda.runtime.streamCaptureModeThreadLocal)
            try:
                yield
            except BaseException as failed:
                # CUDA calls the capture invalid now; what made it so is told.
                with contextlib.suppress(RuntimeError):
                    self._stream.end_capture()
                if isinstance(failed, RuntimeError):
                    raise Fatal(READ if _REFUSED_BY_CUPY in str(failed) else _refused(failed)) from failed
                raise


@contextlib.contextmanager
def without_memory(cupy: Any) -> Iterator[None]:
    """Whoever asks CuPy for device memory in this thread is refused with Fatal."""
    with cupy.cuda.using_allocator(_refuse):
        yield


def _refuse(size: int) -> NoReturn:
    raise Fatal(ALLOCATED)


def _refused(error: BaseException) -> str:
    return f"CUDA refuses what was to be recorded: {error}"
