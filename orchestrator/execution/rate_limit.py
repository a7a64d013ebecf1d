"""The limits of one venue: orders, request weight and messages together. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from orchestrator.execution.token_bucket import TokenBucket


class Counted(IntEnum):
    """What a limit counts."""

    ORDERS = 1
    WEIGHT = 2
    MESSAGES = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` within any ``interval_ns``."""

    counted: Counted
    count: int
    interval_ns: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request costs."""

    weight: int
    orders: int = 0
    messages: int = 1

    def of(self, counted: Counted) -> int:
        """The part that a limit counts."""
        if counted is Counted.ORDERS:
            return self.orders
        return self.weight if counted is Counted.WEIGHT else self.messages


class RateLimiter:
    """Grants a request when all limits do, and none while the venue has banned us.

    Parameters
    ----------
    limits: of the venue. reserve_percent: share of every bucket that only urgent requests, cancellations and what
        else makes risk smaller, may use.
    """

    def __init__(self, limits: Iterable[Limit], reserve_percent: int = 0) -> None:
        self._buckets = [(limit, TokenBucket.within(limit.count, limit.interval_ns)) for limit in limits]
        self._reserve_percent = reserve_percent
        self._banned_until_ns = 0

    @property
    def banned_until_ns(self) -> int:
        """Time at which the venue's ban ends, 0 when there was none."""
        return self._banned_until_ns

    def take(self, cost: Cost, now_ns: int, *, urgent: bool = False) -> int:
        """Take what a request costs; returns 0, or the time in ns to wait, and then nothing was taken.

        Nothing is granted during a ban, urgent or not: it would make the ban longer.
        """
        wait_ns = self._banned_until_ns - now_ns
        for limit, bucket in self._buckets:
            wait_ns = max(wait_ns, bucket.wait_ns(cost.of(limit.counted), now_ns, self._kept(bucket, urgent)))
        if wait_ns > 0:
            return wait_ns
        for limit, bucket in self._buckets:
            bucket.take(cost.of(limit.counted), now_ns)
        return 0

    def ban(self, until_ns: int) -> None:
        """The venue told us to be silent until a time."""
        self._banned_until_ns = max(self._banned_until_ns, until_ns)

    def observe(self, counted: Counted, interval_ns: int, used: int, now_ns: int) -> None:
        """The venue says how much of a limit is used; it counts what other programs of the same address used, too."""
        for limit, bucket in self._buckets:
            if (limit.counted, limit.interval_ns) == (counted, interval_ns):
                bucket.leave_at_most(limit.count - used, now_ns)

    def available(self, counted: Counted, now_ns: int) -> int | None:
        """The least that any limit of a kind still grants, None without such a limit."""
        return min(
            (bucket.available(now_ns) for limit, bucket in self._buckets if limit.counted is counted), default=None
        )

    def _kept(self, bucket: TokenBucket, urgent: bool) -> int:
        return 0 if urgent else bucket.burst * self._reserve_percent // 100
