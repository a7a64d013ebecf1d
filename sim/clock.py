"""Time that comes from events alone."""

from __future__ import annotations

from market.errors import Fatal
from market.protocols import FOREVER


class EventClock:
    """A clock that goes to whatever time is waited for: a run takes as long as its work, not as its market did.

    Parameters
    ----------
    start_ns: time before anything happened.
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The latest time that was waited for."""
        return self._now_ns

    def wait_until(self, time_ns: int) -> int:
        """Go to a time, never back; raises Fatal for a wait without end, which nothing could end."""
        if time_ns >= FOREVER:
            raise Fatal("the loop waits for an arrival, but in event time nothing arrives by itself: is a feed stuck?")
        self._now_ns = max(self._now_ns, time_ns)
        return self._now_ns
