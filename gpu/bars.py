"""Bars of trades for bulk volume classification: equal time or equal volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from gpu.bucket_scan import BucketScan
from gpu.buckets import require_total
from gpu.buckets_reference import reference_edges
from gpu.classification import Bars, Bulk, Distribution, TimeBars
from gpu.columns import LARGEST_TOTAL, Floats, Integers, Trades, require_host
from gpu.distributions import log_beta_of, normal, student
from gpu.distributions_reference import normal as reference_normal
from gpu.distributions_reference import student as reference_student
from market.errors import Rejected
from market.native.kernel import entry

# Words of the time bar that is open.
_NUMBER: Final = 0
_VOLUME: Final = 1
_PRICE: Final = 2
_ROW: Final = 3
_WORDS: Final = 4

LARGEST_CHANGE: Final = 1 << 31
"""Largest change of price between bars in ticks."""


@dataclass(frozen=True)
class BarTable:
    """Complete bars.

    Parameters
    ----------
    volumes: int64[k], lots. prices: int64[k], ticks of the last trade. rows: int64[k], row of that trade in the call;
    below 0 when it came with an earlier part. ends_ns: int64[k], when the bar was complete.
    """

    volumes: Integers
    prices: Integers
    rows: Integers
    ends_ns: Integers

    def __len__(self) -> int:
        return len(self.volumes)


@entry("int64(int64[::1], int64[::1], int64[::1], int64, int64[::1], int64[:, ::1])")
def time_bars(
    times_ns: Integers, prices: Integers, quantities: Integers, interval_ns: int, state: Integers, out: Integers
) -> int:
    """Complete bars as rows (number, volume, price, row of the last trade); returns how many.

    ``state``, int64[4], is the open bar in the same form, volume 0 for none; -1 is returned when its volume overflows.
    """
    used = 0
    for index in range(len(times_ns)):
        number = times_ns[index] // interval_ns
        if state[_VOLUME] > 0 and number != state[_NUMBER]:
            for word in range(_WORDS):
                out[used, word] = state[word]
            used += 1
            state[_VOLUME] = 0
        state[_NUMBER] = number
        state[_VOLUME] += quantities[index]
        state[_PRICE] = prices[index]
        state[_ROW] = index
        if state[_VOLUME] > LARGEST_TOTAL:
            return -1
    return used


class BarBuilder:
    """Bars of trades that come in parts; a bar is complete when a trade of a later one comes, or its volume is full."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._open: Integers = np.zeros(_WORDS, dtype=np.int64)
        self._volume = BucketScan([1 if isinstance(bars, TimeBars) else bars.lots], threads=1)

    def take(self, trades: Trades) -> BarTable:
        """Take trades; returns the bars that they completed."""
        require_host("a builder of bars", trades)
        if isinstance(self._bars, TimeBars):
            return self._time(trades, self._bars.interval_ns)
        ones = np.ones(len(trades), dtype=np.int8)
        [full] = self._volume.take(trades.quantities, ones)
        return _volume_table(trades, full.lots, full.completed_by)

    def _time(self, trades: Trades, interval_ns: int) -> BarTable:
        out = np.empty((len(trades), _WORDS), dtype=np.int64)
        state = self._open.copy()
        used = time_bars(trades.times_ns, trades.prices, trades.quantities, interval_ns, state, out)
        if used < 0:
            raise Rejected(f"a bar of {self._bars} holds more than 2^62 - 1 lots: take shorter bars")
        state[_ROW] -= len(trades)
        self._open = state
        done = out[:used]
        return BarTable(done[:, _VOLUME].copy(), done[:, _PRICE].copy(), done[:, _ROW].copy(), _ends(done, interval_ns))


def _ends(done: Integers, interval_ns: int) -> Integers:
    ends: Integers = (done[:, _NUMBER] + 1) * interval_ns
    return ends


def _volume_table(trades: Trades, lots: int, rows: Integers) -> BarTable:
    return BarTable(np.full(len(rows), lots), trades.prices[rows], rows, trades.times_ns[rows])


