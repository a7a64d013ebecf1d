"""Models of the order book on one thread of ONNX Runtime: rows shared by windows, and what our wrapper adds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from benchmarks.gpu.generated_models import lively_weights
from benchmarks.harness import Report, take_turns
from gpu.models.architecture import (
    COMPACT,
    LSTM_A,
    LSTM_B,
    PAPER_DEEPLOB,
    PUBLIC_DEEPLOB,
    TRANSFORMER,
    Architecture,
    parameters,
)
from gpu.models.one_window import OneWindow
from gpu.models.onnx_graph import stretch_graph, windows_graph
from gpu.models.onnx_runtime import OnnxModel
from gpu.models.weights import Singles
from market.errors import Fatal

MODELS: Final[dict[str, Architecture]] = {
    "DeepLOB, public size": PUBLIC_DEEPLOB,
    "DeepLOB, paper size": PAPER_DEEPLOB,
    "transformer": TRANSFORMER,
    "compact": COMPACT,
}
SHAPES: Final[dict[str, Architecture]] = {"shape of LSTM_A": LSTM_A, "shape of LSTM_B": LSTM_B}
LEAST_SHARING: Final = {"DeepLOB, public size": 12.0, "transformer": 12.0}
LEAST_COMPACT: Final = 10.0
MOST_ADDED: Final = 1.05
WINDOWS: Final = 512
"""Windows of a piece of ``tickwire predict``."""
ALONE: Final = 64
CALLS: Final = 200
ARRAYS: Final = "ONNX Runtime's own call"
BUFFERS: Final = "its call of bound buffers"
_TOLERANCE: Final = 1e-6
_SEED: Final = 20240808
_Work = Callable[[], object]


def measure(report: Report) -> None:
    """CPU time per window with rows shared and without; time of one window by our wrapper, and beside it."""
    report.note("weights are random: time does not depend on them; rows are normal, as normalised ones are")
    latency = {name: _one_window(report, name, architecture) for name, architecture in (MODELS | SHAPES).items()}
    deep = "DeepLOB, public size"
    report.compare(
        "one window, compact",
        "us",
        latency["compact"],
        deep,
        latency[deep],
        target=LEAST_COMPACT,
        caveat="72 x the size",
    )
    for name, architecture in MODELS.items():
        _sharing(report, name, architecture)


def _one_window(report: Report, name: str, architecture: Architecture) -> list[float]:
    """Time of one window by our wrapper, beside ONNX Runtime's own calls of the same session.

    Its call for arrays looks up names and makes the answer's array; its call for bound buffers, the least there is,
    neither takes a window nor looks at it.
    """
    model = OnnxModel(windows_graph(lively_weights(architecture, _SEED)))
    one, binding = OneWindow(model), model.session.io_binding()
    window, names = _rows(architecture, 1), ["probabilities"]
    batch, answer = window[None].copy(), np.zeros((1, architecture.classes), dtype=np.float32)
    binding.bind_input("windows", "cpu", 0, np.float32, batch.shape, batch.ctypes.data)
    binding.bind_output("probabilities", "cpu", 0, np.float32, answer.shape, answer.ctypes.data)
    calls: tuple[_Work, ...] = (
        lambda: one.probabilities(window),
        lambda: model.session.run(names, {"windows": batch}),
        lambda: model.session.run_with_iobinding(binding),
    )
    rounds = [_in_turns(calls) for _ in range(report.rounds + 1)]
    own, arrays, buffers = ([each[number] for each in rounds[1:]] for number in range(len(calls)))
    case = f"one window, {name} ({parameters(architecture):,} parameters)"
    report.compare(case, "us", own, ARRAYS, arrays, target=1 / MOST_ADDED)
    report.compare(case, "us", own, BUFFERS, buffers, target=1 / MOST_ADDED, caveat="no window is copied or checked")
    return own


def _sharing(report: Report, name: str, architecture: Architecture) -> None:
    """CPU time per window of a stretch, beside each window by itself, one at a time and 64 at once."""
    weights = lively_weights(architecture, _SEED)
    shared, alone = OnnxModel(stretch_graph(weights)), OnnxModel(windows_graph(weights))
    rows = _rows(architecture, WINDOWS)
    windows = np.stack([rows[first : first + architecture.window] for first in range(WINDOWS)])
    if not np.allclose(shared.probabilities(rows), alone.probabilities(windows), rtol=0, atol=_TOLERANCE):
        raise Fatal(f"{name}: shared rows and full recomputation differ by more than {_TOLERANCE}; nothing was timed")

    def one_by_one() -> None:
        for window in windows[:ALONE]:
            alone.probabilities(window[None])

    contenders = {
        "shared": lambda: _cpu(lambda: shared.probabilities(rows)) / WINDOWS,
        "one": lambda: _cpu(one_by_one) / ALONE,
        "batch": lambda: _cpu(lambda: alone.probabilities(windows[:ALONE])) / ALONE,
    }
    values = take_turns(contenders, report.rounds)
    case, target = f"a window of {WINDOWS} in a row, {name}", LEAST_SHARING.get(name)
    report.compare(case, "us of CPU", values["shared"], "each by itself", values["one"], target=target)
    report.compare(case, "us of CPU", values["shared"], f"{ALONE} of them at once", values["batch"])


def _in_turns(calls: Sequence[_Work]) -> list[float]:
    """Median microseconds of each call, in turns: a busy machine's pace changes within a round."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(CALLS):
        for times, work in zip(taken, calls, strict=True):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1e6)
    return [statistics.median(times) for times in taken]


def _cpu(work: _Work) -> float:
    """Microseconds of the processor that one call takes, in all threads."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e6


def _rows(architecture: Architecture, windows: int) -> Singles:
    shape = (architecture.window + windows - 1, architecture.features)
    return np.random.default_rng(_SEED).standard_normal(shape).astype(np.float32)
