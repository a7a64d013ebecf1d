"""Labels of crashes by a truth that was written by hand, and what a labelled row may know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from orchestrator.research.datasets.crash_labels import (
    SETTLING_NS,
    Coming,
    CrashTarget,
    Fall,
    Until,
    crash_labels,
    half_of_fall,
)
from orchestrator.research.datasets.labels import NO_LABEL, Move

S = 1_000_000_000
C, N, X = int(Coming.CRASH), int(Coming.NONE), NO_LABEL
FALL = Fall(begin_ns=10 * S, half_ns=13 * S, end_ns=20 * S)


def seconds(*times: float) -> np.typing.NDArray[np.int64]:
    return np.array([round(time * S) for time in times], dtype=np.int64)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        #                6  7  8  9 10 10.5 12 13 14 20 79 80 81
        (Until.BEGIN, [N, C, C, C, C, X, X, X, X, X, X, N, N]),
        (Until.HALF, [N, C, C, C, C, C, C, X, X, X, X, N, N]),
    ],
)
def test_a_row_within_four_seconds_of_a_fall_is_a_crash_until_it_shows_too_much(
    until: Until, expected: list[int]
) -> None:
    times = seconds(6, 7, 8, 9, 10, 10.5, 12, 13, 14, 20, 79, 80, 81)
    assert crash_labels(times, FALL, CrashTarget(4 * S, until)).tolist() == expected
    assert SETTLING_NS == 60 * S


def test_without_a_crash_none_comes() -> None:
    target = CrashTarget(4 * S, Until.HALF)
    assert crash_labels(seconds(1, 2, 3), None, target).tolist() == [N, N, N]
    assert crash_labels(seconds(), FALL, target).tolist() == []
    assert (int(Coming.CRASH), int(Coming.NONE)) == (int(Move.DOWN), int(Move.SAME))


def test_half_of_a_fall_is_the_first_row_that_shows_it() -> None:
    times = seconds(8, 9, 10, 11, 12, 13, 14, 15, 16)
    #        before, begin | fall ............. lowest | recovery, and lower again when it is over
    mids = np.array([90, 110, 110, 100, 90, 80, 96, 70, 20])
    assert half_of_fall(times, mids, 10 * S, 15 * S) == 12 * S  # half of 110 - 70: 90 and below
    assert half_of_fall(times, mids, 10 * S, 16 * S) == 16 * S
    # Of a beginning between two rows the row before it says where the mid was: half of 90 - 70.
    assert half_of_fall(times, mids, 9 * S - 1, 15 * S) == 13 * S


def test_a_fall_that_no_row_shows_is_refused() -> None:
    times, mids = seconds(8, 9, 10, 11), np.array([100, 100, 100, 101])
    for begin, end in ((10, 11), (7, 11), (11, 12)):
        with pytest.raises(Rejected, match=f"no rows show a fall from {begin * S} to {end * S} ns"):
            half_of_fall(times, mids, begin * S, end * S)
    with pytest.raises(Rejected, match="must be in this order"):
        Fall(begin_ns=10, half_ns=10, end_ns=20)
    with pytest.raises(Rejected, match="within_ns was 0"):
        CrashTarget(0, Until.HALF)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.data())
def test_a_label_of_a_coming_crash_never_stands_at_a_row_that_shows_half_of_it(data: st.DataObject) -> None:
    count = data.draw(st.integers(4, 80))
    times = np.cumsum(np.array(data.draw(st.lists(st.integers(1, 3 * S), min_size=count, max_size=count))))
    mids = np.array(data.draw(st.lists(st.integers(1, 1_000), min_size=count, max_size=count)))
    begin_ns = data.draw(st.integers(int(times[0]), int(times[-2])))
    end_ns = data.draw(st.integers(begin_ns + 1, int(times[-1])))
    try:
        half_ns = half_of_fall(times, mids, begin_ns, end_ns)
    except Rejected:
        return
    fall = Fall(begin_ns, half_ns, end_ns)
    target = CrashTarget(data.draw(st.integers(1, 20 * S)), data.draw(st.sampled_from(Until)))
    labels = crash_labels(times, fall, target)
    before = int(np.searchsorted(times, begin_ns, side="right")) - 1
    inside = (times > begin_ns) & (times <= end_ns)
    half = (mids[before] + mids[inside].min()) / 2
    coming = times[labels == Coming.CRASH]
    assert (coming > begin_ns - target.within_ns).all()
    if target.until is Until.BEGIN:
        assert (coming <= begin_ns).all()
    assert (mids[(labels == Coming.CRASH) & (times > begin_ns)] > half).all()
    # Nothing of the event is called calm.
    assert not ((labels == Coming.NONE) & (times > begin_ns) & (times < end_ns + SETTLING_NS)).any()
    # What comes after a row changes its label only through the truth.
    assert np.array_equal(crash_labels(times[: before + 1], fall, target), labels[: before + 1])
