"""VPIN, the volume-synchronised probability of informed trading.

``VPIN = sum over the last n buckets of |B - S| / (n * V)``: Easley, López de Prado and O'Hara, "Flow Toxicity and
Liquidity in a High-Frequency World", Review of Financial Studies 25(5), 2012. Every bucket holds
exactly V lots of classified volume; a trade that crosses a bucket's edge is split there. B and S come from the
trade's flag, else from the quote rule, in place of the paper's bulk classification. Trades of unknown aggressor
fill no bucket and are summed beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.signals.admission import admit_trade
from market.signals.layout import HEADER, LARGEST_QUANTITY, NAN, Rows, Words, as_rows, require
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL

BUCKET_LOTS: Final = HEADER
BUCKETS: Final = HEADER + 1
BOUGHT: Final = HEADER + 2
"""Lots bought in the open bucket."""
SOLD: Final = HEADER + 3
IMBALANCE_SUM: Final = HEADER + 4
"""Sum of ``|B - S|`` over the last n complete buckets, fewer at the start."""
COMPLETED: Final = HEADER + 5
"""Buckets completed since the start."""
UNKNOWN_LOTS: Final = HEADER + 6
_RING: Final = HEADER + 8

_MOST_BUCKETS: Final = 4096


@dataclass(frozen=True, kw_only=True)
class VpinSettings:
    """Settings of VPIN.

    Parameters
    ----------
    bucket_lots: volume V of a bucket.
    buckets: n, how many buckets the mean is over; at most 4,096.
    """

    bucket_lots: int
    buckets: int = 50

    def __post_init__(self) -> None:
        require("VPIN bucket_lots", self.bucket_lots, 1, LARGEST_QUANTITY)
        require("VPIN buckets", self.buckets, 1, _MOST_BUCKETS)


def new_state(settings: VpinSettings) -> Words:
    """State before the first bucket."""
    state = np.zeros(_RING + settings.buckets, dtype=np.int64)
    state[BUCKET_LOTS] = settings.bucket_lots
    state[BUCKETS] = settings.buckets
    return state


@inline
def _complete(state: int, difference: int) -> None:
    """Put a complete bucket's |B - S| in the place of the one n buckets ago."""
    completed = get(state, COMPLETED)
    slot = _RING + completed % get(state, BUCKETS)
    put(state, IMBALANCE_SUM, get(state, IMBALANCE_SUM) - get(state, slot) + difference)
    put(state, slot, difference)
    put(state, COMPLETED, completed + 1)


@part
def vpin_trade(state: int, quantity: int, aggressor: int) -> None:
    """Take an admitted trade. At most n + 1 steps, however many buckets it fills."""
    if aggressor == AGGRESSOR_NONE:
        put(state, UNKNOWN_LOTS, get(state, UNKNOWN_LOTS) + quantity)
        return
    side = BOUGHT if aggressor == AGGRESSOR_BUY else SOLD
    volume = get(state, BUCKET_LOTS)
    room = volume - get(state, BOUGHT) - get(state, SOLD)
    if quantity < room:
        put(state, side, get(state, side) + quantity)
        return
    put(state, side, get(state, side) + room)
    _complete(state, abs(get(state, BOUGHT) - get(state, SOLD)))
    rest = quantity - room
    whole = rest // volume
    # Buckets filled by one trade alone are all equal: beyond n of them only the count changes.
    repeated = min(whole, get(state, BUCKETS))
    put(state, COMPLETED, get(state, COMPLETED) + whole - repeated)
    for _ in range(repeated):
        _complete(state, volume)
    put(state, BOUGHT, 0)
    put(state, SOLD, 0)
    put(state, side, rest - whole * volume)


@inline
def vpin(state: int) -> float:
    """Mean ``|B - S| / V`` of the last n buckets; NaN until n are complete."""
    buckets = get(state, BUCKETS)
    if get(state, COMPLETED) < buckets:
        return NAN
    return get(state, IMBALANCE_SUM) / (buckets * get(state, BUCKET_LOTS))


@entry("void(int64[::1], int64[:, ::1], int64[:, ::1])")
def vpin_batch(state: Words, trades: Rows, out: Rows) -> None:
    """Take trades (price, quantity, aggressor); ``out`` gets (sum of |B - S|, buckets completed) after each."""
    base = address_of(state)
    for index in range(len(trades)):
        if admit_trade(base, trades[index, 0], trades[index, 1], trades[index, 2]):
            vpin_trade(base, trades[index, 1], trades[index, 2])
        out[index, 0] = get(base, IMBALANCE_SUM)
        out[index, 1] = get(base, COMPLETED)


def bucket_imbalances(quantities: Words, aggressors: Words, bucket_lots: int) -> Words:
    """``|B - S|`` of every complete bucket, from whole arrays of possible trades.

    Cumulative bought volume is read off at the bucket edges of cumulative volume: between two trades it grows
    with the volume or not at all. Exact below 2^63 lots altogether.
    """
    known = (aggressors == AGGRESSOR_BUY) | (aggressors == AGGRESSOR_SELL)
    lots, bought = quantities[known], np.where(aggressors[known] == AGGRESSOR_BUY, quantities[known], 0)
    volume = np.concatenate(([0], np.cumsum(lots, dtype=np.int64)))
    bought_volume = np.concatenate(([0], np.cumsum(bought, dtype=np.int64)))
    edges = np.arange(0, volume[-1] + 1, bucket_lots, dtype=np.int64)
    before = np.searchsorted(volume, edges, side="right") - 1
    inside = edges - volume[before]
    grows = np.append(bought, 0)[before] > 0
    bought_in_bucket = np.diff(bought_volume[before] + np.where(grows, inside, 0))
    imbalances: Words = np.abs(2 * bought_in_bucket - bucket_lots)
    return imbalances


def imbalance_sums(imbalances: Words, buckets: int) -> Words:
    """Sum over the last n buckets, one for each bucket from the n-th on: ``IMBALANCE_SUM`` as it was then."""
    totals = np.concatenate(([0], np.cumsum(imbalances, dtype=np.int64)))
    sums: Words = totals[buckets:] - totals[:-buckets] if len(imbalances) >= buckets else totals[:0]
    return sums


class Vpin:
    """VPIN, for the slow loop."""

    def __init__(self, settings: VpinSettings) -> None:
        self.settings = settings
        self.state = new_state(settings)

    def update(self, trades: Rows) -> Rows:
        """Take int64[n, 3] trades (price, quantity, aggressor); returns int64[n, 2] as ``vpin_batch``."""
        rows = as_rows("trades", trades, 3)
        out = np.zeros((len(rows), 2), dtype=np.int64)
        vpin_batch(self.state, rows, out)
        return out

    @property
    def value(self) -> float:
        """VPIN as of the last trade; NaN until n buckets are complete."""
        if self.state[COMPLETED] < self.settings.buckets:
            return NAN
        return int(self.state[IMBALANCE_SUM]) / (self.settings.buckets * self.settings.bucket_lots)
