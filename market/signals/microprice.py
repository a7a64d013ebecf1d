"""Prices that lean towards the thin side of the book.

``bid + spread * bid_size / (bid_size + ask_size)``: the weighted mid-price of Stoikov, "The Micro-Price: A
High-Frequency Estimator of Future Prices", Quantitative Finance 18(12), 2018.

The volume-adjusted mid price (VAMP) of Martin, Line, Feng, Yang, Zheng, Qi and Zhu, "Mind the Gaps: Short-Term
Crypto Price Prediction", 2022, puts for best price and size of each side the volume-weighted price and the volume
down to a depth: N levels, a percentage of the mid, or a notional value. At one level it is the microprice.
"""

from __future__ import annotations

import numpy as np

from market.native.kernel import entry, inline
from market.native.memory import address_of
from market.signals.admission import admit_top
from market.signals.layout import HEADER, NAN, Rows, Values, Words, as_rows, new_values


@inline
def weighted_mid(bid: float, bid_lots: int, ask: float, ask_lots: int) -> float:
    """``bid + (ask - bid) * bid_lots / (bid_lots + ask_lots)`` in ticks; NaN when both sizes are 0."""
    total = bid_lots + ask_lots
    return bid + (ask - bid) * bid_lots / total if total > 0 else NAN


@inline
def vamp(
    best_bid: int,
    bid_lots: int,
    bid_offset: int,
    best_ask: int,
    ask_lots: int,
    ask_offset: int,
) -> float:
    """Volume-adjusted mid price in ticks; NaN when a side has no volume.

    A side's offset is the sum of ``lots * |tick - best|`` over its volume, so its mean price is best -+ offset / lots.
    """
    if bid_lots <= 0 or ask_lots <= 0:
        return NAN
    return weighted_mid(best_bid - bid_offset / bid_lots, bid_lots, best_ask + ask_offset / ask_lots, ask_lots)


def new_state() -> Words:
    """The admission header alone: the microprice remembers nothing."""
    return np.zeros(HEADER, dtype=np.int64)


@entry("void(int64[::1], int64[:, ::1], float64[:, ::1])")
def microprice_batch(state: Words, tops: Rows, out: Values) -> None:
    """Microprice in ticks of each row (bid, bid quantity, ask, ask quantity) into ``out[n, 1]``; NaN if refused."""
    for index in range(len(tops)):
        out[index, 0] = NAN
        if admit_top(address_of(state), tops[index, 0], tops[index, 1], tops[index, 2], tops[index, 3]):
            bid = float(tops[index, 0])
            out[index, 0] = weighted_mid(bid, tops[index, 1], float(tops[index, 2]), tops[index, 3])


class Microprice:
    """Microprice of the top of book, for the slow loop."""

    def __init__(self) -> None:
        self.state = new_state()

    def update(self, tops: Rows) -> Values:
        """Take int64[n, 4] rows (bid, bid quantity, ask, ask quantity); returns float64[n, 1] in ticks."""
        rows = as_rows("tops", tops, 4)
        out = new_values(len(rows), 1)
        microprice_batch(self.state, rows, out)
        return out
