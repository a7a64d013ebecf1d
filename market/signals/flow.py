"""Cumulative volume delta and trade-flow toxicity over a time window.

``CVD = B - S`` and ``toxicity = |B - S| / (B + S)``, B and S being the lots bought and sold by aggressors in the
window. The ratio is one bucket of VPIN (Easley, López de Prado and O'Hara, "Flow Toxicity and Liquidity in a
High-Frequency World", Review of Financial Studies 25(5), 2012) with time in the place of volume.
Volume without a known aggressor counts for neither side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from market.native.kernel import entry, inline
from market.native.memory import address_of, get, put
from market.signals.admission import admit_time, admit_trade
from market.signals.layout import HEADER, NAN, SECOND_NS, Rows, Values, Words, as_rows, new_values
from market.signals.window import expire, push, require_window, start_window, window_sum, window_words
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL

CVD_TOTAL: Final = HEADER
"""Bought minus sold lots since the start."""
WINDOW: Final = HEADER + 2
_BOUGHT: Final = 0
_SOLD: Final = 1
_UNKNOWN: Final = 2


class FlowValue(IntEnum):
    """Columns of the readings."""

    CVD = 0
    TOXICITY = 1
    UNKNOWN_LOTS = 2
    """Lots in the window whose aggressor is not known."""


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """Settings of the trade flow.

    Parameters
    ----------
    window_ns: length of the window.
    capacity: trades that it holds, a power of two; beyond that the oldest leave early, counted as overflows.
    """

    window_ns: int = 60 * SECOND_NS
    capacity: int = 32768

    def __post_init__(self) -> None:
        require_window("flow", self.window_ns, self.capacity)


def new_state(settings: FlowSettings) -> Words:
    """State without a trade."""
    state = np.zeros(WINDOW + window_words(settings.capacity), dtype=np.int64)
    start_window(state[WINDOW:], settings.window_ns, settings.capacity)
    return state


@inline
def flow_window(state: int) -> int:
    """Address of the window."""
    return state + 8 * WINDOW


@inline
def flow_trade(state: int, quantity: int, aggressor: int, now: int) -> None:
    """Take an admitted trade."""
    bought = quantity if aggressor == AGGRESSOR_BUY else 0
    sold = quantity if aggressor == AGGRESSOR_SELL else 0
    push(flow_window(state), now, bought, sold, quantity - bought - sold, 0)
    put(state, CVD_TOTAL, get(state, CVD_TOTAL) + bought - sold)


@inline
def flow_time(state: int, now: int) -> None:
    """Let old trades leave the window."""
    expire(flow_window(state), now)


@inline
def cvd(state: int) -> int:
    """Bought minus sold lots in the window."""
    return window_sum(flow_window(state), _BOUGHT) - window_sum(flow_window(state), _SOLD)


@inline
def toxicity(state: int) -> float:
    """``|B - S| / (B + S)`` of the window; NaN without classified volume."""
    total = window_sum(flow_window(state), _BOUGHT) + window_sum(flow_window(state), _SOLD)
    return abs(cvd(state)) / total if total > 0 else NAN


@inline
def unknown_lots(state: int) -> int:
    """Lots in the window whose aggressor is not known."""
    return window_sum(flow_window(state), _UNKNOWN)


@entry("void(int64[::1], int64[:, ::1], float64[:, ::1])")
def flow_batch(state: Words, trades: Rows, out: Values) -> None:
    """Take trades (time, price, quantity, aggressor); ``out[n, 3]`` gets the readings after each."""
    base = address_of(state)
    for index in range(len(trades)):
        now = admit_time(base, trades[index, 0])
        flow_time(base, now)
        if admit_trade(base, trades[index, 1], trades[index, 2], trades[index, 3]):
            flow_trade(base, trades[index, 2], trades[index, 3], now)
        out[index, 0] = cvd(base)
        out[index, 1] = toxicity(base)
        out[index, 2] = unknown_lots(base)


class Flow:
    """Cumulative volume delta and toxicity, for the slow loop."""

    def __init__(self, settings: FlowSettings) -> None:
        self.state = new_state(settings)

    def update(self, trades: Rows) -> Values:
        """Take int64[n, 4] trades (time, price, quantity, aggressor); returns float64[n, 3] as ``FlowValue``."""
        rows = as_rows("trades", trades, 4)
        out = new_values(len(rows), len(FlowValue))
        flow_batch(self.state, rows, out)
        return out
