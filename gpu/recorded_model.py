"""A model's launches as graphs: those of a number of rows are recorded when it comes again, and replayed from then on.

What a launch costs the host, some microseconds each, is then paid once for all of them: it counts for batches of so few
windows that a GPU is done with them as quickly. Logits are those of direct launches, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gpu.kernel import KernelModule, KernelSource
from gpu.launch_graph import GraphRecorder, KeptArrays, LaunchGraph
from gpu.models.weights import Model
from gpu.models_cuda import ModelKernels, Precision

MOST_GRAPHS: Final = 8
"""Numbers of rows whose graphs are kept; the one that was used longest ago goes first."""
MOST_ROWS: Final = 16_384
"""Of a graph: what lies between its launches stays on the device, 15 KB a row for a DeepLOB of the public size."""


class RecordedModel(ModelKernels):
    """``ModelKernels`` that replay launches.

    Parameters
    ----------
    module, xp, precision: as for ``ModelKernels``. recorder: records what ``module`` launches.
    """

    def __init__(
        self,
        model: Model,
        module: Callable[[KernelSource], KernelModule],
        xp: Any,
        recorder: GraphRecorder,
        precision: Precision = Precision.FLOAT32,
    ) -> None:
        self._memory = KeptArrays(xp)
        super().__init__(model, module, self._memory, precision)
        self._recorder = recorder
        self._seen: set[int] = set()
        self._graphs: dict[int, _Recorded] = {}

    @property
    def recorded_rows(self) -> list[int]:
        """Numbers of rows that have a graph, the one that was used last at the end."""
        return list(self._graphs)

    def logits(self, rows: Any) -> Any:
        """As ``ModelKernels.logits``; an array of its own each time."""
        count = len(rows)
        if count > MOST_ROWS:
            return super().logits(rows)
        if count not in self._seen:
            # A graph that is used once is not worth its recording.
            self._seen.add(count)
            return super().logits(rows)
        graph = self._graphs.pop(count, None) or self._recorded(count)
        self._graphs[count] = graph
        while len(self._graphs) > MOST_GRAPHS:
            del self._graphs[next(iter(self._graphs))]
        graph.rows[...] = rows
        graph.launches.launch()
        return graph.logits.copy()

    def _recorded(self, count: int) -> _Recorded:
        return _Recorded(self._memory, super().logits, self._recorder, (count, self.architecture.features))


class _Recorded:
    """The launches of one number of rows, and all arrays that they read and write.

    Members
    -------
    rows: float32[n, features], what launches read first. logits: float32[m, classes], their answer.
    launches: the graph.
    """

    def __init__(
        self, memory: KeptArrays, logits_of: Callable[[Any], Any], recorder: GraphRecorder, shape: tuple[int, int]
    ) -> None:
        self.rows = memory.zeros(shape, np.float32)
        with memory.keeping() as self._kept:
            # Loads the kernels, and takes all the memory that they need.
            logits_of(self.rows)
        found: list[Any] = []
        with memory.again(self._kept):
            self.launches: LaunchGraph = recorder.record(lambda: found.append(logits_of(self.rows)))
        [self.logits] = found
