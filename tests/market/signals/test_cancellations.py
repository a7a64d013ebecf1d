"""Cancellations: what a level loses beyond what has traded there."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.native.kernel import entry
from market.native.memory import address_of
from market.signals.cancellations import Cancellations, CancellationSettings, CancellationValue
from market.signals.layout import SECOND_NS, Words
from market.signals.traded_prices import EVICTED, MEMORY_NS, TABLE_WORDS, add_traded, use_traded

BUY, SELL, NONE = 1, 2, 0
BIDS, ASKS, TRADE = 0, 1, 2
Event = tuple[int, int, int, int, int]


@entry("void(int64[::1], int64, int64, int64)")
def _add(table: Words, price: int, quantity: int, now: int) -> None:
    add_traded(address_of(table), price, quantity, now)


@entry("int64(int64[::1], int64, int64, int64)")
def _use(table: Words, price: int, removed: int, now: int) -> int:
    return use_traded(address_of(table), price, removed, now)


class Traded:
    """Traded lots of one side by price, as a dictionary."""

    def __init__(self, memory_ns: int) -> None:
        self.memory_ns, self.prices = memory_ns, dict[int, tuple[int, int]]()

    def add(self, price: int, quantity: int, now: int) -> None:
        lots, last = self.prices.get(price, (0, 0))
        self.prices[price] = (lots if now - last <= self.memory_ns else 0) + quantity, now

    def use(self, price: int, removed: int, now: int) -> int:
        lots, last = self.prices.get(price, (0, 0))
        explained = min(lots, removed) if now - last <= self.memory_ns else 0
        if explained:
            self.prices[price] = lots - explained, last
        return explained


def reference(events: list[Event], chosen: CancellationSettings) -> list[tuple[float, ...]]:
    traded = {BIDS: Traded(chosen.trade_memory_ns), ASKS: Traded(chosen.trade_memory_ns)}
    # (time, cancelled lots, levels that lost some, levels changed, lots traded) of each level and trade
    counted, readings, pending = list[tuple[int, ...]](), list[tuple[float, ...]](), list[tuple[int, ...]]()
    for index, (now, kind, price, third, fourth) in enumerate(events):
        if kind == TRADE:
            if fourth != NONE:
                traded[ASKS if fourth == BUY else BIDS].add(price, third, now)
            counted.append((now, 0, 0, 0, third))
        elif third != fourth:
            removed = max(0, third - fourth)
            cancelled = removed - traded[kind].use(price, removed, now)
            pending.append((now, cancelled, int(cancelled > 0), 1, 0))
        following = events[index + 1] if index + 1 < len(events) else None
        if following is None or following[0] != now or following[1] == TRADE:
            counted, pending = counted + pending, []
        inside = [row for row in counted if row[0] > now - chosen.window_ns]
        lots, cancels, changes, trades = (sum(row[column] for row in inside) for column in range(1, 5))
        rates = [value / chosen.window_ns * SECOND_NS for value in (lots, cancels, changes)]
        readings.append((*rates, lots / (lots + trades) if lots + trades else float("nan")))
    return readings


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    now, events = 0, list[Event]()
    for _ in range(draw(st.integers(1, 50))):
        now += draw(st.integers(0, 4))
        price = draw(st.integers(1, 4))
        if draw(st.booleans()):
            events.append((now, TRADE, price, draw(st.integers(1, 9)), draw(st.sampled_from([NONE, BUY, SELL]))))
        else:
            side = draw(st.sampled_from([BIDS, ASKS]))
            events.append((now, side, price, draw(st.integers(0, 9)), draw(st.integers(0, 9))))
    return events


@given(histories(), st.integers(1, 30), st.integers(0, 10))
@settings(derandomize=True, deadline=None)
def test_readings_are_their_definition(events: list[Event], window_ns: int, memory_ns: int) -> None:
    chosen = CancellationSettings(window_ns=window_ns, capacity=64, trade_memory_ns=memory_ns)
    readings = Cancellations(chosen).update(np.array(events, dtype=np.int64))
    np.testing.assert_array_equal(readings, reference(events, chosen))


def test_trades_explain_their_own_lots_once() -> None:
    signal = Cancellations(CancellationSettings(window_ns=SECOND_NS))
    events = [(1, TRADE, 100, 6, SELL), (2, BIDS, 100, 10, 0), (3, BIDS, 100, 5, 0)]
    readings = signal.update(np.array(events))
    assert readings[:, CancellationValue.CANCELLED_LOTS_PER_SECOND].tolist() == [0, 4, 9]
    assert readings[:, CancellationValue.CANCELS_PER_SECOND].tolist() == [0, 1, 2]
    assert readings[-1, CancellationValue.CANCEL_RATIO] == 9 / 15


def test_trades_of_the_other_side_or_long_ago_explain_nothing() -> None:
    signal = Cancellations(CancellationSettings(window_ns=SECOND_NS, trade_memory_ns=10))
    events = [(0, TRADE, 100, 5, SELL), (1, ASKS, 100, 5, 0), (11, BIDS, 100, 5, 0)]
    assert signal.update(np.array(events))[-1, CancellationValue.CANCELLED_LOTS_PER_SECOND] == 10


def test_growing_levels_are_changes_and_no_cancellations() -> None:
    readings = Cancellations(CancellationSettings()).update(np.array([(0, BIDS, 100, 0, 5), (0, ASKS, 101, 5, 5)]))
    assert readings[-1, :3].tolist() == [0, 0, 1]
    assert isnan(readings[-1, CancellationValue.CANCEL_RATIO])


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 1024), st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=200
    )
)
@settings(derandomize=True, deadline=None)
def test_the_table_is_a_dictionary_while_its_sets_have_room(steps: list[tuple[bool, int, int, int]]) -> None:
    table, expected, now = np.zeros(TABLE_WORDS, dtype=np.int64), Traded(20), 0
    table[MEMORY_NS] = 20
    for adds, price, lots, step in steps:
        now += step
        # Prices of at most eight per set, so that none has to give way.
        price = price % 512 + 1
        if adds:
            _add(table, price, lots, now)
            expected.add(price, lots, now)
        else:
            assert _use(table, price, lots, now) == expected.use(price, lots, now)
    assert table[EVICTED] == 0


def test_a_full_set_gives_up_its_oldest_price_and_counts() -> None:
    table = np.zeros(TABLE_WORDS, dtype=np.int64)
    table[MEMORY_NS] = 100
    for number in range(9):
        _add(table, 64 * (number + 1), 5, number)
    assert table[EVICTED] == 1
    assert [_use(table, 64 * (number + 1), 5, 10) for number in range(9)] == [0, *[5] * 8]


def test_bad_settings_are_fatal() -> None:
    for bad in ({"window_ns": 0}, {"capacity": 3}, {"trade_memory_ns": -1}):
        with pytest.raises(Fatal, match="cancellation"):
            CancellationSettings(**bad)
