"""Whether there is a GPU, and the one place that imports what drives it."""

from __future__ import annotations

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
    return cupy


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
