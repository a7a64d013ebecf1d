"""Settings of risk: limits of orders and positions, when trading pauses or halts, and what watches over it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.base import Count, Exact, Flag, Section, unit
from config.instruments import NotNegative, Positive
from config.venues import VenueName

Amount = Annotated[Exact, Field(gt=0, lt=10**15)]
Percent = Annotated[Exact, Field(gt=0, le=100)]
Bps = Annotated[Exact, Field(gt=0, le=10_000)]
Interval = Annotated[Count, Field(ge=1, le=86_400_000)]
MessagesPerSecond = Annotated[Count, Field(ge=1, le=100_000)]


class InstrumentRiskSettings(Section):
    """Limits of one instrument that differ from those of all; 0: the limit of all."""

    maximum_order_notional_quote: NotNegative = Field(default=Decimal(0), description="Largest worth of one order.")
    maximum_exposure_quote: NotNegative = Field(
        default=Decimal(0), description="Largest worth of its positions on all venues, open orders included."
    )
    minimum_liquidity_quote: NotNegative = Field(
        default=Decimal(0), description="A book with less on both sides together is not traded on."
    )
    quote_worth: Positive = Field(
        default=Decimal(1),
        description="Worth of one unit of its quote currency in the currency of the capital.",
        json_schema_extra=unit("capital currency"),
    )


class VenueRiskSettings(Section):
    """Limits of one venue that differ from those of all."""

    messages_per_s: MessagesPerSecond = Field(
        default=50, description="Most orders, cancels and questions within a second.", json_schema_extra=unit("1/s")
    )


class LimitSettings(Section):
    """What every order is checked against before it is sent."""

    capital_quote: Amount = Field(default=Decimal(10_000), description="Capital at the start of a run.")
    maximum_order_notional_quote: Amount = Field(default=Decimal(5_000), description="Largest worth of one order.")
    maximum_instrument_exposure_quote: Amount = Field(
        default=Decimal(10_000), description="Largest worth of an instrument's positions, open orders included."
    )
    maximum_exposure_quote: Amount = Field(
        default=Decimal(20_000), description="Largest worth of all positions, open orders included."
    )
    maximum_leverage: Annotated[Exact, Field(ge=1, le=3)] = Field(
        default=Decimal(3),
        description="Largest ratio of the worth of all positions, open orders included, to the capital as it stands.",
        json_schema_extra=unit("ratio"),
    )
    maximum_open_orders: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        default=100, description="Most working orders of all strategies together.", json_schema_extra=unit("orders")
    )
    collar_bps: Bps = Field(
        default=Decimal(100), description="A price worse than the opposite side of the book by more is refused."
    )
    late_fill_ms: Annotated[Count, Field(ge=0, le=60_000)] = Field(
        default=250,
        description="How long a cancelled order still takes room, for fills that are reported late, where the venue "
        "does not say how much of it was executed in all.",
    )
    messages_per_s: MessagesPerSecond = Field(
        default=50,
        description="Most orders, cancels and questions to a venue within a second.",
        json_schema_extra=unit("1/s"),
    )
    maximum_order_to_trade: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=500,
        description="Most orders and cancels per fill.",
        json_schema_extra=unit("ratio"),
    )
    maximum_cancel_pct: Percent = Field(default=Decimal(100), description="Most cancels per order.")
    flow_window_s: Annotated[Count, Field(ge=1, le=86_400)] = Field(
        default=3_600, description="Stretch of time over which orders, cancels and fills are counted for both ratios."
    )
    flow_minimum_orders: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=500, description="Orders in that time before the ratios are judged.", json_schema_extra=unit("orders")
    )


class GuardSettings(Section):
    """Conditions under which no new order is sent until they have passed."""

    interval_ms: Interval = Field(default=100, description="How often they are looked at.")
    clear_after_ms: Annotated[Count, Field(ge=0, le=86_400_000)] = Field(
        default=2_000, description="How long a condition must be gone before trading goes on."
    )
    maximum_feed_latency_ms: Interval = Field(default=500, description="Longest delay of market data.")
    maximum_feed_silence_ms: Interval = Field(default=1_000, description="Longest silence of a venue's feed.")
    maximum_order_latency_ms: Interval = Field(
        default=5_000, description="Longest time from sending an order to the first word of the venue."
    )
    spread_multiple: Annotated[Count, Field(ge=2, le=10_000)] = Field(
        default=10, description="Widest spread, as a multiple of its baseline.", json_schema_extra=unit("ratio")
    )
    spread_window_s: Annotated[Count, Field(ge=1, le=86_400)] = Field(
        default=300, description="The baseline is the mean over this time."
    )
    spread_warm_up_s: Annotated[Count, Field(ge=1, le=86_400)] = Field(
        default=30, description="Time before the baseline is trusted."
    )
    minimum_liquidity_quote: NotNegative = Field(
        default=Decimal(100_000), description="A book with less on both sides together is not traded on."
    )
    liquidity_levels: Annotated[Count, Field(ge=1, le=64)] = Field(
        default=20, description="Levels of each side that count as liquidity.", json_schema_extra=unit("levels")
    )

    @model_validator(mode="after")
    def _warm_up_fits(self) -> Self:
        if self.spread_warm_up_s > self.spread_window_s:
            raise ValueError(
                f"spread_warm_up_s was {self.spread_warm_up_s}: must be at most spread_window_s = "
                f"{self.spread_window_s}"
            )
        return self


class LossSettings(Section):
    """Losses that end trading."""

    maximum_loss_quote: Amount = Field(
        default=Decimal(500), description="Kill switch: after a larger loss of the run trading pauses until resumed."
    )
    daily_loss_pct: Percent = Field(
        default=Decimal(1), description="After a larger loss of a day (UTC) trading pauses until the next day."
    )
    monthly_drawdown_pct: Percent = Field(
        default=Decimal(5), description="After a larger fall from the highest capital of a month trading halts."
    )
    close_on_halt: Flag = Field(default=True, description="Whether positions are closed when trading halts by itself.")


class ClosingSettings(Section):
    """How working orders are cancelled and positions closed."""

    cancel_patience_ms: Interval = Field(
        default=3_000, description="How long orders may take to be cancelled before positions are closed all the same."
    )
    book_patience_ms: Annotated[Count, Field(ge=0, le=86_400_000)] = Field(
        default=3_000, description="How long a position waits for a sound book before it is closed without one."
    )
    retry_ms: Interval = Field(default=1_000, description="Time between two orders for the same position.")


class WatchdogSettings(Section):
    """What is looked at every few seconds: clock, memory, feeds."""

    interval_s: Annotated[Count, Field(ge=1, le=3_600)] = Field(default=10, description="How often.")
    maximum_clock_drift_ms: Interval = Field(default=250, description="Largest error of the clock.")
    maximum_memory_growth_pct: Annotated[Exact, Field(gt=0, le=10_000)] = Field(
        default=Decimal(100), description="Largest growth of resident memory since the end of the warm-up."
    )
    memory_warm_up_s: Annotated[Count, Field(ge=0, le=86_400)] = Field(
        default=60, description="Time from the start until memory is measured for the first time."
    )


class ReconciliationSettings(Section):
    """Comparison of orders, balances and positions with the venues'."""

    interval_s: Annotated[Count, Field(ge=1, le=86_400)] = Field(default=30, description="How often.")
    confirmations: Annotated[Count, Field(ge=1, le=100)] = Field(
        default=2,
        description="Comparisons in a row that find the same difference before trading pauses.",
        json_schema_extra=unit("comparisons"),
    )


