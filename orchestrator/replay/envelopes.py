"""Step curves of any length in a fixed number of columns: the lowest and highest value of each stretch of time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np

from market.errors import Fatal
from market.wire.records import Words
from orchestrator.replay.quoted_mids import Floats

COLUMNS: Final = 1024
_FIRST_WIDTH_NS: Final = 1_000

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Grid:
    """Columns of time.

    Parameters
    ----------
    start_ns: beginning of column 0. width_ns: of each column. used: columns up to the newest sample.
    """

    start_ns: int
    width_ns: int
    used: int

    def columns(self, times_ns: Words) -> Words:
        """int64[n], the column of each time; outside the grid it is the nearest one."""
        columns: Words = np.clip((times_ns - self.start_ns) // self.width_ns, 0, max(self.used - 1, 0))
        return columns

    def time_ns(self, column: int) -> int:
        """Beginning of a column."""
        return self.start_ns + column * self.width_ns


class _Curve:
    """Lowest, highest and last value per column, NaN in columns without a sample."""

    def __init__(self) -> None:
        self.low, self.high, self.last = (np.full(COLUMNS, np.nan) for _ in range(3))

    def add(self, columns: Words, values: Floats) -> None:
        np.fmin.at(self.low, columns, values)
        np.fmax.at(self.high, columns, values)
        # NumPy assigns in order of the index array, so the last sample of a column stays.
        self.last[columns] = values

    def halve(self) -> None:
        """Join neighbouring columns; the second half becomes empty."""
        half = COLUMNS // 2
        self.low[:half] = np.fmin(self.low[0::2], self.low[1::2])
        self.high[:half] = np.fmax(self.high[0::2], self.high[1::2])
        self.last[:half] = np.where(np.isnan(self.last[1::2]), self.last[0::2], self.last[1::2])
        for values in (self.low, self.high, self.last):
            values[half:] = np.nan

    def held(self, used: int) -> tuple[Floats, Floats]:
        """Lowest and highest values, each sample's value holding until the next one."""
        there = np.where(np.isnan(self.last[:used]), -1, np.arange(used))
        newest = np.maximum.accumulate(there)
        before = np.concatenate([[-1], newest[:-1]])[:used]
        carried = np.where(before >= 0, self.last[before], np.nan)
        return np.fmin(self.low[:used], carried), np.fmax(self.high[:used], carried)


class Envelopes(Generic[K]):
    """Lowest and highest values per column of several step curves that share one grid.

    Columns begin narrow and double their width whenever the samples outgrow them, so at the end at least half of
    them are used and memory has not grown.
    """

    def __init__(self) -> None:
        self._start_ns = 0
        self._newest_ns = -1
        self._width_ns = _FIRST_WIDTH_NS
        self._curves: dict[K, _Curve] = {}

    def cover(self, first_ns: int, last_ns: int) -> None:
        """Make room for samples of a stretch of time; none may begin before the very first one."""
        if self._newest_ns < 0:
            self._start_ns = first_ns
        if first_ns < self._start_ns:
            raise Fatal(f"samples must come in order of time: {first_ns} lies before the first, {self._start_ns}")
        self._newest_ns = max(self._newest_ns, last_ns)
        while self._newest_ns - self._start_ns >= COLUMNS * self._width_ns:
            self._width_ns *= 2
            for curve in self._curves.values():
                curve.halve()

    def add(self, key: K, times_ns: Words, values: Floats) -> None:
        """Add samples, of times that are covered, to a curve; NaN is no value."""
        known = ~np.isnan(values)
        columns = (times_ns[known] - self._start_ns) // self._width_ns
        self._curves.setdefault(key, _Curve()).add(columns, values[known])

    @property
    def grid(self) -> Grid:
        """The columns as they are now."""
        used = 0 if self._newest_ns < 0 else (self._newest_ns - self._start_ns) // self._width_ns + 1
        return Grid(self._start_ns, self._width_ns, used)

    @property
    def curves(self) -> Mapping[K, tuple[Floats, Floats]]:
        """Lowest and highest values, float64[columns in use] each, NaN before the first sample."""
        used = self.grid.used
        return {key: curve.held(used) for key, curve in self._curves.items()}
