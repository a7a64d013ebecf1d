"""The one place where the running system reads a clock."""

from __future__ import annotations

import time


class SystemClock:
    """Wall time for receive stamps, and a monotonic time for intervals; both in nanoseconds."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never steps back."""
        return time.monotonic_ns()
