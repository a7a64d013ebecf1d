"""Both graphs against the reference, and against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.gpu.generated_models import lively_weights
from gpu.models.architecture import PAPER_DEEPLOB, PUBLIC_DEEPLOB, TRANSFORMER, Architecture
from gpu.models.onnx_graph import stretch_graph, windows_graph
from gpu.models.onnx_runtime import Given, OnnxModel
from gpu.models.reference import probabilities, stretch_logits
from market.errors import MissingInput, Rejected
from tests.gpu.models.shapes import SMALL, rows_for, windows_of

ALL: dict[str, Architecture] = SMALL | {
    "paper": PAPER_DEEPLOB,
    "public": PUBLIC_DEEPLOB,
    "the transformer": TRANSFORMER,
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", ALL)
def test_both_graphs_are_the_reference(kind: str, threads: int) -> None:
    architecture = ALL[kind]
    model = lively_weights(architecture, seed=11)
    rows = rows_for(architecture, windows=5)
    expected = probabilities(stretch_logits(model, rows))
    alone = OnnxModel(windows_graph(model), threads).probabilities(windows_of(architecture, rows))
    shared = OnnxModel(stretch_graph(model), threads).probabilities(rows)
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(shared, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(shared, alone, rtol=0, atol=1e-6)


def test_a_graph_says_what_it_takes(tmp_path: Path) -> None:
    model = lively_weights(SMALL["lstm"], seed=1)
    path = tmp_path / "windows.onnx"
    path.write_bytes(windows_graph(model))
    windows, stretch = OnnxModel(path), OnnxModel(stretch_graph(model))
    assert (windows.given, windows.window, windows.features) == (Given.WINDOWS, 9, 8)
    assert (stretch.given, stretch.window, stretch.features) == (Given.ROWS, None, 8)


def test_what_cannot_be_computed_is_refused(tmp_path: Path) -> None:
    model = OnnxModel(windows_graph(lively_weights(SMALL["lstm"], seed=1)))
    with pytest.raises(Rejected, match=r"windows has the shape \(1, 8, 8\): must be \(any, 9, 8\)"):
        model.probabilities(np.zeros((1, 8, 8)))
    for wrong in (np.nan, np.inf, -np.inf):
        values = np.zeros((1, 9, 8))
        values[0, 3, 3] = wrong
        with pytest.raises(Rejected, match="not finite"):
            model.probabilities(values)
    with pytest.raises(MissingInput, match="is not there"):
        OnnxModel(tmp_path / "absent.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x00" * 64)
    with pytest.raises(Rejected, match="is no ONNX model"):
        OnnxModel(broken)
