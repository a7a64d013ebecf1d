"""What ends the waiting of a strategy."""

from __future__ import annotations

import pytest

from market.errors import Fatal, Rejected
from market.pipeline.wake_conditions import WakeKind
from market.wire.records import AGGRESSOR_SELL
from sim.backtest.core import BacktestCore, MatchModel, Top
from sim.backtest.layout import Outcome
from sim.matching.layout import BID
from tests.sim.backtest.tapes import TapeWriter

BIDS = ((100, 10), (99, 20))
ASKS = ((102, 10), (103, 20))


def core_of(writer: TapeWriter) -> BacktestCore:
    return BacktestCore(writer.tape(), [MatchModel()])


def woken_at(writer: TapeWriter, kind: WakeKind, level: int) -> list[int]:
    """Times at which a condition ends the waiting."""
    core = core_of(writer)
    number = core.wake_on(kind, 0, level)
    times = []
    while core.advance() is Outcome.WAKE:
        assert core.woken() == [number]
        times.append(core.now_ns)
    return times


def test_the_middle_moved() -> None:
    tape = TapeWriter().snapshot(1, BIDS, ASKS).book(10, bids=((101, 1),)).book(20, bids=((101, 0),))
    tape.book(30, asks=((102, 0),)).book(40, asks=((103, 0), (104, 1)))
    assert woken_at(tape, WakeKind.MID_MOVED, 1) == [15, 25, 35, 45]
    assert woken_at(tape, WakeKind.MID_MOVED, 2) == [45]


def test_the_top_changed() -> None:
    tape = TapeWriter().snapshot(1, BIDS, ASKS).book(10, bids=((99, 9),)).book(20, bids=((100, 8),))
    tape.book(30, asks=((101, 1),))
    assert woken_at(tape, WakeKind.TOP_CHANGED, 0) == [6, 25, 35]
    assert woken_at(tape, WakeKind.TOP_CHANGED, 5) == [6, 35]


def test_the_spread_is_reached_and_reached_again() -> None:
    tape = TapeWriter().snapshot(1, BIDS, ASKS).book(10, bids=((100, 0),)).book(20, bids=((99, 1),))
    tape.book(30, bids=((101, 1),)).book(40, bids=((101, 0),))
    assert woken_at(tape, WakeKind.SPREAD_REACHED, 3) == [15, 45]


def test_the_imbalance_crosses_a_level() -> None:
    tape = TapeWriter().snapshot(1, BIDS, ASKS).book(10, bids=((100, 30),)).book(20, bids=((100, 10),))
    tape.book(30, asks=((102, 90),))
    assert woken_at(tape, WakeKind.IMBALANCE_ABOVE, 400_000) == [15]
    assert woken_at(tape, WakeKind.IMBALANCE_BELOW, -400_000) == [35]


def test_a_large_trade() -> None:
    tape = TapeWriter().snapshot(1, BIDS, ASKS).trade(10, 100, 3, AGGRESSOR_SELL).trade(20, 100, 4, AGGRESSOR_SELL)
    assert woken_at(tape, WakeKind.TRADED, 4) == [25]


def test_reports_wake_and_wait_to_be_read() -> None:
    core = core_of(TapeWriter().snapshot(1, BIDS, ASKS).book(50))
    core.advance(10)
    core.order(0, 1, BID, 100, 1)
    assert core.advance(20, wakes_on_report=True) is Outcome.REPORT
    assert len(core.reports(0)) == 2
    assert core.advance(20, wakes_on_report=True) is Outcome.TIME
    assert core.now_ns == 20


def test_the_book_is_seen_when_it_is_received() -> None:
    core = core_of(TapeWriter().snapshot(1, BIDS, ASKS).gap(20))
    core.advance(5)
    assert core.top(0) == Top(-1, 0, -1, 0)
    core.advance(6)
    assert core.top(0) == Top(100, 10, 102, 10)
    core.advance(25)
    assert core.top(0).bid == -1


def test_what_is_asked_for_wrongly_is_refused() -> None:
    core = core_of(TapeWriter().snapshot(1, BIDS, ASKS))
    for _ in range(16):
        core.wake_on(WakeKind.TRADED, 0, 1)
    with pytest.raises(Rejected, match="16"):
        core.wake_on(WakeKind.TRADED, 0, 1)
    with pytest.raises(Fatal, match="market 1"):
        core.cancel(1, 1)
    with pytest.raises(Fatal, match="models"):
        BacktestCore(core.tape, [])
