"""Episodes of a basis away from its mean: what begins one, what ends it, what the mean is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.errors import Fatal
from orchestrator.replay.episodes import BasisEpisodes, Episodes, HeldMean

SECOND = 1_000_000_000


def times(*seconds: float) -> NDArray[np.int64]:
    return np.array([round(second * SECOND) for second in seconds], dtype=np.int64)


def episodes(at: list[float], basis: list[float], *thresholds: float) -> tuple[Episodes, ...]:
    followed = BasisEpisodes(thresholds)
    followed.add(times(*at), np.array(basis))
    return followed.result()


def test_the_mean_weighs_a_basis_by_the_time_that_it_held() -> None:
    mean = HeldMean(10 * SECOND)
    assert mean.update(times(0, 5, 10), np.array([1.0, 3.0, 3.0])).tolist() == pytest.approx(
        [1.0, 1.0, 1.0 + 2.0 * -math.expm1(-0.5)]
    )


def test_a_sample_has_no_weight_at_its_own_time() -> None:
    assert HeldMean().update(times(0, 1), np.array([2.0, 50.0])).tolist() == [2.0, 2.0]


def test_a_mean_needs_a_time_constant() -> None:
    with pytest.raises(Fatal, match="above 0 ns, was 0"):
        HeldMean(0)


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**15), st.floats(-100, 100)), min_size=1, max_size=40),
    st.integers(0, 40),
)
def test_the_mean_is_that_of_its_recursion_however_samples_are_cut(steps: list[tuple[int, float]], cut: int) -> None:
    at = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps])
    expected = [values[0]]
    for index in range(1, len(values)):
        weight = -math.expm1(-(at[index] - at[index - 1]) / (10 * SECOND))
        expected.append(expected[-1] + weight * (values[index - 1] - expected[-1]))
    mean = HeldMean()
    found = np.concatenate([mean.update(at[:cut], values[:cut]), mean.update(at[cut:], values[cut:])])
    assert found == pytest.approx(np.array(expected), abs=1e-9)


def test_an_episode_lasts_from_its_first_sample_to_the_first_that_is_no_longer_above() -> None:
    (found,) = episodes([0, 1, 1.1, 1.25, 2], [0, 4, 4, 0, 0], 2)
    assert (found.count, found.still_open, found.durations_ns.tolist()) == (1, False, [250_000_000])


def test_a_deviation_of_exactly_the_threshold_is_not_above_it() -> None:
    (found,) = episodes([0, 0], [0, 2], 2)
    assert found.count == 0


def test_a_swing_from_one_side_to_the_other_is_one_episode() -> None:
    (found,) = episodes([0, 0.001, 0.002, 0.003], [0, 4, -4, 0], 2)
    assert (found.count, found.median_ns) == (1, 2_000_000)


def test_one_that_is_still_open_counts_and_has_no_duration() -> None:
    (found,) = episodes([0, 0.001], [0, 4], 2)
    assert (found.count, found.still_open, found.median_ns) == (1, True, None)


def test_thresholds_are_counted_on_their_own() -> None:
    low, high = episodes([0, 0.001, 0.002, 0.003, 0.004], [0, 4, 2, 4, 0], 1, 3)
    assert (low.count, low.median_ns) == (1, 3_000_000)
    assert (high.count, high.durations_ns.tolist()) == (2, [1_000_000, 1_000_000])


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.sampled_from([-4.0, -1.5, 0.0, 1.5, 4.0])), max_size=60),
    st.integers(0, 60),
)
def test_cutting_the_samples_changes_nothing(steps: list[tuple[int, float]], cut: int) -> None:
    at = np.cumsum([step for step, _ in steps], dtype=np.int64)
    values = np.array([value for _, value in steps])
    whole, pieces = BasisEpisodes(), BasisEpisodes()
    whole.add(at, values)
    pieces.add(at[:cut], values[:cut])
    pieces.add(at[cut:], values[cut:])
    for one, other in zip(whole.result(), pieces.result(), strict=True):
        assert (one.count, one.still_open) == (other.count, other.still_open)
        assert one.durations_ns.tolist() == other.durations_ns.tolist()
