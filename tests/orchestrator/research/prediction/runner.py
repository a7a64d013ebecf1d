"""A GPU for commands that is none: kernels run on the CPU, thread by thread."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.cuda_on_cpu.module import CpuModule


def put_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have models find a GPU, whose arrays are NumPy's and whose kernels are those of the CPU's runner."""
    monkeypatch.setattr("gpu.backend.has_gpu", lambda: True)
    for name in ("gpu.backend", "gpu.window_model"):
        monkeypatch.setattr(f"{name}.require_gpu", lambda: np)
    monkeypatch.setattr("gpu.window_model.CupyModule", CpuModule)
