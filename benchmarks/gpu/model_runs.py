"""Every window of a stretch of rows by a model on a GPU, beside PyTorch on windows by themselves."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.gpu.expected import Device, reckon
from benchmarks.gpu.generated_models import lively_network, lively_weights
from benchmarks.gpu.outcome import Figure, Outcome
from benchmarks.gpu.timing import least_seconds
from gpu.arrays import on_host
from gpu.kernel import KernelModule, KernelSource
from gpu.models.architecture import PUBLIC_DEEPLOB, Architecture, DeepLob, parameters
from gpu.models.reference import stretch_logits
from gpu.models.weights import Singles
from gpu.models_cuda import ModelKernels, Precision
from market.errors import Fatal, MissingExtra

WINDOWS_PER_S: Final = 20e6
LEAST_RATIO: Final = 20.0
MOST_ERRORS: Final = 2.0
"""Times PyTorch's own in bfloat16."""
_CHECKED: Final = 64
_TOLERANCE: Final = 1e-5
_NARROW_TOLERANCE: Final = 0.05
_BATCH: Final = 1_024
_ROUNDS: Final = 5
_SEED: Final = 1


@dataclass(frozen=True)
class Peer:
    """PyTorch on a batch of windows: how far off its logits are, and a call that computes them on the GPU."""

    error: float
    work: Callable[[], object]


def measure_models(
    outcome: Outcome,
    module: Callable[[KernelSource], KernelModule],
    xp: Any,
    windows: int,
    architecture: Architecture = PUBLIC_DEEPLOB,
    name: str = "windows by a model",
) -> None:
    """Windows per second of a model with random weights, by precision; those of a DeepLOB are aimed at a number.

    Raises Fatal where logits are not the reference's, or in bfloat16 further off than twice PyTorch's; nothing is timed
    then.
    """
    windows = max(windows, _CHECKED)
    shape = (architecture.window + windows - 1, architecture.features)
    rows = np.random.default_rng(20240808).standard_normal(shape).astype(np.float32)
    torch = _torch_with_gpu(outcome) if hasattr(xp, "cuda") else None
    network = None if torch is None else lively_network(torch, architecture, _SEED)
    model = lively_weights(architecture, _SEED) if network is None else network.model()
    few = rows[: architecture.window + _CHECKED - 1]
    expected, there = stretch_logits(model, few), xp.asarray(rows)
    if isinstance(architecture, DeepLob):
        outcome.parts[f"{name}, reckoned"] = [str(line) for line in reckon(architecture, Device())]
    for precision in Precision:
        peer = None if network is None else peer_of(outcome, torch, network, precision, rows, expected)
        kernels = ModelKernels(model, module, xp, precision)
        error = float(np.abs(on_host(kernels.logits(xp.asarray(few))) - expected).max())
        _require_near(precision, error, peer)
        _time(outcome, f"{name}, {precision}", kernels, precision, there, windows, error, peer)


def _time(
    outcome: Outcome,
    name: str,
    kernels: ModelKernels,
    precision: Precision,
    rows: Any,
    windows: int,
    error: float,
    peer: Peer | None,
) -> None:
    aims = isinstance(kernels.architecture, DeepLob)
    kind, size = type(kernels.architecture).__name__, parameters(kernels.architecture)
    detail = f"{kind}, {size} parameters, {windows} windows that share rows, off by {error:.2g}"
    rate = windows / least_seconds(kernels.xp, lambda: kernels.logits(rows), _ROUNDS)
    # In float32, without matrix instructions, an H100 can at best do the products in that time.
    target = WINDOWS_PER_S / 1e6 if aims and precision is Precision.BFLOAT16 else None
    outcome.add(Figure(name, rate / 1e6, "million per s", target=target, detail=detail))
    vectors = kernels.row_vectors(rows)
    for part, work, count in (
        ("row part", lambda: kernels.row_vectors(rows), len(vectors)),
        ("recurrent part" if aims else "last layer", lambda: kernels.window_logits(vectors), windows),
    ):
        taken = least_seconds(kernels.xp, work, _ROUNDS)
        outcome.add(Figure(f"{name}, {part}", taken / count * 1e9, "ns", lower_is_better=True))
    if peer is not None:
        taken = least_seconds(kernels.xp, peer.work, _ROUNDS) / _BATCH
        detail = (
            f"PyTorch and cuDNN on windows by themselves, batch {_BATCH}, {1e-6 / taken:.3f} million per s, off by "
        )
        detail += f"{peer.error:.2g}"
        least = LEAST_RATIO if aims else None
        outcome.add(Figure(f"{name}, over PyTorch", rate * taken, "times", target=least, detail=detail))


def _require_near(precision: Precision, error: float, peer: Peer | None) -> None:
    if precision is Precision.FLOAT32:
        most = _TOLERANCE
    else:
        most = _NARROW_TOLERANCE if peer is None else MOST_ERRORS * peer.error
    if not error <= most:
        raise Fatal(
            f"the model's logits in {precision} are off by {error:.2g}, more than {most:.2g}: they were not timed"
        )


def _torch_with_gpu(outcome: Outcome) -> Any:
    """PyTorch; None where it is not there, or sees no GPU."""
    try:
        torch: Any = importlib.import_module("torch")
        if not torch.cuda.is_available():
            raise MissingExtra("PyTorch sees no GPU")
    except (ImportError, MissingExtra) as missing:
        outcome.leave_out(f"PyTorch beside the model: {missing}")
        return None
    torch.backends.cudnn.benchmark = True
    return torch


def peer_of(
    outcome: Outcome, torch: Any, network: Any, precision: Precision, rows: Singles, expected: Any, device: str = "cuda"
) -> Peer | None:
    """PyTorch in that precision; None where it has no kernels for it. Narrows the network for good.

    expected: logits of the first windows of ``rows``.
    """
    window, dtype = network.architecture.window, getattr(torch, precision)
    network.modules.to(device=device, dtype=dtype)
    windows = np.stack([rows[first : first + window] for first in np.arange(_BATCH) % (len(rows) - window + 1)])
    batch = torch.from_numpy(windows).to(device=device, dtype=dtype)

    def work() -> Any:
        with torch.inference_mode():
            found = network(batch)
        if device == "cuda":
            torch.cuda.synchronize()
        return found

    try:
        found = work()[: len(expected), 0].float().cpu().numpy()
    except RuntimeError as failed:
        outcome.leave_out(f"PyTorch in {precision} beside the model: {failed}")
        return None
    error = float(np.abs(found - expected).max())
    # Its convolutions may round to fewer bits (TF32).
    if precision is Precision.FLOAT32 and error > _NARROW_TOLERANCE:
        raise Fatal(f"PyTorch's logits differ from the reference's by {error:.2g}: nothing was timed")
    return Peer(error, work)
