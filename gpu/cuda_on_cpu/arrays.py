"""Arrays of the CPU's runner that are told from those of the host, as a GPU's are.

A program that mixes the two, which CuPy would refuse, is refused here as well; so is one that takes memory or reads
while launches are recorded.
"""

from __future__ import annotations

from types import EllipsisType
from typing import Any

import numpy as np

from gpu.cuda_on_cpu.graph import is_recording
from gpu.launch_graph import ALLOCATED, READ
from market.errors import Fatal


class RunnerArray(np.ndarray[Any, Any]):
    """A NumPy array that says it lies on a GPU, and that computes with arrays of the host no more than CuPy's do."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"shape": self.shape, "typestr": self.dtype.str, "version": 3}

    def get(self) -> np.ndarray[Any, Any]:
        """A copy on the host."""
        _require_computed()
        return np.array(self, copy=True, subok=False)

    def __array_finalize__(self, made_of: Any) -> None:
        if self.flags.owndata:
            require_running()

    def __getitem__(self, key: Any) -> Any:
        if is_recording() and not _is_plain(key):
            raise Fatal(ALLOCATED)
        found = super().__getitem__(key)
        if not isinstance(found, np.ndarray):
            _require_computed()
        return found

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        require_running()
        _require_there(inputs)
        plain = [each.view(np.ndarray) if isinstance(each, RunnerArray) else each for each in inputs]
        out = words.pop("out", None)
        if out is not None:
            words["out"] = tuple(each.view(np.ndarray) if isinstance(each, RunnerArray) else each for each in out)
        found = getattr(ufunc, method)(*plain, **words)
        return out[0] if out is not None else _there(found)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        _require_there(args)
        return super().__array_function__(func, types, args, kwargs)


class RunnerArrays:
    """An array module like CuPy's whose arrays lie on the host: NumPy's functions, and ``asarray`` to move there."""

    def asarray(self, values: Any, dtype: Any = None) -> Any:
        """As NumPy's."""
        array = np.asarray(values, dtype=dtype)
        if not isinstance(values, RunnerArray):
            require_running()
        return array.view(RunnerArray)

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if not callable(found) or isinstance(found, type):
            return found

        def call(*args: Any, **words: Any) -> Any:
            require_running()
            _require_there(args)
            _require_there(each for each in args if isinstance(each, list | tuple) for each in each)
            plain = [_plain(each) for each in args]
            return _there(found(*plain, **words))

        return call


def require_running() -> None:
    """Raise Fatal while launches are recorded: memory may not be asked for then."""
    if is_recording():
        raise Fatal(ALLOCATED)


def _require_computed() -> None:
    if is_recording():
        raise Fatal(READ)


def _is_plain(key: Any) -> bool:
    """Whether an index takes a view, not a copy."""
    keys = key if isinstance(key, tuple) else (key,)
    return all(each is None or isinstance(each, int | slice | EllipsisType) for each in keys)


def _require_there(values: Any) -> None:
    for each in values:
        if type(each) is np.ndarray and each.ndim:
            raise TypeError("Unsupported type <class 'numpy.ndarray'>: an array of the host among those of the device")


def _there(found: Any) -> Any:
    if isinstance(found, tuple):
        return tuple(_there(each) for each in found)
    return found.view(RunnerArray) if isinstance(found, np.ndarray) else found


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_plain(each) for each in value)
    return value.view(np.ndarray) if isinstance(value, RunnerArray) else value
