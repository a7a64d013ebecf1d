"""Delays and the order of the venue's times, counted over records."""

from __future__ import annotations

import numpy as np

from market.pipeline.journal import bucket_floor, quantile
from market.wire.records import (
    DIFF,
    EVENT_NS,
    GAP,
    IGNORED,
    KIND,
    MARKET,
    QUOTE,
    RECEIVE_NS,
    REJECTED,
    SNAPSHOT,
    TRADE,
    WIDTH,
    Rows,
    Words,
)
from market.wire.timeliness import HISTOGRAM, HISTOGRAM_WORDS, Statistic, new_statistics, note_records

NOW_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def noted(*rows: tuple[int, int, int, int], clock_ahead_ns: int = 0) -> tuple[int, Words]:
    """Smallest delay and statistics of records: kind, market, receive and event time after ``NOW_NS``."""
    records: Rows = np.zeros((len(rows), WIDTH), dtype=np.int64)
    for record, (kind, market, receive_ns, event_ns) in zip(records, rows, strict=True):
        record[[KIND, MARKET, RECEIVE_NS, EVENT_NS]] = (kind, market, NOW_NS + receive_ns, NOW_NS + event_ns)
    statistics = new_statistics(2)
    return note_records(records, len(rows), clock_ahead_ns, statistics), statistics


def test_delays_are_summed_and_the_smallest_is_told() -> None:
    smallest, statistics = noted((DIFF, 0, 9 * MS, 4 * MS), (TRADE, 1, 9 * MS, 8 * MS), (QUOTE, 0, 10 * MS, 7 * MS))
    assert smallest == 1 * MS
    assert statistics[Statistic.TIMED] == 3
    assert statistics[Statistic.DELAY_SUM_NS] == 9 * MS
    assert statistics[Statistic.LATEST_DELAY_NS] == 3 * MS


def test_the_distribution_is_that_of_the_journal() -> None:
    delays = [0, 7, 100, 5_000, 123_456_789, 10**12]
    _, statistics = noted(*[(TRADE, 0, delay, 0) for delay in delays])
    buckets = statistics[HISTOGRAM : HISTOGRAM + HISTOGRAM_WORDS]
    floors = [bucket_floor(int(bucket)) for bucket in np.flatnonzero(buckets)]
    assert all(floor <= delay < floor + max(1, floor // 15) for floor, delay in zip(floors, delays, strict=True))
    assert quantile(buckets, 1.0) == floors[-1]


def test_a_known_lead_of_our_clock_is_taken_off() -> None:
    assert noted((DIFF, 0, 1_300 * MS, 0), clock_ahead_ns=1_270 * MS)[0] == 30 * MS
    assert noted((DIFF, 0, 1_200 * MS, 0), clock_ahead_ns=1_270 * MS)[0] == 0


def test_what_states_no_time_or_was_asked_for_has_no_delay() -> None:
    smallest, statistics = noted((SNAPSHOT, 0, 9, 1), (QUOTE, 0, 9, -NOW_NS), (IGNORED, -1, 9, 1), (GAP, 1, 9, 1))
    assert smallest == -1
    assert statistics[Statistic.TIMED] == 0
    assert (statistics[Statistic.SNAPSHOTS], statistics[Statistic.SNAPSHOT_NS]) == (1, NOW_NS + 9)
    assert statistics[Statistic.GAPS] == 1


def test_snapshots_that_come_by_themselves_have_a_delay() -> None:
    records: Rows = np.zeros((1, WIDTH), dtype=np.int64)
    records[0, [KIND, RECEIVE_NS, EVENT_NS]] = (SNAPSHOT, NOW_NS + 9, NOW_NS)
    assert note_records(records, 1, 0, new_statistics(1, times_snapshots=True)) == 9


def test_refused_records_are_counted() -> None:
    _, statistics = noted((REJECTED, -1, 0, 0), (TRADE, 0, 2, 1))
    assert (statistics[Statistic.RECORDS], statistics[Statistic.REJECTED]) == (2, 1)


def test_times_go_back_by_kind_and_market() -> None:
    _, statistics = noted((DIFF, 0, 9, 5), (DIFF, 1, 9, 4), (TRADE, 0, 9, 3), (DIFF, 0, 9, 2), (DIFF, 0, 9, 3))
    assert statistics[Statistic.REGRESSIONS] == 1
    assert statistics[Statistic.LARGEST_REGRESSION_NS] == 3


def test_one_time_far_ahead_is_one_regression() -> None:
    _, statistics = noted((TRADE, 0, 9, 1), (TRADE, 0, 9, 10**15), (TRADE, 0, 9, 2), (TRADE, 0, 9, 3))
    assert statistics[Statistic.REGRESSIONS] == 1
