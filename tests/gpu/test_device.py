"""What a GPU takes, and what is said where a part of it is missing."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from gpu import device
from gpu.device import has_gpu, missing_gpu, require_gpu
from market.errors import MissingExtra


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A CuPy with a device, and the headers that it looks for."""
    found = SimpleNamespace(available=True, headers="/toolkit/include")
    cuda = SimpleNamespace(is_available=lambda: found.available)
    pathfinder = SimpleNamespace(find_nvidia_header_directory=lambda name: found.headers)
    monkeypatch.delenv(device.SWITCH, raising=False)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda))
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", pathfinder)
    device._has_headers.cache_clear()
    yield found
    device._has_headers.cache_clear()


def test_with_all_parts_there_is_a_gpu(parts: Any) -> None:
    assert require_gpu() is sys.modules["cupy"]
    assert has_gpu()
    assert missing_gpu() == ""


def test_a_cupy_that_looks_for_no_headers_needs_none(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", None)
    assert has_gpu()


def test_a_gpu_that_is_turned_off_is_none(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(device.SWITCH, "0")
    assert missing_gpu() == "the GPU is turned off by TICKWIRE_GPU=0"


def test_a_missing_part_is_named_with_what_to_do(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parts.headers = None
    with pytest.raises(MissingExtra, match=r"no CUDA headers.*: pip install nvidia-cuda-runtime, set CUDA_PATH"):
        require_gpu()
    assert missing_gpu() == "CuPy finds no CUDA headers, without which it compiles nothing"
    parts.available = False
    with pytest.raises(MissingExtra, match="no CUDA device on this machine: use backend='cpu' or 'auto'"):
        require_gpu()
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(MissingExtra, match=r"a GPU needs CuPy: pip install 'tickwire\[gpu\]'"):
        require_gpu()
    assert not has_gpu()
