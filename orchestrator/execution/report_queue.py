"""Reports on their way from the network's thread to the run loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from market.errors import DataGap
from market.orders.reports import GatewayReport


class ReportQueue:
    """Reports and breaks in the order in which they were heard; put in by one thread, taken out by another.

    Parameters
    ----------
    wake: told that something waits.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._waiting: deque[GatewayReport | tuple[int, str]] = deque()
        self._wake = wake

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, reports: Iterable[GatewayReport]) -> None:
        """Add reports."""
        self._waiting.extend(reports)
        self._wake()

    def put_gap(self, time_ns: int, reason: str) -> None:
        """Add a break: what is reported before it may be incomplete."""
        self._waiting.append((time_ns, reason))
        self._wake()

    def next_ns(self) -> int | None:
        """Time of the first, None when none waits."""
        return _time_ns(self._waiting[0]) if self._waiting else None

    def take(self, until_ns: int) -> list[GatewayReport]:
        """Reports up to a time or the next break; raises DataGap when that is the first."""
        reports: list[GatewayReport] = []
        while self._waiting and _time_ns(self._waiting[0]) <= until_ns:
            first = self._waiting[0]
            if isinstance(first, tuple):
                if not reports:
                    self._waiting.popleft()
                    raise DataGap(first[1])
                break
            reports.append(first)
            self._waiting.popleft()
        return reports


def _time_ns(waiting: GatewayReport | tuple[int, str]) -> int:
    return waiting[0] if isinstance(waiting, tuple) else waiting.time_ns
