"""Launches that are recorded once and run again in one call: the seam over CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from market.errors import Fatal

ALLOCATED: Final = "memory was asked for while launches were recorded: all arrays must be there before"
READ: Final = "an array was read while launches were recorded: nothing has been computed yet"
NESTED: Final = "launches are being recorded already: one recording must end before the next begins"


class LaunchGraph(Protocol):
    """Launches that were recorded."""

    def launch(self) -> None:
        """Run them again, in their order, after what is in the current stream.

        They read and write the arrays that they were recorded with, which whoever recorded them keeps.
        """


class GraphRecorder(Protocol):
    """What records launches."""

    def record(self, work: Callable[[], object]) -> LaunchGraph:
        """Call ``work`` and record what it launches, of any source; nothing runs meanwhile.

        Kernels must have run before: loading one takes memory. Raises Fatal for work that asks for memory or reads an
        array, and inside of another recording; nothing is recorded then. What ``work`` raises itself is passed on.
        """


class KeptArrays:
    """An array module whose ``empty`` can give the arrays of an earlier call again, so that work can be repeated.

    Parameters
    ----------
    xp: the array module itself, of which everything else is.
    """

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self._kept: list[Any] | None = None
        self._next: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._xp, name)

    def empty(self, shape: Any, dtype: Any) -> Any:
        """As the array module's, or the next array that was kept.

        Raises Fatal where work that is repeated asks for another array than before.
        """
        if self._kept is None:
            return self._xp.empty(shape, dtype)
        if self._next is None:
            self._kept.append(self._xp.empty(shape, dtype))
            return self._kept[-1]
        if self._next == len(self._kept):
            raise Fatal(ALLOCATED)
        found = self._kept[self._next]
        wanted = (shape,) if isinstance(shape, int) else tuple(shape)
        if found.shape != wanted or found.dtype != dtype:
            raise Fatal(f"repeated work took an array {wanted}, before it was {found.shape}: it must do the same again")
        self._next += 1
        return found

    @contextmanager
    def keeping(self) -> Iterator[list[Any]]:
        """Keep every array that ``empty`` gives."""
        with self._using([], None) as kept:
            yield kept

    @contextmanager
    def again(self, kept: list[Any]) -> Iterator[list[Any]]:
        """Give the arrays that were kept, from the first on."""
        with self._using(kept, 0):
            yield kept

    @contextmanager
    def _using(self, kept: list[Any], first: int | None) -> Iterator[list[Any]]:
        if self._kept is not None:
            raise Fatal(NESTED)
        self._kept, self._next = kept, first
        try:
            yield kept
        finally:
            self._kept = self._next = None
