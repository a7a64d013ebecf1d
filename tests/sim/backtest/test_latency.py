"""Latencies, constant and from samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import MissingInput, Rejected
from market.wire.records import Rows
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.latency import Latency
from sim.backtest.latency_file import placed_samples, read_latency
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


def test_samples_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "measured.csv"
    path.write_text("sent_ns,processed_ns,answered_ns\n100,120,150\n200,0,300\n300,310,330\n")
    latency = read_latency(path)
    assert latency.samples is not None
    assert latency.samples.tolist() == [[100, 120, 150], [200, 0, 300], [300, 310, 330]]
    assert (latency.least_entry_ns, latency.least_response_ns) == (10, 20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "has columns a, b; expected sent_ns, processed_ns, answered_ns"),
        ("", "has columns none"),
        ("sent_ns,processed_ns,answered_ns\n1,2\n", "line 2: was '1,2'"),
        ("sent_ns,processed_ns,answered_ns\n1,2,3\n1,x,3\n", "line 3: was '1,x,3'"),
        ("sent_ns,processed_ns,answered_ns\n1,2,-3\n", "line 2"),
        ("sent_ns,processed_ns,answered_ns\n", "n of at least 1"),
        ("sent_ns,processed_ns,answered_ns\n5,6,7\n1,2,3\n", "went back in time"),
        ("sent_ns,processed_ns,answered_ns\n5,0,7\n", "none was processed"),
    ],
)
def test_a_file_that_holds_no_samples_is_refused_by_its_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "measured.csv"
    path.write_text(text)
    with pytest.raises(MissingInput) as caught:
        read_latency(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="measured"):
        read_latency(tmp_path / "measured")


def test_samples_of_another_day_begin_with_the_recording() -> None:
    samples = np.array([[100, 120, 150], [200, 0, 300]], dtype=np.int64)
    moved, by_ns = placed_samples(Latency(samples=samples), 5_000, 9_000)
    assert moved.samples is not None
    assert (moved.samples.tolist(), by_ns) == ([[5_000, 5_020, 5_050], [5_100, 0, 5_200]], 4_900)
    same, unmoved_ns = placed_samples(Latency(samples=samples), 150, 9_000)
    assert (same.samples is samples, unmoved_ns) == (True, 0)
    constant = Latency(5, 6)
    assert placed_samples(constant, 1, 2) == (constant, 0)
