"""Scores of warnings against sums by hand, and against slower ways to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from orchestrator.research.crashes.scores import CrashSamples, Ranking, crash_measures
from orchestrator.research.datasets.crash_labels import Fall
from orchestrator.research.evaluation.bootstrap import Resampling

S = 1_000_000_000
NO_RESAMPLES = Resampling(1, 0)

rows = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40)


def two_sessions() -> CrashSamples:
    """Eight rows of a session whose fall begins at 6 s and is half over at 9 s, then six of one without."""
    times = [1, 2, 3, 4, 5, 6, 7, 8, *range(101, 107)]
    return CrashSamples(
        times_ns=np.array(times) * S,
        sessions=np.array([0] * 8 + [1] * 6),
        coming=np.array([False] * 3 + [True] * 5 + [False] * 6),
        falls=(Fall(6 * S, 9 * S, 20 * S), None),
        grid_ns=S,
    )


def test_average_precision_by_hand() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    coming = np.array([True, False, True, False, False])
    # Recall 1/2 at precision 1, then 1 at 2/3.
    assert Ranking(probabilities, coming).average_precision() == pytest.approx((1 + 2 / 3) / 2)
    assert Ranking(np.full(5, 0.3), coming).average_precision() == pytest.approx(2 / 5)
    assert np.isnan(Ranking(probabilities, np.zeros(5, dtype=bool)).average_precision())


@settings(derandomize=True, deadline=None, max_examples=80)
@given(rows, st.integers(0, 1_000))
def test_average_precision_is_the_sum_over_thresholds(pairs: list[tuple[int, bool]], seed: int) -> None:
    said = np.array([pair[0] for pair in pairs]) / 5
    coming = np.array([pair[1] for pair in pairs])
    counts = np.random.default_rng(seed).integers(0, 3, len(pairs))
    many = np.repeat(said, counts), np.repeat(coming, counts)
    expected, recall = 0.0, 0.0
    for threshold in sorted(set(many[0]), reverse=True):
        chosen = many[0] >= threshold
        found = many[1].sum() and many[1][chosen].sum() / many[1].sum()
        expected += (found - recall) * many[1][chosen].mean()
        recall = found
    weighed = Ranking(said, coming).average_precision(counts.astype(float))
    if many[1].any():
        assert weighed == pytest.approx(expected)
        assert Ranking(*many).average_precision() == pytest.approx(expected)
    else:
        assert np.isnan(weighed)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(rows)
def test_the_best_threshold_has_the_highest_f1(pairs: list[tuple[int, bool]]) -> None:
    said = np.array([pair[0] for pair in pairs]) / 5
    coming = np.array([pair[1] for pair in pairs])
    if not coming.any():
        with pytest.raises(Rejected, match="takes more sessions"):
            Ranking(said, coming).best_threshold()
        return

    def f1(threshold: float) -> float:
        warns = said >= threshold
        return float(2 * (warns & coming).sum() / (warns.sum() + coming.sum()))

    chosen = Ranking(said, coming).best_threshold()
    assert f1(chosen) == pytest.approx(max(f1(each) for each in said))
    assert chosen == max(each for each in said if f1(each) > f1(chosen) - 1e-12)


def test_warnings_by_hand() -> None:
    samples = two_sessions()
    said = np.zeros(14)
    said[[0, 1, 4, 6, 7]] = 0.9  # a false warning of two rows, one in time, one that the fall is on for
    said[[8, 10]] = 0.9  # two false warnings where nothing comes
    found = {name: measure.value for name, measure in crash_measures(samples, said, 0.5, NO_RESAMPLES).items()}
    assert found["precision"] == pytest.approx(3 / 7)
    assert found["recall"] == pytest.approx(3 / 5)
    assert found["f1"] == pytest.approx(6 / 12)
    assert (found["warned"], found["warned_before"]) == (1.0, 1.0)
    assert found["lead_s"] == 4.0  # from 5 s to 9 s
    # Three false warnings began in the nine seconds in which nothing came.
    assert found["false_per_hour"] == pytest.approx(3 / 9 * 3_600)
    # Of 3 rows before the fall with a crash coming one is warned of, beside 4 others: 4 to 6 s are before.
    before = np.array([True] * 6 + [False] * 2 + [True] * 6)
    assert np.array_equal(samples.before, before)
    assert found["average_precision_before"] == pytest.approx(
        Ranking(said[before], samples.coming[before]).average_precision()
    )


def test_a_warning_of_what_is_going_on_is_none_before_it() -> None:
    said = np.zeros(14)
    said[7] = 0.9
    found = {name: each.value for name, each in crash_measures(two_sessions(), said, 0.5, NO_RESAMPLES).items()}
    assert (found["warned"], found["warned_before"], found["lead_s"]) == (1.0, 0.0, 1.0)
    silent = crash_measures(two_sessions(), np.zeros(14), 0.5, NO_RESAMPLES)
    assert silent["warned"].value == 0.0
    assert "lead_s" not in silent
    assert "precision" not in silent


def test_intervals_are_of_whole_sessions() -> None:
    said = np.where(two_sessions().coming, 0.9, 0.1)
    found = crash_measures(two_sessions(), said, 0.5, Resampling(1, 200, 3))
    # Each resample that has the crash has all of it.
    assert found["recall"].interval == (1.0, 1.0)
    assert found["average_precision"].interval == (1.0, 1.0)
    assert found["lead_s"].interval == (5.0, 5.0)
    again = crash_measures(two_sessions(), said, 0.5, Resampling(1, 200, 3))
    assert again == found
