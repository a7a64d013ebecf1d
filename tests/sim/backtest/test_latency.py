"""Latencies, constant and from samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.wire.records import Rows
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.latency import Latency
from sim.backtest.layout import Report
from sim.matching.layout import BID, EventKind, Reason
from tests.sim.backtest.tapes import TapeWriter

SAMPLES = np.array([(100, 110, 130), (200, 240, 250), (300, 310, 340)], dtype=np.int64)


def way(samples: Rows, sent_ns: int) -> tuple[int, int]:
    """Exchange and receive time of the answer to an order that is sent at a time."""
    tape = TapeWriter().snapshot(1, [(100, 50)], [(110, 1)]).tape()
    core = BacktestCore(tape, [MatchModel(latency=Latency(samples=samples))])
    core.advance(sent_ns)
    core.order(0, 1, BID, 100, 7)
    core.advance()
    first = core.reports(0, 1 << 60).tolist()[0]
    return first[Report.EXCHANGE_NS], first[Report.RECEIVE_NS]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(2, 400))
def test_between_samples_latencies_are_interpolated(sent_ns: int) -> None:
    entry = np.interp(sent_ns, SAMPLES[:, 0], SAMPLES[:, 1] - SAMPLES[:, 0])
    exchange_ns, receive_ns = way(SAMPLES, sent_ns)
    assert abs(exchange_ns - sent_ns - entry) < 1
    response = np.interp(exchange_ns, SAMPLES[:, 1], SAMPLES[:, 2] - SAMPLES[:, 1])
    assert abs(receive_ns - exchange_ns - response) < 1


def test_what_is_sent_later_does_not_arrive_earlier() -> None:
    samples = np.array([(100, 200, 220), (150, 200, 220)], dtype=np.int64)
    core = BacktestCore(
        TapeWriter().snapshot(1, [(100, 50)], [(110, 1)]).tape(), [MatchModel(latency=Latency(samples=samples))]
    )
    for sent_ns in (100, 117, 125, 149):
        core.advance(sent_ns)
        core.order(0, sent_ns, BID, 100, 7)
    core.advance()
    taken = [row for row in core.reports(0, 1 << 60).tolist() if row[Report.KIND] == EventKind.ACCEPTED]
    assert [(row[Report.ID], row[Report.EXCHANGE_NS]) for row in taken] == [
        (100, 200),
        (117, 200),
        (125, 200),
        (149, 200),
    ]


def test_near_a_sample_that_was_not_processed_requests_are_lost() -> None:
    samples = np.array([(100, 110, 130), (200, 0, 290), (300, 310, 340)], dtype=np.int64)
    core = BacktestCore(
        TapeWriter().snapshot(1, [(100, 50)], [(110, 1)]).tape(), [MatchModel(latency=Latency(samples=samples))]
    )
    core.advance(200)
    core.order(0, 1, BID, 100, 7)
    core.advance()
    report = core.reports(0, 1 << 60).tolist()[0]
    assert (report[Report.KIND], report[Report.REASON]) == (EventKind.REJECTED, Reason.UNFILLED)
    assert report[Report.RECEIVE_NS] == 290


@pytest.mark.parametrize(
    "rows",
    [
        [(100, 90, 130)],
        [(100, 110, 105)],
        [(100, 110, 130), (90, 120, 140)],
        [(100, 0, 130)],
        np.zeros((0, 3)),
        [(1, 2)],
    ],
)
def test_samples_that_cannot_be_are_refused(rows: list[tuple[int, ...]]) -> None:
    with pytest.raises(Rejected, match="sample"):
        Latency(samples=np.array(rows, dtype=np.int64))


def test_latencies_below_zero_are_refused() -> None:
    with pytest.raises(Rejected, match="latencies"):
        Latency(entry_ns=-1)
