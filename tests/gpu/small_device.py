"""An array module like CuPy's, on the host: its arrays say that they lie on a GPU, its memory is as small as wanted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


class OutOfMemoryError(MemoryError):
    """As CuPy's: the device has no room."""


class DeviceArray(np.ndarray[Any, Any]):
    """A NumPy array that says it lies on a GPU, and that computes with arrays of the host no more than CuPy's do."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"shape": self.shape, "typestr": self.dtype.str, "version": 3}

    def get(self) -> np.ndarray[Any, Any]:
        """A copy on the host."""
        return np.array(self, copy=True, subok=False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        _require_there(inputs)
        plain = [each.view(np.ndarray) if isinstance(each, DeviceArray) else each for each in inputs]
        out = words.pop("out", None)
        if out is not None:
            words["out"] = tuple(each.view(np.ndarray) if isinstance(each, DeviceArray) else each for each in out)
        found = getattr(ufunc, method)(*plain, **words)
        return out[0] if out is not None else _there(found)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        _require_there(args)
        return super().__array_function__(func, types, args, kwargs)


def _require_there(values: Any) -> None:
    for each in values:
        if type(each) is np.ndarray and each.ndim:
            raise TypeError("Unsupported type <class 'numpy.ndarray'>: an array of the host among those of the device")


def _there(found: Any) -> Any:
    if isinstance(found, tuple):
        return tuple(_there(each) for each in found)
    return found.view(DeviceArray) if isinstance(found, np.ndarray) else found


class SmallDevice:
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
        return array.view(DeviceArray)

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if not callable(found) or isinstance(found, type):
            return found

        def call(*args: Any, **words: Any) -> Any:
            _require_there(args)
            _require_there(each for each in args if isinstance(each, list | tuple) for each in each)
            plain = [_plain(each) for each in args]
            return _there(found(*plain, **words))

        return call


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_plain(each) for each in value)
    return value.view(np.ndarray) if isinstance(value, DeviceArray) else value
