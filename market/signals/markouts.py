"""Markouts of market trades, the signed move of the mid after each trade at several horizons.

``markout(h) = sign * (mid(t + h) - mid(t))``, sign 1 for a buy and -1 for a sell: the price impact part of the
realized spread, Huang and Stoll, "Dealer versus Auction Markets", Journal of Financial Economics 41(3), 1996.
Positive means that the market moved on in the aggressor's direction, against who had quoted.

Mids are counted in half ticks (bid + ask). mid(t) is the one known when the trade arrives; mid(t + h) the last one
with a time of at most t + h, so it is settled by the first event after that. A trade whose mid at t + h is unknown,
because the top of book was withdrawn, has no markout at h. Means are over the last trades whose horizon has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.signals.admission import admit_time
from market.signals.layout import (
    HEADER,
    LARGEST_CAPACITY,
    LARGEST_DURATION,
    LARGEST_TIME,
    NAN,
    Rows,
    Values,
    Words,
    as_rows,
    new_values,
    require,
    require_capacity,
)

MOST_HORIZONS: Final = 4
MISSING: Final = -(1 << 62)
"""In place of a move: the mid at the horizon was not known."""

HORIZONS: Final = HEADER
CAPACITY: Final = HEADER + 1
MEAN_OVER: Final = HEADER + 2
DOUBLED_MID: Final = HEADER + 3
"""bid + ask in ticks, 0 without a top of book."""
NEXT: Final = HEADER + 4
"""Number that the next trade gets; trades are kept at ``number mod capacity``."""
DUE: Final = HEADER + 5
"""Earliest time that something pending waits for."""
DROPPED: Final = HEADER + 6
"""Trades not followed because the queue was full."""
SKIPPED: Final = HEADER + 7
"""Trades not followed because the aggressor or the mid was unknown."""
_HORIZON_NS: Final = HEADER + 8
_PENDING: Final = HEADER + 12
"""Per horizon: number of the first trade whose horizon has not passed."""
_FIRST: Final = HEADER + 16
"""Per horizon: number of the first trade in the mean."""
_SUM: Final = HEADER + 20
_COUNT: Final = HEADER + 24
_QUEUE: Final = HEADER + 28
_TIME: Final = 0
_SIGN: Final = 1
_MID: Final = 2
_MOVES: Final = 3
_ROW: Final = _MOVES + MOST_HORIZONS


@dataclass(frozen=True, kw_only=True)
class MarkoutSettings:
    """Settings of the markouts.

    Parameters
    ----------
    horizons_ns: one to four horizons, ascending.
    mean_over: trades that each mean is over.
    capacity: trades kept, pending ones and those in the means, a power of two above ``mean_over``. A trade that
        finds no room is dropped and counted.
    """

    horizons_ns: tuple[int, ...] = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
    mean_over: int = 256
    capacity: int = 8192

    def __post_init__(self) -> None:
        require("number of markout horizons_ns", len(self.horizons_ns), 1, MOST_HORIZONS)
        for horizon in self.horizons_ns:
            require("markout horizon", horizon, 1, LARGEST_DURATION)
        if list(self.horizons_ns) != sorted(set(self.horizons_ns)):
            raise Fatal(f"markout horizons_ns must ascend, were {self.horizons_ns}")
        require("markout mean_over", self.mean_over, 1, LARGEST_CAPACITY)
        require_capacity("markout capacity", self.capacity)
        if self.capacity <= self.mean_over:
            raise Fatal(f"markout capacity must be above mean_over {self.mean_over}, was {self.capacity}")


def new_state(settings: MarkoutSettings) -> Words:
    """State without a mid and without a trade."""
    state = np.zeros(_QUEUE + _ROW * settings.capacity, dtype=np.int64)
    state[HORIZONS] = len(settings.horizons_ns)
    state[CAPACITY] = settings.capacity
    state[MEAN_OVER] = settings.mean_over
    state[DUE] = LARGEST_TIME
    state[_HORIZON_NS : _HORIZON_NS + len(settings.horizons_ns)] = settings.horizons_ns
    return state


@inline
def _row(state: int, number: int) -> int:
    return state + 8 * (_QUEUE + _ROW * (number & (get(state, CAPACITY) - 1)))


@inline
def _shift_mean(state: int, horizon: int, added: int) -> None:
    """Put a settled trade's move into the mean, and take out the one that is now too old."""
    if added != MISSING:
        put(state, _SUM + horizon, get(state, _SUM + horizon) + added)
        put(state, _COUNT + horizon, get(state, _COUNT + horizon) + 1)
    first = get(state, _FIRST + horizon)
    if get(state, _PENDING + horizon) - first > get(state, MEAN_OVER):
        removed = get(_row(state, first), _MOVES + horizon)
        if removed != MISSING:
            put(state, _SUM + horizon, get(state, _SUM + horizon) - removed)
            put(state, _COUNT + horizon, get(state, _COUNT + horizon) - 1)
        put(state, _FIRST + horizon, first + 1)


