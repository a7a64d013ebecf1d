"""Times at which strategies want to be woken."""

from __future__ import annotations

import heapq

from market.protocols import FOREVER


class Timers:
    """Timers in order of time, those of the same time in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, str, int]] = []
        self._count = 0

    @property
    def next_ns(self) -> int:
        """Time of the first timer, ``FOREVER`` when none waits."""
        return self._waiting[0][0] if self._waiting else FOREVER

    def add(self, at_ns: int, strategy: str, number: int) -> None:
        """Keep a timer of a strategy."""
        heapq.heappush(self._waiting, (at_ns, self._count, strategy, number))
        self._count += 1

    def take(self) -> tuple[str, int]:
        """Remove the first timer; returns its strategy and number."""
        _, _, strategy, number = heapq.heappop(self._waiting)
        return strategy, number
