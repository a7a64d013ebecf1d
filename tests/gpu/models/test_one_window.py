"""One window at a time: the same answers as many at once, from buffers that are bound once."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.gpu.generated_models import lively_weights
from gpu.models.one_window import OneWindow
from gpu.models.onnx_graph import stretch_graph, windows_graph
from gpu.models.onnx_runtime import OnnxModel
from market.errors import Rejected
from tests.gpu.models.shapes import SMALL, rows_for, windows_of


@pytest.mark.parametrize("kind", SMALL)
def test_answers_are_those_of_the_runtimes_own_call_bit_for_bit(kind: str) -> None:
    architecture = SMALL[kind]
    model = OnnxModel(windows_graph(lively_weights(architecture, seed=3)))
    one = OneWindow(model)
    assert one.classes == architecture.classes
    for window in windows_of(architecture, rows_for(architecture, windows=7)):
        [expected] = model.probabilities(window[None])
        assert one.probabilities(window) == tuple(expected.tolist())
        # What lies in strides, or in another kind of number, is copied as it is taken.
        assert one.probabilities(np.asfortranarray(window)) == tuple(expected.tolist())
        assert one.probabilities(window.astype(np.float64)) == tuple(expected.tolist())


def test_an_earlier_answer_stays_what_it_was() -> None:
    architecture = SMALL["bilinear"]
    one = OneWindow(OnnxModel(windows_graph(lively_weights(architecture, seed=3))))
    first, second = windows_of(architecture, rows_for(architecture, windows=2))
    answer = one.probabilities(first)
    assert one.probabilities(second) != answer
    assert one.probabilities(first) == answer


def test_what_cannot_be_computed_is_refused_wherever_it_stands_and_the_next_window_is_not() -> None:
    architecture = SMALL["lstm"]
    one = OneWindow(OnnxModel(windows_graph(lively_weights(architecture, seed=3))))
    [window] = windows_of(architecture, rows_for(architecture, windows=1))
    answer = one.probabilities(window)
    for place in np.ndindex(window.shape):
        for wrong in (np.nan, np.inf, -np.inf):
            broken = window.copy()
            broken[place] = wrong
            with pytest.raises(Rejected, match="not finite"):
                one.probabilities(broken)
    with pytest.raises(Rejected, match=r"the shape \(8,\): must be \(9, 8\)"):
        one.probabilities(window[0])
    assert one.probabilities(window) == answer


def test_the_largest_numbers_are_finite() -> None:
    architecture = SMALL["lstm"]
    one = OneWindow(OnnxModel(windows_graph(lively_weights(architecture, seed=3))))
    largest = np.full((architecture.window, architecture.features), np.finfo(np.float32).max, dtype=np.float32)
    assert sum(one.probabilities(largest)) == pytest.approx(1.0, abs=1e-6)


def test_a_graph_of_a_stretch_is_refused() -> None:
    model = OnnxModel(stretch_graph(lively_weights(SMALL["bilinear"], seed=3)))
    with pytest.raises(Rejected, match="was given one of a stretch"):
        OneWindow(model)
