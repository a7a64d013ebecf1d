"""What happens next: events of the simulation in the order of their times."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

Handler = Callable[[int, int], None]
"""Called with the time in ns and the argument that the event was entered with."""


class Agenda:
    """A queue of events; those of one time come in the order in which they were entered."""

    __slots__ = ("_entered", "_events")

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Handler, int]] = []
        self._entered = 0

    def enter(self, time_ns: int, handler: Handler, argument: int = 0) -> None:
        """Have a handler called at a time."""
        self._entered += 1
        heappush(self._events, (time_ns, self._entered, handler, argument))

    def advance(self, end_ns: int) -> int:
        """Handle the next event before ``end_ns``; returns its time, or ``end_ns`` when there is none."""
        if not self._events or self._events[0][0] >= end_ns:
            return end_ns
        time_ns, _, handler, argument = heappop(self._events)
        handler(time_ns, argument)
        return time_ns

    def next_ns(self, otherwise: int) -> int:
        """Time of the next event, or ``otherwise`` when there is none."""
        return self._events[0][0] if self._events else otherwise
