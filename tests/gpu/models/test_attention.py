"""A transformer's parts against formulas written out, number by number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.models.architecture import Transformer
from gpu.models.attention import attended, normal, transformed
from gpu.models.reference import row_vectors
from tests.gpu.models.shapes import SMALL, rows_for


def test_a_row_takes_the_mean_of_values_weighted_by_the_powers_of_its_scores() -> None:
    # One head of two values: queries, keys and values of three rows, each of which attends to itself and one before.
    made = np.array(
        [
            [9.0, 9.0, 1.0, 0.0, 10.0, 1.0],
            [2.0, 1.0, 0.0, 1.0, 20.0, 2.0],
            [0.5, -1.0, 2.0, 2.0, 40.0, 4.0],
        ]
    )
    found = attended(made, np.array([[0.25, -0.5]]))
    assert found.shape == (2, 2)
    itself, before = math.exp(1.0 / math.sqrt(2) + 0.25), math.exp(2.0 / math.sqrt(2) - 0.5)
    assert found[0].tolist() == pytest.approx(
        [(20 * itself + 10 * before) / (itself + before)] * 1 + [(2 * itself + before) / (itself + before)]
    )
    itself, before = math.exp(-1.0 / math.sqrt(2) + 0.25), math.exp(-1.0 / math.sqrt(2) - 0.5)
    assert found[1, 0] == pytest.approx((40 * itself + 20 * before) / (itself + before))


def test_heads_attend_by_themselves() -> None:
    random = np.random.default_rng(2)
    made, offsets = random.standard_normal((9, 3, 2, 4)), random.standard_normal((2, 5))
    both = attended(made.reshape(9, -1), offsets)
    for head in range(2):
        alone = attended(made[:, :, head].reshape(9, -1), offsets[head : head + 1])
        np.testing.assert_allclose(both[:, 4 * head : 4 * head + 4], alone, rtol=0, atol=1e-14)


@pytest.mark.parametrize("size", [1e3, 1e30])
def test_however_large_scores_are_weights_are_finite_and_the_largest_takes_all(size: float) -> None:
    made = np.zeros((3, 3, 1, 1), dtype=np.float32)
    made[:, 0], made[:, 1, 0, 0], made[:, 2, 0, 0] = 1.0, (-size, size, 0.0), (5.0, 7.0, 9.0)
    found = attended(made.reshape(3, 3), np.zeros((1, 3), dtype=np.float32))
    assert found.tolist() == [[7.0]]


def test_a_vector_is_normalised_to_mean_0_and_deviation_1_and_one_that_is_constant_to_zeros() -> None:
    found = normal(np.array([[1.0, 2.0, 3.0, 6.0], [5.0, 5.0, 5.0, 5.0]]))
    deviation = math.sqrt((4 + 1 + 0 + 9) / 4 + 1e-5)
    assert found[0].tolist() == pytest.approx([-2 / deviation, -1 / deviation, 0.0, 3 / deviation])
    assert found[1].tolist() == [0.0, 0.0, 0.0, 0.0]


def test_places_are_known_by_distance_alone() -> None:
    """The same rows later in a stretch give the same vectors."""
    shape = SMALL["transformer"]
    assert isinstance(shape, Transformer)
    model, rows = lively_weights(shape, 5), rows_for(shape, 1)
    twice = np.concatenate([rows, rows_for(shape, 1, seed=8), rows])
    found = row_vectors(model, twice)
    np.testing.assert_allclose(found[-1], found[0], rtol=0, atol=1e-14)


def test_single_precision_stays_single() -> None:
    shape = SMALL["transformer"]
    assert isinstance(shape, Transformer)
    model = lively_weights(shape, 5)
    assert transformed(shape, model.tensors, rows_for(shape, 3)).dtype == np.float32
