"""How long a row takes through a model that stays on the GPU: from the row in the host's hands to its logits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from benchmarks.gpu.outcome import Figure, Outcome
from gpu.live_model import LiveModel
from gpu.models.architecture import LSTM_A, PUBLIC_DEEPLOB, Architecture
from gpu.models.reference import stretch_logits
from gpu.models.weights import Model, random_weights
from market.errors import Fatal

MODELS: Final[Mapping[str, Architecture]] = {"DeepLOB": PUBLIC_DEEPLOB, "LSTM_A's shape": LSTM_A}
ROWS: Final = 20_000
LATENCY_US: Final = 10.0
SPACE_US: Final = 300.0
"""Between answers and the next row, in which the windows that have begun are taken a step further."""
_CHECKED: Final = 4
_TOLERANCE: Final = 1e-5


def measure_live(
    outcome: Outcome, live_of: Callable[[Model], LiveModel], models: Mapping[str, Architecture], rows: int
) -> None:
    """Median and 99th percentile of rows that come apart; raises Fatal where logits are not the reference's."""
    for name, architecture in models.items():
        model, random = random_weights(architecture, 1), np.random.default_rng(20240808)
        values = random.standard_normal((architecture.window + rows, architecture.features)).astype(np.float32)
        taken = np.empty(len(values))
        with live_of(model) as live:
            for number, row in enumerate(values):
                _rest()
                begin = time.perf_counter_ns()
                answer = live.answer(row)
                taken[number] = (time.perf_counter_ns() - begin) / 1e3
                if architecture.window <= number + 1 < architecture.window + _CHECKED:
                    _require_equal(model, values[number + 1 - architecture.window : number + 1], answer)
        measured = taken[architecture.window :]
        detail = f"{rows} rows {SPACE_US:g} us apart, random weights, from Python to Python through mapped memory"
        outcome.add(Figure(f"live {name}, median", float(np.median(measured)), "us", detail=detail))
        late = float(np.quantile(measured, 0.99))
        outcome.add(Figure(f"live {name}, p99", late, "us", target=LATENCY_US, lower_is_better=True, detail=detail))


def _rest() -> None:
    end = time.perf_counter_ns() + SPACE_US * 1e3
    while time.perf_counter_ns() < end:
        pass


def _require_equal(model: Model, window: np.typing.NDArray[np.float32], answer: object) -> None:
    if answer is None or np.abs(np.asarray(answer) - stretch_logits(model, window)[0]).max() > _TOLERANCE:
        raise Fatal("the live model's logits differ from the reference's: nothing was timed")
