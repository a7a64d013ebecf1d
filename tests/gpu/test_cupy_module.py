"""What CuPy is given to compile: it keeps results by source and options, so that these name all that is compiled."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gpu.cupy_module import CupyModule
from gpu.kernel import KernelSource

CODE = """#include "shared.cuh"
extern "C" __global__ void fill(int *out) { out[threadIdx.x] = NUMBER; }
"""


def given_by(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, tuple[str, ...]]:
    """The code and options that CuPy is given."""
    given: list[tuple[str, tuple[str, ...]]] = []

    def keep(*, code: str, options: tuple[str, ...]) -> Any:
        given.append((code, options))

    monkeypatch.setattr("gpu.cupy_module.require_gpu", lambda: SimpleNamespace(RawModule=keep))
    CupyModule(KernelSource(path))
    [found] = given
    return found


def test_a_header_that_changed_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, header = tmp_path / "fill.cu", tmp_path / "shared.cuh"
    path.write_text(CODE)
    header.write_text("#define NUMBER 1\n")
    first, again = (given_by(path, monkeypatch) for _ in range(2))
    header.write_text("#define NUMBER 2\n")
    second = given_by(path, monkeypatch)
    assert first == again
    assert first[0] == second[0]
    assert first[1] != second[1]
