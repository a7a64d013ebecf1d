"""Settings of backtests: how orders are matched against a recording, and how far away its venues are."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from config.base import Count, Exact, Flag, Section, unit
from config.instruments import NotNegative
from config.venues import VenueName


class Queue(StrEnum):
    """How a resting order's place in its queue is reckoned; see docs/backtest.md."""

    RISK_AVERSE = "risk-averse"
    POWER = "power"
    POWER_2 = "power-2"
    POWER_3 = "power-3"
    LOG = "log"
    LOG_2 = "log-2"


LatencyMicroseconds = Annotated[Count, Field(ge=0, le=60_000_000)]


class BacktestVenueSettings(Section):
    """Latencies of one venue's orders."""

    entry_us: LatencyMicroseconds = Field(description="Time of a request to the venue.")
    response_us: LatencyMicroseconds = Field(description="Time of its answer back.")


class BacktestSettings(Section):
    """Backtests over recordings."""

    queue: Queue = Field(
        default=Queue.RISK_AVERSE, description="How a resting order's place in its queue follows from the recording."
    )
    queue_exponent: Annotated[Exact, Field(ge=0, le=64)] = Field(
        default=Decimal(3), description="n of the power models.", json_schema_extra=unit("ratio")
    )
    partial_fills: Flag = Field(
        default=True, description="Whether a trade that reaches an order fills only what reaches it; else all of it."
    )
    own_impact: Flag = Field(
        default=True, description="Whether what an order took is gone from the book until the level is stated again."
    )
    entry_us: LatencyMicroseconds = Field(default=5_000, description="Time of a request to a venue.")
    response_us: LatencyMicroseconds = Field(default=5_000, description="Time of the answer back.")
    venues: Mapping[VenueName, BacktestVenueSettings] = Field(
        default_factory=dict, description="Venues whose latencies are others."
    )
    least_feed_us: LatencyMicroseconds = Field(
        default=100, description="Market data took at least so long; the clocks of a recording are read accordingly."
    )
    quote_balance: NotNegative = Field(
        default=Decimal(100_000),
        description="Held of the quote asset at the start, on each venue.",
        json_schema_extra=unit("quote currency"),
    )
    base_balance: NotNegative = Field(
        default=Decimal(1),
        description="Held of each base asset at the start, on each venue that trades it or is margined in it.",
        json_schema_extra=unit("base currency"),
    )
    sample_interval_ms: Annotated[Count, Field(ge=10, le=86_400_000)] = Field(
        default=1_000, description="Interval of the states: position, equity, quotes."
    )
