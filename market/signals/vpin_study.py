"""Does a high VPIN come before large moves? Price changes after VPIN enters its top part, over whole arrays.

The study of Easley, López de Prado and O'Hara, "Flow Toxicity and Liquidity in a High-Frequency World", Review of
Financial Studies 25(5), 2012, asks how returns are distributed after high VPIN. The threshold is a quantile
of the whole sample, so this describes a sample and is no trading rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market.errors import Rejected
from market.signals.layout import SECOND_NS, Words


@dataclass(frozen=True)
class VpinStudy:
    """What followed each time that VPIN rose into its top part.

    ``threshold`` is the VPIN from which on the top part begins, ``entered`` int64[k] the rows where it was entered,
    ``changes`` float64[k] the mid's relative change over the horizon after them, ``usual`` float64[m] the same after
    every row with a known VPIN. Rows whose horizon ends after the last one are left out.
    """

    threshold: float
    entered: Words
    changes: NDArray[np.float64]
    usual: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """Mean absolute change after entries over the usual one; NaN without entries or when nothing ever moves."""
        usual = float(np.abs(self.usual).mean()) if len(self.usual) else 0.0
        return float(np.abs(self.changes).mean()) / usual if len(self.changes) and usual > 0.0 else float("nan")


def changes_after_high_vpin(
    times_ns: Words,
    vpin: NDArray[np.float64],
    mids: NDArray[np.float64],
    *,
    top_part: float = 0.1,
    horizon_ns: int = 300 * SECOND_NS,
) -> VpinStudy:
    """Study rows of (time, VPIN, mid), ordered by time, NaN where a VPIN or mid is not known.

    A row enters the top part when its VPIN is at or above the threshold and the last known one before it was below; the
    first row enters nothing.
    The mid at the horizon is that of the last row of at most that time. Raises Rejected without a known VPIN.
    """
    known = np.isfinite(vpin) & np.isfinite(mids)
    times, values, prices = times_ns[known], vpin[known], mids[known]
    if len(values) == 0:
        raise Rejected("no row has both a VPIN and a mid: the sample must hold more than the mean's volume buckets")
    threshold = float(np.quantile(values, 1.0 - top_part))
    high = values >= threshold
    whole = times + horizon_ns <= times[-1]
    later = prices[np.searchsorted(times, times + horizon_ns, side="right") - 1]
    changes = later / prices - 1.0
    enters = high & ~np.concatenate(([True], high[:-1])) & whole
    return VpinStudy(threshold, np.flatnonzero(known)[enters], changes[enters], changes[whole])
