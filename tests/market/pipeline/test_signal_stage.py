"""Market signals beside the decisions: sampled on a grid of time, each sample with what came before its moment."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.pipeline.samples import Samples, joined
from market.pipeline.signal_stage import SignalPlan, SignalStage
from market.signals.counters import Counter
from market.signals.outputs import UNITS, Output, Unit
from market.signals.reading import TIME_EVENT, TOP_EVENT, TRADE_EVENT, MarketSignals
from market.signals.streaming import SignalSettings
from market.signals.vpin import VpinSettings
from market.wire.records import (
    AGGRESSOR,
    ASK_QUANTITY,
    BID_PRICE,
    IGNORED,
    KIND,
    LAST_ID,
    MARKET,
    PRICE,
    QUANTITY,
    RECEIVE_NS,
    REJECTED,
    TRADE,
)
from tests.market.pipeline.markets import BUY, SELL, Market, Route, Source, batch_of, quote, record, trade

CHOSEN = SignalSettings(vpin=VpinSettings(bucket_lots=10, buckets=2))
EVERY = 100


def stage(source: Source | None = None, interval_ns: int = EVERY) -> SignalStage:
    return SignalStage(source or Source(), SignalPlan(interval_ns, {(0, 0): CHOSEN, (1, 0): CHOSEN}))


def taken(*batches: list[list[int]]) -> Samples:
    own = stage()
    return joined([own.take(batch_of(rows)) for rows in batches])


def test_a_sample_holds_what_came_before_its_moment() -> None:
    samples = taken([quote(150, 10, 12), quote(199, 20, 24), quote(200, 30, 36), quote(301, 40, 48)])
    assert samples.times_ns.tolist() == [200, 300]
    assert samples.values[:, Output.MID].tolist() == [22, 33]
    assert samples.values[:, Output.SPREAD].tolist() == [4, 6]


def test_a_moment_after_a_quiet_stretch_has_no_sample() -> None:
    samples = taken([quote(150, 10, 12), quote(950, 20, 24), quote(1_000, 30, 36)])
    assert samples.times_ns.tolist() == [200, 1_000]


def test_a_market_is_sampled_as_soon_as_another_one_has_passed_the_moment() -> None:
    samples = taken([quote(150, 10, 12), quote(250, 20, 24, market=1), quote(310, 30, 36, market=1)])
    assert list(zip(samples.times_ns.tolist(), samples.instruments.tolist(), strict=True)) == [(300, 1), (200, 0)]


def test_windows_end_at_the_moment() -> None:
    second = 10**9
    own = stage(interval_ns=10 * second)
    samples = own.take(batch_of([trade(second, 10, 5, BUY), trade(65 * second, 10, 3, SELL), quote(80 * second, 1, 2)]))
    assert samples.times_ns.tolist() == [10 * second, 70 * second]
    # At 70 s the trade of the first second has left the window of 60 s.
    assert samples.values[:, Output.CVD].tolist() == [5, -3]
    assert samples.values[:, Output.TRADES_PER_SECOND].tolist() == [0, 0]


def test_a_repeated_trade_counts_once() -> None:
    rows = [trade(110, 10, 5, number=7), trade(120, 10, 5, number=7), trade(130, 10, 5, number=8), quote(200, 1, 2)]
    assert taken(rows).values[0, Output.CVD_TOTAL] == 10


def test_refused_and_ignored_messages_change_nothing() -> None:
    rows = [record(REJECTED, 10**18), quote(150, 10, 12), record(IGNORED, 260), record(REJECTED, -5)]
    samples = taken(rows)
    assert samples.times_ns.tolist() == [200]


def test_the_last_values_are_there_without_a_sample() -> None:
    own = stage()
    assert not len(own.take(batch_of([quote(150, 10, 12)])))
    (first, second) = own.final()
    assert (first.key, first.symbol, first.time_ns, first.values[Output.MID]) == ((0, 0), "AB", 150, 11)
    assert first.counters[Counter.TOPS] == 1
    assert (second.key, second.time_ns) == ((1, 0), 0)
    assert np.isnan(second.values[Output.MID])


def test_markets_without_a_route_or_settings_have_no_signals() -> None:
    source = Source((Market("AB"), Market("CD"), Market("EF")), (None, Route(7), Route(1)))
    own = stage(source)
    rows = [quote(150, 10, 12, market=market) for market in range(3)]
    assert own.take(batch_of([*rows, record(IGNORED, 400)])).instruments.tolist() == [1]
    assert [final.symbol for final in own.final()] == ["EF"]


def test_a_record_of_no_market_is_left_alone() -> None:
    assert not len(taken([quote(150, 10, 12, market=-1), quote(150, 10, 12, market=2), record(IGNORED, 400)]))


def test_samples_say_what_their_ticks_and_lots_are() -> None:
    source = Source((Market("AB", 2, 8), Market("CD", 1, 3)))
    samples = stage(source).take(batch_of([quote(150, 10, 12), quote(150, 10, 12, market=1), record(IGNORED, 400)]))
    assert samples.price_decimals.tolist() == [2, 1]
    assert samples.quantity_decimals.tolist() == [8, 3]


def test_the_time_that_it_took_is_measured() -> None:
    own = stage()
    own.take(batch_of([quote(150, 10, 12), record(REJECTED, 0)]))
    assert own.records == 2
    assert own.ticks > 0


def test_an_interval_must_be_above_0() -> None:
    with pytest.raises(Fatal, match="was 0 ns"):
        SignalPlan(0, {})


def test_every_reading_has_a_unit() -> None:
    assert set(UNITS) == set(Output)
    assert (UNITS[Output.MARKOUT_3], UNITS[Output.BID_DEPTH_2], UNITS[Output.VPIN]) == (
        Unit.TICKS,
        Unit.LOTS,
        Unit.RATIO,
    )


@st.composite
def markets(draw: st.DrawFn) -> list[list[int]]:
    """Records of two markets in order of time."""
    rows: list[list[int]] = []
    time_ns = 1_000
    for _ in range(draw(st.integers(0, 40))):
        time_ns += draw(st.integers(0, 90))
        market = draw(st.integers(0, 1))
        if draw(st.booleans()):
            bid = draw(st.integers(5, 15))
            rows.append(quote(time_ns, bid, bid + draw(st.integers(1, 3)), market=market))
        else:
            side = draw(st.sampled_from([BUY, SELL]))
            rows.append(trade(time_ns, draw(st.integers(5, 15)), draw(st.integers(1, 9)), side, market=market))
    return rows


def _as_events(rows: list[list[int]]) -> list[list[int]]:
    """The records of one market as events of ``MarketSignals``; quotes that are repeated or old are left out."""
    events: list[list[int]] = []
    newest = 0
    for row in rows:
        if row[KIND] == TRADE:
            events.append([TRADE_EVENT, row[RECEIVE_NS], row[PRICE], row[QUANTITY], row[AGGRESSOR], 0])
        elif row[LAST_ID] > newest:
            newest = row[LAST_ID]
            events.append([TOP_EVENT, row[RECEIVE_NS], *row[BID_PRICE : ASK_QUANTITY + 1]])
    return events


@given(rows=markets())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_samples_equal_the_slow_loops_readings(rows: list[list[int]]) -> None:
    samples = taken(rows)
    for market in range(2):
        own = samples.rows(samples.instruments == market)
        for time_ns, values in zip(own.times_ns.tolist(), own.values, strict=True):
            before = [row for row in rows if row[MARKET] == market and row[RECEIVE_NS] < time_ns]
            signals = MarketSignals(CHOSEN)
            events: Any = [*_as_events(before), [TIME_EVENT, time_ns, 0, 0, 0, 0]]
            expected = signals.update(np.array(events, dtype=np.int64))[-1]
            np.testing.assert_array_equal(values, expected)


@given(rows=markets(), cuts=st.lists(st.integers(0, 40), max_size=3))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_samples_do_not_depend_on_how_records_are_batched(rows: list[list[int]], cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = taken(*(rows[start:end] for start, end in pairwise(edges)))
    whole = taken(rows)
    for market in range(2):
        one, other = (samples.rows(samples.instruments == market) for samples in (parts, whole))
        np.testing.assert_array_equal(one.times_ns, other.times_ns)
        np.testing.assert_array_equal(one.values, other.values)
