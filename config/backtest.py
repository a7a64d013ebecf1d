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


class SlippageModel(StrEnum):
    """By how much fills of orders that take are worse than the book displays."""

    NONE = "none"
    FIXED = "fixed"
    SPREAD = "spread"
    SQUARE_ROOT = "square-root"


class SlippageSettings(Section):
    """By how much an order that takes is filled worse than the book displays, never beyond its limit."""

    model: SlippageModel = Field(
        default=SlippageModel.NONE,
        description="none; fixed: a share of the price; spread: a share of the spread when the order arrives; "
        "square-root: as fixed, times the root of the order's worth over the reference.",
    )
    share_bps: Annotated[Exact, Field(ge=0, le=10_000)] = Field(
        default=Decimal(1),
        description="The share, of the price or of the spread. For square-root it is the volatility of a day times a "
        "number near 1, where the reference is the worth that trades in a day.",
    )
    reference_worth: Annotated[Exact, Field(gt=0, le=10**15)] = Field(
        default=Decimal(1_000_000_000),
        description="Worth of an order for which square-root takes the share as it is.",
        json_schema_extra=unit("quote currency"),
    )


class FundingSettings(Section):
    """Funding of perpetual futures where a recording states none."""

    rate_bps: Annotated[Exact, Field(ge=-1_000, le=1_000)] = Field(
        default=Decimal(1),
        description="What longs pay at each payment, below 0: what shorts do. 1 is the interest part of most venues.",
    )
    interval_minutes: Annotated[Count, Field(ge=1, le=10_080)] = Field(
        default=480, description="Payments are at its multiples, UTC.", json_schema_extra=unit("min")
    )


class BacktestVenueSettings(Section):
    """What is another on one venue."""

    entry_us: LatencyMicroseconds | None = Field(
        default=None, description="Time of a request to the venue; None: as on all."
    )
    response_us: LatencyMicroseconds | None = Field(
        default=None, description="Time of its answer back; None: as on all."
    )
    latency_samples: str | None = Field(
        default=None,
        min_length=1,
        description="CSV of latencies that were measured, in place of both times: docs/backtest.md.",
    )
    lag_us: LatencyMicroseconds = Field(
        default=0, description="Market data is received so much later than in the recording."
    )
    slippage: SlippageSettings | None = Field(default=None, description="Slippage on this venue.")
    funding: FundingSettings | None = Field(default=None, description="Funding on this venue.")


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
        default_factory=dict, description="Venues on which latencies or costs are others."
    )
    slippage: SlippageSettings = Field(default_factory=SlippageSettings)
    funding: FundingSettings = Field(default_factory=FundingSettings)
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
