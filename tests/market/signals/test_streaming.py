"""The one pass over a market's events reads exactly what every signal reads alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book.book import new_books
from market.book.continuity import Rule
from market.errors import Rejected
from market.signals import layout, streaming
from market.signals.bursts import Bursts, BurstSettings
from market.signals.cancellations import Cancellations, CancellationSettings
from market.signals.depth import Depth
from market.signals.flow import Flow, FlowSettings
from market.signals.iceberg import Icebergs, IcebergSettings
from market.signals.imbalance import TopImbalance
from market.signals.layout import SECOND_NS, Rows, Values
from market.signals.markouts import Markouts, MarkoutSettings
from market.signals.microprice import Microprice
from market.signals.outputs import WIDTH, Output
from market.signals.profile import ProfileSettings
from market.signals.reading import MarketSignals
from market.signals.record_intake import take_signal_records
from market.signals.streaming import SignalSettings
from market.signals.vpin import Vpin, VpinSettings
from market.wire.records import (
    AGGRESSOR,
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    DIFF,
    KIND,
    PRICE,
    QUANTITY,
    RECEIVE_NS,
    SNAPSHOT,
    TRADE,
)
from market.wire.records import WIDTH as RECORD_WIDTH

TOP, PRINT, TIME = 0, 1, 2
BUY, SELL, NONE = 1, 2, 0
Event = tuple[int, int, int, int, int, int]
CHOSEN = SignalSettings(
    vpin=VpinSettings(bucket_lots=7, buckets=3),
    flow=FlowSettings(window_ns=25, capacity=16),
    markouts=MarkoutSettings(horizons_ns=(1, 5, 20), mean_over=8, capacity=64),
    icebergs=IcebergSettings(factor_hundredths=150, refill_limit=2, small_print_lots=2, small_print_limit=3),
    cancellations=CancellationSettings(window_ns=30, capacity=16, trade_memory_ns=15),
    bursts=BurstSettings(
        window_ns=30, capacity=16, on_per_second=10**6, off_per_second=10**6, short_gaps=2, long_gaps=4
    ),
    profile=ProfileSettings(levels=3, bands_bps=(50, 200), notional=900),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Tops, trades and passing time, a few of them impossible; times only run forward."""
    now, events = 0, list[Event]()
    for _ in range(draw(st.integers(1, 60))):
        now += draw(st.integers(0, 6))
        kind = draw(st.sampled_from([TOP, TOP, PRINT, PRINT, TIME]))
        if kind == TOP:
            bid = draw(st.integers(98, 101))
            lots = draw(st.integers(0, 9)), draw(st.integers(1, 9))
            events.append((TOP, now, bid, lots[0], bid + draw(st.integers(0, 2)), lots[1]))
        elif kind == PRINT:
            side = draw(st.sampled_from([NONE, BUY, SELL]))
            events.append((PRINT, now, draw(st.integers(98, 103)), draw(st.integers(0, 12)), side, 0))
        else:
            events.append((TIME, now, 0, 0, 0, 0))
    return events


