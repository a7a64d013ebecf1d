"""The distribution of candles' ranges, and the local extrema at which it starts again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable
from typing import Final

from orchestrator.strategies.flash_crash.parameters import PPM
from orchestrator.strategies.flash_crash.seconds import Candle

PPB: Final = 1_000_000_000


def relative_range(candle: Candle) -> int:
    """Range over low in 1e-9, rounded down."""
    return candle.range * PPB // candle.low


class RangeDistribution:
    """The last so many ranges in order of size."""

    def __init__(self, most: int, ranges: Iterable[int] = ()) -> None:
        self._most = most
        self._recent: deque[int] = deque(ranges)
        self._sorted = sorted(self._recent)

    def __len__(self) -> int:
        return len(self._recent)

    @property
    def samples(self) -> tuple[int, ...]:
        """Oldest first."""
        return tuple(self._recent)

    def add(self, value: int) -> None:
        """Take a range; the oldest one leaves when there are too many."""
        if len(self._recent) == self._most:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]
        self._recent.append(value)
        insort(self._sorted, value)

    def clear(self) -> None:
        """Start again."""
        self._recent.clear()
        self._sorted.clear()

    def percentile(self, share_ppm: int) -> int | None:
        """The smallest sample that at least this share of all does not exceed; None without samples."""
        if not self._sorted:
            return None
        rank = -(-share_ppm * len(self._sorted) // PPM)
        return self._sorted[max(rank, 1) - 1]

    def rank_ppm(self, value: int) -> int:
        """The share of samples that a value is not below; 0 without samples."""
        return bisect_right(self._sorted, value) * PPM // len(self._sorted) if self._sorted else 0


class Extrema:
    """Lowest and highest price of the seconds right before."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._candles: deque[Candle] = deque()

    @property
    def low(self) -> int | None:
        """The local minimum; None when nothing traded."""
        return min((candle.low for candle in self._candles), default=None)

    @property
    def high(self) -> int | None:
        """The local maximum; None when nothing traded."""
        return max((candle.high for candle in self._candles), default=None)

    def take(self, candle: Candle) -> bool:
        """Whether a candle goes beyond the local extrema; they move with it."""
        while self._candles and self._candles[0].second < candle.second - self._seconds:
            self._candles.popleft()
        low, high = self.low, self.high
        self._candles.append(candle)
        return low is not None and high is not None and (candle.low < low or candle.high > high)
