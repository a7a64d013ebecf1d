"""What follows when VPIN rises into its top part: changes of price, volatility, and what following the flow earned.

The question of Easley, López de Prado and O'Hara (2012). The threshold is a quantile of the whole sample unless the
ranks say otherwise, so a study describes a sample and is no trading rule.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from gpu.arrays import all_on_gpu, on_host
from gpu.columns import Floats, Integers, as_integers, require_order, require_range
from gpu.device import require_gpu
from market.errors import Rejected
from market.signals.layout import LARGEST_PRICE, SECOND_NS


@dataclass(frozen=True)
class EventStudy:
    """What followed each entry of VPIN into its top part, beside what followed any bucket.

    Parameters
    ----------
    threshold: from which on the top part begins; NaN when no VPIN is known.
    entered: int64[e], buckets at which it was entered. changes: float64[e], relative change of price over the horizon
        after them. volatilities: float64[e], square root of the sum of squared logarithmic returns, step by step of the
        horizon. earnings: float64[e], the change in the direction in which the flow of the entering bucket went,
        before costs; 0 where that bucket was balanced.
    usual_changes, usual_volatilities: float64[m], the same after every bucket with a known VPIN.

    Buckets whose horizon ends after the last price are left out.
    """

    threshold: float
    entered: Integers
    changes: Floats
    volatilities: Floats
    earnings: Floats
    usual_changes: Floats
    usual_volatilities: Floats

    @property
    def change_ratio(self) -> float:
        """Mean absolute change after entries over the usual one; NaN without either."""
        return _ratio(abs(self.changes), abs(self.usual_changes))

    @property
    def volatility_ratio(self) -> float:
        """Mean volatility after entries over the usual one; NaN without either."""
        return _ratio(self.volatilities, self.usual_volatilities)

    @property
    def mean_earning(self) -> float:
        """Mean earning of following the flow; NaN without an entry."""
        return float(self.earnings.mean()) if len(self.earnings) else float("nan")


def _ratio(values: Floats, usual: Floats) -> float:
    mean = float(usual.mean()) if len(usual) else 0.0
    return float(values.mean()) / mean if len(values) and mean > 0.0 else float("nan")


def study_entries(
    times_ns: ArrayLike,
    vpin: ArrayLike,
    imbalances: ArrayLike,
    price_times_ns: ArrayLike,
    prices: ArrayLike,
    *,
    top_part: float = 0.1,
    horizon_ns: int = 300 * SECOND_NS,
    steps: int = 30,
    ranks: ArrayLike | None = None,
) -> EventStudy:
    """Study entries of VPIN into its top part.

    Parameters
    ----------
    times_ns, vpin, imbalances: [k], of every bucket: when it was complete, VPIN (NaN where not known) and B - S.
    price_times_ns, prices: [n], every price and its time, never decreasing; the price at a time is the last one of at
        most that time.
    top_part: of the sample, above 0 and below 1. steps: into which the horizon is divided for the volatility.
    ranks: [k], the empirical distribution function of VPIN, for example of the past only; then the top part is where a
        rank is above ``1 - top_part``. None: where VPIN is at least that quantile of the sample.

    A bucket enters when it is in the top part and the last one with a known VPIN was not; the first enters nothing.
    Columns on a GPU are studied on the host and give a study on the GPU. Raises Rejected for impossible columns or
    parameters.
    """
    _require(top_part, horizon_ns, steps)
    columns = {"times_ns": times_ns, "vpin": vpin, "imbalances": imbalances, "ranks": ranks}
    if all_on_gpu(**columns, price_times_ns=price_times_ns, prices=prices):
        host = [on_host(column) for column in (times_ns, vpin, imbalances, price_times_ns, prices)]
        there = None if ranks is None else on_host(ranks)
        study = study_entries(*host, top_part=top_part, horizon_ns=horizon_ns, steps=steps, ranks=there)
        xp = require_gpu()
        arrays = (getattr(study, each.name) for each in fields(study)[1:])
        return EventStudy(study.threshold, *(xp.asarray(array) for array in arrays))
    times, trade_times = as_integers("times_ns", times_ns), as_integers("price_times_ns", price_times_ns)
    require_order("times_ns", times)
    require_order("price_times_ns", trade_times)
    path = as_integers("prices", prices, rows=len(trade_times))
    require_range("prices", path, 1, LARGEST_PRICE)
    values = np.asarray(vpin, dtype=np.float64)
    flow = as_integers("imbalances", imbalances, rows=len(times))
    if values.shape != times.shape:
        raise Rejected(f"vpin must have shape {times.shape}, was {values.shape}")
    known = np.flatnonzero(np.isfinite(values))
    threshold = float(np.quantile(values[known], 1.0 - top_part)) if len(known) else float("nan")
    by_rank = ranks is not None
    high = np.asarray(ranks, dtype=np.float64)[known] > 1.0 - top_part if by_rank else values[known] >= threshold
    enters = high & ~np.concatenate(([True], high[:-1]))[: len(high)]
    whole = _whole(times[known], horizon_ns, trade_times)
    moves = _Moves(times[known[whole]], trade_times, path, horizon_ns, steps)
    chosen = enters[whole]
    return EventStudy(
        threshold,
        known[whole][chosen],
        moves.changes[chosen],
        moves.volatilities[chosen],
        (np.sign(flow[known[whole]]) * moves.changes)[chosen],
        moves.changes,
        moves.volatilities,
    )


def _require(top_part: float, horizon_ns: int, steps: int) -> None:
    if not 0.0 < top_part < 1.0:
        raise Rejected(f"top_part was {top_part!r}: must be above 0 and below 1")
    if horizon_ns < 1 or not 1 <= steps <= horizon_ns:
        raise Rejected(
            f"horizon_ns was {horizon_ns} in {steps} steps: must be at least 1 ns for each of at least 1 step"
        )


def _whole(times: Integers, horizon_ns: int, price_times: Integers) -> Integers:
    """Rows whose horizon lies within the prices."""
    if not len(price_times):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero((times >= price_times[0]) & (times + horizon_ns <= price_times[-1]))


class _Moves:
    """Changes and volatilities over the horizon after some times."""

    def __init__(self, times: Integers, price_times: Integers, path: Integers, horizon_ns: int, steps: int) -> None:
        edges = [horizon_ns * step // steps for step in range(steps + 1)]
        first = before = self._at(times, price_times, path)
        squares = np.zeros(len(times))
        for edge in edges[1:]:
            after = self._at(times + edge, price_times, path)
            squares += np.log(after / before) ** 2
            before = after
        self.changes: Floats = before / first - 1.0
        self.volatilities: Floats = np.sqrt(squares)

    def _at(self, times: Integers, price_times: Integers, path: Integers) -> Floats:
        return path[np.searchsorted(price_times, times, side="right") - 1].astype(np.float64)
