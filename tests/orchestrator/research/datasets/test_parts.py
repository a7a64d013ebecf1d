"""Parts follow one another in time, and share no row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from orchestrator.research.datasets.parts import Part, Reach, assign_parts, cut_times

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=80)


@EXAMPLES
@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=80),
    st.integers(2, 6),
    st.integers(1, 5),
    st.data(),
)
def test_no_row_serves_two_parts_and_no_window_spans_a_gap(
    steps: list[tuple[int, bool]], window: int, horizon: int, data: st.DataObject
) -> None:
    times = np.cumsum(np.array([step for step, _ in steps], dtype=np.int64))
    segments = np.cumsum(np.array([is_new for _, is_new in steps], dtype=np.int64))
    cuts = sorted(data.draw(st.lists(st.integers(0, int(times[-1]) + 1), min_size=2, max_size=2)))
    parts = assign_parts(times, segments, Reach(window, horizon), *cuts)
    touched: dict[int, set[int]] = {part: set() for part in (Part.TRAINING, Part.VALIDATION, Part.TEST)}
    for row in np.flatnonzero(parts != Part.NONE).tolist():
        rows = range(row - window + 1, row + horizon + 1)
        assert rows[0] >= 0
        assert len({int(segments[each]) for each in rows}) == 1
        touched[int(parts[row])] |= set(rows)
    for part, (begin, end) in zip(touched, ((-1, cuts[0]), (cuts[0], cuts[1]), (cuts[1], 1 << 60)), strict=True):
        assert all(begin <= times[row] < end for row in touched[part])
    assert sum(map(len, touched.values())) == len(set().union(*touched.values()))


def test_every_sample_that_fits_is_used() -> None:
    rows = np.arange(20, dtype=np.int64)
    parts = assign_parts(rows, np.ones(20, dtype=np.int64), Reach(3, 2), 10, 15)
    assert np.flatnonzero(parts == Part.TRAINING).tolist() == [2, 3, 4, 5, 6, 7]
    assert np.flatnonzero(parts == Part.VALIDATION).tolist() == [12]
    assert np.flatnonzero(parts == Part.TEST).tolist() == [17]


def test_cuts_are_at_shares_of_the_rows_of_all_markets() -> None:
    assert cut_times([np.arange(0, 100, 2), np.arange(1, 101, 2)], (0.6, 0.8)) == [60, 80]


@pytest.mark.parametrize("shares", [(), (0.8, 0.6), (0.0, 0.5), (0.5, 1.0)])
def test_shares_must_rise(shares: tuple[float, ...]) -> None:
    with pytest.raises(Rejected, match="must rise between 0 and 1"):
        cut_times([np.arange(10)], shares)


def test_a_reach_must_be_possible() -> None:
    with pytest.raises(Rejected, match="window was 1 and horizon 3"):
        Reach(1, 3)
