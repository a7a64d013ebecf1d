"""What computes predictions: a kernel that stays on the GPU, here on the CPU's runner, and what takes over from it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.gpu.generated_models import lively_weights
from config.models import ModelBackend
from gpu.cuda_on_cpu.module import CpuModule
from gpu.kernel import KernelSource, LaunchShape
from gpu.live_model import HostMemory, LiveModel
from gpu.models.architecture import Architecture, Bilinear, DeepLob, Lstm, Transformer
from gpu.models.one_window import OneWindow
from gpu.models.onnx_graph import windows_graph
from gpu.models.onnx_runtime import OnnxModel
from gpu.models.weights import Model, Singles
from market.errors import Fatal, MissingExtra, Rejected
from orchestrator.backtest import run as run_module
from orchestrator.backtest.run import run_backtest
from orchestrator.cli.exits import ExitCode
from orchestrator.predicting.answers import ThreadPredictions
from orchestrator.predicting.engines import Answer, ComputedBy, Computer, LiveKernels, ModelEngine, open_engine
from orchestrator.predicting.plan import prediction_tasks
from orchestrator.research.models.folder import TrainedModel
from orchestrator.run_loop.access import RunAccess
from orchestrator.storage.records import StateChanged
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.predicting.watched_market import (
    HeardPredictions,
    SaidPredictions,
    plan_of,
    predictor_of,
    watching,
)
from tests.orchestrator.research.models.small_model import GRID_MODEL, lively_lstm

PATIENCE_S = 60.0
LSTM = Lstm(features=8, layers=2, hidden=5, window=9)
DEEPLOB = DeepLob(levels=2, filters=2, inception=3, hidden=4, window=27)
TOLERANCE = 1e-6


class Made:
    """In place of a trained model: weights that were not trained."""

    def __init__(self, architecture: Architecture) -> None:
        self.model = lively_weights(architecture, seed=3)

    def weights(self) -> Model:
        """As ``TrainedModel``."""
        return self.model

    def one_window(self) -> OneWindow:
        """As ``TrainedModel``."""
        return OneWindow(OnnxModel(windows_graph(self.model)))


class Failing(CpuModule):
    """Runs so many launches, and no more."""

    def __init__(self, source: KernelSource, launches: int) -> None:
        super().__init__(source)
        self.left = launches

    def launch(self, kernel: str, shape: LaunchShape, arguments: Any) -> None:
        """As asked for, while some are left."""
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("cudaErrorECCUncorrectable: uncorrectable ECC error encountered")
        super().launch(kernel, shape, arguments)


def kernels_of(most_blocks: int = 1, launches: int | None = None) -> LiveKernels:
    """Models that stay on the CPU's runner."""

    def open_live(model: Model, taken: int) -> LiveModel:
        if taken >= most_blocks:
            raise Rejected(f"models take {taken} of {most_blocks}")
        if launches is None:
            return LiveModel(model, CpuModule, np, HostMemory())
        return LiveModel(model, lambda source: Failing(source, launches), np, HostMemory())

    return LiveKernels(open_live, lambda: "")


def without_gpu() -> LiveKernels:
    """No GPU, for a reason."""
    return LiveKernels(missing=lambda: "no CUDA device on this machine")


def engine_of(made: Made, asked: ModelBackend, kernels: LiveKernels) -> ModelEngine:
    return open_engine("btc", cast(TrainedModel, made), asked, kernels)


def rows_of(architecture: Architecture, count: int) -> Singles:
    return np.random.default_rng(5).standard_normal((count, architecture.features)).astype(np.float32)


def near(one: Answer, two: tuple[float, ...]) -> bool:
    return bool(np.allclose(one, two, rtol=0, atol=TOLERANCE))


@pytest.mark.parametrize("architecture", [LSTM, DEEPLOB], ids=["lstm", "deeplob"])
@pytest.mark.parametrize("asked", [ModelBackend.AUTO, ModelBackend.GPU])
def test_the_kernel_that_stays_answers_as_onnx_runtime(architecture: Architecture, asked: ModelBackend) -> None:
    made, rows, window = Made(architecture), rows_of(architecture, 80), architecture.window
    engine, alone = engine_of(made, asked, kernels_of()), made.one_window()
    # Each row, some that nobody asked about, and a run of rows that follow none of those before them.
    asked_about = [(number, rows[number - window : number]) for number in (*range(window, window + 8), window + 11)]
    last, other = asked_about[-1][0], -rows[: window + 4]
    asked_about += [(last + end, other[end - window : end]) for end in range(window, len(other) + 1)]
    answers = [engine.answer(number, each) for number, each in asked_about]
    assert all(near(said, alone.probabilities(each)) for said, (_, each) in zip(answers, asked_about, strict=True))
    # What it says depends on the rows, so that answers to others would be noticed.
    assert np.ptp(answers, axis=0).min() > 1_000 * TOLERANCE
    assert engine.by == ComputedBy(Computer.GPU)