class DeadManSettings(Section):
    """What cancels all orders when this process dies or hangs."""

    enabled: Flag = Field(default=True, description="Whether a second process watches over this one.")
    beat_ms: Interval = Field(default=500, description="How often this process says that it lives.")
    patience_ms: Interval = Field(default=5_000, description="Silence after which it counts as hung.")
    countdown_ms: Annotated[Count, Field(ge=1_000, le=86_400_000)] = Field(
        default=10_000, description="Futures: the venue itself cancels all orders this long after the last renewal."
    )

    @model_validator(mode="after")
    def _beats_are_in_time(self) -> Self:
        for what in ("patience_ms", "countdown_ms"):
            if getattr(self, what) < 2 * self.beat_ms:
                raise ValueError(
                    f"{what} was {getattr(self, what)}: must be at least twice beat_ms, 2 x {self.beat_ms}"
                )
        return self


class SizingSettings(Section):
    """Smaller orders where our own trading goes badly."""

    full_cost_bps: Annotated[Exact, Field(ge=0, le=10_000)] = Field(
        default=Decimal(1), description="Own slippage, or adverse move after own fills, up to which size is full."
    )
    least_cost_bps: Bps = Field(default=Decimal(10), description="The same from which on size is least.")
    least_size_pct: Annotated[Exact, Field(ge=0, le=100)] = Field(
        default=Decimal(25), description="Least size, of the full one."
    )
    full_queue_multiple: Annotated[Count, Field(ge=0, le=1_000_000)] = Field(
        default=100,
        description="Volume ahead of an order that is to rest, as a multiple of its own, up to which size is full.",
        json_schema_extra=unit("ratio"),
    )
    least_queue_multiple: Annotated[Count, Field(ge=1, le=10_000_000)] = Field(
        default=10_000, description="The same from which on size is least.", json_schema_extra=unit("ratio")
    )
    fills: Annotated[Count, Field(ge=1, le=4_096)] = Field(
        default=64, description="The last own fills that are judged.", json_schema_extra=unit("fills")
    )

    @model_validator(mode="after")
    def _costs_ascend(self) -> Self:
        if self.full_cost_bps >= self.least_cost_bps:
            raise ValueError(
                f"full_cost_bps was {self.full_cost_bps}: must be below least_cost_bps = {self.least_cost_bps}"
            )
        if self.full_queue_multiple >= self.least_queue_multiple:
            raise ValueError(
                f"full_queue_multiple was {self.full_queue_multiple}: must be below least_queue_multiple = "
                f"{self.least_queue_multiple}"
            )
        return self


class RiskSettings(Section):
    """Risk before, during and after trading."""

    limits: LimitSettings = Field(default=LimitSettings(), description="Checks of every order.")
    instruments: Mapping[str, InstrumentRiskSettings] = Field(
        default_factory=dict, description="Limits of single instruments."
    )
    venues: Mapping[VenueName, VenueRiskSettings] = Field(default_factory=dict, description="Limits of single venues.")
    guards: GuardSettings = Field(default=GuardSettings(), description="When trading pauses.")
    loss: LossSettings = Field(default=LossSettings(), description="Losses that end trading.")
    closing: ClosingSettings = Field(default=ClosingSettings(), description="Closing of everything.")
    watchdog: WatchdogSettings = Field(default=WatchdogSettings(), description="Clock, memory, feeds.")
    reconciliation: ReconciliationSettings = Field(
        default=ReconciliationSettings(), description="Comparison with the venues."
    )
    dead_man: DeadManSettings = Field(default=DeadManSettings(), description="Dead-man switch.")
    sizing: SizingSettings = Field(default=SizingSettings(), description="Size by own costs.")
