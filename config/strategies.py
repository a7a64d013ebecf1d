"""Settings of the strategies: which run, and how they trade."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from config.base import Count, Exact, Section, unit
from config.flash_crash import FlashCrashSettings
from config.instruments import NotNegative, Positive
from config.venues import VenueName

Bps = Annotated[Exact, Field(ge=0, le=1_000)]
Share = Annotated[Exact, Field(ge=0, le=1)]
EntryName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]
Interval = Annotated[Count, Field(ge=1, le=3_600_000)]


class StrategyName(StrEnum):
    """Strategies that a run can have."""

    ARBITRAGE = "arbitrage"
    MARKET_MAKING = "market-making"
    FLASH_CRASH = "flash-crash"


class StockSettings(Section):
    """What a strategy may use of one venue's balances in one instrument."""

    instrument: str = Field(description="For trading what.")
    venue: VenueName = Field(description="Where.")
    base: NotNegative = Field(description="Of the base asset.", json_schema_extra=unit("base currency"))
    quote: NotNegative = Field(description="Of the quote asset.", json_schema_extra=unit("quote currency"))


class ArbitrageSettings(Section):
    """Latency arbitrage between venues: triggers of the fast loop, two legs at once."""

    safety_margin_bps: Bps = Field(
        default=Decimal(0), description="Least gain after both taker fees that is traded, of the reference price."
    )
    maximum_age_ms: Interval = Field(default=50, description="A trigger whose quote came longer ago is left alone.")
    concurrent_plans: Annotated[Count, Field(ge=1, le=100)] = Field(
        default=1, description="Pairs of legs that may be under way in one instrument.", json_schema_extra=unit("plans")
    )
    shadow_ms: Annotated[Count, Field(ge=0, le=60_000)] = Field(
        default=0,
        description="Above 0 nothing is sent; after this time is looked whether the quotes would still have been met.",
    )
    least_share: Share = Field(
        default=Decimal("0.25"),
        description="A venue with less than this part of the mean of all calls for a transfer.",
        json_schema_extra=unit("ratio"),
    )
    patience_ms: Interval = Field(
        default=2_000, description="A leg that keeps silent for so long does not keep the other open any longer."
    )
    retry_ms: Interval = Field(default=100, description="Pause after a closing order that failed; it doubles.")
    maximum_quote_age_ms: Interval = Field(
        default=1_000, description="An open leg is closed only while the venue's quote is no older."
    )
    stocks: Mapping[EntryName, StockSettings] = Field(
        default_factory=dict, description="What may be used, by any names; no limit for a market that none is of."
    )


class NewsSettings(Section):
    """A time around which no quotes stand."""

    at: AwareDatetime = Field(description="When the news is scheduled, with its time zone.")
    before_s: Annotated[Count, Field(ge=0, le=86_400)] = Field(default=60, description="Quotes go so long before.")
    after_s: Annotated[Count, Field(ge=1, le=86_400)] = Field(default=300, description="They return so long after.")

    @property
    def window_ns(self) -> tuple[int, int]:
        """From when and until when, in ns since the epoch."""
        elapsed = self.at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        at_ns = (elapsed.days * 86_400 + elapsed.seconds) * 10**9 + elapsed.microseconds * 1_000
        return at_ns - self.before_s * 10**9, at_ns + self.after_s * 10**9


