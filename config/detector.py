"""Settings of the flash-crash detector: two profiles, and thresholds of single instruments that differ from them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from config.base import Count, Exact, Section, unit

Multiple = Annotated[Exact, Field(gt=0, le=1_000)]
Ratio = Annotated[Exact, Field(gt=0, le=1)]
RatioOrOff = Annotated[Exact, Field(ge=0, le=1)]
Below = Annotated[Exact, Field(ge=-1, lt=0)]
Amount = Annotated[Exact, Field(gt=0, lt=10**15)]
Seconds = Annotated[Count, Field(ge=2, le=1_024)]
Levels = Annotated[Count, Field(ge=1, le=32)]
Confirmation = Annotated[Count, Field(ge=1_000, le=60_000)]
OtherMultiple = Annotated[Exact, Field(ge=0, le=1_000)]
OtherBelow = Annotated[Exact, Field(ge=-1, le=0)]
OtherAmount = Annotated[Exact, Field(ge=0, lt=10**15)]
RATIO: Final = unit("ratio")


class DetectorProfile(StrEnum):
    """Named sets of thresholds."""

    README = "readme"
    OPTIMIZED = "optimized"


class DetectorThresholds(Section):
    """Thresholds and windows of a detector; what ``readme`` and ``optimized`` do not set apart is the same in both."""

    volatility_multiplier: Multiple = Field(
        default=Decimal("5.0"),
        description="Volatility fires above this multiple of its baseline.",
        json_schema_extra=RATIO,
    )
    volatility_absolute_threshold: RatioOrOff = Field(
        default=Decimal(0),
        description="Volatility also fires above this standard deviation of 1 s log returns; 0: off.",
        json_schema_extra=RATIO,
    )
    acceleration_threshold: Below = Field(
        default=Decimal("-0.004"), description="Price acceleration fires below this.", json_schema_extra=RATIO
    )
    obi_threshold: Below = Field(
        default=Decimal("-0.8"), description="Order book imbalance fires below this.", json_schema_extra=RATIO
    )
    spread_expansion_multiplier: Multiple = Field(
        default=Decimal("4.0"),
        description="The relative spread fires above this multiple of its baseline.",
        json_schema_extra=RATIO,
    )
    volume_delta_sigmas: Multiple = Field(
        default=Decimal("3.0"),
        description="The volume delta fires this many standard deviations below 0.",
        json_schema_extra=RATIO,
    )
    message_velocity_multiplier: Multiple = Field(
        default=Decimal("3.0"),
        description="Message velocity fires above this multiple of its baseline.",
        json_schema_extra=RATIO,
    )
    extreme_imbalance_threshold: Ratio = Field(
        default=Decimal("0.7"), description="Liquidity is extremely imbalanced above this.", json_schema_extra=RATIO
    )
    wall_multiple: Multiple = Field(
        default=Decimal("3.0"),
        description="A level above this multiple of its side's median size is a wall.",
        json_schema_extra=RATIO,
    )
    minimum_liquidity_quote: Amount = Field(
        default=Decimal(100_000), description="Both sides together must hold more, or nothing is executed."
    )
    # Neither document states how an event ends: the middle of the values that the optimiser searches (2, 3 and 5 s).
    recovery_confirm_ms: Confirmation = Field(
        default=3_000, description="How long it must be calm before an event is over, and again before sleep."
    )
    # Not stated either: the middle of 0.004, 0.005 and 0.006.
    violent_range_threshold: Ratio = Field(
        default=Decimal("0.005"),
        description="While a 1 s candle ranges further, relative to its low, it is not calm.",
        json_schema_extra=RATIO,
    )
    confirm_ms: Confirmation = Field(
        default=2_000,
        description="How long enough core indicators must fire, breaks left out, before an event is active.",
    )
    # "Rolling buffer of 1-2 s" is all that is said of jitter: a third of ours, so that one quote does not undo seconds.
    break_ms: Annotated[Count, Field(ge=0, le=2_000)] = Field(
        default=500,
        description="A break of the firing that is shorter does not begin the confirmation anew; 0: every break does.",
    )
    # A baseline of five minutes would take in a crash that lasts as long, and find nothing unusual about it.
    left_out_s: Annotated[Count, Field(ge=0, le=86_400)] = Field(
        default=300,
        description="Seconds of ALERT, ACTIVE and RECOVERY are no samples of baselines: at most so many more.",
    )
    # The remaining windows are not stated in either document.
    debounce_ms: Annotated[Count, Field(ge=0, le=60_000)] = Field(
        default=500, description="Least time between two transitions."
    )
    jitter_ms: Annotated[Count, Field(ge=1_000, le=2_000)] = Field(
        default=1_500,
        description="Jitter buffer: what is later or earlier than this, or silent for longer, is no data.",
    )
    volatility_window_s: Seconds = Field(default=10, description="1 s returns in the volatility.")
    baseline_window_s: Seconds = Field(
        default=300, description="Baselines of volatility, spread, volume delta and message velocity."
    )
    liquidity_window_s: Seconds = Field(default=60, description="Mean liquidity of the liquidity ratio.")
    warm_up_s: Seconds = Field(default=60, description="Whole seconds that a baseline needs before it is used.")
    depth_levels: Levels = Field(
        default=20, description="Levels per side of liquidity and walls.", json_schema_extra=unit("levels")
    )
    obi_levels: Levels = Field(
        default=20, description="Levels per side of the order book imbalance.", json_schema_extra=unit("levels")
    )

    @model_validator(mode="after")
    def _windows_fit(self) -> Self:
        if self.confirm_ms < self.jitter_ms:
            raise ValueError(f"confirm_ms was {self.confirm_ms}: must be at least jitter_ms, {self.jitter_ms}")
        if self.break_ms > self.jitter_ms:
            raise ValueError(f"break_ms was {self.break_ms}: must be at most jitter_ms, {self.jitter_ms}")
        if self.warm_up_s > self.baseline_window_s:
            raise ValueError(f"warm_up_s was {self.warm_up_s}: must be at most baseline_window_s")
        if self.obi_levels > self.depth_levels:
            raise ValueError(f"obi_levels was {self.obi_levels}: must be at most depth_levels, {self.depth_levels}")
        return self


class OptimizedThresholds(DetectorThresholds):
    """The profile ``optimized``: thresholds that were searched for in the description's backtest."""

    volatility_multiplier: Multiple = Field(
        default=Decimal("3.0"),
        description="Volatility fires above this multiple of its baseline.",
        json_schema_extra=RATIO,
    )
    volatility_absolute_threshold: RatioOrOff = Field(
        default=Decimal("0.004"),
        description="Volatility also fires above this standard deviation of 1 s log returns; 0: off.",
        json_schema_extra=RATIO,
    )
    acceleration_threshold: Below = Field(
        default=Decimal("-0.001"), description="Price acceleration fires below this.", json_schema_extra=RATIO
    )
    obi_threshold: Below = Field(
        default=Decimal("-0.6"), description="Order book imbalance fires below this.", json_schema_extra=RATIO
    )


