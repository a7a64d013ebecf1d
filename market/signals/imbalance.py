"""Order book imbalance, from -1 (only asks) to 1 (only bids).

``(V_bid - V_ask) / (V_bid + V_ask)``: Gould and Bonart, "Queue Imbalance as a One-Tick-Ahead Price Predictor in a
Limit Order Book", Market Microstructure and Liquidity 2(2), 2016, for the best queues; with sums over the best N
levels: Cao, Hansch and Wang, "The Information Content of an Open Limit-Order Book", Journal of Futures Markets
29(1), 2009. The sums over N levels come from ``profile``.
"""

from __future__ import annotations

import numpy as np

from market.native.kernel import entry, inline
from market.native.memory import address_of
from market.signals.admission import admit_top
from market.signals.layout import HEADER, NAN, Rows, Values, Words, as_rows, new_values


@inline
def imbalance(bid_lots: int, ask_lots: int) -> float:
    """Imbalance of two sums of lots; NaN when both are 0."""
    total = bid_lots + ask_lots
    return (bid_lots - ask_lots) / total if total > 0 else NAN


def new_state() -> Words:
    """The admission header alone: the imbalance of the best queues remembers nothing."""
    return np.zeros(HEADER, dtype=np.int64)


@entry("void(int64[::1], int64[:, ::1], float64[:, ::1])")
def imbalance_batch(state: Words, tops: Rows, out: Values) -> None:
    """Imbalance of each row (bid, bid quantity, ask, ask quantity) into ``out[n, 1]``; NaN for a refused row."""
    for index in range(len(tops)):
        out[index, 0] = NAN
        if admit_top(address_of(state), tops[index, 0], tops[index, 1], tops[index, 2], tops[index, 3]):
            out[index, 0] = imbalance(tops[index, 1], tops[index, 3])


class TopImbalance:
    """Imbalance of the best bid and ask, for the slow loop."""

    def __init__(self) -> None:
        self.state = new_state()

    def update(self, tops: Rows) -> Values:
        """Take int64[n, 4] rows (bid, bid quantity, ask, ask quantity); returns float64[n, 1]."""
        rows = as_rows("tops", tops, 4)
        out = new_values(len(rows), 1)
        imbalance_batch(self.state, rows, out)
        return out