class Alone:
    """Every signal by itself, fed with what it would see of the market."""

    def __init__(self, chosen: SignalSettings) -> None:
        self.flow, self.vpin = Flow(chosen.flow), Vpin(chosen.vpin)
        self.markouts, self.icebergs = Markouts(chosen.markouts), Icebergs(chosen.icebergs)
        self.cancellations, self.bursts = Cancellations(chosen.cancellations), Bursts(chosen.bursts)
        self.mid, self.top = 0, (0, 0, 0, 0)

    def take(self, event: Event) -> None:
        kind, now, *values = event
        if kind == TOP:
            bid, bid_lots, ask, ask_lots = values
            possible = bid < ask and bid_lots > 0 and ask_lots > 0
            self.mid = bid + ask if possible else 0
            self.top = (bid, bid_lots, ask, ask_lots) if possible else (0, 0, 0, 0)
            self.markouts.update(np.array([(now, 0, self.mid)]))
            self.icebergs.update(np.array([(0, *values)]))
        elif kind == PRINT and values[1] > 0:
            price, lots, flag, _ = values
            side = flag
            if flag == NONE and self.mid and 2 * price != self.mid:
                side = BUY if 2 * price > self.mid else SELL
            self.flow.update(np.array([(now, price, lots, side)]))
            self.vpin.update(np.array([(price, lots, side)]))
            if side != NONE:
                self.markouts.update(np.array([(now, 1 if side == BUY else -1, 0)]))
            self.icebergs.update(np.array([(1, price, lots, side, 0)]))
            self.cancellations.update(np.array([(now, 2, price, lots, side)]))
            self.bursts.update(np.array([now]))

    def readings(self, now: int) -> dict[Output, float]:
        """The last readings, with the windows moved to now by events that count for nothing."""
        flow = self.flow.update(np.array([(now, 1, 0, 0)]))[0]
        markouts = self.markouts.update(np.array([(now, 0, self.mid)]))[0]
        icebergs = self.icebergs.update(np.array([(1, 1, 0, 0, 0)]))[0]
        cancellations = self.cancellations.update(np.array([(now, 0, 1, 0, 0)]))[0]
        found = dict(zip([Output.CVD, Output.TOXICITY, Output.UNKNOWN_LOTS], flow, strict=True))
        found |= dict(zip([Output.MARKOUT_1, Output.MARKOUT_2, Output.MARKOUT_3], markouts, strict=True))
        found |= dict(zip(list(Output)[Output.CANCELLED_LOTS_PER_SECOND :][:4], cancellations, strict=True))
        found |= {Output.VPIN: self.vpin.value}
        if self.mid:
            found |= dict(zip(list(Output)[Output.BID_ICEBERG :][:8], icebergs, strict=True))
            found[Output.MID], found[Output.SPREAD] = self.mid / 2, self.top[2] - self.top[0]
            found[Output.TOP_IMBALANCE] = TopImbalance().update(np.array([self.top]))[0, 0]
            found[Output.MICROPRICE] = Microprice().update(np.array([self.top]))[0, 0]
        return found


@given(histories())
@settings(derandomize=True, deadline=None)
def test_each_signal_reads_what_it_reads_alone(events: list[Event]) -> None:
    readings = MarketSignals(CHOSEN).update(np.array(events, dtype=np.int64))
    alone = Alone(CHOSEN)
    for index, event in enumerate(events):
        alone.take(event)
        expected = alone.readings(event[1])
        named = {output: readings[index, output] for output in expected}
        assert named == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
        if not alone.mid:
            assert np.isnan(readings[index, [Output.MID, Output.MICROPRICE, Output.BID_ICEBERG]]).all()


def test_bursts_read_what_they_read_alone_at_each_trade() -> None:
    times = [5, 5, 6, 20, 36, 37, 38, 90]
    signals, alone = MarketSignals(CHOSEN), Bursts(CHOSEN.bursts)
    readings = signals.update(np.array([(PRINT, at, 100, 1, BUY, 0) for at in times]))
    columns = [Output.TRADES_PER_SECOND, Output.HIGH_FREQUENCY, Output.MEAN_GAP_NS, Output.GAP_RATIO]
    np.testing.assert_array_equal(readings[:, columns], alone.update(np.array(times)))


def test_time_alone_moves_the_windows() -> None:
    signals = MarketSignals(CHOSEN)
    readings = signals.update(np.array([(PRINT, 0, 100, 5, BUY, 0), (TIME, 24, 0, 0, 0, 0), (TIME, 25, 0, 0, 0, 0)]))
    assert readings[:, Output.CVD].tolist() == [5, 5, 0]
    assert readings[:, Output.CVD_TOTAL].tolist() == [5, 5, 5]
    assert signals.now_ns == 25


