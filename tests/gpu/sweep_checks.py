"""Checks of the sweep's kernels against the compiled loops, on any device."""

from __future__ import annotations

import numpy as np

from gpu.arrays import on_host
from gpu.sweep_tools import CompiledSweep, SweepKernels


def check_statistics(kernels: SweepKernels) -> None:
    """Means and deviations of windows that begin before, in and after the samples."""
    samples = np.random.default_rng(1).normal(3.0, 2.0, 700)
    for start, first, last, length, least in ((0, -5, 700, 30, 10), (100, 400, 800, 300, 300), (0, 0, 0, 5, 2)):
        for deviation in (False, True):
            words = (start, first, last, length, least, deviation, 0.0)
            found = on_host(kernels.statistics(kernels.xp.asarray(samples), *words))
            np.testing.assert_allclose(found, CompiledSweep().statistics(samples, *words), rtol=1e-13)


def check_count_fires(kernels: SweepKernels, rows: int) -> None:
    """Counts, beginnings and durations of a column that fires in runs."""
    random = np.random.default_rng(2)
    values = np.sin(np.arange(rows) / 50) + random.normal(0, 0.2, rows)
    values[random.random(rows) < 0.05] = np.nan
    counters = (7 + np.arange(rows) // 100).astype(np.int32)
    times = np.cumsum(random.integers(0, 1_000_000, rows))
    base = random.uniform(-0.1, 1.0, rows // 100 + 1)
    base[3] = np.nan
    factors = np.array([0.3, 0.9, 4.0])
    there = kernels.xp.asarray
    found = kernels.count_fires(there(values), there(counters), there(times), there(base), 7, there(factors))
    np.testing.assert_array_equal(found, CompiledSweep().count_fires(values, counters, times, base, 7, factors))
    assert (found[:2] > 0).all()
