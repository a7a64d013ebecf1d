"""What the market did after each trigger: markouts of its legs against the mid, in bounded memory.

A leg's markout at a horizon is the move of its venue's mid in the leg's favour, measured from the leg's
price: ``price - mid`` for a sale, ``mid - price`` for a purchase, in basis points of the price. A trigger's
markout is the sum of its legs'. Fees are not in it. (The measure is the realised spread of Huang and Stoll,
1996, with the own price in place of the trade's.)
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.fastpath.specification import NO_VENUE, Kind, Side
from market.wire.records import Rows

HORIZONS_NS: Final = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
_BPS: Final = 10_000.0
_LEGS: Final = ("first", "second")
Floats = NDArray[np.float64]


class Mids:
    """The recent mids of every market, as doubled integers.

    Quotes are added in order of time; what is older than the oldest question can be forgotten.
    """

    def __init__(self) -> None:
        self._times: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._doubled: dict[tuple[int, int], NDArray[np.int64]] = {}
        self.newest_ns = 0

    def add(self, quotes: Rows) -> None:
        """Add quote rows (``market.pipeline.layout.QUOTE_ROW``); withdrawn quotes are left out."""
        if not len(quotes):
            return
        self.newest_ns = int(quotes[-1, 0])
        valid = quotes[(quotes[:, 5] > 0) & (quotes[:, 7] > 0)]
        for market in np.unique(valid[:, 1:3], axis=0).tolist():
            rows = valid[(valid[:, 1] == market[0]) & (valid[:, 2] == market[1])]
            key = (market[0], market[1])
            empty = np.zeros(0, dtype=np.int64)
            self._times[key] = np.concatenate([self._times.get(key, empty), rows[:, 0]])
            self._doubled[key] = np.concatenate([self._doubled.get(key, empty), rows[:, 4] + rows[:, 6]])

    def forget_before(self, time_ns: int) -> None:
        """Drop quotes that no time from ``time_ns`` on can ask for."""
        for key, times in self._times.items():
            keep = max(int(np.searchsorted(times, time_ns, side="right")) - 1, 0)
            self._times[key] = times[keep:]
            self._doubled[key] = self._doubled[key][keep:]

    def at(self, instrument: int, venue: int, time_ns: int) -> float:
        """The market's mid at a time, in engine counts; NaN before its first quote."""
        times = self._times.get((instrument, venue))
        index = -1 if times is None else int(np.searchsorted(times, time_ns, side="right")) - 1
        return float("nan") if index < 0 else float(self._doubled[instrument, venue][index]) / 2


class Markouts:
    """Markouts of all triggers, measured as soon as the market has moved past their horizons."""

    def __init__(self) -> None:
        self._mids = Mids()
        self._waiting: list[NDArray[Any]] = []
        self._kinds: list[int] = []
        self._values: list[list[float]] = []

    def add(self, triggers: NDArray[Any], quotes: Rows) -> None:
        """Add the triggers and quotes of one stretch of time."""
        self._mids.add(quotes)
        self._waiting.extend(triggers)
        self._measure(self._mids.newest_ns - HORIZONS_NS[-1])
        oldest = int(self._waiting[0]["causeTime"]) if self._waiting else self._mids.newest_ns
        self._mids.forget_before(min(oldest, self._mids.newest_ns))

    def finish(self) -> None:
        """Measure what is left; horizons beyond the end of the market stay NaN."""
        self._measure(self._mids.newest_ns)

    def _measure(self, until_ns: int) -> None:
        ready = 0
        while ready < len(self._waiting) and int(self._waiting[ready]["causeTime"]) <= until_ns:
            trigger = self._waiting[ready]
            self._kinds.append(int(trigger["kind"]))
            self._values.append([self._of(trigger, horizon) for horizon in HORIZONS_NS])
            ready += 1
        del self._waiting[:ready]

    def _of(self, trigger: NDArray[Any], horizon_ns: int) -> float:
        """Markout of one trigger in basis points of the first leg's price."""
        time_ns = int(trigger["causeTime"]) + horizon_ns
        if time_ns > self._mids.newest_ns:
            return float("nan")
        gain = 0.0
        for leg in _LEGS:
            venue = int(trigger[f"{leg}Venue"])
            if venue != NO_VENUE:
                move = self._mids.at(int(trigger["instrument"]), venue, time_ns) - float(trigger[f"{leg}Price"])
                gain += move if int(trigger[f"{leg}Side"]) == Side.BUY else -move
        return gain / float(trigger["firstPrice"]) * _BPS

    @property
    def values(self) -> tuple[NDArray[np.int64], Floats]:
        """Kinds int64[n] and markouts float64[n, horizons] in bps, in the order of the triggers."""
        kinds = np.array(self._kinds, dtype=np.int64)
        return kinds, np.array(self._values, dtype=np.float64).reshape(-1, len(HORIZONS_NS))

    def by_kind(self) -> dict[str, dict[str, float | None]]:
        """Mean markout in bps by kind and horizon in ms; None where nothing could be measured."""
        kinds, values = self.values
        return {
            kind.name: {
                f"{horizon // 1_000_000}": _mean(values[kinds == kind, index])
                for index, horizon in enumerate(HORIZONS_NS)
            }
            for kind in Kind
            if np.any(kinds == kind)
        }


def _mean(values: Floats) -> float | None:
    measured = values[~np.isnan(values)]
    return round(float(measured.mean()), 4) if len(measured) else None
