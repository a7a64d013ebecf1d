"""Models with random weights whose answers depend on their rows, for comparisons of numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from gpu.models.architecture import Architecture
from gpu.models.weights import Model, random_weights

_GAIN: Final = float(np.sqrt(2.0))


def lively_weights(architecture: Architecture, seed: int) -> Model:
    """Random weights, those of convolutions larger by the square root of 2: as much as a rectifier takes away.

    Without it what a DeepLOB sees vanishes in its thirteen layers (He, Zhang, Ren and Sun 2015).
    """
    model = random_weights(architecture, seed)
    tensors = {
        name: (tensor * np.float32(_GAIN)).astype(np.float32) if _is_convolution(name) else tensor
        for name, tensor in model.tensors.items()
    }
    return Model(architecture, tensors)


def _is_convolution(name: str) -> bool:
    return name.endswith((".across.weight", ".time1.weight", ".time2.weight", ".point.weight", ".time.weight"))
