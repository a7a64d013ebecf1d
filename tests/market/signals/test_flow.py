"""Flow over a window equals the sums over the trades that the window still holds."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.signals.flow import CVD_TOTAL, WINDOW, Flow, FlowSettings
from market.signals.layout import BAD_QUANTITY, LATE
from market.signals.window import OVERFLOWS

BUY, SELL, NONE = 1, 2, 0
TRADES = st.lists(
    st.tuples(st.integers(-3, 40), st.integers(0, 50), st.sampled_from([NONE, BUY, SELL])), min_size=1, max_size=120
)


def reference(trades: list[tuple[int, int, int]], window_ns: int, capacity: int) -> list[tuple[float, ...]]:
    """CVD, toxicity and unknown lots after each (time, quantity, aggressor), from the definition."""
    now, kept, readings = 0, list[tuple[int, int, int]](), list[tuple[float, ...]]()
    for time_ns, quantity, aggressor in trades:
        now = max(now, time_ns)
        kept = [row for row in kept if row[0] > now - window_ns]
        if quantity > 0:
            kept = [*kept, (now, quantity, aggressor)][-capacity:]
        bought, sold, unknown = (sum(row[1] for row in kept if row[2] == side) for side in (BUY, SELL, NONE))
        toxicity = abs(bought - sold) / (bought + sold) if bought + sold else float("nan")
        readings.append((bought - sold, toxicity, unknown))
    return readings


@given(TRADES, st.integers(1, 60), st.sampled_from([2, 8, 64]))
@settings(derandomize=True, deadline=None)
def test_readings_are_their_definition(trades: list[tuple[int, int, int]], window_ns: int, capacity: int) -> None:
    signal, at, rows = Flow(FlowSettings(window_ns=window_ns, capacity=capacity)), 0, []
    stepped = list[tuple[int, int, int]]()
    for step, quantity, aggressor in trades:
        at += step
        rows.append((at, 7, quantity, aggressor))
        stepped.append((at, quantity, aggressor))
    readings = signal.update(np.array(rows, dtype=np.int64))
    np.testing.assert_array_equal(readings, reference(stepped, window_ns, capacity))
    assert signal.state[BAD_QUANTITY] == sum(quantity == 0 for _, quantity, _ in stepped)
    assert signal.state[CVD_TOTAL] == sum({BUY: 1, SELL: -1, NONE: 0}[side] * lots for _, lots, side in stepped)


def test_one_call_or_many_are_the_same() -> None:
    generator = np.random.default_rng(1)
    columns = [np.cumsum(generator.integers(0, 9, 500)), np.full(500, 5), generator.integers(1, 99, 500)]
    rows = np.column_stack([*columns, generator.integers(0, 3, 500)])
    whole, parts = Flow(FlowSettings(window_ns=100)), Flow(FlowSettings(window_ns=100))
    expected = whole.update(rows)
    np.testing.assert_array_equal(np.vstack([parts.update(rows[i : i + 7]) for i in range(0, 500, 7)]), expected)


def test_a_trade_leaves_when_it_is_a_window_old() -> None:
    signal = Flow(FlowSettings(window_ns=10))
    readings = signal.update(np.array([[100, 5, 3, BUY], [109, 5, 1, SELL], [110, 5, 1, SELL]]))
    assert readings[:, 0].tolist() == [3, 2, -2]
    assert readings[:, 1].tolist() == [1.0, 0.5, 1.0]


def test_unknown_aggressors_count_for_neither_side() -> None:
    readings = Flow(FlowSettings(window_ns=10)).update(np.array([[1, 5, 4, NONE]]))
    assert readings[0, 0] == 0
    assert isnan(readings[0, 1])
    assert readings[0, 2] == 4


def test_a_full_ring_drops_the_oldest_and_counts() -> None:
    signal = Flow(FlowSettings(window_ns=100, capacity=2))
    readings = signal.update(np.array([[1, 5, 1, BUY], [2, 5, 10, BUY], [3, 5, 100, BUY]]))
    assert readings[:, 0].tolist() == [1, 11, 110]
    assert signal.state[WINDOW + OVERFLOWS] == 1


def test_a_late_trade_counts_now() -> None:
    signal = Flow(FlowSettings(window_ns=10))
    assert signal.update(np.array([[100, 5, 1, BUY], [50, 5, 2, BUY], [109, 5, 4, BUY]]))[:, 0].tolist() == [1, 3, 7]
    assert signal.state[LATE] == 1


@pytest.mark.parametrize("settings", [{"window_ns": 0}, {"capacity": 100}, {"window_ns": 10**12 + 1}])
def test_bad_settings_are_fatal(settings: dict[str, int]) -> None:
    with pytest.raises(Fatal, match="flow"):
        FlowSettings(**settings)
