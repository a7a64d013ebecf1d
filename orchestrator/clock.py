"""The one place where the running system reads a clock."""

from __future__ import annotations

import functools
import time
from typing import Final

from market.native.counter import read_cycle_counter

_CALIBRATION_NS: Final = 20_000_000


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
