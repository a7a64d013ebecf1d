"""The files that decide what the Verilog of a core says: what describes it, and all of ours that this imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from sim.rtl.library import digest_of

_ROOT: Final = Path(__file__).parents[2]
_SCHEMAS_IN: Final = "market"
"""Folder of the schemas that modules read when they are imported."""
_IMPORT: Final = re.compile(r"^[ \t]*(?:from ([\w.]+) import (\([^)]*\)|.*)|import ([\w.]+))", re.MULTILINE)


def digest_of_description(module: str) -> str:
    """A name for the contents of all files that the description in that module is made from."""
    files = [*described_by(module), *sorted((_ROOT / _SCHEMAS_IN).rglob("*.xml"))]
    return digest_of(*(f"{file.relative_to(_ROOT)}\n{file.read_text(encoding='utf-8')}" for file in files))


def described_by(module: str) -> list[Path]:
    """The module's file and those of all that it imports, functions' own imports and packages on the way included."""
    names, files = {module}, set[Path]()
    waiting = [module]
    while waiting:
        for file in set(_files_of(waiting.pop())) - files:
            files.add(file)
            found = set(_imported(file)) - names
            names |= found
            waiting += found
    return sorted(files)


def _imported(file: Path) -> Iterator[str]:
    for package, names, plain in _IMPORT.findall(file.read_text(encoding="utf-8")):
        yield plain or package
        yield from (f"{package}.{name}" for name in re.findall(r"\w+", names))


@cache
def _files_of(module: str) -> tuple[Path, ...]:
    """Those of a module of the project, and of the packages that it lies in; none of anything else."""
    package, _, _ = module.rpartition(".")
    if package and not _files_of(package):
        return ()
    place = _ROOT.joinpath(*module.split("."))
    own = [file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()]
    return (*own, *(_files_of(package) if package else ()))
