"""Declaring compiled functions: ``inline`` for small parts, ``part`` and ``shared`` for large, ``entry`` for Python.

Entries have one declared signature and are compiled into a content-keyed cache by ``warm``; an
entry that is called cold compiles itself first. Parts are compiled into the entries that use them.
"""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Generic, ParamSpec, TypeVar, cast

from numba import njit
from numba.core import sigutils

from market.native.cache import KernelCache

BYTES = "Bytes(uint8, 1, 'C')"
"""How a signature spells a Python ``bytes`` argument."""

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
_ENTRIES: dict[str, Entry[..., Any]] = {}
_COMPILING = threading.RLock()


def inline(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a small function that is always inlined into its caller."""
    return cast(Callable[P, R], njit(**_OPTIONS, forceinline=True)(function))


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that other kernels call; the optimiser decides about inlining."""
    return cast(Callable[P, R], njit(**_OPTIONS)(function))


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that stays one copy for all of its callers, for what is large and called from many places.

    A ``part`` that is first needed by an ``inline`` function inherits its inlining; this one does not.
    """
    return cast(Callable[P, R], njit(**_OPTIONS, forceinline=False)(function))


class Entry(Generic[P, R]):
    """A compiled function with one fixed signature that Python may call.

    Parameters
    ----------
    function: the Python source of the kernel.
    signature: its Numba signature, for example ``"int64(int64[::1], int64)"``.
    """

    def __init__(self, function: Callable[P, R], signature: str) -> None:
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.signature = signature
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        self._dispatcher = njit(**_OPTIONS)(function)
        self._ready: Callable[P, R] | None = None
        self._cache_hit = False

    def compiled(self) -> Callable[P, R]:
        """The compiled dispatcher; loads it from the cache or compiles it on first use."""
        with _COMPILING:
            if self._ready is None:
                self._ready = self._compile()
        return self._ready

    def _compile(self) -> Callable[P, R]:
        """Load or compile; the caller holds the lock, since the dispatcher takes one compilation at a time."""
        self._dispatcher._cache = KernelCache(self._dispatcher.py_func)
        self._dispatcher.compile(self.signature)
        self._dispatcher.disable_compile()
        self._cache_hit = bool(self._dispatcher.stats.cache_hits)
        return cast("Callable[P, R]", self._dispatcher)

    @property
    def was_cached(self) -> bool:
        """Whether the machine code came from the cache rather than from the compiler."""
        self.compiled()
        return self._cache_hit

    def direct(self) -> Callable[P, R]:
        """The machine code's own CPython wrapper: no type dispatch, about 0.3 us less per call.

        It reads its arguments as declared without checking dtype or contiguity: pass exactly the
        declared types. A caller checks its arrays once, when it builds its loop.
        """
        self.compiled()
        arguments, _ = sigutils.normalize_signature(self.signature)
        return cast("Callable[P, R]", self._dispatcher.overloads[tuple(arguments)].entry_point)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        ready = self._ready
        if ready is None:
            ready = self.compiled()
        return ready(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Entry({self.name}, {self.signature!r})"


def entry(signature: str) -> Callable[[Callable[P, R]], Entry[P, R]]:
    """Declare a kernel that Python calls, with its one Numba signature."""

    def declare(function: Callable[P, R]) -> Entry[P, R]:
        declared = Entry(function, signature)
        _ENTRIES[declared.name] = declared
        return declared

    return declare


def all_entries(packages: Sequence[str] = ("market",)) -> list[Entry[..., Any]]:
    """Every entry of some packages and of what they import, after importing all of their modules."""
    for package in packages:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            importlib.import_module(module.name)
    return [_ENTRIES[name] for name in sorted(_ENTRIES)]


def warm(processes: int = 1, packages: Sequence[str] = ("market",)) -> Iterator[tuple[str, bool]]:
    """Make the machine code of every entry of some packages ready in the cache, in several processes.

    Yields the name of each entry as it is done, and whether it was in the cache already.
    """
    names = [declared.name for declared in all_entries(packages)]
    if processes == 1:
        yield from map(_warm_one, names)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_warm_one, name) for name in names]):
            yield done.result()


def _warm_one(name: str) -> tuple[str, bool]:
    if name not in _ENTRIES:
        importlib.import_module(name.rpartition(".")[0])
    return name, _ENTRIES[name].was_cached
