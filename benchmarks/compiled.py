"""C and C++ yardsticks: compiled when first needed, into ``build/benchmarks``, and loaded into this process."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from market.errors import MissingExtra

SOURCES: Final = Path(__file__).parent / "c"
BUILD: Final = Path(__file__).parents[1] / "build" / "benchmarks"
_FLAGS: Final = ("-O3", "-march=native", "-shared", "-fPIC", "-Wall", "-Wextra")


def load_library(sources: Sequence[Path], *, standard: str, include: Sequence[Path] = ()) -> ctypes.CDLL:
    """Compile sources into one shared library and load it.

    Parameters
    ----------
    standard: language standard, for example ``gnu11`` or ``c++17``; the latter is compiled with g++.
    include: folders of headers.

    The library is named after the digest of everything in the sources' folders that is C. Raises MissingExtra
    without a compiler.
    """
    compiler = shutil.which("g++" if standard.startswith("c++") else "gcc")
    if compiler is None:
        raise MissingExtra("the yardstick needs gcc and g++; install the build tools of your system")
    options = [*_FLAGS, f"-std={standard}", *(f"-I{folder}" for folder in include)]
    target = BUILD / f"{sources[0].stem}-{_digest(sources, options)}.so"
    if not target.is_file():
        BUILD.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(".part")
        subprocess.run([compiler, *options, *map(str, sources), "-o", str(made)], check=True)
        made.replace(target)
    return ctypes.CDLL(str(target))


def _digest(sources: Sequence[Path], options: Sequence[str]) -> str:
    digest = hashlib.sha256(" ".join(options).encode())
    for folder in sorted({source.parent for source in sources}):
        for file in sorted(folder.rglob("*.[hc]*")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
