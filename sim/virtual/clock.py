"""A clock that goes from one thing on its agenda to the next."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from market.errors import Fatal
from market.protocols import FOREVER


class VirtualClock:
    """Time that passes while something waits for it; what is on the agenda is done at its time.

    What is done may ``wake`` whoever waits: ``wait_until`` then returns early, as a live clock does when something
    has arrived.

    Parameters
    ----------
    start_ns: the time at the beginning.
    """

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._entered = 0
        self._is_woken = False

    def now_ns(self) -> int:
        """The time."""
        return self._now_ns

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Have something done at a time, now if that has passed; things of one time in the order of their entry."""
        self._entered += 1
        heappush(self._agenda, (max(time_ns, self._now_ns), self._entered, action))

    def after(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Have something done after a time."""
        self.at(self._now_ns + delay_ns, action)

    def wake(self) -> None:
        """Let the one who waits look again, as something has arrived."""
        self._is_woken = True

    def wait_until(self, time_ns: int) -> int:
        """Let time pass; raises Fatal for a wait without end when the agenda is empty."""
        while self._agenda and self._agenda[0][0] <= time_ns and not self._is_woken:
            self._now_ns, _, action = heappop(self._agenda)
            action()
        if self._is_woken:
            self._is_woken = False
            return self._now_ns
        if time_ns >= FOREVER:
            raise Fatal("the loop waits for an arrival, and nothing is on the agenda of the virtual clock")
        self._now_ns = max(self._now_ns, time_ns)
        return self._now_ns
