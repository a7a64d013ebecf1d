"""Depth, slope, and imbalance and VAMP over depth: what one walk over a book says.

Slope of a side: Næs and Skjeltorp, "Order Book Characteristics and the Volume-Volatility Relation: Empirical Evidence
from a Limit Order Market", Journal of Financial Markets 9(4), 2006, the mean elasticity over the levels,

``SLOPE = (1 / N) * { v_1 / |p_1/p_0 - 1| + sum over k of (v_{k+1}/v_k - 1) / |p_{k+1}/p_k - 1| }``

with p_0 the mid, p_k the k-th best price and v_k the logarithm of the lots down to it. The book's slope is the mean of
both sides'. It depends on the lot through the logarithm, and there is none while v_k is 0 (a single lot).

Depth within x basis points of the mid is ``sum of lots`` over ``|tick - mid| <= mid * x / 10^4``.
"""

from __future__ import annotations

from enum import IntEnum
from math import log

import numpy as np

from market.errors import Rejected
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get
from market.signals.imbalance import imbalance
from market.signals.layout import NAN, Rows, Values, Words, new_values
from market.signals.microprice import vamp
from market.signals.profile import (
    BAND_LOTS,
    BAND_OFFSET,
    BANDS,
    BEST,
    CUMULATIVE,
    KNOWN,
    LEVEL_COUNT,
    LEVEL_LOTS,
    LEVEL_OFFSET,
    MOST_BANDS,
    NOTIONAL,
    NOTIONAL_LEFT,
    NOTIONAL_LOTS,
    NOTIONAL_OFFSET,
    TICKS,
    ProfileSettings,
    ask_profile,
    bid_profile,
    new_state,
    profile_rows,
)


class DepthValue(IntEnum):
    """Columns of the readings; prices in ticks, depths in lots; NaN without a book or for an unused band."""

    LEVEL_IMBALANCE = 0
    """Imbalance over the best N levels."""
    VAMP_LEVELS = 1
    VAMP_BAND = 2
    """Down to the first band."""
    VAMP_NOTIONAL = 3
    """NaN when a side does not hold the notional value."""
    BID_SLOPE = 4
    ASK_SLOPE = 5
    SLOPE = 6
    BID_DEPTH_1 = 7
    BID_DEPTH_2 = 8
    BID_DEPTH_3 = 9
    BID_DEPTH_4 = 10
    ASK_DEPTH_1 = 11
    ASK_DEPTH_2 = 12
    ASK_DEPTH_3 = 13
    ASK_DEPTH_4 = 14


WIDTH = len(DepthValue)


@inline
def _vamp_to(state: int, lots: int, offset: int) -> float:
    """VAMP from the given words of both sides."""
    bid = bid_profile(state)
    ask = ask_profile(state)
    return vamp(get(bid, BEST), get(bid, lots), get(bid, offset), get(ask, BEST), get(ask, lots), get(ask, offset))


@part
def side_slope(side: int, doubled_mid: int) -> float:
    """Slope of one side over its first N levels; NaN without a level or while a logarithm is 0."""
    count = get(side, LEVEL_COUNT)
    if count == 0 or get(side, CUMULATIVE) == 1:
        return NAN
    volume = log(get(side, CUMULATIVE))
    total = volume * doubled_mid / abs(2 * get(side, TICKS) - doubled_mid)
    for level in range(1, count):
        deeper = log(get(side, CUMULATIVE + level))
        before = get(side, TICKS + level - 1)
        total += (deeper / volume - 1.0) * before / abs(get(side, TICKS + level) - before)
        volume = deeper
    return total / count


@part
def read_depth(state: int, out: Values, row: int, column: int) -> None:
    """Write the readings of a profile into a row, from a column on."""
    for value in range(WIDTH):
        out[row, column + value] = NAN
    if get(state, KNOWN) == 0:
        return
    bid = bid_profile(state)
    ask = ask_profile(state)
    out[row, column] = imbalance(get(bid, LEVEL_LOTS), get(ask, LEVEL_LOTS))
    out[row, column + 1] = _vamp_to(state, LEVEL_LOTS, LEVEL_OFFSET)
    if get(state, BANDS) > 0:
        out[row, column + 2] = _vamp_to(state, BAND_LOTS, BAND_OFFSET)
    if get(state, NOTIONAL) > 0 and get(bid, NOTIONAL_LEFT) == 0 and get(ask, NOTIONAL_LEFT) == 0:
        out[row, column + 3] = _vamp_to(state, NOTIONAL_LOTS, NOTIONAL_OFFSET)
    doubled_mid = get(bid, BEST) + get(ask, BEST)
    out[row, column + 4] = side_slope(bid, doubled_mid)
    out[row, column + 5] = side_slope(ask, doubled_mid)
    out[row, column + 6] = (out[row, column + 4] + out[row, column + 5]) / 2.0
    for band in range(get(state, BANDS)):
        out[row, column + 7 + band] = get(bid, BAND_LOTS + band)
        out[row, column + 7 + MOST_BANDS + band] = get(ask, BAND_LOTS + band)


@entry("void(int64[::1], int64[:, :, ::1], int64[:, :, ::1], float64[:, ::1])")
def depth_batch(state: Words, bids: Words, asks: Words, out: Values) -> None:
    """Readings of n books given as rows; ``bids`` and ``asks`` are int64[n, m, 2] as in ``Depth.update``."""
    levels = bids.shape[1]
    for index in range(len(bids)):
        first = 16 * levels * index
        profile_rows(address_of(state), address_of(bids) + first, address_of(asks) + first, levels)
        read_depth(address_of(state), out, index, 0)


class Depth:
    """Depth signals of books given as rows, for the slow loop."""

    def __init__(self, settings: ProfileSettings) -> None:
        self.state = new_state(settings)

    def update(self, bids: Rows, asks: Rows) -> Values:
        """Take int64[n, m, 2] levels (tick, lots) of each side, best first, quantity 0 after the last.

        Returns float64[n, 15] as ``DepthValue``; raises Rejected for other or unequal shapes.
        """
        if bids.shape != asks.shape or bids.ndim != 3 or bids.shape[2] != 2:
            raise Rejected(f"bids and asks must both be of shape (n, m, 2), were {bids.shape} and {asks.shape}")
        out = new_values(len(bids), WIDTH)
        depth_batch(
            self.state, np.ascontiguousarray(bids, dtype=np.int64), np.ascontiguousarray(asks, dtype=np.int64), out
        )
        return out