@part
def _settle(state: int, now: int) -> None:
    mid = get(state, DOUBLED_MID)
    due = LARGEST_TIME
    for horizon in range(get(state, HORIZONS)):
        wait = get(state, _HORIZON_NS + horizon)
        while get(state, _PENDING + horizon) < get(state, NEXT):
            row = _row(state, get(state, _PENDING + horizon))
            if get(row, _TIME) + wait >= now:
                due = min(due, get(row, _TIME) + wait)
                break
            move = get(row, _SIGN) * (mid - get(row, _MID)) if mid != 0 else MISSING
            put(row, _MOVES + horizon, move)
            put(state, _PENDING + horizon, get(state, _PENDING + horizon) + 1)
            _shift_mean(state, horizon, move)
    put(state, DUE, due)


@inline
def markout_time(state: int, now: int) -> None:
    """Settle what waited for a time before now, with the mid that held until now."""
    if now > get(state, DUE):
        _settle(state, now)


@inline
def markout_mid(state: int, doubled_mid: int) -> None:
    """Take a new mid, after ``markout_time``; 0 when there is none any more."""
    put(state, DOUBLED_MID, doubled_mid)


@inline
def markout_trade(state: int, sign: int, now: int) -> None:
    """Follow an admitted trade, after ``markout_time``; sign 0 is an unknown aggressor."""
    if sign == 0 or get(state, DOUBLED_MID) == 0:
        put(state, SKIPPED, get(state, SKIPPED) + 1)
        return
    number = get(state, NEXT)
    # Horizons ascend, so the last one frees its rows last.
    if number - get(state, _FIRST + get(state, HORIZONS) - 1) == get(state, CAPACITY):
        put(state, DROPPED, get(state, DROPPED) + 1)
        return
    row = _row(state, number)
    put(row, _TIME, now)
    put(row, _SIGN, sign)
    put(row, _MID, get(state, DOUBLED_MID))
    put(state, NEXT, number + 1)
    put(state, DUE, min(get(state, DUE), now + get(state, _HORIZON_NS)))


@inline
def mean_markout(state: int, horizon: int) -> float:
    """Mean markout in ticks at a horizon, by its index; NaN without one."""
    count = get(state, _COUNT + horizon)
    return get(state, _SUM + horizon) / (2 * count) if count > 0 else NAN


@entry("void(int64[::1], int64[:, ::1], float64[:, ::1])")
def markout_batch(state: Words, events: Rows, out: Values) -> None:
    """Take events (time, sign, doubled mid): a trade has a sign, a mid update sign 0.

    ``out`` has a column per horizon and gets the means in ticks after each event.
    """
    base = address_of(state)
    for index in range(len(events)):
        now = admit_time(base, events[index, 0])
        markout_time(base, now)
        if events[index, 1] == 0:
            markout_mid(base, events[index, 2])
        else:
            markout_trade(base, events[index, 1], now)
        for horizon in range(out.shape[1]):
            out[index, horizon] = mean_markout(base, horizon)


def settled_moves(
    trade_times_ns: Words,
    signs: Words,
    doubled_mids: Words,
    top_times_ns: Words,
    top_doubled_mids: Words,
    horizons_ns: tuple[int, ...],
    until_ns: int,
) -> tuple[Rows, NDArray[np.bool_]]:
    """Markouts in half ticks of whole arrays of trades, and whether each is settled by a last event at ``until_ns``.

    Parameters
    ----------
    trade_times_ns, signs, doubled_mids: int64[n], each trade with the mid known when it arrived.
    top_times_ns, top_doubled_mids: int64[m] in order of time; mid 0 where the top of book was withdrawn.

    Returns int64[n, h] with ``MISSING`` where the mid was unknown, and bool[n, h]; unsettled moves are 0.
    """
    ends = trade_times_ns[:, None] + np.array(horizons_ns, dtype=np.int64)
    known = np.concatenate(([0], top_doubled_mids))
    mids = known[np.searchsorted(top_times_ns, ends, side="right")]
    moves = np.where(mids != 0, signs[:, None] * (mids - doubled_mids[:, None]), MISSING)
    settled = ends < until_ns
    return np.where(settled, moves, 0), settled


class Markouts:
    """Mean markouts of market trades, for the slow loop."""

    def __init__(self, settings: MarkoutSettings) -> None:
        self.settings = settings
        self.state = new_state(settings)

    def update(self, events: Rows) -> Values:
        """Take int64[n, 3] events as ``markout_batch``; returns float64[n, horizons], means in ticks."""
        rows = as_rows("events", events, 3)
        out = new_values(len(rows), len(self.settings.horizons_ns))
        markout_batch(self.state, rows, out)
        return out

    def moves(self, horizon: int) -> Words:
        """Moves in half ticks of the trades in a horizon's mean, oldest first, ``MISSING`` where unknown."""
        numbers = np.arange(self.state[_FIRST + horizon], self.state[_PENDING + horizon])
        slots = _QUEUE + _ROW * (numbers & (self.settings.capacity - 1)) + _MOVES + horizon
        chosen: Words = self.state[slots]
        return chosen
