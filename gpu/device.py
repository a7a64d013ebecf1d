"""Whether there is a GPU, and the one place that imports what drives it."""

from __future__ import annotations

import functools
import importlib
import os
from typing import Any, Final

from market.errors import MissingExtra

SWITCH: Final = "TICKWIRE_GPU"
"""Environment variable that turns the GPU off when it is 0."""


def require_gpu() -> Any:
    """CuPy, with a device to run on. Raises ``MissingExtra`` that says what is missing."""
    if os.environ.get(SWITCH) == "0":
        raise MissingExtra(f"the GPU is turned off by {SWITCH}=0: unset it, or use backend='cpu'")
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        raise MissingExtra("a GPU needs CuPy: pip install 'tickwire[gpu]', or use backend='cpu'") from None
    if not cupy.cuda.is_available():
        raise MissingExtra("no CUDA device on this machine: use backend='cpu' or 'auto'")
    if not _has_headers():
        raise MissingExtra(
            "CuPy finds no CUDA headers, without which it compiles nothing: pip install nvidia-cuda-runtime, set "
            "CUDA_PATH to a CUDA toolkit, or use backend='cpu'"
        )
    return cupy


@functools.cache
def _has_headers() -> bool:
    """Whether CuPy will find the headers that its own kernels include."""
    try:
        pathfinder = importlib.import_module("cuda.pathfinder")
    except ImportError:
        # A CuPy that does not look for them in this way brings its own.
        return True
    return pathfinder.find_nvidia_header_directory("cudart") is not None


def has_gpu() -> bool:
    """Whether ``require_gpu`` gives a device."""
    return not missing_gpu()


def missing_gpu() -> str:
    """Why there is no device, without advice; empty where there is one."""
    try:
        require_gpu()
    except MissingExtra as missing:
        return str(missing).partition(":")[0]
    return ""
