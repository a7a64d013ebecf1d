"""How often each kind of opportunity opened, and how long it stayed open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market.fastpath.specification import Kind
from market.wire.records import Rows


@dataclass(frozen=True)
class OpenTimes:
    """Opportunities of one kind.

    Parameters
    ----------
    opened: how many opened. still_open: how many had not closed at the end.
    open_ns: int64[n], how long each closed one had been open.
    """

    opened: int
    still_open: int
    open_ns: NDArray[np.int64]

    def quantile_ns(self, fraction: float) -> int | None:
        """A quantile of the open times; None when none closed."""
        return int(np.quantile(self.open_ns, fraction)) if len(self.open_ns) else None


class Opportunities:
    """Pairs openings with closings as they come."""

    def __init__(self) -> None:
        self._since: dict[tuple[int, ...], int] = {}
        self._durations: dict[int, list[int]] = {int(kind): [] for kind in Kind}
        self._opened: dict[int, int] = {int(kind): 0 for kind in Kind}

    def add(self, changes: Rows) -> None:
        """Add change rows (``market.pipeline.layout.CHANGE_ROW``), in order of time."""
        for time_ns, instrument, kind, seller, buyer, opened in changes.tolist():
            pair = (instrument, kind, seller, buyer)
            if opened:
                self._since[pair] = time_ns
                self._opened[kind] += 1
            elif pair in self._since:
                self._durations[kind].append(time_ns - self._since.pop(pair))

    def by_kind(self) -> dict[Kind, OpenTimes]:
        """Open times of every kind."""
        open_now = [pair[1] for pair in self._since]
        return {
            kind: OpenTimes(self._opened[kind], open_now.count(kind), np.array(self._durations[kind], dtype=np.int64))
            for kind in Kind
        }
