"""What computes a model's windows in batches: ONNX Runtime on the CPU, or our kernels on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from gpu.backend import Backend
from gpu.models.onnx_runtime import Given, OnnxModel
from gpu.models_cuda import Precision
from gpu.window_model import WindowModel, backend_for
from orchestrator.research.models.folder import TrainedModel

F = TypeVar("F", bound=Callable[..., Any])

BACKENDS: Final = (Backend.AUTO.value, Backend.CPU.value, Backend.GPU.value)
StretchModel = OnnxModel | WindowModel
"""Says something of every window of rows that follow one another."""


@dataclass(frozen=True)
class Computing:
    """What was asked for.

    Parameters
    ----------
    backend: auto, cpu or gpu. precision: of a GPU's products; None: float32, in which the CPU computes.
    """

    backend: Backend = Backend.AUTO
    precision: Precision | None = None

    @classmethod
    def of_words(cls, words: dict[str, Any]) -> Computing:
        """That of a command's options."""
        asked = cls(Backend(words["backend"]), None if words["precision"] is None else Precision(words["precision"]))
        if asked.backend is Backend.CPU and asked.precision is Precision.BFLOAT16:
            raise click.UsageError("--precision bfloat16 is of a GPU, --backend cpu computes in float32: leave one out")
        return asked

    @property
    def is_default(self) -> bool:
        """Whether nothing was asked for."""
        return self == Computing()

    def model(self, trained: TrainedModel) -> StretchModel:
        """A trained model, ready for rows. Raises MissingExtra where a GPU was asked for and there is none."""
        weights = trained.weights()
        if backend_for(weights, self.backend) is Backend.GPU:
            return WindowModel(weights, backend=Backend.GPU, precision=self.precision or Precision.FLOAT32)
        return trained.runtime(Given.ROWS)


def is_on_gpu(model: StretchModel) -> bool:
    """Whether a GPU computes."""
    return isinstance(model, WindowModel)


def computed_by(model: StretchModel) -> dict[str, str]:
    """Who computes and in which precision, for JSON."""
    if isinstance(model, WindowModel):
        return {"backend": model.backend.value, "precision": model.precision.value}
    return {"backend": Backend.CPU.value, "precision": Precision.FLOAT32.value}


def computing_options(command: F) -> F:
    """The options --backend and --precision of a command."""
    command = click.option(
        "--precision",
        type=click.Choice([each.value for each in Precision]),
        help="Of a GPU's products (float32); the CPU always computes in float32.",
    )(command)
    return click.option(
        "--backend",
        default=Backend.AUTO.value,
        show_default=True,
        type=click.Choice(BACKENDS),
        help="What computes a model: auto takes the GPU where there is one.",
    )(command)
