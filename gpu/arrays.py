"""Arrays of NumPy or of a GPU: which ones a call was given, and where its results go."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu.backend import Backend, choose
from gpu.device import require_gpu
from market.errors import Rejected


def is_on_gpu(values: object) -> bool:
    """Whether an array lies on a GPU: of CuPy, or of any library that shares its arrays in the same way."""
    return hasattr(values, "__cuda_array_interface__")


def all_on_gpu(**columns: object) -> bool:
    """Whether columns lie on a GPU, those that are None left out; raises Rejected where only some do."""
    there = {name: is_on_gpu(column) for name, column in columns.items() if column is not None}
    if len(set(there.values())) > 1:
        host = ", ".join(name for name, on_gpu in there.items() if not on_gpu)
        raise Rejected(f"{host}: on the host, while the other columns lie on a GPU; move them to one place")
    return any(there.values())


def choose_for(on_gpu: bool, backend: Backend | str, *, has_kernels: bool = True) -> Backend:
    """As ``choose``, for columns that lie on a GPU or do not: what lies there is computed there."""
    if not on_gpu:
        return choose(backend, has_kernels=has_kernels)
    if choose(backend, has_kernels=has_kernels) is Backend.GPU:
        return Backend.GPU
    if backend in (Backend.CPU, Backend.NUMPY):
        raise Rejected(f"backend={str(backend)!r} takes NumPy arrays, these lie on a GPU: use backend='gpu' or 'auto'")
    # Auto: arrays are there, so that a device is, unless the GPU was turned off.
    require_gpu()
    return Backend.GPU


def module_of(array: Any) -> Any:
    """CuPy for an array that lies on a GPU, else NumPy."""
    return require_gpu() if is_on_gpu(array) else np


def first_true(array: Any) -> int:
    """Index of the first true value, -1 when there is none."""
    xp = module_of(array)
    return int(xp.argmax(array)) if len(array) and bool(array.any()) else -1


def differences(sums: Any, before: int = 0) -> Any:
    """What each sum adds to the one before it."""
    found = sums.copy()
    found[1:] -= sums[:-1]
    found[:1] -= before
    return found


def on_host(values: Any) -> NDArray[Any]:
    """A NumPy array of what may lie on a GPU."""
    return np.asarray(values.get() if hasattr(values, "get") else values)


def gpu_array(name: str, values: Any) -> Any:
    """An array of CuPy that shares its memory with what lies on a GPU, one-dimensional; raises Rejected otherwise."""
    column = require_gpu().asarray(values)
    if column.ndim != 1:
        raise Rejected(f"{name} must have shape (n,), was {column.shape}")
    return column