def test_an_impossible_event_is_counted_and_reaches_no_signal() -> None:
    signals = MarketSignals(CHOSEN)
    signals.update(np.array([(TOP, 1, 99, 5, 101, 5), (PRINT, 2, 100, 3, BUY, 0)]))
    before = signals.read()
    signals.update(np.array([(PRINT, 2, 0, 3, BUY, 0), (PRINT, 2, 100, -3, BUY, 0), (PRINT, 2, 100, 3, 7, 0)]))
    assert signals.read() == pytest.approx(before, rel=0, abs=0, nan_ok=True)
    header = signals.state
    assert (header[layout.BAD_PRICE], header[layout.BAD_QUANTITY], header[layout.BAD_AGGRESSOR]) == (1, 1, 1)
    assert header[streaming.TRADES] == 1


def test_an_impossible_top_leaves_no_top() -> None:
    signals = MarketSignals(CHOSEN)
    signals.update(np.array([(TOP, 1, 99, 5, 101, 5), (TOP, 2, 101, 5, 99, 5)]))
    assert np.isnan(signals.read()[Output.MID])
    assert signals.state[layout.CROSSED] == 1


def test_a_late_event_counts_as_of_the_newest() -> None:
    signals = MarketSignals(CHOSEN)
    signals.update(np.array([(TIME, 100, 0, 0, 0, 0), (PRINT, 1, 100, 5, BUY, 0)]))
    assert (signals.read()[Output.CVD], signals.now_ns, signals.state[layout.LATE]) == (5, 100, 1)


def test_what_full_rings_leave_out_is_counted() -> None:
    signals = MarketSignals(CHOSEN)
    trades = [(PRINT, 1, 64 * (1 + number % 9), 1, BUY if number % 2 else SELL, 0) for number in range(100)]
    signals.update(np.array([(TOP, 0, 99, 5, 101, 5), *trades, (PRINT, 1, 100, 1, NONE, 0), (TOP, 0, 99, 5, 99, 5)]))
    counters = signals.counters()
    assert {counter.name: value for counter, value in counters.items() if value} == {
        "TOPS": 1,
        "TRADES": 101,
        "LATE": 1,
        "CROSSED": 1,
        "FLOW_OVERFLOWS": 101 - 16,
        "CANCELLATION_OVERFLOWS": 101 - 16,
        "BURST_OVERFLOWS": 101 - 16,
        # Nine prices in turn share a set of eight: the ninth and the first of each round push each other out.
        "BID_PRICES_EVICTED": 10,
        "ASK_PRICES_EVICTED": 10,
        "BURSTS": 1,
        "MARKOUTS_DROPPED": 100 - 64,
        "MARKOUTS_SKIPPED": 1,
    }


def test_another_kind_of_event_is_rejected_and_what_came_before_it_stays() -> None:
    signals = MarketSignals(CHOSEN)
    with pytest.raises(Rejected, match="event 1 has kind 3"):
        signals.update(np.array([(PRINT, 1, 100, 5, BUY, 0), (3, 1, 100, 5, BUY, 0)]))
    assert signals.read()[Output.CVD] == 5


class Recorded:
    """Records of one market in the decoders' form, and the book that they describe, as dictionaries."""

    def __init__(self) -> None:
        self.records, self.levels = list[list[int]](), ([(0, 0)], [(0, 0)])
        self.book: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.changes = list[tuple[int, int, int, int, int]]()

    def depth(self, kind: int, now: int, rows: tuple[list[tuple[int, int]], list[tuple[int, int]]]) -> None:
        record = [0] * RECORD_WIDTH
        record[KIND], record[RECEIVE_NS] = kind, now
        for side, (start, count) in enumerate([(BIDS_START, BIDS), (ASKS_START, ASKS)]):
            record[start], record[count] = len(self.levels[side]), len(rows[side])
            self.levels[side].extend(rows[side])
            for tick, lots in rows[side]:
                if kind == DIFF:
                    self.changes.append((now, side, tick, self.book[side].get(tick, 0), lots))
                self.book[side][tick] = lots
        self.records.append(record)

    def trade(self, now: int, price: int, lots: int, aggressor: int) -> None:
        record = [0] * RECORD_WIDTH
        record[KIND], record[RECEIVE_NS], record[PRICE], record[QUANTITY], record[AGGRESSOR] = (
            TRADE,
            now,
            price,
            lots,
            aggressor,
        )
        self.records.append(record)
        self.changes.append((now, 2, price, lots, aggressor))

    def through_signals(self, signals: Rows) -> Values:
        records = np.array(self.records, dtype=np.int64)
        bids, asks = (np.array(side, dtype=np.int64) for side in self.levels)
        out, read_at = np.zeros((len(records), WIDTH)), np.zeros(len(records), dtype=np.int64)
        books = new_books([Rule.UNNUMBERED])
        assert take_signal_records(signals, books, 0, records, len(records), bids, asks, out, read_at) == len(records)
        assert read_at.tolist() == list(range(len(records)))
        return out

    def sorted_levels(self, side: int) -> list[tuple[int, int]]:
        return sorted(((tick, lots) for tick, lots in self.book[side].items() if lots), reverse=side == 0)


