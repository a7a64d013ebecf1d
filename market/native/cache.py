"""Cache of compiled kernels, keyed by the content of every source that a kernel is made from.

Numba's own file cache looks at the file of the entry function alone, so an edit of an inlined
function elsewhere would keep running the old machine code. Here the key is a digest over the
entry's module and everything that it imports from this package, so equal sources share one
compilation wherever they are checked out, and any edit recompiles what it touches. Folders of
kernels that nobody has used for a month are removed when a new one is made.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

_PACKAGE_ROOT = Path(__file__).resolve().parent.parent
_IMPORT = re.compile(
    r"^\s*(?:from\s+((?:market|sim|gpu)\b[\w.]*)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+((?:market|sim|gpu)\b[\w.]*))",
    re.MULTILINE,
)
_NAME = re.compile(r"\w+")
_DIGITS: Final = 24
_KERNEL_FOLDER = re.compile(rf".+-[0-9a-f]{{{_DIGITS}}}")
UNUSED_DAYS: Final = 30
_DAY_S: Final = 86_400


def cache_root() -> Path:
    """Folder of all caches: ``TICKWIRE_CACHE``, else ``tickwire`` in the user's cache folder."""
    configured = os.environ.get("TICKWIRE_CACHE")
    if configured:
        return Path(configured)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tickwire"


def _module_file(name: str) -> Path | None:
    path = _PACKAGE_ROOT.parent.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@functools.cache
def _imports(path: Path) -> tuple[Path, ...]:
    found: list[Path] = []
    for package, names, plain in _IMPORT.findall(path.read_text(encoding="utf-8")):
        base = package or plain
        candidates = [base, *(f"{base}.{name}" for name in _NAME.findall(names))]
        found.extend(file for file in map(_module_file, candidates) if file is not None)
    return tuple(found)


@functools.cache
def source_digest(path: Path) -> str:
    """Digest over a module file, the files it imports from this package, and the wire schemas."""
    pending, seen = [path], set[Path]()
    while pending:
        current = pending.pop()
        if current not in seen:
            seen.add(current)
            pending.extend(_imports(current))
    digest = hashlib.sha256()
    for file in sorted(seen | set(_PACKAGE_ROOT.rglob("*.xml"))):
        digest.update(
            str(file.relative_to(_PACKAGE_ROOT)).encode() if file.is_relative_to(_PACKAGE_ROOT) else b"external"
        )
        digest.update(file.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def mark_used(folder: Path) -> None:
    """Give a folder of kernels the present as its time; not where the cache belongs to somebody else."""
    if os.access(folder, os.W_OK):
        # What is loaded stays loaded, even if another process has removed the folder meanwhile.
        with suppress(FileNotFoundError):
            os.utime(folder)


def remove_unused(made: Path) -> None:
    """Remove the folders beside one just made that were last used ``UNUSED_DAYS`` before it was."""
    oldest = made.stat().st_mtime - UNUSED_DAYS * _DAY_S
    for folder in made.parent.iterdir():
        if _KERNEL_FOLDER.fullmatch(folder.name) and folder.is_dir():
            # Another process may be removing the same folder; one that stays costs nothing but room.
            with suppress(FileNotFoundError):
                if folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder, ignore_errors=True)


class _ContentLocator(_CacheLocator):  # type: ignore[misc]
    """Places a kernel's cache files in a folder that is named after its sources' digest."""

    def __init__(self, function: Callable[..., Any], source: str) -> None:
        self._digest = source_digest(Path(source).resolve())
        self._module = function.__module__

    def get_cache_path(self) -> str:
        return str(cache_root() / "kernels" / f"{self._module}-{self._digest}")

    def ensure_cache_path(self) -> None:
        folder = Path(self.get_cache_path())
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            remove_unused(folder)
        super().ensure_cache_path()

    def get_source_stamp(self) -> str:
        return self._digest

    def get_disambiguator(self) -> str:
        return "kernel"

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _ContentLocator:
        return cls(py_func, py_file)


class _KernelCacheImpl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_ContentLocator,)


class KernelCache(FunctionCache):  # type: ignore[misc]
    """Numba function cache that uses the content digest in place of file times and paths."""

    _impl_class = _KernelCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel's machine code, None if it is not there; marks its folder as used."""
        found = super().load_overload(sig, target_context)
        if found is not None:
            mark_used(Path(self.cache_path))
        return found
