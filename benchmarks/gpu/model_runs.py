"""Every window of a stretch of rows by a DeepLOB on a GPU, beside PyTorch on windows by themselves."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from benchmarks.gpu.outcome import Figure, Outcome
from benchmarks.gpu.timing import least_seconds
from gpu.arrays import on_host
from gpu.kernel import KernelModule, KernelSource
from gpu.models.architecture import PUBLIC_DEEPLOB, DeepLob, parameters
from gpu.models.reference import stretch_logits
from gpu.models.weights import Model, Singles, random_weights
from gpu.models_cuda import ModelKernels, Precision
from market.errors import Fatal, MissingExtra
from orchestrator.research.training.network import Network

WINDOWS_PER_S: Final = 20e6
LEAST_RATIO: Final = 20.0
_CHECKED: Final = 4
_TOLERANCE: Final = 1e-5
_NARROW_TOLERANCE: Final = 0.02
_BATCH: Final = 1_024
_ROUNDS: Final = 5


def measure_models(
    outcome: Outcome,
    module: Callable[[KernelSource], KernelModule],
    xp: Any,
    windows: int,
    architecture: DeepLob = PUBLIC_DEEPLOB,
) -> None:
    """Windows per second of a DeepLOB with random weights.

    Raises Fatal where logits are not the reference's; nothing is timed then.
    """
    shape = (architecture.window + max(windows, _CHECKED) - 1, architecture.features)
    rows = np.random.default_rng(20240808).standard_normal(shape).astype(np.float32)
    peer = _torch_peer(outcome, architecture, rows) if hasattr(xp, "cuda") else None
    model = random_weights(architecture, 1) if peer is None else peer[0]
    kernels = ModelKernels(model, module, xp)
    few = rows[: architecture.window + _CHECKED - 1]
    if np.abs(on_host(kernels.logits(xp.asarray(few))) - stretch_logits(model, few)).max() > _TOLERANCE:
        raise Fatal("the model's logits differ from the reference's: nothing was timed")
    there, windows = xp.asarray(rows), max(windows, _CHECKED)
    rate = windows / least_seconds(xp, lambda: kernels.logits(there), _ROUNDS)
    detail = f"DeepLOB, {parameters(architecture)} parameters, float32, {windows} windows that share their rows"
    outcome.add(Figure("windows by a model", rate / 1e6, "million per s", target=WINDOWS_PER_S / 1e6, detail=detail))
    narrow = ModelKernels(model, module, xp, Precision.BFLOAT16)
    if np.abs(on_host(narrow.logits(xp.asarray(few))) - stretch_logits(model, few)).max() > _NARROW_TOLERANCE:
        raise Fatal("the model's logits in bfloat16 are too far from the reference's: they were not timed")
    narrow_rate = windows / least_seconds(xp, lambda: narrow.logits(there), _ROUNDS)
    detail += "; the recurrent product in bfloat16"
    target = WINDOWS_PER_S / 1e6
    outcome.add(
        Figure("windows by a model, bfloat16", narrow_rate / 1e6, "million per s", target=target, detail=detail)
    )
    if peer is not None:
        taken = least_seconds(xp, peer[1], _ROUNDS) / _BATCH
        detail = f"PyTorch and cuDNN on windows by themselves, batch {_BATCH}, {1e-6 / taken:.3f} million per s"
        outcome.add(Figure("windows by a model over PyTorch", rate * taken, "times", target=LEAST_RATIO, detail=detail))


def _torch_peer(outcome: Outcome, architecture: DeepLob, rows: Singles) -> tuple[Model, Callable[[], object]] | None:
    """A model's weights, and PyTorch's pass of it over a batch of windows on the GPU; None where it is not there."""
    try:
        torch: Any = importlib.import_module("torch")
        if not torch.cuda.is_available():
            raise MissingExtra("PyTorch sees no GPU")
        torch.manual_seed(1)
        network = Network(architecture, 0.0)
    except (ImportError, MissingExtra) as missing:
        outcome.leave_out(f"PyTorch beside the model: {missing}")
        return None
    torch.nn.init.normal_(network.modules["dense"].weight)
    network.modules.eval()
    model = network.model()
    network.modules.cuda()
    torch.backends.cudnn.benchmark = True
    window = architecture.window
    batch = torch.from_numpy(np.stack([rows[first : first + window] for first in range(_BATCH)])).cuda()

    def work() -> None:
        with torch.inference_mode():
            network(batch)
        torch.cuda.synchronize()

    with torch.inference_mode():
        found = network(batch[:_CHECKED])[:, 0].cpu().numpy()
    expected = stretch_logits(model, rows[: window + _CHECKED - 1])
    # Its convolutions may round to fewer bits (TF32).
    if np.abs(found - expected).max() > 0.05:
        raise Fatal("PyTorch's logits differ from the reference's: nothing was timed")
    return model, work
