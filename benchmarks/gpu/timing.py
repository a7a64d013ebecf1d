"""Time on a device, and how much of it a run has left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from market.errors import Fatal


def synchronize(xp: Any) -> None:
    """Wait until the device has done all that it was given; with NumPy everything is done."""
    cuda = getattr(xp, "cuda", None)
    if cuda is not None:
        cuda.Device().synchronize()


def device_seconds(xp: Any, work: Callable[[], object]) -> float:
    """Duration of a call until the device has done what it started."""
    synchronize(xp)
    start = time.perf_counter()
    work()
    synchronize(xp)
    return time.perf_counter() - start


def least_seconds(xp: Any, work: Callable[[], object], rounds: int) -> float:
    """The least duration of some calls, after one that warms up and does not count."""
    work()
    return min(device_seconds(xp, work) for _ in range(rounds))


class Deadline:
    """When a run has to be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left, 0 when none are."""
        return max(0.0, self._end - time.perf_counter())

    def require(self, what: str) -> None:
        """Raise Fatal when no time is left."""
        if not self.left_s:
            raise Fatal(f"no time was left for {what}: give --minutes more, or --trades fewer")
