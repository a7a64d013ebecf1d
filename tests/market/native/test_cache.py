"""Kernels are recompiled when any source that they are made from changes, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from market.native.cache import mark_used, remove_unused

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


def run_kernel(checkout: Path, cache: Path, module: str = "market.sample.main") -> str:
    environment = dict(os.environ, TICKWIRE_CACHE=str(cache), PYTHONPATH=str(checkout))
    program = f"from {module} import run; print(run(1), run.was_cached)"
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


@pytest.mark.parametrize("package", ["sim", "gpu"])
def test_imports_of_every_package_with_kernels_are_followed(checkout: Path, tmp_path: Path, package: str) -> None:
    folder = checkout / package
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "main.py").write_text(MAIN.replace("market.sample.part", f"{package}.part"))
    for step, result in ((1, "2 False\n"), (1, "2 True\n"), (100, "101 False\n")):
        (folder / "part.py").write_text(PART.format(step=step))
        assert run_kernel(checkout, tmp_path / "cache", f"{package}.main") == result


def test_another_checkout_with_the_same_sources_shares_the_cache(checkout: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run_kernel(checkout, cache) == "2 False\n"
    assert run_kernel(make_checkout(tmp_path / "second"), cache) == "2 True\n"


DAY_S = 86_400


def make_folder(folder: Path, days_before: float, made: Path) -> Path:
    """A folder of kernels last used so many days before another one was made."""
    folder.mkdir()
    (folder / "kernel.nbi").write_bytes(b"")
    last_used = made.stat().st_mtime - days_before * DAY_S
    os.utime(folder, (last_used, last_used))
    return folder


def test_folders_that_were_not_used_for_a_month_are_removed(tmp_path: Path) -> None:
    made = tmp_path / f"market.sample.main-{'0' * 24}"
    made.mkdir()
    old = make_folder(tmp_path / f"market.book.book-{'a' * 24}", 30.1, made)
    young = make_folder(tmp_path / f"market.book.book-{'b' * 24}", 29.9, made)
    foreign = make_folder(tmp_path / "notes", 400, made)
    remove_unused(made)
    assert [folder.exists() for folder in (made, old, young, foreign)] == [True, False, True, True]


def test_a_new_kernel_clears_the_cache_and_use_keeps_a_folder(checkout: Path, tmp_path: Path) -> None:
    kernels = tmp_path / "cache" / "kernels"
    kernels.mkdir(parents=True)
    old = make_folder(kernels / f"market.book.book-{'a' * 24}", 40, checkout)
    assert run_kernel(checkout, tmp_path / "cache") == "2 False\n"
    assert not old.exists()
    (compiled,) = kernels.iterdir()
    os.utime(compiled, (1_000_000_000, 1_000_000_000))
    assert run_kernel(checkout, tmp_path / "cache") == "2 True\n"
    assert compiled.stat().st_mtime >= checkout.stat().st_mtime
    old = make_folder(kernels / f"market.book.book-{'a' * 24}", 40, checkout)
    assert run_kernel(checkout, tmp_path / "cache") == "2 True\n"
    assert old.exists(), "only a new folder clears the cache"


def test_a_cache_of_somebody_else_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(tmp_path / "kernels", 10, tmp_path)
    before = folder.stat().st_mtime
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    mark_used(folder)
    assert folder.stat().st_mtime == before
