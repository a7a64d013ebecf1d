"""A sweep of thresholds on a GPU, the part of it that grows with events and thresholds."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.gpu.outcome import Figure, Outcome
from benchmarks.gpu.timing import least_seconds
from gpu.columns import Integers
from gpu.sweep_tools import CompiledSweep, SweepKernels
from market.errors import Fatal

THRESHOLDS: Final = 64
_EVENTS_PER_SECOND: Final = 100


def measure_sweep(outcome: Outcome, kernels: SweepKernels, events: int) -> None:
    """Comparisons per second of a column of events with thresholds times a baseline per second.

    Raises Fatal where the counts are not the CPU's; nothing is timed then.
    """
    xp, random = kernels.xp, np.random.default_rng(20240808)
    base = random.uniform(0.5, 1.5, events // _EVENTS_PER_SECOND + 1)
    times = np.arange(events) * (1_000_000_000 // _EVENTS_PER_SECOND)
    counters = (np.arange(events) // _EVENTS_PER_SECOND).astype(np.int32)
    values, factors = random.exponential(1.0, events), np.linspace(0.1, 6.0, THRESHOLDS)
    there = [xp.asarray(column) for column in (values, counters, times, base)]
    on_device = xp.asarray(factors)

    def count() -> Integers:
        return kernels.count_fires(there[0], there[1], there[2], there[3], 0, on_device)

    few = slice(0, THRESHOLDS, THRESHOLDS // 2)
    expected = CompiledSweep().count_fires(values, counters, times, base, 0, factors[few])
    if not np.array_equal(count()[few], expected):
        raise Fatal("the sweep's counts differ from the CPU's: nothing was timed")
    rate = events * THRESHOLDS / least_seconds(xp, count, 5)
    detail = f"{events} generated events, {THRESHOLDS} thresholds"
    outcome.add(Figure("sweep", rate / 1e9, "billion comparisons per s", detail=detail))
