"""Models that stay on a GPU beside one another, asked for windows as a run asks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("pydantic")

from gpu.cuda_on_cpu.module import CpuModule
from gpu.live_model import HostMemory, LiveModel
from gpu.models.architecture import LSTM_A, PUBLIC_DEEPLOB, Architecture, Lstm
from orchestrator.predicting.engines import LiveKernels
from tests.gpu.live_checks import check_windows
from tests.gpu.models.shapes import SMALL


def of_three_classes(architecture: Lstm) -> Lstm:
    """Down, same and up, as predictions have them."""
    return dataclasses.replace(architecture, classes=3)


BESIDE: dict[str, tuple[Architecture, ...]] = {
    "alone": (SMALL["deeplob"],),
    "small": (SMALL["lstm"], SMALL["deeplob"]),
    "full size": (PUBLIC_DEEPLOB, of_three_classes(LSTM_A)),
}


@pytest.mark.parametrize("kind", ["alone", "small"])
def test_windows_by_models_that_stay_are_the_reference(kind: str) -> None:
    kernels = LiveKernels(lambda model, taken: LiveModel(model, CpuModule, np, HostMemory()), lambda: "")
    check_windows(BESIDE[kind], kernels)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", BESIDE)
def test_a_gpu_keeps_models_beside_one_another(kind: str) -> None:
    check_windows(BESIDE[kind], LiveKernels())
