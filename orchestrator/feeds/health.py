"""How a source is doing: its state, and numbers about what it brings."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import msgspec
import numpy as np

from market.pipeline.journal import quantile
from market.wire.records import Words
from market.wire.timeliness import HISTOGRAM, HISTOGRAM_WORDS, Statistic

_NS_PER_S: Final = 1_000_000_000


class SourceState(IntEnum):
    """Whether a source may be traded on, and if not, why not."""

    CONNECTING = 0
    """No stream stands."""
    SYNCHRONISING = 1
    """A stream stands, and a book is not known yet or no more."""
    LIVE = 2
    """The only state in which trading goes on."""
    LATE = 3
    """The newest message was too old when it arrived; the stream is made anew."""
    GIVEN_UP = 4
    """Every attempt to connect failed: a human must look, and resume the source."""
    CLOSED = 5
    """The feed was closed."""


class HealthMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """A source at one moment.

    Parameters
    ----------
    messages_per_second, latency_*: over the interval before; latencies None when no message of it stated a time.
    records, rejected, gaps, reconnections, regressions: since the start; gaps of all of its books, regressions of the
        venue's own times.
    books_checked, books_corrupted: fetched books that were compared with the stream's, and those that differed.
    switches, cross_checks, cross_differences: of a source with a stream in reserve.
    bid_levels, ask_levels: of each market. snapshot_age_ns: since the last fetched or sent whole book, None before it.
    queued: arrivals that the loop has not taken.
    """

    source: str
    time_ns: int
    state: SourceState
    messages_per_second: float
    latency_mean_ns: int | None
    latency_p50_ns: int | None
    latency_p99_ns: int | None
    records: int
    rejected: int
    gaps: int
    reconnections: int
    regressions: int
    books_checked: int
    books_corrupted: int
    switches: int
    cross_checks: int
    cross_differences: int
    bid_levels: tuple[int, ...]
    ask_levels: tuple[int, ...]
    snapshot_age_ns: int | None
    queued: int


class Interval(msgspec.Struct, frozen=True):
    """What a source's statistics grew by between two looks at them."""

    messages_per_second: float
    latency_mean_ns: int | None
    latency_p50_ns: int | None
    latency_p99_ns: int | None


def interval(before: Words, now: Words, duration_ns: int) -> Interval:
    """The difference of two states of ``market.wire.timeliness`` statistics."""
    grown = now - before
    timed = int(grown[Statistic.TIMED])
    buckets = grown[HISTOGRAM : HISTOGRAM + HISTOGRAM_WORDS]
    return Interval(
        messages_per_second=int(grown[Statistic.RECORDS]) * _NS_PER_S / duration_ns if duration_ns > 0 else 0.0,
        latency_mean_ns=int(grown[Statistic.DELAY_SUM_NS]) // timed if timed else None,
        latency_p50_ns=quantile(buckets, 0.5),
        latency_p99_ns=quantile(buckets, 0.99),
    )


def depth_columns(depths: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Rows of (bids, asks) as two tuples."""
    columns = np.array(depths, dtype=np.int64).reshape(-1, 2)
    return tuple(columns[:, 0].tolist()), tuple(columns[:, 1].tolist())
