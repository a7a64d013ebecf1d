"""Token buckets: how much may be asked of a venue, and when again. Pure: the time is an argument."""

from __future__ import annotations

from market.errors import Fatal


class TokenBucket:
    """Tokens that come back steadily; exact integers, so that nothing drifts.

    A venue counts in windows whose begin we do not know. In any window of one interval at most ``burst`` plus what
    comes back in it is granted; ``within`` splits a venue's limit so that this never exceeds it.

    Parameters
    ----------
    burst: tokens that are there at most. per_interval: tokens that come back within ``interval_ns``.

    Raises Fatal unless all are at least 1.
    """

    def __init__(self, *, burst: int, per_interval: int, interval_ns: int) -> None:
        if min(burst, per_interval, interval_ns) < 1:
            raise Fatal(f"a token bucket had {burst} tokens, {per_interval} per {interval_ns} ns; expected at least 1")
        self.burst = burst
        self.per_interval = per_interval
        self.interval_ns = interval_ns
        self._level = burst * interval_ns
        self._at_ns: int | None = None

    @classmethod
    def within(cls, limit: int, interval_ns: int) -> TokenBucket:
        """A bucket that never grants more than a limit in any window; raises Fatal for a limit below 2."""
        return cls(burst=limit // 2, per_interval=limit - limit // 2, interval_ns=interval_ns)

    def available(self, now_ns: int) -> int:
        """Whole tokens that are there."""
        self._refill(now_ns)
        return self._level // self.interval_ns

    def take(self, count: int, now_ns: int, keep: int = 0) -> bool:
        """Take tokens if they are there and ``keep`` others stay; False and nothing taken otherwise."""
        if count and self.available(now_ns) < count + keep:
            return False
        self._level -= count * self.interval_ns
        return True

    def wait_ns(self, count: int, now_ns: int, keep: int = 0) -> int:
        """Time until ``take`` would grant, 0 when it would now.

        More tokens than the bucket holds never come; the wait is then that for a full bucket.
        """
        if not count:
            return 0
        self._refill(now_ns)
        missing = min(count + keep, self.burst) * self.interval_ns - self._level
        return max(-(-missing // self.per_interval), 0)

    def leave_at_most(self, count: int, now_ns: int) -> None:
        """Take away what exceeds a count: the venue has counted more than we have."""
        self._refill(now_ns)
        self._level = min(self._level, max(count, 0) * self.interval_ns)

    def _refill(self, now_ns: int) -> None:
        """Time that goes back brings nothing."""
        if self._at_ns is not None and now_ns > self._at_ns:
            grown = self._level + (now_ns - self._at_ns) * self.per_interval
            self._level = min(grown, self.burst * self.interval_ns)
        self._at_ns = now_ns if self._at_ns is None else max(now_ns, self._at_ns)
