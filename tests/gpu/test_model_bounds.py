"""The kernels of models under the address sanitizer: nothing is read or written beyond an array or shared memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import Order, Schedule
from gpu.kernel import KernelSource
from gpu.live_model import HostMemory
from tests.gpu.model_checks import check_bfloat16, check_live, check_model
from tests.gpu.models.shapes import SMALL
from tests.gpu.test_live_model import SPREAD
from tests.gpu.test_models_bfloat16 import SMALL as NARROW


def sanitized(source: KernelSource) -> CpuModule:
    """Compiled with the sanitizer; blocks take turns."""
    return CpuModule(source, Schedule(Order.SHUFFLED, seed=1, interleaved=True), sanitized=True)


def run_all() -> None:
    """Ends the process where the sanitizer finds something."""
    for kind in ("deeplob", "lstms", "bilinear", "transformer"):
        check_bfloat16(NARROW[kind], 19, sanitized, np)
    for kind in ("deeplob", "transformer"):
        check_model(SMALL[kind], 5, sanitized, np)
    for architecture, words in SPREAD.values():
        check_live(architecture, architecture.window + 3, sanitized, np, HostMemory(), **words)


@pytest.mark.long
def test_no_kernel_leaves_its_arrays() -> None:
    runtime = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    done = subprocess.run(
        [sys.executable, "-c", "from tests.gpu.test_model_bounds import run_all; run_all(); print('all inside')"],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "LD_PRELOAD": runtime.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"},
    )
    assert (done.returncode, done.stdout) == (0, "all inside\n"), done.stderr[-2_000:]
