"""The one place where the running system reads a clock."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Final

from market.native.counter import read_cycle_counter

_CALIBRATION_NS: Final = 20_000_000
_LONGEST_WAIT_S: Final = 60.0
"""The caller looks again after this, whatever happens."""


class SystemClock:
    """Wall time for receive stamps, and a monotonic time for intervals; both in nanoseconds."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never steps back."""
        return time.monotonic_ns()


@functools.cache
def ticks_per_ns() -> float:
    """Rate of the processor's time-stamp counter, measured once over 20 ms of the monotonic clock."""
    read_cycle_counter.compiled()
    start_ns, start = time.monotonic_ns(), read_cycle_counter()
    while time.monotonic_ns() - start_ns < _CALIBRATION_NS:
        pass
    return (read_cycle_counter() - start) / (time.monotonic_ns() - start_ns)


class WakingClock(SystemClock):
    """The system's clock for a run loop: waits until a time comes or another thread says that something arrived.

    Time never goes back: where the wall clock does, it stands still until the wall clock has caught up.

    Parameters
    ----------
    idle: called again and again while it waits and nothing has arrived. idle_every_ns: how often; 0: never.
    """

    def __init__(self, idle: Callable[[], None] = lambda: None, idle_every_ns: int = 0) -> None:
        self._idle = idle
        self._idle_every_ns = idle_every_ns
        self._latest_ns = 0
        self._arrived = threading.Event()

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, never less than before."""
        self._latest_ns = max(self._latest_ns, time.time_ns())
        return self._latest_ns

    def wake(self) -> None:
        """Something arrived; from any thread. The wait that is under way, or else the next one, ends at once."""
        self._arrived.set()

    def wait_until(self, time_ns: int) -> int:
        """Wait for a time or a ``wake``; returns the time then."""
        now_ns = self.now_ns()
        while self._idle_every_ns and now_ns + self._idle_every_ns < time_ns:
            if self._arrived.wait(self._idle_every_ns / 1e9):
                break
            self._idle()
            now_ns = self.now_ns()
        if now_ns < time_ns:
            self._arrived.wait(min((time_ns - now_ns) / 1e9, _LONGEST_WAIT_S))
            now_ns = self.now_ns()
        self._arrived.clear()
        return now_ns