class MarketMakingSettings(Section):
    """Market making: a bid and an offer around the mid of one market."""

    instrument: str = Field(description="What is quoted.")
    venue: VenueName = Field(description="Where.")
    quantity: Positive = Field(description="Quantity of each quote.", json_schema_extra=unit("base currency"))
    inventory_limit: Positive = Field(
        description="Largest inventory, long or short.", json_schema_extra=unit("base currency")
    )
    spread: Annotated[Exact, Field(gt=0, le=Decimal("0.1"))] = Field(
        default=Decimal("0.001"),
        description="Distance of bid and offer, of the mid.",
        json_schema_extra=unit("ratio"),
    )
    leaning_share: Share = Field(
        default=Decimal("0.5"),
        description="Part of the inventory limit from which on the side that would add is widened, until it is flat.",
        json_schema_extra=unit("ratio"),
    )
    leaning_widening_bps: Bps = Field(
        default=Decimal(10), description="How much further that side stands at the limit, of the mid."
    )
    microprice_weight: Annotated[Exact, Field(ge=0, le=10)] = Field(
        default=Decimal(1),
        description="Part of microprice minus mid by which both quotes are shifted.",
        json_schema_extra=unit("ratio"),
    )
    imbalance_weight_bps: Bps = Field(
        default=Decimal(0), description="Shift of both quotes when the best quantities are all on one side."
    )
    size_skew: Share = Field(
        default=Decimal(0),
        description="Part by which the quantity of the weaker side is less then.",
        json_schema_extra=unit("ratio"),
    )
    protective_widening: Annotated[Exact, Field(ge=1, le=100)] = Field(
        default=Decimal(3),
        description="What the spread is multiplied with while the flow is toxic.",
        json_schema_extra=unit("ratio"),
    )
    repost_bps: Bps = Field(default=Decimal(1), description="A quote is moved when its target is this far away.")
    maximum_quote_age_ms: Interval = Field(
        default=2_000, description="Quotes are withdrawn when the book has not moved for so long."
    )
    vpin_bucket: Positive = Field(description="Volume of a VPIN bucket.", json_schema_extra=unit("base currency"))
    vpin_buckets: Annotated[Count, Field(ge=1, le=4_096)] = Field(
        default=50, description="Buckets that VPIN is the mean of.", json_schema_extra=unit("buckets")
    )
    vpin_limit: Share = Field(
        default=Decimal("0.7"), description="VPIN above which quotes are wider.", json_schema_extra=unit("ratio")
    )
    toxicity_limit: Share = Field(
        default=Decimal("0.7"), description="Flow toxicity above which they are.", json_schema_extra=unit("ratio")
    )
    wide_spread_bps: Bps = Field(
        default=Decimal(10), description="In a wider market with VPIN above its limit no quotes stand."
    )
    volatility_window_ms: Interval = Field(default=10_000, description="Window of the volatility of the mid.")
    volatility_limit_bps: Bps = Field(
        default=Decimal(20), description="Deviation of the mid's returns per 100 ms above which no quotes stand."
    )
    news: Mapping[EntryName, NewsSettings] = Field(
        default_factory=dict, description="Times around which no quotes stand, by any names."
    )
    base_stock: NotNegative = Field(
        default=Decimal(0),
        description="Of the venue's balance, what may be sold.",
        json_schema_extra=unit("base currency"),
    )
    quote_stock: NotNegative = Field(
        default=Decimal(0),
        description="Of the venue's balance, what may be paid with; 0 of both: no limit, as on futures.",
        json_schema_extra=unit("quote currency"),
    )


class StrategySettings(Section):
    """Which strategies run, and how."""

    active: tuple[StrategyName, ...] = Field(
        default=(), description="Strategies of the run, in the order in which they wake."
    )
    arbitrage: ArbitrageSettings = Field(default=ArbitrageSettings(), description="Latency arbitrage.")
    market_making: MarketMakingSettings | None = Field(default=None, description="Market making, where it is active.")
    flash_crash: FlashCrashSettings = Field(default=FlashCrashSettings(), description="The flash-crash trader.")

    @model_validator(mode="after")
    def _active_ones_can_run(self) -> Self:
        if len(set(self.active)) != len(self.active):
            raise ValueError(f"active was {[str(name) for name in self.active]}: must name each strategy once")
        if StrategyName.MARKET_MAKING in self.active and self.market_making is None:
            raise ValueError("active names market-making: strategies.market_making must say what is quoted")
        if StrategyName.FLASH_CRASH in self.active and not self.flash_crash.markets:
            raise ValueError("active names flash-crash: strategies.flash_crash.markets must say what is traded")
        traded = [(market.instrument, market.venue) for market in self.flash_crash.markets.values()]
        if len(set(traded)) != len(traded):
            raise ValueError("flash_crash.markets names a market twice: must name each once")
        return self
