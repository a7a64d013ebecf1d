"""What the reference computes, against formulas written out, and what its parts promise each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.models.architecture import (
    COMPACT,
    LSTM_A,
    LSTM_B,
    LSTM_C,
    PAPER_DEEPLOB,
    PUBLIC_DEEPLOB,
    TRANSFORMER,
    Architecture,
    Bilinear,
    DeepLob,
    Lstm,
    Transformer,
    parameters,
    vectors_per_window,
)
from gpu.models.reference import (
    logits,
    probabilities,
    row_vectors,
    stretch_logits,
    window_logits,
)
from gpu.models.weights import Model
from market.errors import Rejected
from tests.gpu.models.shapes import SMALL, rows_for, windows_of


@pytest.mark.parametrize("kind", SMALL)
def test_windows_of_a_stretch_are_what_each_is_by_itself(kind: str) -> None:
    architecture = SMALL[kind]
    model = lively_weights(architecture, seed=3)
    rows = rows_for(architecture, windows=6)
    shared = stretch_logits(model, rows)
    assert shared.shape == (6, 3)
    np.testing.assert_allclose(shared, logits(model, windows_of(architecture, rows)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", SMALL)
def test_a_vector_depends_on_the_rows_of_its_reach_alone(kind: str) -> None:
    architecture = SMALL[kind]
    model = lively_weights(architecture, seed=3)
    rows = rows_for(architecture, windows=1)
    before = row_vectors(model, rows)
    changed = rows.copy()
    changed[5] += 1.0
    differs = (row_vectors(model, changed) != before).any(axis=1)
    newest = np.arange(architecture.reach - 1, len(rows))
    assert (differs == ((newest >= 5) & (newest < 5 + architecture.reach))).all()


@pytest.mark.parametrize("kind", SMALL)
def test_every_row_of_a_window_matters_and_none_outside(kind: str) -> None:
    architecture = SMALL[kind]
    model = lively_weights(architecture, seed=3)
    rows = rows_for(architecture, windows=3)
    before = stretch_logits(model, rows)
    for row in range(len(rows)):
        changed = rows.copy()
        changed[row] += 1.0
        differs = (stretch_logits(model, changed) != before).any(axis=1)
        first = np.arange(3)
        assert (differs == ((row >= first) & (row < first + architecture.window))).all()


def test_an_lstm_of_one_unit_is_its_formula() -> None:
    architecture = Lstm(features=1, layers=1, hidden=1, window=2, classes=1)
    names = architecture.shapes
    values = {
        "lstm0.input": [[0.5], [0.25], [1.0], [2.0]],
        "lstm0.recurrent": [[0.1], [0.2], [0.3], [0.4]],
        "lstm0.bias": [0.01, 0.02, 0.03, 0.04],
        "dense.weight": [[3.0]],
        "dense.bias": [0.5],
    }
    model = Model(architecture, {name: np.array(values[name], dtype=np.float32) for name in names})

    def sigmoid(value: float) -> float:
        return 1.0 / (1.0 + math.exp(-value))

    output = cell = 0.0
    for value in (1.0, -2.0):
        admitted = sigmoid(0.5 * value + 0.1 * output + 0.01)
        kept = sigmoid(0.25 * value + 0.2 * output + 0.02)
        candidate = math.tanh(1.0 * value + 0.3 * output + 0.03)
        shown = sigmoid(2.0 * value + 0.4 * output + 0.04)
        cell = kept * cell + admitted * candidate
        output = shown * math.tanh(cell)
    found = logits(model, np.array([[[1.0], [-2.0]]]))
    assert found[0, 0] == pytest.approx(3.0 * output + 0.5, abs=1e-7)


def test_a_bilinear_model_is_its_formula() -> None:
    architecture = Bilinear(features=2, width=1, moments=2, window=2, classes=1)
    values = {
        "rows.weight": [[1.0, -1.0]],
        "rows.bias": [0.5],
        "time.weight": [[1.0, 2.0], [-1.0, -3.0]],
        "time.bias": [0.25, 0.0],
        "dense.weight": [[1.0, 10.0]],
        "dense.bias": [-1.0],
    }
    model = Model(architecture, {name: np.array(value, dtype=np.float32) for name, value in values.items()})
    # Vectors: 3 - 1 + 0.5 = 2.5, and 1 - 2 + 0.5 = -0.5, of which a hundredth is left.
    first = 2.5 - 2 * 0.005 + 0.25
    second = 0.01 * (-2.5 + 3 * 0.005)
    found = logits(model, np.array([[[3.0, 1.0], [1.0, 2.0]]]))
    assert found[0, 0] == pytest.approx(first + 10 * second - 1.0, abs=1e-7)


def test_the_spans_of_a_transformer_fill_its_window() -> None:
    assert TRANSFORMER.spans == (50, 51)
    for window in range(4, 40):
        for blocks in (1, 2, 3):
            spans = Transformer(4, 4, 2, blocks, 4, window).spans
            assert sum(span - 1 for span in spans) == window - 1
            assert 2 <= min(spans) <= max(spans) <= min(spans) + 1


@pytest.mark.parametrize(
    ("architecture", "count"),
    [
        (PUBLIC_DEEPLOB, 142_435),
        (PAPER_DEEPLOB, 60_691),
        (LSTM_A, 160_901),
        (LSTM_B, 1_002_601),
        (LSTM_C, 30_017_001),
        (COMPACT, 1_851),
        (TRANSFORMER, 5_229),
    ],
)
def test_models_have_the_parameters_that_their_shapes_say(architecture: Architecture, count: int) -> None:
    assert parameters(architecture) == count


def test_a_deeplob_of_100_rows_has_78_vectors() -> None:
    assert vectors_per_window(PUBLIC_DEEPLOB) == 78


def test_probabilities_add_up_to_one_however_large_the_logits_are() -> None:
    found = probabilities(np.array([[1000.0, 0.0, -1000.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(found, np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]]))


def test_shapes_that_do_not_fit_are_refused() -> None:
    model = lively_weights(SMALL["lstm"], seed=1)
    with pytest.raises(Rejected, match="rows have the shape"):
        row_vectors(model, np.zeros((9, 7)))
    with pytest.raises(Rejected, match="vectors have the shape"):
        window_logits(model, np.zeros((1, 8, 20)))
    with pytest.raises(Rejected, match="a DeepLOB needs at least 23 rows"):
        DeepLob(window=22)
    with pytest.raises(Rejected, match="width was 6: must be a multiple of heads, which is 4"):
        Transformer(features=8, width=6, heads=4, blocks=1, expanded=4, window=9)
    with pytest.raises(Rejected, match="window was 3: a transformer of 3 blocks needs at least 4 rows"):
        Transformer(features=8, width=6, heads=2, blocks=3, expanded=4, window=3)
    with pytest.raises(Rejected, match="hidden was 0"):
        Lstm(features=1, layers=1, hidden=0, window=1)
    with pytest.raises(Rejected, match="2 rows: a vector needs 23"):
        row_vectors(lively_weights(SMALL["deeplob"], seed=1), np.zeros((2, 8)))
