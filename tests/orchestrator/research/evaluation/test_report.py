"""Scores against their definitions, calibration by hand, intervals that repeat."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from orchestrator.research.baselines.samples import Predictions
from orchestrator.research.datasets.labels import Classes
from orchestrator.research.evaluation.bootstrap import Resampling, interval, resampled_sums
from orchestrator.research.evaluation.calibration import reliability, reliability_columns
from orchestrator.research.evaluation.report import difference, report
from orchestrator.research.evaluation.scores import cells, confusion, scores

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)
PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60)


def columns(pairs: list[tuple[int, int]]) -> tuple[Classes, Classes]:
    values = np.array(pairs, dtype=np.int8)
    return values[:, 0], values[:, 1]


def random_predictions(count: int, seed: int = 1) -> tuple[Classes, Predictions]:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([1, 1, 1], count)
    labels = np.array([random.choice(3, p=row) for row in probabilities], dtype=np.int8)
    return labels, Predictions(np.argmax(probabilities, axis=1).astype(np.int8), probabilities)


@EXAMPLES
@given(PAIRS)
def test_scores_are_those_of_their_definitions(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = columns(pairs)
    found = scores(confusion(labels, predicted))
    assert found.accuracy == sum(left == right for left, right in pairs) / len(pairs)
    for each in range(3):
        both = pairs.count((each, each))
        wanted = sum(left == each for left, _ in pairs) + sum(right == each for _, right in pairs)
        assert found.f1[each] == pytest.approx(2 * both / wanted if wanted else 0.0)
    assert found.macro_f1 == pytest.approx(sum(found.f1) / 3)
    # The correlation of the indicators of all classes together.
    left, right = np.eye(3)[labels], np.eye(3)[predicted]
    left, right = left - left.mean(axis=0), right - right.mean(axis=0)
    spread = (left**2).sum() * (right**2).sum()
    expected = (left * right).sum() / math.sqrt(spread) if spread > 1e-12 else 0.0
    assert found.matthews == pytest.approx(expected, abs=1e-9)


def test_the_matrix_has_labels_in_rows() -> None:
    assert confusion(*columns([(0, 2), (0, 2), (1, 1)])).tolist() == [[0, 0, 2], [0, 1, 0], [0, 0, 0]]


def test_calibration_by_hand() -> None:
    confidences = np.array([0.5, 0.55, 0.95, 1.0])
    right = np.array([True, False, True, True])
    found = reliability(reliability_columns(confidences, right).sum(axis=0))
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert found.error == pytest.approx((abs(1 - 1.05) + abs(2 - 1.95)) / 4)
    with pytest.raises(Rejected, match=r"confidences\[1\] is nan"):
        reliability_columns(np.array([0.5, np.nan]), right[:2])


def test_probabilities_that_come_true_are_calibrated() -> None:
    found = report(*random_predictions(20_000), Resampling(20, 50))
    assert found.measures["calibration_error"].value < 0.02


@EXAMPLES
@given(st.integers(2, 60), st.integers(1, 20), st.integers(0, 99))
def test_resamples_are_whole_blocks_of_neighbours(count: int, block: int, seed: int) -> None:
    rows = np.eye(count)
    found = resampled_sums(rows, Resampling(block, 3, seed))
    if math.ceil(count / block) < 2:
        assert found is None
        return
    assert found is not None
    assert (np.rint(found.sum(axis=1)) == count).all()
    random = np.random.default_rng(seed)
    for sums in found:
        expected = np.zeros(count)
        left = count
        for start in random.integers(0, count, math.ceil(count / block)).tolist():
            for step in range(min(block, left)):
                expected[(start + step) % count] += 1
            left -= block
        assert np.allclose(sums, expected)


def test_intervals_repeat_and_follow_the_seed() -> None:
    labels, predictions = random_predictions(500)
    one, again, other = (report(labels, predictions, Resampling(20, 200, seed)) for seed in (1, 1, 2))
    assert one.plain() == again.plain()
    assert one.measures["accuracy"].interval != other.measures["accuracy"].interval
    for measure in one.measures.values():
        assert measure.interval is not None
        assert measure.interval[0] <= measure.interval[1]
    low, high = one.measures["accuracy"].interval or (1, 0)
    assert low < one.measures["accuracy"].value < high
    assert interval(np.linspace(0.0, 1000.0, 1001, dtype=np.float64)) == pytest.approx((25.0, 975.0))


def test_neighbours_that_are_alike_widen_the_interval() -> None:
    random = np.random.default_rng(3)
    right = np.repeat(random.integers(0, 2, 100), 50).astype(np.int8)
    predictions = Predictions(np.zeros(5_000, dtype=np.int8), np.tile([1.0, 0.0, 0.0], (5_000, 1)))

    def width(block: int) -> float:
        low, high = report(right, predictions, Resampling(block, 400)).measures["accuracy"].interval or (0, 0)
        return high - low

    assert width(50) > 4 * width(1)


def test_a_model_is_no_better_than_itself_and_better_than_its_opposite() -> None:
    labels, predictions = random_predictions(600)
    zero = difference(labels, predictions, predictions, Resampling(10, 100))
    assert (zero.value, zero.interval) == (0.0, (0.0, 0.0))
    worse = Predictions(((labels + 1) % 3).astype(np.int8), predictions.probabilities)
    found = difference(labels, predictions, worse, Resampling(10, 100))
    assert found.interval is not None
    assert found.interval[0] > 0


def test_too_few_samples_have_no_interval() -> None:
    labels, predictions = random_predictions(30)
    found = report(labels, predictions, Resampling(30))
    assert found.blocks == 1
    assert all(measure.interval is None for measure in found.measures.values())


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Rejected, match="no samples to evaluate on"):
        report(*random_predictions(0), Resampling(3))
    with pytest.raises(Rejected, match="block was 0"):
        Resampling(0)
    with pytest.raises(Rejected, match="2 labels and 1 predictions"):
        cells(np.zeros(2, dtype=np.int8), np.zeros(1, dtype=np.int8))
    with pytest.raises(Rejected, match=r"must be 0 \(down\), 1 \(same\) or 2 \(up\)"):
        cells(np.full(1, 3, dtype=np.int8), np.zeros(1, dtype=np.int8))
