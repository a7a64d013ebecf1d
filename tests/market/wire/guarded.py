"""Memory that ends at a page which nobody may touch: a read behind it ends the process."""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np
import pytest

from market.wire.binary import Bytes

_NO_ACCESS = 0


class GuardedBuffer:
    """Room for payloads that end exactly where an inaccessible page begins."""

    def __init__(self, capacity: int) -> None:
        if sys.platform != "linux":
            pytest.skip("guard pages are set with mprotect of Linux")
        pages = -(-capacity // mmap.PAGESIZE) + 1
        self._memory = mmap.mmap(-1, pages * mmap.PAGESIZE)
        self._bytes = np.frombuffer(self._memory, dtype=np.uint8)
        self._end = (pages - 1) * mmap.PAGESIZE
        guard = ctypes.c_void_p(self._bytes.ctypes.data + self._end)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), _NO_ACCESS) != 0:
            raise OSError(ctypes.get_errno(), "mprotect refused the guard page")

    def holding(self, payload: bytes) -> Bytes:
        """The payload, its last byte being the last that may be read."""
        place = self._bytes[self._end - len(payload) : self._end]
        place[:] = np.frombuffer(payload, dtype=np.uint8)
        return place
