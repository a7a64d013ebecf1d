"""What the streaming signals read out: one row of float64, columns named here, NaN where there is no value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final


class Unit(StrEnum):
    """Units of readings: a tick is ``10**-price_decimals`` of its market, a lot ``10**-quantity_decimals``."""

    TICKS = "ticks"
    LOTS = "lots"
    LOTS_PER_SECOND = "lots per second"
    PER_SECOND = "per second"
    NANOSECONDS = "ns"
    RATIO = "ratio"
    COUNT = "count"
    FLAGS = "flags"
    """0 or 1, or a sum of ``IcebergFlag``."""
    ELASTICITY = "elasticity"
    """Relative change of the logarithm of the lots per relative change of the price."""


class Output(IntEnum):
    """Columns of a reading. Prices are in ticks, quantities in lots."""

    MID = 0
    SPREAD = 1
    TOP_IMBALANCE = 2
    MICROPRICE = 3
    CVD = 4
    CVD_TOTAL = 5
    TOXICITY = 6
    UNKNOWN_LOTS = 7
    """Lots in the flow window whose aggressor is not known."""
    VPIN = 8
    VPIN_BUCKETS = 9
    """Volume buckets completed since the start."""
    MARKOUT_1 = 10
    """Mean markout in ticks at the first horizon."""
    MARKOUT_2 = 11
    MARKOUT_3 = 12
    MARKOUT_4 = 13
    BID_ICEBERG = 14
    """``IcebergFlag`` of the best bid, 0 for none; NaN without a top of book."""
    BID_TRADED_LOTS = 15
    BID_REFILLS = 16
    BID_SMALL_PRINTS = 17
    ASK_ICEBERG = 18
    ASK_TRADED_LOTS = 19
    ASK_REFILLS = 20
    ASK_SMALL_PRINTS = 21
    CANCELLED_LOTS_PER_SECOND = 22
    CANCELS_PER_SECOND = 23
    CHANGES_PER_SECOND = 24
    CANCEL_RATIO = 25
    TRADES_PER_SECOND = 26
    HIGH_FREQUENCY = 27
    """1 in the high-frequency mode, else 0."""
    MEAN_GAP_NS = 28
    GAP_RATIO = 29
    LEVEL_IMBALANCE = 30
    VAMP_LEVELS = 31
    VAMP_BAND = 32
    VAMP_NOTIONAL = 33
    BID_SLOPE = 34
    ASK_SLOPE = 35
    SLOPE = 36
    BID_DEPTH_1 = 37
    """Lots within the first band."""
    BID_DEPTH_2 = 38
    BID_DEPTH_3 = 39
    BID_DEPTH_4 = 40
    ASK_DEPTH_1 = 41
    ASK_DEPTH_2 = 42
    ASK_DEPTH_3 = 43
    ASK_DEPTH_4 = 44


WIDTH = len(Output)

_OUTPUTS_OF: Final = {
    Unit.TICKS: "MID SPREAD MICROPRICE MARKOUT_1 MARKOUT_2 MARKOUT_3 MARKOUT_4 VAMP_LEVELS VAMP_BAND VAMP_NOTIONAL",
    Unit.LOTS: "CVD CVD_TOTAL UNKNOWN_LOTS BID_TRADED_LOTS ASK_TRADED_LOTS "
    "BID_DEPTH_1 BID_DEPTH_2 BID_DEPTH_3 BID_DEPTH_4 ASK_DEPTH_1 ASK_DEPTH_2 ASK_DEPTH_3 ASK_DEPTH_4",
    Unit.LOTS_PER_SECOND: "CANCELLED_LOTS_PER_SECOND",
    Unit.PER_SECOND: "CANCELS_PER_SECOND CHANGES_PER_SECOND TRADES_PER_SECOND",
    Unit.NANOSECONDS: "MEAN_GAP_NS",
    Unit.RATIO: "TOP_IMBALANCE TOXICITY VPIN CANCEL_RATIO GAP_RATIO LEVEL_IMBALANCE",
    Unit.COUNT: "VPIN_BUCKETS BID_REFILLS BID_SMALL_PRINTS ASK_REFILLS ASK_SMALL_PRINTS",
    Unit.FLAGS: "BID_ICEBERG ASK_ICEBERG HIGH_FREQUENCY",
    Unit.ELASTICITY: "BID_SLOPE ASK_SLOPE SLOPE",
}
UNITS: Final[Mapping[Output, Unit]] = MappingProxyType(
    {Output[name]: unit for unit, names in _OUTPUTS_OF.items() for name in names.split()}
)
"""The unit of every column."""
assert set(UNITS) == set(Output)
