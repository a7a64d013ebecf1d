"""What the streaming signals read out: one row of float64, columns named here, NaN where there is no value."""

from __future__ import annotations

from enum import IntEnum


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
