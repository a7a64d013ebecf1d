"""Running sums over a time window: a bounded ring of rows (time, four values) and the sums of the rows in it.

A row of time t is in the window while ``now - window < t``. When the ring is full the oldest row leaves early and
is counted: the sums then cover less than the window. A push costs a few loads and stores, whatever the window holds.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline
from market.native.memory import get, put
from market.signals.layout import LARGEST_DURATION, Words, require, require_capacity

WINDOW_NS: Final = 0
CAPACITY: Final = 1
OLDEST: Final = 2
"""Number of the oldest row in the window; rows are numbered from 0 and kept at ``number mod capacity``."""
NEXT: Final = 3
"""Number that the next row gets."""
OVERFLOWS: Final = 4
_SUMS: Final = 5
_ROWS: Final = 9
_ROW: Final = 5


def require_window(name: str, window_ns: int, capacity: int) -> None:
    """Raise Fatal for a window outside 1 ns to 1,000 s, or a capacity that is no power of two up to 65,536."""
    require(f"{name} window_ns", window_ns, 1, LARGEST_DURATION)
    require_capacity(f"{name} capacity", capacity)


def window_words(capacity: int) -> int:
    """Words that a window takes."""
    return _ROWS + _ROW * capacity


def start_window(words: Words, window_ns: int, capacity: int) -> None:
    """Write an empty window into the first words of ``words``."""
    words[: window_words(capacity)] = 0
    words[WINDOW_NS] = window_ns
    words[CAPACITY] = capacity


@inline
def window_sum(window: int, column: int) -> int:
    """Sum of a column, 0 to 3, over the rows in the window."""
    return get(window, _SUMS + column)


@inline
def window_count(window: int) -> int:
    """Rows in the window."""
    return get(window, NEXT) - get(window, OLDEST)


@inline
def _row(window: int, number: int) -> int:
    return window + 8 * (_ROWS + _ROW * (number & (get(window, CAPACITY) - 1)))


@inline
def _drop_oldest(window: int) -> None:
    oldest = get(window, OLDEST)
    row = _row(window, oldest)
    for column in range(4):
        put(window, _SUMS + column, get(window, _SUMS + column) - get(row, 1 + column))
    put(window, OLDEST, oldest + 1)


@inline
def expire(window: int, now: int) -> None:
    """Let the rows leave that are a window old or older."""
    limit = now - get(window, WINDOW_NS)
    while get(window, OLDEST) < get(window, NEXT) and get(_row(window, get(window, OLDEST)), 0) <= limit:
        _drop_oldest(window)


@inline
def push(window: int, now: int, first: int, second: int, third: int, fourth: int) -> None:
    """Add a row as of now, which is not before the newest row's time."""
    expire(window, now)
    if window_count(window) == get(window, CAPACITY):
        _drop_oldest(window)
        put(window, OVERFLOWS, get(window, OVERFLOWS) + 1)
    number = get(window, NEXT)
    row = _row(window, number)
    put(row, 0, now)
    put(row, 1, first)
    put(row, 2, second)
    put(row, 3, third)
    put(row, 4, fourth)
    put(window, _SUMS, get(window, _SUMS) + first)
    put(window, _SUMS + 1, get(window, _SUMS + 1) + second)
    put(window, _SUMS + 2, get(window, _SUMS + 2) + third)
    put(window, _SUMS + 3, get(window, _SUMS + 3) + fourth)
    put(window, NEXT, number + 1)
