"""Labels look at the rows after their own, as many as the horizon says, and at nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.wire.records import Words
from orchestrator.research.datasets.labels import (
    CLASSES,
    NO_LABEL,
    Move,
    balanced_alpha,
    classify,
    past_moves,
    segment_ends,
    segment_starts,
    smoothed_moves,
)

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)
MIDS = st.lists(st.integers(1, 1 << 40), min_size=1, max_size=60)


def runs(data: st.DataObject, count: int) -> Words:
    steps = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return np.cumsum(np.array(steps, dtype=np.int64))


def test_by_hand() -> None:
    mids = np.array([100, 100, 103, 97, 100], dtype=np.int64)
    moves = smoothed_moves(mids, np.ones(5, dtype=np.int64), 2)
    assert moves[:3].tolist() == [3 / 200, 0.0, -9 / 206]
    assert np.isnan(moves[3:]).all()
    assert classify(moves, 0.01).tolist() == [Move.UP, Move.SAME, Move.DOWN, NO_LABEL, NO_LABEL]
    assert classify(moves, 3 / 200)[0] == Move.SAME


@EXAMPLES
@given(MIDS, st.integers(1, 8), st.data())
def test_moves_are_those_of_the_definition(values: list[int], horizon: int, data: st.DataObject) -> None:
    mids, segments = np.array(values, dtype=np.int64), runs(data, len(values))
    moves = smoothed_moves(mids, segments, horizon)
    for row, mid in enumerate(values):
        following = values[row + 1 : row + 1 + horizon]
        if len(following) == horizon and segments[row + horizon] == segments[row]:
            assert moves[row] == (sum(following) - horizon * mid) / (horizon * mid)
        else:
            assert np.isnan(moves[row])


@EXAMPLES
@given(MIDS, st.integers(1, 8), st.data())
def test_rows_after_the_horizon_never_change_a_label(values: list[int], horizon: int, data: st.DataObject) -> None:
    mids, segments = np.array(values, dtype=np.int64), runs(data, len(values))
    row = data.draw(st.integers(0, len(values) - 1))
    other_mids, other_segments = mids.copy(), segments.copy()
    other_mids[row + horizon + 1 :] += 12_345
    other_segments[row + horizon + 1 :] += 1
    before, after = smoothed_moves(mids, segments, horizon), smoothed_moves(other_mids, other_segments, horizon)
    assert np.array_equal(before[row : row + 1], after[row : row + 1], equal_nan=True)


@EXAMPLES
@given(MIDS, st.integers(1, 8), st.data())
def test_rows_after_its_own_never_change_a_past_move(values: list[int], rows: int, data: st.DataObject) -> None:
    mids, segments = np.array(values, dtype=np.int64), runs(data, len(values))
    row = data.draw(st.integers(0, len(values) - 1))
    other = mids.copy()
    other[row + 1 :] += 999
    before, after = past_moves(mids, segments, rows), past_moves(other, segments, rows)
    assert np.array_equal(before[: row + 1], after[: row + 1], equal_nan=True)
    past = values[max(0, row - rows) : row]
    if len(past) == rows and segments[row - rows] == segments[row]:
        assert before[row] == (rows * values[row] - sum(past)) / sum(past)
    else:
        assert np.isnan(before[row])


@EXAMPLES
@given(st.integers(1, 40), st.data())
def test_segments_are_runs(count: int, data: st.DataObject) -> None:
    segments = runs(data, count)
    starts, ends = segment_starts(segments), segment_ends(segments)
    for row in range(count):
        same = np.flatnonzero(segments == segments[row])
        assert (starts[row], ends[row]) == (same[0], same[-1] + 1)


@EXAMPLES
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=80))
def test_a_balanced_alpha_comes_as_near_to_a_third_as_the_moves_allow(values: list[int]) -> None:
    moves = np.array(values) / 1e4
    third = len(values) / CLASSES

    def distance(alpha: float) -> float:
        return abs(int((classify(moves, alpha) == Move.SAME).sum()) - third)

    assert distance(balanced_alpha(moves)) == min(distance(abs(move)) for move in moves.tolist())


def test_what_cannot_be_is_refused() -> None:
    ones = np.ones(3, dtype=np.int64)
    with pytest.raises(Rejected, match="horizon was 0"):
        smoothed_moves(ones, ones, 0)
    with pytest.raises(Rejected, match=r"mids\[1\] is 0"):
        smoothed_moves(np.array([1, 0, 1], dtype=np.int64), ones, 1)
    with pytest.raises(Rejected, match="alpha was nan"):
        classify(np.zeros(1), float("nan"))
    with pytest.raises(Rejected, match="no row of the training part has a label"):
        balanced_alpha(np.array([np.nan]))
