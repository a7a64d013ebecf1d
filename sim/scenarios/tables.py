"""Quantiles of sizes, distances and delays, by USD-M Bitcoin as it was recorded on 2024-08-08."""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.scenarios.chance import quantile_table
from sim.scenarios.layout import Values

TRADE_LOTS: Final = 0
BEST_LOTS: Final = 1
DEEP_LOTS: Final = 2
GAP_TICKS: Final = 3
TRANSIT_NS: Final = 4
PAUSE_NS: Final = 5
DEPTH_STEPS: Final = 6
JUMP_BPS: Final = 7
HURRY: Final = 8


def tables() -> Values:
    """float64[n, KNOTS], a table a row; sizes in lots of 0.001, distances in ticks of 0.1."""
    return np.ascontiguousarray(
        [
            quantile_table(((0, 1), (100, 2), (500, 16), (900, 265), (990, 1_146), (1000, 6_000))),
            quantile_table(((0, 2), (100, 80), (500, 2_677), (900, 8_467), (1000, 20_000))),
            quantile_table(((0, 1), (100, 3), (500, 45), (800, 300), (900, 900), (1000, 8_000))),
            quantile_table(((0, 0), (450, 0), (700, 1), (900, 6), (1000, 20))),
            quantile_table(((0, 2.0e6), (500, 3.2e6), (900, 5.0e6), (990, 9.0e6), (1000, 20.0e6))),
            quantile_table(((0, 4.0e3), (500, 2.5e4), (900, 9.0e4), (1000, 2.0e5))),
            quantile_table(((0, 44), (500, 52), (1000, 61))),
            quantile_table(((0, 0.03), (500, 0.28), (900, 1.05), (990, 2.5), (1000, 6.0))),
            quantile_table(((0, 0.1), (500, 2.4), (900, 18.0), (980, 50.0), (1000, 90.0))),
        ]
    )