class InstrumentThresholds(Section):
    """Thresholds of one instrument that differ from those of the profile; 0: those of the profile."""

    volatility_multiplier: OtherMultiple = Field(
        default=Decimal(0), description="Multiple of the volatility's baseline.", json_schema_extra=RATIO
    )
    volatility_absolute_threshold: RatioOrOff = Field(
        default=Decimal(0), description="Absolute volatility; 1 is as good as off.", json_schema_extra=RATIO
    )
    acceleration_threshold: OtherBelow = Field(
        default=Decimal(0), description="Price acceleration.", json_schema_extra=RATIO
    )
    obi_threshold: OtherBelow = Field(default=Decimal(0), description="Order book imbalance.", json_schema_extra=RATIO)
    spread_expansion_multiplier: OtherMultiple = Field(
        default=Decimal(0), description="Multiple of the spread's baseline.", json_schema_extra=RATIO
    )
    volume_delta_sigmas: OtherMultiple = Field(
        default=Decimal(0), description="Standard deviations of the volume delta.", json_schema_extra=RATIO
    )
    message_velocity_multiplier: OtherMultiple = Field(
        default=Decimal(0), description="Multiple of the messages' baseline.", json_schema_extra=RATIO
    )
    violent_range_threshold: RatioOrOff = Field(
        default=Decimal(0), description="Range of a 1 s candle that is not calm.", json_schema_extra=RATIO
    )
    recovery_confirm_ms: Annotated[Count, Field(ge=0, le=60_000)] = Field(
        default=0, description="How long it must be calm."
    )
    minimum_liquidity_quote: OtherAmount = Field(
        default=Decimal(0), description="Least liquidity of both sides together."
    )


class DetectorSettings(Section):
    """The flash-crash detector."""

    profile: DetectorProfile = Field(default=DetectorProfile.OPTIMIZED, description="Thresholds that are in force.")
    readme: DetectorThresholds = Field(default=DetectorThresholds(), description="The profile of the description.")
    optimized: OptimizedThresholds = Field(default=OptimizedThresholds(), description="The searched profile.")
    instruments: Mapping[str, InstrumentThresholds] = Field(
        default={}, description="Thresholds of single instruments, by name."
    )

    def thresholds(self, instrument: str) -> DetectorThresholds:
        """What is in force for an instrument: the profile, and the instrument's own thresholds over it."""
        chosen = self.readme if self.profile is DetectorProfile.README else self.optimized
        own = self.instruments.get(instrument, InstrumentThresholds())
        return chosen.model_copy(update={name: value for name, value in own if value != 0})
