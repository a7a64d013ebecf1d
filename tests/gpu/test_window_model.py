"""Every window of a stretch by ONNX Runtime, by our kernels and by the reference: the same probabilities."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.backend import Backend
from gpu.compile_gate import ARCHITECTURES, check
from gpu.cuda_on_cpu.arrays import RunnerArray
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Schedule
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.models.architecture import (
    LSTM_A,
    LSTM_B,
    LSTM_C,
    PAPER_DEEPLOB,
    PUBLIC_DEEPLOB,
    TRANSFORMER,
    Architecture,
    Lstm,
)
from gpu.models.reference import probabilities, stretch_logits
from gpu.models.weights import Model
from gpu.models_cuda import ModelKernels, source, windows_together
from gpu.window_model import WindowModel, backend_for
from market.errors import MissingExtra, Rejected
from tests.gpu.model_checks import TOLERANCE, check_model
from tests.gpu.models.shapes import SMALL, rows_for
from tests.gpu.small_device import SmallDevice

LARGE: dict[str, Architecture] = {
    "paper": PAPER_DEEPLOB,
    "public": PUBLIC_DEEPLOB,
    "LSTM_A": LSTM_A,
    "TRANSFORMER": TRANSFORMER,
}


def kernels_for(model: Model, xp: Any = np) -> ModelKernels:
    """The model's kernels on the CPU."""
    return ModelKernels(model, CpuModule, xp)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("kind", SMALL)
def test_small_models_are_the_reference_in_every_schedule(kind: str, schedule: Schedule) -> None:
    check_model(SMALL[kind], 19, lambda source: CpuModule(source, schedule), np)


@pytest.mark.parametrize("kind", LARGE)
def test_models_of_full_size_are_the_reference(kind: str) -> None:
    check_model(LARGE[kind], 3, CpuModule, np)


def test_layers_on_one_another_of_many_windows() -> None:
    check_model(Lstm(features=3, layers=3, hidden=9, window=6), 40, CpuModule, np)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", SMALL | LARGE)
def test_a_gpu_computes_the_reference(kind: str) -> None:
    check_model((SMALL | LARGE)[kind], 130, CupyModule, require_gpu())


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("backend", ["cpu", "numpy"])
def test_back_ends_agree(kind: str, backend: str) -> None:
    if backend == "cpu":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    model, rows = lively_weights(SMALL[kind], 3), rows_for(SMALL[kind], 30)
    expected = probabilities(stretch_logits(model, rows))
    found = WindowModel(model, backend=backend, threads=1).probabilities(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    np.testing.assert_allclose(
        WindowModel(model, kernels=kernels_for(model)).probabilities(rows), expected, atol=TOLERANCE
    )


@pytest.mark.parametrize("at_once", [1, 7, 64])
def test_the_size_of_a_part_changes_nothing(at_once: int) -> None:
    model, rows = lively_weights(SMALL["deeplob"], 3), rows_for(SMALL["deeplob"], 50)
    whole = WindowModel(model, kernels=kernels_for(model)).probabilities(rows)
    parts = WindowModel(model, kernels=kernels_for(model), windows_at_once=at_once).probabilities(rows)
    np.testing.assert_array_equal(parts, whole)


def test_rows_on_a_gpu_give_probabilities_there(monkeypatch: pytest.MonkeyPatch) -> None:
    device = SmallDevice()
    monkeypatch.setattr("gpu.arrays.require_gpu", lambda: device)
    for kind, architecture in SMALL.items():
        model, rows = lively_weights(architecture, 3), rows_for(architecture, 50)
        here = WindowModel(model, kernels=kernels_for(model, device), windows_at_once=20)
        expected = probabilities(stretch_logits(model, rows))
        there = here.probabilities(device.asarray(rows))
        assert isinstance(there, RunnerArray), kind
        np.testing.assert_allclose(there.get(), expected, atol=TOLERANCE)
        assert type(here.probabilities(rows)) is np.ndarray
    with pytest.raises(Rejected, match="takes NumPy arrays, these lie on a GPU"):
        WindowModel(model, backend="numpy").probabilities(device.asarray(rows))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (np.zeros((30, 7)), r"rows have the shape \(30, 7\): must be \(rows, 8\)"),
        (np.zeros(8), r"rows have the shape \(8,\)"),
        (np.zeros((8, 8)), "8 rows: a window has 9"),
        (np.where(np.arange(240).reshape(30, 8) == 100, np.nan, 0.0), r"rows\[12\] has values that are not finite"),
        (np.where(np.arange(240).reshape(30, 8) == 9, np.inf, 0.0), r"rows\[1\] has values that are not finite"),
    ],
)
def test_impossible_rows_are_refused(rows: Any, says: str) -> None:
    model = lively_weights(SMALL["lstm"], 5)
    for each in (WindowModel(model, backend="numpy"), WindowModel(model, kernels=kernels_for(model))):
        with pytest.raises(Rejected, match=says):
            each.probabilities(rows)


def test_a_model_too_large_for_a_block_is_refused_with_what_to_use() -> None:
    assert (windows_together(PUBLIC_DEEPLOB), windows_together(LSTM_A)) == (16, 16)
    assert windows_together(LSTM_B) == 8
    assert windows_together(LSTM_C) == 1
    with pytest.raises(Rejected, match="more than the 98304 of a block: use backend='cpu'"):
        windows_together(dataclasses.replace(LSTM_C, hidden=3_000))


def test_a_model_that_no_block_holds_is_left_to_the_cpu_unless_the_gpu_is_demanded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gpu.backend.has_gpu", lambda: True)
    monkeypatch.setattr("gpu.backend.require_gpu", lambda: np)
    monkeypatch.setattr("gpu.models_cuda.SHARED_BYTES", 300)
    small, wide = (
        lively_weights(shape, 5) for shape in (SMALL["lstm"], Lstm(features=2, layers=1, hidden=40, window=2))
    )
    assert (backend_for(small, "auto"), backend_for(wide, "auto")) == (Backend.GPU, Backend.CPU)
    assert (backend_for(wide, "gpu"), backend_for(wide, "numpy")) == (Backend.GPU, Backend.NUMPY)
    with pytest.raises(Rejected, match="backend was 'tpu'"):
        backend_for(small, "tpu")


@pytest.mark.long
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("model", [LSTM_A, LSTM_B, LSTM_C], ids=["A", "B", "C"])
def test_every_size_compiles_without_spills(model: Lstm, architecture: int) -> None:
    pytest.importorskip("cupy")
    assert not [one for one in check(source(model), architecture) if one.spills]


def test_without_a_gpu_the_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    with pytest.raises(MissingExtra, match="TICKWIRE_GPU=0"):
        WindowModel(lively_weights(SMALL["lstm"], 5), backend="gpu")
