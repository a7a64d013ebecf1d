"""An array module like CuPy's, on the host: its arrays say that they lie on a GPU, its memory is as small as wanted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from gpu.cuda_on_cpu.arrays import RunnerArrays


class OutOfMemoryError(MemoryError):
    """As CuPy's: the device has no room."""


class SmallDevice(RunnerArrays):
    """A device that has room for columns of ``rows`` rows, whatever it says of its free memory.

    Members
    -------
    refused: how often it had no room.
    """

    def __init__(self, rows: int = 1 << 60, free_bytes: int = 1 << 40) -> None:
        self.refused = 0
        self._rows = rows
        memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
        self.cuda = SimpleNamespace(
            memory=memory,
            Device=lambda: SimpleNamespace(mem_info=(free_bytes, free_bytes), synchronize=lambda: None),
            is_available=lambda: True,
        )

    def get_default_memory_pool(self) -> Any:
        """A pool that keeps nothing."""
        return SimpleNamespace(free_bytes=lambda: 0, free_all_blocks=lambda: None)

    def asarray(self, values: Any, dtype: Any = None) -> Any:
        """As NumPy's, where there is room."""
        array = np.asarray(values, dtype=dtype)
        if array.size > self._rows:
            self.refused += 1
            raise OutOfMemoryError(f"out of memory allocating {array.nbytes} bytes")
        return super().asarray(values, dtype)