@st.composite
def recordings(draw: st.DrawFn) -> Recorded:
    """A snapshot, then trades and depth updates whose bids stay below 1,000 ticks and asks above."""
    made, now = Recorded(), 0
    ticks = st.integers(991, 1000), st.integers(1001, 1010)
    levels = [st.dictionaries(side, st.integers(0, 9), min_size=1, max_size=6) for side in ticks]
    made.depth(SNAPSHOT, 0, ([(999, 5)], [(1002, 5)]))
    for _ in range(draw(st.integers(1, 25))):
        now += draw(st.integers(1, 9))
        if draw(st.booleans()):
            made.trade(now, draw(st.integers(995, 1006)), draw(st.integers(1, 9)), draw(st.sampled_from([BUY, SELL])))
        else:
            made.depth(DIFF, now, (list(draw(levels[0]).items()), list(draw(levels[1]).items())))
    return made


@given(recordings())
@settings(derandomize=True, deadline=None)
def test_depth_and_cancellations_follow_the_book(made: Recorded) -> None:
    readings = made.through_signals(streaming.new_state(CHOSEN))[-1]
    # The window's end is the last record's time, also where that changed no level.
    now = made.records[-1][RECEIVE_NS]
    changes = np.array([*made.changes, (now, 0, 1, 0, 0)], dtype=np.int64)
    rates = Cancellations(CHOSEN.cancellations).update(changes)[-1]
    np.testing.assert_array_equal(readings[Output.CANCELLED_LOTS_PER_SECOND :][:4], rates)
    sides = [made.sorted_levels(side) for side in (0, 1)]
    rows = [np.array([[*side, *[(0, 0)] * (11 - len(side))]], dtype=np.int64) for side in sides]
    np.testing.assert_array_equal(readings[Output.LEVEL_IMBALANCE :], Depth(CHOSEN.profile).update(rows[0], rows[1])[0])


def test_a_book_that_lost_its_sequence_has_no_depth() -> None:
    books, signals = new_books([Rule.CONSECUTIVE]), streaming.new_state(CHOSEN)
    records = np.zeros((3, RECORD_WIDTH), dtype=np.int64)
    records[:, KIND] = [SNAPSHOT, DIFF, DIFF]
    records[:, RECEIVE_NS] = [0, SECOND_NS, 2 * SECOND_NS]
    records[:, 5] = [10, 11, 13]
    records[:, BIDS] = records[:, ASKS] = 1
    bids, asks = np.array([[999, 5]]), np.array([[1001, 3]])
    out, read_at = np.zeros((3, WIDTH)), np.zeros(3, dtype=np.int64)
    take_signal_records(signals, books, 0, records, 3, bids, asks, out, read_at)
    assert out[:, Output.LEVEL_IMBALANCE] == pytest.approx([0.25, 0.25, np.nan], nan_ok=True)
    assert out[:, Output.MID] == pytest.approx([1000, 1000, np.nan], nan_ok=True)
    assert signals[streaming.UPDATES] == 1
