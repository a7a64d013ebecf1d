"""Launches on the CPU's runner that are recorded and run again, with the rules that CUDA has for its graphs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gpu.launch_graph import NESTED
from market.errors import Fatal


@dataclass(frozen=True, eq=False)
class RecordedLaunch:
    """A launch that waits for its graph's.

    Parameters
    ----------
    kernel: its name. run: runs it. memory: the arrays that its own are parts of, which a graph does not keep alive.
    """

    kernel: str
    run: Callable[[], None]
    memory: tuple[weakref.ref[Any], ...]

    @classmethod
    def of(cls, kernel: str, run: Callable[[], None], arguments: Sequence[Any]) -> RecordedLaunch:
        """That of a kernel with some arguments."""
        arrays = [_owner(each) for each in arguments if isinstance(each, np.ndarray)]
        return cls(kernel, run, tuple(weakref.ref(each) for each in arrays))


_RECORDED: Final[ContextVar[list[RecordedLaunch] | None]] = ContextVar("recorded", default=None)
"""Of the thread, as a stream's capture is in CUDA: whatever source a kernel is of, it goes there."""


class CpuGraph:
    """Recorded launches: ``LaunchGraph``.

    Members
    -------
    launches: in order.
    """

    def __init__(self, launches: Sequence[RecordedLaunch]) -> None:
        self.launches = tuple(launches)

    @property
    def kernels(self) -> list[str]:
        """Those that are launched, in order."""
        return [each.kernel for each in self.launches]

    def launch(self) -> None:
        """As ``LaunchGraph`` says. Raises Fatal where an array of a launch is gone, which CUDA does not notice."""
        for number, launch in enumerate(self.launches):
            if any(memory() is None for memory in launch.memory):
                raise Fatal(f"launch {number} of a graph, {launch.kernel}: an array is gone; keep it with the graph")
        for launch in self.launches:
            launch.run()


class CpuRecorder:
    """Records launches of ``CpuModule`` in one thread: ``GraphRecorder``."""

    def record(self, work: Callable[[], object]) -> CpuGraph:
        """As ``GraphRecorder`` says."""
        if is_recording():
            raise Fatal(NESTED)
        launches: list[RecordedLaunch] = []
        before = _RECORDED.set(launches)
        try:
            work()
        finally:
            _RECORDED.reset(before)
        return CpuGraph(launches)


def is_recording() -> bool:
    """Whether launches of this thread are recorded."""
    return _RECORDED.get() is not None


def record(launch: RecordedLaunch) -> None:
    """Record a launch. Raises Fatal where nothing is being recorded."""
    launches = _RECORDED.get()
    if launches is None:
        raise Fatal(f"launch of {launch.kernel}: nothing is being recorded")
    launches.append(launch)


def _owner(array: Any) -> Any:
    """The array whose memory it is."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
