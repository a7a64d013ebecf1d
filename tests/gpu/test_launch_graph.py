"""Launches that are recorded and replayed are those of direct calls, by the CPU's runner and by CUDA graphs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.cuda_on_cpu.arrays import RunnerArrays
from gpu.cuda_on_cpu.graph import CpuRecorder
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Schedule
from gpu.cupy_graph import CupyRecorder, without_memory
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.launch_graph import KeptArrays
from gpu.models.architecture import PUBLIC_DEEPLOB
from gpu.models_cuda import ModelKernels, Precision
from gpu.recorded_model import MOST_GRAPHS, RecordedModel
from gpu.vpin_cuda import VpinKernels, source
from gpu.window_model import WindowModel
from market.errors import Fatal
from tests.gpu.graph_checks import check_model_replays, check_refusals, check_sums
from tests.gpu.models.shapes import SMALL, rows_for
from tests.gpu.small_device import SmallDevice


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_replayed_sums_are_those_of_what_is_there(schedule: Schedule) -> None:
    check_sums(lambda each: CpuModule(each, schedule), RunnerArrays(), CpuRecorder())


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("precision", Precision)
@pytest.mark.parametrize("kind", SMALL)
def test_replayed_models_are_those_of_direct_launches(kind: str, precision: Precision, schedule: Schedule) -> None:
    check_model_replays(SMALL[kind], lambda each: CpuModule(each, schedule), RunnerArrays(), CpuRecorder(), precision)


def test_what_cannot_be_recorded_is_refused_and_leaves_no_trace() -> None:
    check_refusals(CpuModule, RunnerArrays(), CpuRecorder())


@pytest.mark.gpu
def test_a_gpu_replays_sums() -> None:
    check_sums(CupyModule, require_gpu(), CupyRecorder())


@pytest.mark.gpu
@pytest.mark.parametrize("precision", Precision)
@pytest.mark.parametrize("kind", [*SMALL, "public"])
def test_a_gpu_replays_models(kind: str, precision: Precision) -> None:
    shapes = {**SMALL, "public": PUBLIC_DEEPLOB}
    check_model_replays(shapes[kind], CupyModule, require_gpu(), CupyRecorder(), precision)


@pytest.mark.gpu
def test_a_gpu_refuses_what_cannot_be_recorded() -> None:
    check_refusals(CupyModule, require_gpu(), CupyRecorder())


def test_a_graph_has_the_launches_in_their_order_and_none_that_ran_directly() -> None:
    kernels, ones = VpinKernels(CpuModule(source()), memory := KeptArrays(np)), np.ones(10, np.int32)
    with memory.keeping() as kept:
        kernels.trade_sums(ones, ones.astype(np.int8))
    with memory.again(kept):
        graph = CpuRecorder().record(lambda: kernels.trade_sums(ones, ones.astype(np.int8)))
    assert graph.kernels == ["tile_totals_int32", "scan_tiles", "tile_scan_int32"]
    with pytest.raises(Fatal, match="launch 0 of a graph, tile_totals_int32: an array is gone; keep it with the graph"):
        graph.launch()


def test_repeated_work_takes_the_arrays_that_it_took_before() -> None:
    memory = KeptArrays(np)
    with memory.keeping() as kept:
        first = memory.empty((2, 3), np.float32)
        with pytest.raises(Fatal, match="being recorded already"), memory.keeping():
            pass
    assert memory.empty((2, 3), np.float32) is not first
    with memory.again(kept):
        assert memory.empty((2, 3), np.float32) is first
        with pytest.raises(Fatal, match="memory was asked for while launches were recorded"):
            memory.empty((2, 3), np.float32)
    for shape, dtype in (((3, 2), np.float32), ((2, 3), np.float64)):
        with (
            memory.again(kept),
            pytest.raises(Fatal, match=r"took an array .*, before it was \(2, 3\).*the same again"),
        ):
            memory.empty(shape, dtype)
    assert memory.arange(3).tolist() == [0, 1, 2]


def test_the_graph_that_was_used_longest_ago_is_given_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.recorded_model.MOST_ROWS", 9 + MOST_GRAPHS)
    device, architecture = RunnerArrays(), SMALL["lstm"]
    model = RecordedModel(lively_weights(architecture, 1), CpuModule, device, CpuRecorder())
    counts = [*range(9, 11 + MOST_GRAPHS), 9]
    for count in (*counts, *counts):
        model.logits(device.asarray(rows_for(architecture, count - architecture.window + 1)))
    assert model.recorded_rows == [*range(11, 10 + MOST_GRAPHS), 9]


def test_windows_by_recorded_launches_are_those_of_direct_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    device = SmallDevice()
    monkeypatch.setattr("gpu.arrays.require_gpu", lambda: device)
    model, rows = lively_weights(SMALL["deeplob"], 3), rows_for(SMALL["deeplob"], 50)
    direct = WindowModel(model, kernels=ModelKernels(model, CpuModule, device), windows_at_once=20)
    recorded = RecordedModel(model, CpuModule, device, CpuRecorder())
    replayed = WindowModel(model, kernels=recorded, windows_at_once=20)
    for values in (rows, device.asarray(rows)):
        one, other = (each.probabilities(values) for each in (direct, replayed))
        assert type(one) is type(other)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert len(recorded.recorded_rows) == 2


def test_cupy_has_what_a_recording_calls() -> None:
    cupy: Any = pytest.importorskip("cupy")
    stream, graph = cupy.cuda.Stream, cupy.cuda.Graph
    assert list(inspect.signature(stream.begin_capture).parameters) == ["self", "mode"]
    assert list(inspect.signature(stream.end_capture).parameters) == ["self"]
    assert list(inspect.signature(cupy.cuda.using_allocator).parameters) == ["allocator"]
    assert "non_blocking" in inspect.signature(stream.__init__).parameters
    for call in (stream.is_capturing, stream.__enter__, stream.__exit__, graph.launch, graph.upload):
        assert callable(call)
    assert isinstance(cupy.cuda.runtime.streamCaptureModeThreadLocal, int)
    assert issubclass(cupy.cuda.runtime.CUDARuntimeError, RuntimeError)


def test_cupy_gives_no_memory_to_what_is_recorded() -> None:
    cupy: Any = pytest.importorskip("cupy")
    takes: list[Callable[[], Any]] = [lambda: cupy.cuda.alloc(100), lambda: cupy.empty(3)]
    for work in takes:
        with pytest.raises(Fatal, match="memory was asked for while launches were recorded"), without_memory(cupy):
            work()
