"""How long requests and reports are on their way.

A connection keeps its order: what is sent later does not arrive earlier. Between recorded samples a latency is
interpolated linearly in the time of the request (to the exchange) or of the exchange's answer (back); before the first
and after the last it is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market.errors import Rejected
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.records import Rows
from sim.backtest.state import (
    ENTRY_AT,
    ENTRY_NS,
    LAST_ARRIVAL_NS,
    LAST_RESPONSE_NS,
    RESPONSE_AT,
    RESPONSE_NS,
    SAMPLE_COUNT,
    SAMPLES,
)

SAMPLE_WIDTH = 3


@dataclass(frozen=True)
class Latency:
    """Latencies of one venue's orders.

    Parameters
    ----------
    entry_ns, response_ns: constant times to the exchange and back, used without samples.
    samples: int64[n, 3], times in ns on one clock at which requests were sent, processed and answered, sorted by the
        first; a request that the venue was too busy for has 0 in the middle, and near it requests are lost. None: the
        constants hold.

    Raises Rejected for samples of another form, out of order or with a negative latency.
    """

    entry_ns: int = 0
    response_ns: int = 0
    samples: Rows | None = None

    def __post_init__(self) -> None:
        if self.entry_ns < 0 or self.response_ns < 0:
            raise Rejected(f"latencies were {self.entry_ns} and {self.response_ns} ns; expected 0 or more")
        if self.samples is None:
            return
        rows = self.samples
        if rows.dtype != np.int64 or rows.ndim != 2 or rows.shape[1] != SAMPLE_WIDTH or not len(rows):
            raise Rejected(
                f"latency samples were {rows.dtype} {rows.shape}; expected int64 (n, 3) with n of at least 1"
            )
        taken = rows[rows[:, 1] > 0]
        if not len(taken):
            raise Rejected("of the latency samples none was processed: the times in the middle were all 0")
        backwards = (np.diff(rows[:, 0]) < 0).any() or (np.diff(taken[:, 1]) < 0).any()
        if backwards or (rows[:, 2] < rows[:, 0]).any() or (taken[:, 1] < taken[:, 0]).any():
            raise Rejected("latency samples went back in time: each must be sent, processed and answered in that order")
        if (taken[:, 2] < taken[:, 1]).any():
            raise Rejected("a latency sample was answered before it was processed")

    @property
    def least_entry_ns(self) -> int:
        """No request arrives sooner after it was sent."""
        if self.samples is None:
            return self.entry_ns
        taken = self.samples[self.samples[:, 1] > 0]
        return int((taken[:, 1] - taken[:, 0]).min())

    @property
    def least_response_ns(self) -> int:
        """No report arrives sooner after what it reports."""
        if self.samples is None:
            return self.response_ns
        taken = self.samples[self.samples[:, 1] > 0]
        return int((taken[:, 2] - taken[:, 1]).min())


@inline
def _between(at: int, first: int, first_value: int, second: int, second_value: int) -> int:
    """A value between two samples, towards zero of the exact one."""
    return int((second_value - first_value) / (second - first) * (at - first)) + first_value


@part
def _sample_before(row: int, column: int, cursor: int, at: int) -> int:
    """Index of the last processed sample whose time in a column is not after a time; -1 before the first.

    The search goes on from where the last one ended, as times do not go back.
    """
    samples, count = get(row, SAMPLES), get(row, SAMPLE_COUNT)
    index = get(row, cursor)
    while index + 1 < count and get(samples, SAMPLE_WIDTH * (index + 1) + column) <= at:
        index += 1
    put(row, cursor, index)
    return index if get(samples, SAMPLE_WIDTH * index + column) <= at else -1


@part
def _sampled_entry(row: int, at: int) -> tuple[int, int]:
    """Latency to the exchange at a time, and whether the request is lost; then it is the time until that is known."""
    samples = get(row, SAMPLES)
    index = _sample_before(row, 0, ENTRY_AT, at)
    first = samples + 8 * SAMPLE_WIDTH * max(index, 0)
    if index < 0 or index + 1 == get(row, SAMPLE_COUNT):
        if get(first, 1) <= 0:
            return get(first, 2) - get(first, 0), 1
        return get(first, 1) - get(first, 0), 0
    second = first + 8 * SAMPLE_WIDTH
    lost = 1 if get(first, 1) <= 0 or get(second, 1) <= 0 else 0
    column = 2 if lost != 0 else 1
    one, other = get(first, column) - get(first, 0), get(second, column) - get(second, 0)
    if get(second, 0) == get(first, 0):
        return one, lost
    return _between(at, get(first, 0), one, get(second, 0), other), lost


@part
def _sampled_response(row: int, at: int) -> int:
    samples, count = get(row, SAMPLES), get(row, SAMPLE_COUNT)
    index = _sample_before(row, 1, RESPONSE_AT, at)
    # Samples that were not processed have no answer's latency: the nearest processed ones speak.
    low = max(index, 0)
    while low > 0 and get(samples, SAMPLE_WIDTH * low + 1) <= 0:
        low -= 1
    while get(samples, SAMPLE_WIDTH * low + 1) <= 0:
        low += 1
    first = samples + 8 * SAMPLE_WIDTH * low
    own = get(first, 2) - get(first, 1)
    high = low + 1
    while high < count and get(samples, SAMPLE_WIDTH * high + 1) <= 0:
        high += 1
    if high >= count or at < get(first, 1):
        return own
    second = samples + 8 * SAMPLE_WIDTH * high
    if get(second, 1) == get(first, 1):
        return own
    return _between(at, get(first, 1), own, get(second, 1), get(second, 2) - get(second, 1))


@inline
def arrival_ns(row: int, now_ns: int) -> tuple[int, int]:
    """When a request that is sent now arrives, and whether it is lost: then, when that is known."""
    latency, lost = get(row, ENTRY_NS), 0
    if get(row, SAMPLE_COUNT) > 0:
        latency, lost = _sampled_entry(row, now_ns)
    if lost == 0:
        arrival = max(now_ns + latency, get(row, LAST_ARRIVAL_NS))
        put(row, LAST_ARRIVAL_NS, arrival)
        return arrival, 0
    return now_ns + latency, 1


@inline
def response_ns(row: int, exchange_time_ns: int) -> int:
    """When a report of the exchange arrives at the strategy."""
    latency = get(row, RESPONSE_NS)
    if get(row, SAMPLE_COUNT) > 0:
        latency = _sampled_response(row, exchange_time_ns)
    arrival = max(exchange_time_ns + latency, get(row, LAST_RESPONSE_NS))
    put(row, LAST_RESPONSE_NS, arrival)
    return arrival
