"""An array module like CuPy's, on the host, whose memory is as small as a test wants."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


class OutOfMemoryError(MemoryError):
    """As CuPy's: the device has no room."""


class SmallDevice:
    """NumPy with a device that has room for columns of ``rows`` rows, whatever it says of its free memory.

    Members
    -------
    refused: how often it had no room.
    """

    def __init__(self, rows: int, free_bytes: int = 1 << 40) -> None:
        self.refused = 0
        self._rows = rows
        memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
        self.cuda = SimpleNamespace(
            memory=memory, Device=lambda: SimpleNamespace(mem_info=(free_bytes, free_bytes)), is_available=lambda: True
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
        return array

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)
