"""Models with random weights whose answers depend on their rows, for comparisons of numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gpu.models.architecture import SLOPE, Architecture
from gpu.models.weights import Model, random_weights
from orchestrator.research.training.network import Network

_CONVOLUTION_DIMENSIONS: Final = 4
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


def lively_network(torch: Any, architecture: Architecture, seed: int) -> Network:
    """As ``lively_weights``, in PyTorch, ready to be applied."""
    torch.manual_seed(seed)
    network = Network(architecture, 0.0)
    with torch.no_grad():
        torch.nn.init.normal_(network.modules["dense"].weight, std=0.3)
        for tensor in network.modules.parameters():
            if tensor.ndim == _CONVOLUTION_DIMENSIONS:
                torch.nn.init.kaiming_normal_(tensor, a=SLOPE)
    network.modules.eval()
    return network


def _is_convolution(name: str) -> bool:
    return name.endswith((".across.weight", ".time1.weight", ".time2.weight", ".point.weight", ".time.weight"))
