"""What followed rises of VPIN into its top part, for one series of buckets and all windows and parts of a grid.

The same lines run on NumPy and on CuPy arrays; what is no plain array operation is one of the ``GridTools``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from gpu.buckets import require_window, window_means
from gpu.classification import Classifier
from gpu.columns import Floats, Integers
from market.errors import Rejected
from market.native.kernel import entry

BILLION: Final = 1_000_000_000
"""Changes of price are kept as billionths of the price before, rounded down, so that sums are exact."""
LARGEST_CHANGE: Final = 2 * BILLION
"""Larger ones count as this."""
LARGEST_DIFFERENCE: Final = 1 << 31
"""Of two prices in ticks."""


class GridTools(Protocol):
    """What computes on the arrays of one device."""

    xp: Any

    def means(self, imbalances: Any, bucket_lots: int, window: int) -> Any:
        """float64[k], VPIN at every bucket; NaN for the first ``window - 1``."""

    def entry_sums(self, vpin: Any, changes: Any, first: int, thresholds: Any, usual: int) -> Integers:
        """int64[t, 4] per threshold: entries, those whose change is known, their sum, and how many are at most usual.

        VPIN is known from row ``first`` on; a change below 0 is not known.
        """


@dataclass(frozen=True, eq=False)
class BucketSeries:
    """The buckets of one classifier and size.

    Parameters
    ----------
    bought: int64[k], lots of each bucket bought by aggressors. times_ns, prices: int64[k], when each was complete, and
        the price then.
    """

    classifier: Classifier
    bucket_lots: int
    bought: Any
    times_ns: Any
    prices: Any

    @property
    def imbalances(self) -> Any:
        """int64[k], ``|B - S|`` in lots."""
        return abs(2 * self.bought - self.bucket_lots)


@dataclass(frozen=True, eq=False)
class PricePath:
    """The last price of every second that had trades and is over.

    Parameters
    ----------
    ends_ns, prices: int64[s], when the second was over, and its last price.
    """

    ends_ns: Any
    prices: Any

    def changes(self, xp: Any, series: BucketSeries, horizon_ns: int) -> Any:
        """int64[k], absolute change of price from each bucket until the horizon after it; -1 where it is not known.

        Raises Rejected for prices more than 2^31 ticks apart.
        """
        if not len(self.ends_ns) or not len(series.times_ns):
            return xp.full(len(series.times_ns), -1, dtype=np.int64)
        until = series.times_ns + horizon_ns
        rows = xp.searchsorted(self.ends_ns, until, side="right") - 1
        known = (rows >= 0) & (until <= self.ends_ns[-1])
        after = self.prices[xp.maximum(rows, 0)]
        apart = xp.where(known, xp.abs(after - series.prices), 0)
        if int(apart.max()) > LARGEST_DIFFERENCE:
            raise Rejected(f"prices differ by {int(apart.max())} ticks: a grid takes at most 2^31, use larger ticks")
        changes = xp.minimum(apart * BILLION // series.prices, LARGEST_CHANGE)
        return xp.where(known, changes, -1)


@dataclass(frozen=True)
class Judgement:
    """What one parameter set found.

    Parameters
    ----------
    threshold: VPIN from which on the top part begins; NaN when none is known. entered: how often VPIN rose to it.
    judged: those of them after which the price is known until the horizon. change_sum: of their changes, billionths.
    usual: mean change after all buckets, billionths, rounded down. false_alarms: judged ones followed by at most that.
    """

    window: int
    top_part: float
    buckets: int
    threshold: float
    entered: int
    judged: int
    change_sum: int
    usual: int
    false_alarms: int

    @property
    def mean_change(self) -> float:
        """Mean change after an entry as a part of the price; NaN without one."""
        return self.change_sum / self.judged / BILLION if self.judged else float("nan")


def judge(
    tools: GridTools,
    series: BucketSeries,
    path: PricePath,
    windows: Sequence[int],
    top_parts: Sequence[float],
    horizon_ns: int,
) -> list[Judgement]:
    """Judge every window and top part, windows outermost.

    The threshold of a part p is the value that at most ``floor(p m)`` of the m known ones lie above. VPIN enters where
    it is at least that and was not at the bucket before; the first known one enters nothing.
    """
    xp, count, imbalances = tools.xp, len(series.bought), series.imbalances
    changes = path.changes(xp, series, horizon_ns)
    followed = changes >= 0
    number = int(followed.sum())
    usual = int(xp.where(followed, changes, 0).sum()) // number if number else 0
    found = []
    for window in windows:
        require_window(series.bucket_lots, window)
        known = count - window + 1
        if known < 1:
            none = (float("nan"), 0, 0, 0, usual, 0)
            found += [Judgement(window, part, count, *none) for part in top_parts]
            continue
        vpin = tools.means(imbalances, series.bucket_lots, window)
        # Numbers from 0 on are in the order of their bits, and integers are what devices sort fastest.
        ordered = xp.sort(vpin[window - 1 :].view(np.int64))
        places = xp.asarray([known - 1 - int(part * known) for part in top_parts])
        thresholds = ordered[places].view(np.float64)
        sums = tools.entry_sums(vpin, changes, window - 1, thresholds, usual)
        levels: Floats = np.asarray(thresholds.get() if hasattr(thresholds, "get") else thresholds)
        for part, level, (entered, judged, total, alarms) in zip(
            top_parts, levels.tolist(), sums.tolist(), strict=True
        ):
            found.append(Judgement(window, part, count, level, entered, judged, total, usual, alarms))
    return found


class CompiledTools:
    """The tools on the CPU, compiled."""

    xp: Any = np

    def means(self, imbalances: Integers, bucket_lots: int, window: int) -> Floats:
        """float64[k], VPIN at every bucket; NaN for the first ``window - 1``."""
        return window_means(imbalances, bucket_lots, window, len(imbalances))

    def entry_sums(self, vpin: Floats, changes: Integers, first: int, thresholds: Floats, usual: int) -> Integers:
        """int64[t, 4], as ``GridTools`` says."""
        sums: Integers = np.zeros((len(thresholds), 4), dtype=np.int64)
        for row, threshold in enumerate(thresholds.tolist()):
            sum_entries(vpin, changes, first, threshold, usual, sums[row])
        return sums


@entry("void(float64[::1], int64[::1], int64, float64, int64, int64[::1])")
def sum_entries(vpin: Floats, changes: Integers, first: int, threshold: float, usual: int, sums: Integers) -> None:
    """Add up what followed rises of VPIN to a threshold, the first known one in row ``first``."""
    for row in range(first + 1, len(vpin)):
        if vpin[row] < threshold or vpin[row - 1] >= threshold:
            continue
        sums[0] += 1
        if changes[row] >= 0:
            sums[1] += 1
            sums[2] += changes[row]
            sums[3] += changes[row] <= usual