def test_a_row_is_given_to_the_kernel_once() -> None:
    made, rows = Made(LSTM), rows_of(LSTM, 40)
    live = LiveModel(made.model, CpuModule, np, HostMemory())
    engine = engine_of(made, ModelBackend.GPU, LiveKernels(lambda model, taken: live, lambda: ""))
    for number in (9, 10, 11, 15):
        engine.answer(number, rows[number - 9 : number])
    assert live.finished == 15
    engine.answer(40, rows[31:])
    assert live.finished == 15 + 9


def test_without_a_gpu_the_cpu_computes_and_says_why() -> None:
    made, rows = Made(LSTM), rows_of(LSTM, 9)
    engine = engine_of(made, ModelBackend.AUTO, without_gpu())
    assert engine.by == ComputedBy(Computer.CPU, "no CUDA device on this machine")
    assert engine.answer(9, rows) == made.one_window().probabilities(rows)
    asked_for = engine_of(made, ModelBackend.CPU, kernels_of())
    assert asked_for.by == ComputedBy(Computer.CPU)
    with pytest.raises(
        MissingExtra, match=r"btc\.backend is gpu: no CUDA device on this machine; set it to auto or cpu"
    ):
        engine_of(made, ModelBackend.GPU, without_gpu())


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        (Bilinear(features=8, width=4, moments=3, window=12), "bilinear"),
        (Transformer(features=8, width=4, heads=2, blocks=2, expanded=5, window=12), "transformer"),
    ],
    ids=["bilinear", "transformer"],
)
def test_a_model_that_no_gpu_keeps_is_left_to_the_cpu_unless_the_gpu_is_demanded(
    architecture: Architecture, kind: str
) -> None:
    made, rows = Made(architecture), rows_of(architecture, 12)
    engine = engine_of(made, ModelBackend.AUTO, kernels_of())
    assert engine.by.computer is Computer.CPU
    assert f"a {kind} model has no recurrence to keep on a GPU" in engine.by.why
    assert engine.answer(12, rows) == made.one_window().probabilities(rows)
    with pytest.raises(Fatal, match=rf"btc\.backend is gpu: a {kind} model has no recurrence.*set it to auto or cpu"):
        engine_of(made, ModelBackend.GPU, kernels_of())


def test_models_beside_one_another_take_no_more_than_there_is() -> None:
    kernels = kernels_of(most_blocks=1)
    one, two = (engine_of(Made(architecture), ModelBackend.AUTO, kernels) for architecture in (LSTM, DEEPLOB))
    assert (one.by.computer, two.by.computer) == (Computer.GPU, Computer.CPU)
    assert two.by.why == "models take 1 of 1"


def test_whatever_a_driver_says_at_the_beginning_the_cpu_computes() -> None:
    def broken(model: Model, taken: int) -> LiveModel:
        raise RuntimeError("cudaErrorInsufficientDriver")

    kernels = LiveKernels(broken, lambda: "")
    engine = engine_of(Made(LSTM), ModelBackend.AUTO, kernels)
    assert engine.by == ComputedBy(Computer.CPU, "RuntimeError: cudaErrorInsufficientDriver")
    with pytest.raises(Fatal, match="is gpu: RuntimeError: cudaErrorInsufficientDriver; set it to auto or cpu"):
        engine_of(Made(LSTM), ModelBackend.GPU, kernels)


def test_the_cpu_takes_over_from_a_gpu_that_fails_within_the_same_question() -> None:
    made, rows = Made(LSTM), rows_of(LSTM, 12)
    engine, alone = engine_of(made, ModelBackend.GPU, kernels_of(launches=10)), made.one_window()
    assert near(engine.answer(9, rows[:9]), alone.probabilities(rows[:9]))
    assert engine.by == ComputedBy(Computer.GPU)
    assert near(engine.answer(10, rows[1:10]), alone.probabilities(rows[1:10]))
    assert engine.answer(11, rows[2:11]) == alone.probabilities(rows[2:11])
    assert engine.by.computer is Computer.CPU
    assert engine.by.why.startswith("the GPU failed: cudaErrorECCUncorrectable")
    assert engine.answer(12, rows[3:12]) == alone.probabilities(rows[3:12])


