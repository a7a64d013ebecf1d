"""Where a computation runs."""

from __future__ import annotations

import os
from enum import StrEnum

from gpu.device import has_gpu, require_gpu
from market.errors import MissingExtra, Rejected


class Backend(StrEnum):
    """What computes; results are equal."""

    AUTO = "auto"
    """The GPU where a device and kernels are there for the call, else the CPU."""
    CPU = "cpu"
    """Compiled kernels, on several threads."""
    GPU = "gpu"
    NUMPY = "numpy"
    """The reference: whole arrays, written for reading."""


def choose(backend: Backend | str, *, has_kernels: bool = False) -> Backend:
    """CPU, GPU or NUMPY for what a caller asked for; ``has_kernels``: whether the call can run on a GPU at all.

    Raises Rejected for a name that is none, MissingExtra for the GPU where a call cannot have one.
    """
    try:
        asked = Backend(backend)
    except ValueError:
        known = ", ".join(repr(member.value) for member in Backend)
        raise Rejected(f"backend was {backend!r}: must be one of {known}") from None
    if asked is Backend.AUTO:
        return Backend.GPU if has_kernels and has_gpu() else Backend.CPU
    if asked is Backend.GPU:
        require_gpu()
        if not has_kernels:
            raise MissingExtra("backend='gpu': this function has no GPU kernels; use backend='cpu'")
    return asked


def choose_threads(threads: int | None) -> int:
    """How many threads to use; None: as many as this process may run at once. Raises Rejected below 1."""
    if threads is None:
        return len(os.sched_getaffinity(0))
    if isinstance(threads, bool) or threads < 1:
        raise Rejected(f"threads was {threads!r}: must be a whole number from 1 on, or None")
    return threads
