"""How long a row takes through a model that stays on the GPU: from the host's writing to its seeing logits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.gpu.generated_models import lively_weights
from benchmarks.gpu.outcome import Figure, Outcome
from gpu.live_model import LiveModel
from gpu.models.architecture import LSTM_A, LSTM_B, LSTM_C, PUBLIC_DEEPLOB, DeepLob, Lstm
from gpu.models.reference import stretch_logits
from gpu.models.weights import Model
from market.errors import Fatal

LATENCY_US: Final = 10.0


@dataclass(frozen=True)
class Run:
    """A model that is measured.

    Parameters
    ----------
    rows: that are timed. space_us: between an answer and the next row, in which the windows that have begun are taken a
        step further. target_us: of the 99th percentile; None: nothing is aimed at.
    """

    architecture: DeepLob | Lstm
    rows: int = 20_000
    space_us: float = 300.0
    target_us: float | None = LATENCY_US


RUNS: Final[Mapping[str, Run]] = {
    "DeepLOB": Run(PUBLIC_DEEPLOB),
    "LSTM_A's shape": Run(LSTM_A),
    "LSTM_B's shape": Run(LSTM_B, target_us=None),
    "LSTM_C's shape": Run(LSTM_C, rows=2_000, space_us=5_000.0, target_us=None),
}
_CHECKED: Final = 2
_TOLERANCE: Final = 1e-5


def measure_live(outcome: Outcome, live_of: Callable[[Model], LiveModel], runs: Mapping[str, Run]) -> None:
    """Median and 99th percentile of rows that come apart; raises Fatal where logits are not the reference's.

    Twice: from the row written until the result is seen, which is what is aimed at, and of the whole call, which also
    checks the row, writes it and copies the result.
    """
    for name, run in runs.items():
        architecture = run.architecture
        model, random = lively_weights(architecture, 1), np.random.default_rng(20240808)
        values = random.standard_normal((architecture.window + run.rows, architecture.features)).astype(np.float32)
        answering, calling = np.empty(len(values)), np.empty(len(values))
        with live_of(model) as live:
            for number, row in enumerate(values):
                _rest(run.space_us)
                begin = time.perf_counter_ns()
                live.publish(row)
                written = time.perf_counter_ns()
                live.wait(number)
                seen = time.perf_counter_ns()
                answer = live.logits(number)
                end = time.perf_counter_ns()
                answering[number], calling[number] = (seen - written) / 1e3, (end - begin) / 1e3
                if architecture.window <= number + 1 < architecture.window + _CHECKED:
                    _require_equal(model, values[number + 1 - architecture.window : number + 1], answer)
        rows = f"{run.rows} rows {run.space_us:g} us apart, random weights, mapped memory"
        for called, taken, what, target in (
            (f"live {name}", answering, "from the row written to the result seen, in Python", run.target_us),
            (f"live {name}, whole call", calling, "with checking and writing the row and copying the result", None),
        ):
            measured, detail = taken[architecture.window :], f"{rows}, {what}"
            median, late = float(np.median(measured)), float(np.quantile(measured, 0.99))
            outcome.add(Figure(f"{called}, median", median, "us", lower_is_better=True, detail=detail))
            outcome.add(Figure(f"{called}, p99", late, "us", target, lower_is_better=True, detail=detail))


def _rest(space_us: float) -> None:
    end = time.perf_counter_ns() + space_us * 1e3
    while time.perf_counter_ns() < end:
        pass


def _require_equal(model: Model, window: np.typing.NDArray[np.float32], answer: object) -> None:
    if answer is None or np.abs(np.asarray(answer) - stretch_logits(model, window)[0]).max() > _TOLERANCE:
        raise Fatal("the live model's logits differ from the reference's: nothing was timed")
