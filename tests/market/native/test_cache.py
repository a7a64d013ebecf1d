"""Kernels are recompiled when any source that they are made from changes, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[3] / "market" / "native"
PART = "from market.native.kernel import inline\n\n\n@inline\ndef step(x: int) -> int:\n    return x + {step}\n"
MAIN = """
from market.native.kernel import entry
from market.sample.part import step


@entry("int64(int64)")
def run(x: int) -> int:
    return step(x)
"""


def make_checkout(root: Path) -> Path:
    sample = root / "market" / "sample"
    sample.mkdir(parents=True)
    shutil.copytree(NATIVE, root / "market" / "native", ignore=shutil.ignore_patterns("__pycache__"))
    for file in (root / "market" / "__init__.py", sample / "__init__.py"):
        file.write_text("")
    (sample / "main.py").write_text(MAIN)
    (sample / "part.py").write_text(PART.format(step=1))
    return root


def run_kernel(checkout: Path, cache: Path) -> str:
    environment = dict(os.environ, TICKWIRE_CACHE=str(cache), PYTHONPATH=str(checkout))
    program = "from market.sample.main import run; print(run(1), run.was_cached)"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "first")


def test_an_edit_in_an_inlined_module_recompiles_the_entry(checkout: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run_kernel(checkout, cache) == "2 False\n"
    assert run_kernel(checkout, cache) == "2 True\n"
    (checkout / "market" / "sample" / "part.py").write_text(PART.format(step=100))
    assert run_kernel(checkout, cache) == "101 False\n"


def test_another_checkout_with_the_same_sources_shares_the_cache(checkout: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run_kernel(checkout, cache) == "2 False\n"
    assert run_kernel(make_checkout(tmp_path / "second"), cache) == "2 True\n"
