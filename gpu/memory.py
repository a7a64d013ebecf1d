"""Work that is split so that it fits a GPU's memory, smaller where the GPU says that it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from market.errors import Fatal

R = TypeVar("R")

MEMORY_SHARE: Final = 0.5
"""Of the free memory, what a part may take."""
FEWEST_ROWS: Final = 1024
"""A part of so few rows that does not fit says that nothing will."""


def rows_that_fit(xp: Any, bytes_per_row: int) -> int:
    """How many rows may be on the current device together; for NumPy, which has the memory of the host, very many."""
    cuda = getattr(xp, "cuda", None)
    if cuda is None:
        return 1 << 62
    free, _ = cuda.Device().mem_info
    # What CuPy keeps for later is free, too.
    free += xp.get_default_memory_pool().free_bytes()
    return max(FEWEST_ROWS, int(free * MEMORY_SHARE) // bytes_per_row)


def in_parts(xp: Any, rows: int, step: int, work: Callable[[int, int], R]) -> Iterator[R]:
    """What ``work(start, end)`` gives for parts of at most ``step`` rows, in order.

    Where the device is out of memory the part is halved and tried again: ``work`` must change nothing before it is
    sure to end. Raises Fatal when ``FEWEST_ROWS`` do not fit.
    """
    start = 0
    while start < rows:
        end = min(rows, start + step)
        try:
            found = work(start, end)
        except MemoryError as full:
            if not is_out_of_memory(xp, full):
                raise
            if end - start <= FEWEST_ROWS:
                raise Fatal(
                    f"the GPU has no room for {end - start} rows: free its memory, or use backend='cpu' ({full})"
                ) from full
            step = (end - start) // 2
            release(xp)
            continue
        yield found
        start = end


def is_out_of_memory(xp: Any, error: MemoryError) -> bool:
    """Whether an error says that the device, not the host, is out of memory."""
    cuda = getattr(xp, "cuda", None)
    return cuda is not None and isinstance(error, cuda.memory.OutOfMemoryError)


def release(xp: Any) -> None:
    """Give memory that CuPy keeps for later back to the device."""
    xp.get_default_memory_pool().free_all_blocks()