def reference_bars(trades: Trades, bars: Bars) -> BarTable:
    """Complete bars of whole arrays, in NumPy."""
    require_total("quantities", trades.quantities, 0)
    if not isinstance(bars, TimeBars):
        _, rows = reference_edges(trades.quantities, trades.quantities, bars.lots)
        return _volume_table(trades, bars.lots, rows)
    numbers = trades.times_ns // bars.interval_ns
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    volumes = np.add.reduceat(trades.quantities, starts) if len(starts) else starts
    last = starts[1:] - 1
    return BarTable(volumes[:-1], trades.prices[last], last, (numbers[last] + 1) * bars.interval_ns)


class ChangeMoments:
    """Standard deviation of the changes of price between bars that come in parts, from exact sums."""

    def __init__(self) -> None:
        self._count = self._sum = self._squares = 0
        self._last: int | None = None

    def add(self, prices: Integers) -> None:
        """Add the prices of the next bars. Raises Rejected for a change of more than 2^31 ticks."""
        changes = price_changes(prices, self._last)
        if not len(prices):
            return
        self._last = int(prices[-1])
        squares = changes * changes
        self._count += len(changes)
        self._sum += int(changes.sum())
        # Halves of at most 32 bits: their sums stay in range for 2^31 bars.
        self._squares += (int((squares >> 32).sum()) << 32) + int((squares & 0xFFFFFFFF).sum())

    @property
    def sigma_ticks(self) -> float:
        """``sqrt(mean of squares - square of mean)``; 0 below two changes, or when all are equal."""
        if self._count < 2:
            return 0.0
        return math.sqrt((self._count * self._squares - self._sum**2) / self._count**2)


def price_changes(prices: Integers, before: int | None) -> Integers:
    """Change of price to every bar: one fewer than prices when nothing came before. Raises Rejected above 2^31."""
    changes: Integers = np.diff(prices) if before is None else np.diff(prices, prepend=before)
    wide = np.flatnonzero(np.abs(changes) > LARGEST_CHANGE)
    if len(wide):
        raise Rejected(f"the price changes by {changes[wide[0]]} ticks between two bars: at most 2^31")
    return changes


@entry("void(int64[::1], int64[::1], float64, float64, float64, int64[::1])")
def bulk_bought(
    changes: Integers, volumes: Integers, sigma: float, degrees: float, log_beta: float, out: Integers
) -> None:
    """``floor(V Z(change / sigma) + 1/2)`` lots of each bar, 0..V; the normal Z where ``degrees`` is 0."""
    for index in range(len(changes)):
        part = 0.5
        if sigma > 0.0:
            ratio = changes[index] / sigma
            part = normal(ratio) if degrees == 0.0 else student(ratio, degrees, log_beta)
        bought = np.int64(math.floor(volumes[index] * part + 0.5))
        out[index] = min(max(bought, 0), volumes[index])


def bought_of_bars(changes: Integers, volumes: Integers, bulk: Bulk, sigma_ticks: float) -> Integers:
    """int64[k], lots of each bar that count as bought."""
    degrees = bulk.degrees if bulk.distribution is Distribution.STUDENT else 0.0
    out = np.empty(len(changes), dtype=np.int64)
    bulk_bought(changes, volumes, sigma_ticks, degrees, log_beta_of(degrees) if degrees else 0.0, out)
    return out


def reference_bought(changes: Integers, volumes: Integers, bulk: Bulk, sigma_ticks: float) -> Integers:
    """As ``bought_of_bars``, in NumPy."""
    parts: Floats = np.full(len(changes), 0.5)
    if sigma_ticks > 0.0:
        ratios = changes / sigma_ticks
        is_student = bulk.distribution is Distribution.STUDENT
        parts = reference_student(ratios, bulk.degrees) if is_student else reference_normal(ratios)
    bought: Integers = np.floor(volumes * parts + 0.5).astype(np.int64)
    return np.clip(bought, 0, volumes)
