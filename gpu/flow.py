"""Cumulative volume delta and toxicity of trades over windows of time, any number of windows in one call.

``CVD = B - S``, ``toxicity = |B - S| / (B + S)``, B and S the lots bought and sold by aggressors in ``(t - w, t]``: the
same as ``market.signals.flow`` reads after each trade while its ring is not full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gpu.arrays import all_on_gpu, choose_for, module_of
from gpu.backend import Backend
from gpu.buckets import require_sizes, require_total
from gpu.columns import Floats, Integers, Sides, as_integers, as_quantities, as_sides, require_order, require_range
from market.native.kernel import entry
from market.signals.layout import LARGEST_TIME


@dataclass(frozen=True)
class FlowReadings:
    """Trade flow as of each moment, a row per window.

    Parameters
    ----------
    windows_ns: of the rows; the arrays lie where the trades do. cvd: int64[windows, k], lots. toxicity:
    float64[windows, k], 0..1, NaN without classified volume. unknown_lots: int64[windows, k], volume in the window of
    unknown side.
    """

    windows_ns: tuple[int, ...]
    cvd: Integers
    toxicity: Floats
    unknown_lots: Integers


def trade_flow(
    times_ns: ArrayLike,
    quantities: ArrayLike,
    sides: ArrayLike,
    windows_ns: Sequence[int],
    *,
    at_ns: ArrayLike | None = None,
    backend: Backend | str = Backend.AUTO,
) -> FlowReadings:
    """Cumulative volume delta and toxicity over each window.

    Parameters
    ----------
    times_ns: [n], never decreasing. quantities: [n], lots. sides: [n], 0 unknown, 1 buy, 2 sell.
    at_ns: [k], moments to read at, never decreasing; a reading holds all trades up to and at that time. None: after
        every trade, with the trades up to that row.

    Raises Rejected naming column and index.
    """
    times = as_integers("times_ns", times_ns)
    require_range("times_ns", times, 0, LARGEST_TIME)
    require_order("times_ns", times)
    lots = as_quantities("quantities", quantities, rows=len(times))
    codes = as_sides("sides", sides, rows=len(times))
    require_total("quantities", lots, 0)
    spans = require_sizes("windows_ns", windows_ns)
    moments = times if at_ns is None else as_integers("at_ns", at_ns)
    require_range("at_ns", moments, 0, LARGEST_TIME)
    require_order("at_ns", moments)
    on_gpu = all_on_gpu(times_ns=times, quantities=lots, sides=codes, at_ns=moments)
    chosen = choose_for(on_gpu, backend, has_kernels=on_gpu)
    xp = module_of(times)
    rows = xp.arange(1, len(times) + 1) if at_ns is None else xp.searchsorted(times, moments, side="right")
    ends: Integers = rows.astype(np.int64)
    sums: Integers = xp.empty((len(spans), 3, len(moments)), dtype=np.int64)
    compute = window_sums if chosen is Backend.CPU else _by_sums
    for row, span in enumerate(spans.tolist()):
        compute(times, lots, codes, moments, ends, span, sums[row])
    delta = sums[:, 0] - sums[:, 1]
    total = sums[:, 0] + sums[:, 1]
    toxicity = xp.where(total > 0, abs(delta) / xp.maximum(total, 1), np.nan)
    return FlowReadings(tuple(spans.tolist()), delta, toxicity, sums[:, 2].copy())


@entry("void(int64[::1], int64[::1], int8[::1], int64[::1], int64[::1], int64, int64[:, ::1])")
def window_sums(
    times_ns: Integers, lots: Integers, sides: Sides, moments: Integers, ends: Integers, span: int, out: Integers
) -> None:
    """Lots bought, sold and of unknown side among the rows before ``ends[k]`` later than ``moments[k] - span``."""
    bought = sold = unknown = 0
    start = end = 0
    for row in range(len(moments)):
        while end < ends[row]:
            bought += lots[end] if sides[end] == 1 else 0
            sold += lots[end] if sides[end] == 2 else 0
            unknown += lots[end] if sides[end] == 0 else 0
            end += 1
        while start < end and times_ns[start] <= moments[row] - span:
            bought -= lots[start] if sides[start] == 1 else 0
            sold -= lots[start] if sides[start] == 2 else 0
            unknown -= lots[start] if sides[start] == 0 else 0
            start += 1
        out[0, row] = bought
        out[1, row] = sold
        out[2, row] = unknown


def _by_sums(
    times_ns: Integers, lots: Integers, sides: Sides, moments: Integers, ends: Integers, span: int, out: Integers
) -> None:
    xp = module_of(times_ns)
    starts = xp.minimum(xp.searchsorted(times_ns, moments - span, side="right"), ends)
    for row, side in enumerate((1, 2, 0)):
        totals = xp.zeros(len(lots) + 1, dtype=np.int64)
        totals[1:] = xp.cumsum(xp.where(sides == side, lots, 0), dtype=np.int64)
        out[row] = totals[ends] - totals[starts]
