"""The rows of one market's book at multiples of a time, as ``tickwire dataset --grid-ms`` takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpu.models.weights import Singles
from market.book.book import DIFFS, GAPS, RESYNCS, RULE, SNAPSHOTS
from market.wire.records import Rows, Words
from orchestrator.research.datasets.book_rows import CHAINS, VALUES_PER_LEVEL, read_row


@dataclass(frozen=True)
class _Counters:
    """What a book has counted: changes of it, and what breaks a sequence of rows."""

    events: int
    breaks: int
    snapshots: int
    diffs: int


class GridRows:
    """Rows at rising moments; the run of rows ends where a segment of a dataset would.

    Parameters
    ----------
    silence_ns: the run ends when no book event came for longer. A dataset knows of a silence before its first row; here
        it shows only once it has lasted so long.

    Members
    -------
    run: rows that follow one another up to the newest one.
    """

    def __init__(self, levels: int, silence_ns: int) -> None:
        self._levels = levels
        self._silence_ns = silence_ns
        self._rows: Rows = np.zeros((2, VALUES_PER_LEVEL * levels), dtype=np.int64)
        self._seen = _Counters(0, 0, 0, 0)
        self._event_ns = 0
        self.run = 0

    def take(self, book: Words | None, time_ns: int) -> Rows | None:
        """int64[1 or 2, 4 * levels]: of the run's row before, if there is one, and of the book as it is now.

        None, and the run is over, where there is no row.
        """
        counted = _Counters(0, 0, 0, 0) if book is None else _counted(book)
        seen, self._seen = self._seen, counted
        if counted.events != seen.events:
            self._event_ns = time_ns
        goes_on = book is not None and int(book[RULE]) in CHAINS
        replaced = counted.snapshots != seen.snapshots and seen.diffs > 0 and not goes_on
        if counted.breaks != seen.breaks or replaced:
            self.run = 0
        is_silent = time_ns - self._event_ns > self._silence_ns
        self._rows[0] = self._rows[1]
        if book is None or not counted.events or is_silent or not read_row(book, self._rows[1], self._levels):
            self.run = 0
            return None
        self.run += 1
        return self._rows[-min(self.run, len(self._rows)) :].copy()


class Window:
    """The newest rows, as a model sees them."""

    def __init__(self, rows: int, features: int) -> None:
        self._length = rows
        self._rows: Singles = np.zeros((2 * rows, features), dtype=np.float32)
        self._used = 0

    def take(self, row: Singles) -> None:
        """One more row, float32[features]."""
        if self._used == len(self._rows):
            self._rows[: self._length] = self._rows[self._length :]
            self._used = self._length
        self._rows[self._used] = row
        self._used += 1

    def newest(self) -> Singles:
        """float32[rows, features], oldest first: a copy."""
        return self._rows[self._used - self._length : self._used].copy()


def _counted(book: Words) -> _Counters:
    return _Counters(
        int(book[DIFFS] + book[SNAPSHOTS]), int(book[GAPS] + book[RESYNCS]), int(book[SNAPSHOTS]), int(book[DIFFS])
    )