def answered(predictions: ThreadPredictions, number: int) -> Answer:
    """What comes in the end."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE_S / 0.005)):
        found = predictions.answer("btc", number)
        if found is not None:
            return found
        waiting.wait(0.005)
    raise AssertionError("no answer came")


def test_a_run_says_who_computes_and_when_that_changes() -> None:
    made, rows, said = Made(LSTM), rows_of(LSTM, 11), list[str]()
    with ThreadPredictions(kernels_of(launches=9), said.append) as predictions:
        predictions.open("btc", cast(TrainedModel, made), ModelBackend.AUTO)
        assert said == ["model btc: predictions by a kernel that stays on the GPU"]
        for number in (9, 10):
            predictions.ask("btc", number, rows[number - 9 : number])
            assert near(answered(predictions, number), made.one_window().probabilities(rows[number - 9 : number]))
        assert predictions.computed_by("btc").computer is Computer.CPU
    assert len(said) == 2
    assert said[1].startswith("model btc: predictions by ONNX Runtime on the CPU: the GPU failed: cudaError")


def test_kernels_end_with_the_run() -> None:
    live = LiveModel(Made(LSTM).model, CpuModule, np, HostMemory())
    with ThreadPredictions(LiveKernels(lambda model, taken: live, lambda: "")) as predictions:
        predictions.open("btc", cast(TrainedModel, Made(LSTM)), ModelBackend.GPU)
        predictions.ask("btc", 9, rows_of(LSTM, 9))
        answered(predictions, 9)
        for row in rows_of(LSTM, 2):
            live.publish(row)
        assert live._control[1] == 9
    # The word that a kernel looks at says that it ends once the rows that it was given are taken.
    assert live._control[1] == 11


class StayingPredictions(HeardPredictions):
    """Keeps what a kernel that stays said."""

    def open(self, name: str, model: TrainedModel, backend: ModelBackend) -> None:
        """On the CPU's runner."""
        self._models[name] = open_engine(name, model, ModelBackend.GPU, kernels_of())


def test_predictions_of_a_run_by_a_kernel_that_stays_are_those_of_its_recording(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are lost on the way: the book has a gap."""
    heard, folder = StayingPredictions(), str(lively_lstm(GRID_MODEL, terminal.folder / "lstm", 2, 5))
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: heard)
    run_backtest(plan_of(terminal.folder, watching(folder=folder), gap_at=150))
    ended = terminal.run(
        "predict", folder, "--source", "binance-spot=spot.txt", "--backend", "cpu", "--out", "said.parquet"
    )
    assert ended.code == ExitCode.DONE, ended.err
    table = pq.read_table(terminal.folder / "said.parquet")
    expected = np.stack([table[name].to_numpy() for name in ("down", "same", "up")], axis=1)
    found = np.array([answer for _, answer in heard.heard])[: len(expected)]
    assert len(expected) > 150
    assert np.ptp(expected, axis=0).min() > 1_000 * TOLERANCE
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


class Changing(SaidPredictions):
    """Computed by whom the test says."""

    by = ComputedBy(Computer.GPU)

    def computed_by(self, name: str) -> ComputedBy:
        """Whom the test says."""
        return self.by


def test_the_journal_keeps_that_the_cpu_took_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictions, kept = Changing({}), list[StateChanged]()
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: predictions)
    model = predictor_of(run_backtest(plan_of(tmp_path, watching())).strategies)
    assert model.plain()["computed_by"] == "gpu"
    [task] = prediction_tasks([model], kept.append)
    run = cast(RunAccess, None)
    task.action(run, 1_000)
    assert not kept
    predictions.by = ComputedBy(Computer.CPU, "the GPU failed: it is hot")
    for now_ns in (2_000, 3_000):
        task.action(run, now_ns)
    [change] = kept
    assert (change.time_ns, change.before, change.after) == (2_000, "gpu", "cpu")
    assert (change.source, change.detail) == ("predictions of model small", "the GPU failed: it is hot")
    assert model.plain()["computed_by_why"] == "the GPU failed: it is hot"
