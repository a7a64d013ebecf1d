"""How much volume a classifier gives the side that the venue's own flag gives it."""

from __future__ import annotations

import numpy as np

from gpu.bars import bought_of_bars, price_changes, reference_bars
from gpu.bucket_scan import volume_buckets
from gpu.classification import Bulk, Classifier, TimeBars
from gpu.columns import Integers, Sides, Trades, require_host
from gpu.trade_sides import classify
from gpu.vpin import with_sigma
from market.errors import Rejected


def agreement(trades: Trades, classifier: Classifier) -> float:
    """Part of the volume that gets the flag's side, 0..1; NaN without volume.

    A rule is compared trade by trade; what it leaves unknown does not agree. A bulk classification of a bar agrees in
    ``min(V_B, B) + min(V_S, S)`` lots at best: it says how much was bought, not which trades; bars without a change are
    left out. Raises Rejected unless every trade has a flag.
    """
    require_host("agreement", trades)
    flags = trades.aggressors
    if flags is None or (flags == 0).any():
        raise Rejected("agreement needs aggressors: every trade must have the venue's flag to compare with")
    if not isinstance(classifier, Bulk):
        lots = np.where(classify(trades, classifier) == flags, trades.quantities, 0)
        return _part(lots, trades.quantities)
    known = with_sigma(classifier, trades)
    assert isinstance(known, Bulk)
    assert known.sigma_ticks is not None
    bars = reference_bars(trades, known.bars)
    changes = price_changes(bars.prices, None)
    bought = bought_of_bars(changes, bars.volumes[1:], known, known.sigma_ticks)
    flagged = _flagged(trades, flags, known)[: len(bars)][1:]
    volumes = bars.volumes[1:]
    return _part(np.minimum(bought, flagged) + np.minimum(volumes - bought, volumes - flagged), volumes)


def _flagged(trades: Trades, flags: Sides, bulk: Bulk) -> Integers:
    """Lots of every bar that were bought by the flag."""
    if not isinstance(bulk.bars, TimeBars):
        [buckets] = volume_buckets(trades.quantities, flags, [bulk.bars.lots])
        return buckets.bought
    starts = np.flatnonzero(np.diff(trades.times_ns // bulk.bars.interval_ns, prepend=-1))
    flagged: Integers = np.add.reduceat(np.where(flags == 1, trades.quantities, 0), starts) if len(starts) else starts
    return flagged


def _part(lots: Integers, volumes: Integers) -> float:
    total = float(volumes.sum(dtype=np.float64))
    return float(lots.sum(dtype=np.float64)) / total if total else float("nan")
