"""How late records are, and whether the venue's own times go back: running statistics of one source.

The delay of a record is its receive time less the venue's time, for records that state one. Snapshots do not count
where they are asked for. Distributions are kept in buckets of ``market.pipeline.journal``: 16 per power of two.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from market.native.kernel import entry, inline
from market.native.memory import address_of, get, leading_zeros, put
from market.wire.records import (
    DIFF,
    EVENT_NS,
    GAP,
    KIND,
    MARKET,
    QUOTE,
    REASON,
    RECEIVE_NS,
    REJECTED,
    SNAPSHOT,
    TRADE,
    WIDTH,
    Rows,
    Words,
)


class Statistic(IntEnum):
    """Words in front of a source's statistics, all counted from the start of the run."""

    RECORDS = 0
    REJECTED = 1
    GAPS = 2
    """GAP records."""
    TIMED = 3
    """Records whose delay is known."""
    DELAY_SUM_NS = 4
    REGRESSIONS = 5
    """Records that are older, by the venue's time, than one of their kind and market before them."""
    LATEST_DELAY_NS = 6
    LARGEST_REGRESSION_NS = 7
    SNAPSHOTS = 8
    SNAPSHOT_NS = 9
    """Receive time of the last of them, 0 before the first."""
    TIMES_SNAPSHOTS = 10
    """Not 0: snapshots come by themselves, and their delays count."""


BY_KIND: Final = 16
"""First of the numbers of records of each kind."""
BY_REASON: Final = 24
"""First of the numbers of refused messages by reason."""
HISTOGRAM: Final = 40
"""First of the buckets of delays."""
HISTOGRAM_WORDS: Final = 1024
_TIMES: Final = HISTOGRAM + HISTOGRAM_WORDS
_KINDS: Final = 8
_RECORDS: Final = int(Statistic.RECORDS)
_REJECTED: Final = int(Statistic.REJECTED)
_GAPS: Final = int(Statistic.GAPS)
_TIMED: Final = int(Statistic.TIMED)
_DELAY_SUM: Final = int(Statistic.DELAY_SUM_NS)
_REGRESSIONS: Final = int(Statistic.REGRESSIONS)
_LATEST: Final = int(Statistic.LATEST_DELAY_NS)
_LARGEST: Final = int(Statistic.LARGEST_REGRESSION_NS)
_SNAPSHOTS: Final = int(Statistic.SNAPSHOTS)
_SNAPSHOT_NS: Final = int(Statistic.SNAPSHOT_NS)
_TIMES_SNAPSHOTS: Final = int(Statistic.TIMES_SNAPSHOTS)
_SUB_BITS: Final = 4


def new_statistics(markets: int, *, times_snapshots: bool = False) -> Words:
    """Statistics of a source with so many markets, whose snapshots may come by themselves."""
    statistics = np.zeros(_TIMES + _KINDS * markets, dtype=np.int64)
    statistics[_TIMES_SNAPSHOTS] = times_snapshots
    return statistics


@inline
def _add(state: int, word: int, amount: int) -> None:
    put(state, word, get(state, word) + amount)


@inline
def _bucket(duration: int) -> int:
    if duration < 1 << _SUB_BITS:
        return duration
    shift = 63 - _SUB_BITS - leading_zeros(duration)
    return (shift << _SUB_BITS) + (duration >> shift)


@inline
def _note_time(state: int, row: int, clock_ahead_ns: int) -> int:
    """Count a record's delay and order in time; gives the delay, at least 0."""
    event_ns = get(row, EVENT_NS)
    latest = state + 8 * (_TIMES + _KINDS * get(row, MARKET) + get(row, KIND))
    behind = get(latest, 0) - event_ns
    if behind > 0:
        _add(state, _REGRESSIONS, 1)
        put(state, _LARGEST, max(get(state, _LARGEST), behind))
    # Taken even if it is older: a single time far ahead would else make every later one a regression.
    put(latest, 0, event_ns)
    delay = max(get(row, RECEIVE_NS) - clock_ahead_ns - event_ns, 0)
    _add(state, _TIMED, 1)
    _add(state, _DELAY_SUM, delay)
    _add(state, HISTOGRAM + _bucket(delay), 1)
    put(state, _LATEST, delay)
    return delay


@entry("int64(int64[:, ::1], int64, int64, int64[::1])")
def note_records(records: Rows, count: int, clock_ahead_ns: int, statistics: Words) -> int:
    """Count the first records of a batch; gives the smallest delay among them, -1 when none is known.

    Parameters
    ----------
    clock_ahead_ns: how far our clock is known to be ahead of the venue's.
    statistics: of ``new_statistics``, for the records' markets.
    """
    state = address_of(statistics)
    first = address_of(records)
    smallest = -1
    for index in range(count):
        row = first + 8 * WIDTH * index
        kind = get(row, KIND)
        _add(state, _RECORDS, 1)
        _add(state, BY_KIND + kind, 1)
        if kind == REJECTED:
            _add(state, _REJECTED, 1)
            _add(state, BY_REASON + get(row, REASON), 1)
        elif kind == GAP:
            _add(state, _GAPS, 1)
        elif kind == SNAPSHOT:
            _add(state, _SNAPSHOTS, 1)
            put(state, _SNAPSHOT_NS, get(row, RECEIVE_NS))
        is_timed = kind == DIFF or kind == QUOTE or kind == TRADE
        if kind == SNAPSHOT and get(state, _TIMES_SNAPSHOTS) != 0:
            is_timed = True
        if is_timed and get(row, EVENT_NS) > 0:
            delay = _note_time(state, row, clock_ahead_ns)
            smallest = delay if smallest < 0 else min(smallest, delay)
    return smallest
