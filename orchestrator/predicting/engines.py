"""What computes the predictions of a live run: a kernel that stays on the GPU, or ONNX Runtime on the CPU.

ONNX Runtime is opened in any case. It takes over where there is no GPU, and where the GPU fails during the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from config.models import ModelBackend
from gpu.device import missing_gpu
from gpu.live_model import LiveModel, live_on_gpu
from gpu.models.one_window import OneWindow
from gpu.models.reference import probabilities
from gpu.models.weights import Model, Singles
from market.errors import Fatal, MissingExtra, Rejected, TickwireError
from orchestrator.research.datasets.labels import CLASSES
from orchestrator.research.models.folder import TrainedModel

Answer = tuple[float, float, float]
"""Probabilities of down, same and up."""


class Computer(StrEnum):
    """Who computes."""

    CPU = "cpu"
    GPU = "gpu"
    TAPE = "tape"
    """Nobody: answers are those of the run that was taped."""


@dataclass(frozen=True)
class ComputedBy:
    """Who computes a model's predictions, and why not the GPU; empty where it does, or was not asked for."""

    computer: Computer
    why: str = ""

    def __str__(self) -> str:
        said = _SAID[self.computer]
        return f"{said}: {self.why}" if self.why else said


_SAID: Final = {
    Computer.CPU: "by ONNX Runtime on the CPU",
    Computer.GPU: "by a kernel that stays on the GPU",
    Computer.TAPE: "from the tape",
}
ON_CPU: Final = ComputedBy(Computer.CPU)
PLAYED: Final = ComputedBy(Computer.TAPE)


class LiveKernels:
    """Models that stay on one GPU beside one another: all are opened before the first is asked, and closed together.

    Parameters
    ----------
    open_live: makes one, given the blocks of threads that others take. missing: why there is no GPU, empty with one.
    """

    def __init__(
        self, open_live: Callable[[Model, int], LiveModel] = live_on_gpu, missing: Callable[[], str] = missing_gpu
    ) -> None:
        self._open_live = open_live
        self._opened: list[LiveModel] = []
        self.missing = missing

    def open(self, model: Model) -> LiveModel:
        """A model more. Raises as ``live_on_gpu`` does."""
        live = self._open_live(model, sum(each.blocks for each in self._opened))
        self._opened.append(live)
        return live

    def close(self) -> None:
        """Have all kernels end."""
        for live in self._opened:
            live.close()


class LiveWindows:
    """A model that stays on a GPU, asked for windows: it is given those of a window's rows that it has not seen."""

    def __init__(self, live: LiveModel) -> None:
        self._live = live
        self._newest = -1

    def answer(self, number: int, window: Singles) -> Answer:
        """As ``ModelEngine.answer``."""
        # What it answers after so many rows depends on no others, whatever came before them.
        unseen = len(window) if self._newest < 0 else min(number - self._newest, len(window))
        logits: Singles | None = None
        for row in window[len(window) - unseen :]:
            logits = self._live.answer(row)
        if logits is None:
            raise Fatal(f"the GPU has no answer to row {number}, {self._live.finished} rows are finished")
        self._newest = number
        down, same, up = probabilities(logits[None])[0].tolist()
        return down, same, up

    def stop(self) -> None:
        """Have its kernel end."""
        self._live.stop()


class ModelEngine:
    """A model of a run and what computes it, for one thread.

    Parameters
    ----------
    runtime: ONNX Runtime. staying: the model on the GPU, None without. why: there is none.

    Members
    -------
    by: who computes now.
    """

    def __init__(self, runtime: OneWindow, staying: LiveWindows | None = None, why: str = "") -> None:
        self._runtime = runtime
        self._staying = staying
        self.by = ComputedBy(Computer.CPU, why) if staying is None else ComputedBy(Computer.GPU)

    def answer(self, number: int, window: Singles) -> Answer:
        """Probabilities of a window float32[window, features] whose newest row has a number.

        Numbers rise, one for each row. A window has the row of its number and those right before it, all from the same
        side of a break. A GPU that fails is left for the CPU.
        """
        if self._staying is not None:
            try:
                return self._staying.answer(number, window)
            except (Fatal, RuntimeError, MemoryError) as failed:
                # CuPy's errors are RuntimeErrors.
                self.by = ComputedBy(Computer.CPU, f"the GPU failed: {failed}")
                self._staying.stop()
                self._staying = None
        down, same, up = self._runtime.probabilities(window)
        return down, same, up


def open_engine(name: str, model: TrainedModel, asked: ModelBackend, kernels: LiveKernels) -> ModelEngine:
    """What computes a model of the settings.

    Raises MissingExtra or Fatal where the GPU was asked for and cannot, Rejected for classes other than down, same and
    up.
    """
    runtime = open_runtime(model)
    if asked is ModelBackend.CPU:
        return ModelEngine(runtime)
    missing = kernels.missing()
    if missing:
        if asked is ModelBackend.GPU:
            raise MissingExtra(f"models.watching.{name}.backend is gpu: {missing}; set it to auto or cpu")
        return ModelEngine(runtime, why=missing)
    try:
        return ModelEngine(runtime, LiveWindows(kernels.open(model.weights())))
    except Exception as failed:
        why = str(failed) if isinstance(failed, TickwireError) else f"{type(failed).__name__}: {failed}"
        if asked is ModelBackend.GPU:
            raise Fatal(f"models.watching.{name}.backend is gpu: {why}; set it to auto or cpu") from failed
        # Whatever a driver or a compiler has to say: there is a way without, and the run says that it takes it.
        return ModelEngine(runtime, why=why)


def open_runtime(model: TrainedModel) -> OneWindow:
    """A trained model in ONNX Runtime; raises Rejected when its classes are not down, same and up."""
    found = model.one_window()
    if found.classes != CLASSES:
        raise Rejected(f"the model has {found.classes} classes: must be down, same and up")
    return found
