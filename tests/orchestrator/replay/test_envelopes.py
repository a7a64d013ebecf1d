"""Curves in a fixed number of columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from orchestrator.replay.envelopes import COLUMNS, Envelopes

START = 1_723_161_255_000_000_000


def envelopes(*parts: tuple[list[int], list[float]]) -> Envelopes[str]:
    curves: Envelopes[str] = Envelopes()
    for offsets, values in parts:
        times = START + np.array(offsets, dtype=np.int64)
        curves.cover(int(times[0]), int(times[-1]))
        curves.add("mid", times, np.array(values))
    return curves


def test_a_column_has_the_lowest_and_the_highest_of_its_values() -> None:
    low, high = envelopes(([0, 100, 200], [5.0, 3.0, 9.0])).curves["mid"]
    assert (low.tolist(), high.tolist()) == ([3.0], [9.0])


def test_a_value_holds_until_the_next_one() -> None:
    low, high = envelopes(([0, 3_000], [5.0, 3.0])).curves["mid"]
    assert low.tolist() == [5.0, 5.0, 5.0, 3.0]
    assert high.tolist() == [5.0] * 4


def test_there_is_no_value_before_the_first() -> None:
    curves = envelopes(([0], [1.0]))
    curves.cover(START + 2_000, START + 2_000)
    curves.add("late", np.array([START + 2_000]), np.array([7.0]))
    low, _ = curves.curves["late"]
    assert np.isnan(low[:2]).all()
    assert low[2] == 7.0


def test_no_value_is_no_sample() -> None:
    low, high = envelopes(([0, 10, 20], [2.0, np.nan, 4.0])).curves["mid"]
    assert (low.tolist(), high.tolist()) == ([2.0], [4.0])


def test_columns_widen_and_at_least_half_are_used() -> None:
    grid = envelopes(([0], [1.0]), ([COLUMNS * 1_000], [2.0])).grid
    assert (grid.start_ns, grid.width_ns, grid.used) == (START, 2_000, COLUMNS // 2 + 1)


def test_samples_before_the_first_are_refused() -> None:
    with pytest.raises(Fatal, match="order of time"):
        envelopes(([10], [1.0]), ([5], [1.0]))


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(-50, 50)), min_size=1, max_size=80),
    st.integers(1, 79),
)
def test_it_shows_what_all_samples_at_once_would_show(steps: list[tuple[int, int]], cut: int) -> None:
    offsets = np.cumsum([step for step, _ in steps]).tolist()
    values = [float(value) for _, value in steps]
    parts = [(offsets[:cut], values[:cut]), (offsets[cut:], values[cut:])]
    curves = envelopes(*(part for part in parts if part[0]))
    grid, (low, high) = curves.grid, curves.curves["mid"]
    held = 0.0
    for column in range(grid.used):
        begin, end = (grid.time_ns(column + edge) - START for edge in (0, 1))
        inside = [value for offset, value in zip(offsets, values, strict=True) if begin <= offset < end]
        seen = inside if column == 0 or offsets[0] >= end - grid.width_ns else [held, *inside]
        if seen:
            assert (low[column], high[column]) == (min(seen), max(seen))
            held = (inside or [held])[-1]
