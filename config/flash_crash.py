"""Settings of the flash-crash trader: two profiles, chosen by the detector's, and the markets that it trades."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Count, Exact, Flag, Section, unit
from config.detector import DetectorProfile
from config.instruments import NotNegative, Positive
from config.venues import VenueName

RATIO: Final = unit("ratio")
Share = Annotated[Exact, Field(gt=0, lt=1)]
ShareOrOff = Annotated[Exact, Field(ge=0, lt=1)]
Score = Annotated[Count, Field(ge=0, le=100)]
Pause = Annotated[Count, Field(ge=0, le=3_600_000)]
Multiple = Annotated[Exact, Field(ge=0, le=1_000)]
MarketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]


class FlashCrashThresholds(Section):
    """How the flash-crash trader enters and leaves; 0 switches an exit off."""

    entry_percentile: Share = Field(
        default=Decimal("0.2"), description="Where in a bullish candle's range is bought.", json_schema_extra=RATIO
    )
    exit_percentile: Share = Field(default=Decimal("0.8"), description="Where in it is sold.", json_schema_extra=RATIO)
    range_samples: Annotated[Count, Field(ge=2, le=100_000)] = Field(
        default=1_000, description="1 s candles in the distribution of ranges.", json_schema_extra=unit("candles")
    )
    # Not stated for this profile: the value of the other one.
    extremum_window_s: Annotated[Count, Field(ge=1, le=3_600)] = Field(
        default=3, description="A price beyond those of so many seconds is a new extremum: ranges start again."
    )
    concurrent_trades: Annotated[Count, Field(ge=1, le=100)] = Field(
        default=3, description="Positions that may be open, orders for some included.", json_schema_extra=unit("trades")
    )
    minimum_range: ShareOrOff = Field(
        default=Decimal(0), description="Least range of a candle that is traded, of its low.", json_schema_extra=RATIO
    )
    stop_loss: ShareOrOff = Field(
        default=Decimal(0), description="Loss at which a position is left, of its price.", json_schema_extra=RATIO
    )
    maximum_hold_ms: Pause = Field(default=0, description="How long a position is held at most.")
    exits_bearish: Flag = Field(
        default=False, description="Leave when a candle that began after the entry closes bearish."
    )
    negative_gap: ShareOrOff = Field(
        default=Decimal(0),
        description="Leave when a candle opens so far below the close before it.",
        json_schema_extra=RATIO,
    )
    sudden_reversal: ShareOrOff = Field(
        default=Decimal(0), description="Leave when trades fall so far within one second.", json_schema_extra=RATIO
    )
    trailing_stop: ShareOrOff = Field(
        default=Decimal(0),
        description="Leave so far below the best bid since the entry, once that is above what was paid.",
        json_schema_extra=RATIO,
    )
    percentile_shift: Annotated[Exact, Field(ge=0, le=Decimal("0.2"))] = Field(
        default=Decimal(0),
        description="How much lower is bought and higher sold when volatility is at twice the detector's limit.",
        json_schema_extra=RATIO,
    )
    decay_after_ms: Pause = Field(default=0, description="From then on the target sinks towards what was paid.")
    decay_over_ms: Annotated[Count, Field(ge=1, le=3_600_000)] = Field(
        default=15_000, description="How long it takes to get there."
    )
    volume_multiple: Multiple = Field(
        default=Decimal(2),
        description="A candle's volume must exceed this multiple of the mean.",
        json_schema_extra=RATIO,
    )
    volume_window_s: Annotated[Count, Field(ge=1, le=3_600)] = Field(
        default=60, description="Seconds of that mean; all must be known."
    )
    entry_score: Score = Field(default=70, description="Least score of an entry.", json_schema_extra=unit("points"))
    # The description says that selling exhaustion lowers the threshold, not to where: the middle of the marginal band.
    lowered_entry_score: Score = Field(
        default=60, description="Least score after selling exhaustion.", json_schema_extra=unit("points")
    )
    cooldown_ms: Pause = Field(default=5_000, description="Pause between entries.")
    loss_cooldown_ms: Pause = Field(default=10_000, description="Pause after a losing trade.")
    # Not stated: an order belongs to its candle, and the next one is closed a second later.
    entry_lifetime_ms: Annotated[Count, Field(ge=1, le=3_600_000)] = Field(
        default=1_000, description="How long an order to buy may wait."
    )
    retry_ms: Annotated[Count, Field(ge=1, le=60_000)] = Field(
        default=100, description="Pause after an order to sell that was refused or found nobody."
    )
    equity_share: Share = Field(
        default=Decimal("0.3333"), description="Part of the equity that one position takes.", json_schema_extra=RATIO
    )

    @model_validator(mode="after")
    def _buys_below_sales(self) -> Self:
        shift = self.percentile_shift
        if not 0 <= self.entry_percentile - shift < self.exit_percentile + shift <= 1:
            raise ValueError(
                f"entry_percentile was {self.entry_percentile}, exit_percentile {self.exit_percentile}: with "
                f"percentile_shift {shift} the first must be below the second, and both within 0 and 1"
            )
        if self.lowered_entry_score > self.entry_score:
            raise ValueError(f"lowered_entry_score was {self.lowered_entry_score}: must be at most entry_score")
        return self


class OptimizedTrading(FlashCrashThresholds):
    """The profile ``optimized``: stop, time exit and least range as stated, and the dynamic exits on."""

    range_samples: Annotated[Count, Field(ge=2, le=100_000)] = Field(
        default=300, description="1 s candles in the distribution of ranges.", json_schema_extra=unit("candles")
    )
    minimum_range: ShareOrOff = Field(
        default=Decimal("0.005"),
        description="Least range of a candle that is traded, of its low.",
        json_schema_extra=RATIO,
    )
    stop_loss: ShareOrOff = Field(
        default=Decimal("0.025"), description="Loss at which a position is left, of its price.", json_schema_extra=RATIO
    )
    maximum_hold_ms: Pause = Field(default=20_000, description="How long a position is held at most.")
    exits_bearish: Flag = Field(
        default=True, description="Leave when a candle that began after the entry closes bearish."
    )
    negative_gap: ShareOrOff = Field(
        default=Decimal("0.001"),
        description="Leave when a candle opens so far below the close before it.",
        json_schema_extra=RATIO,
    )
    # The four below are asked for without a number: chosen, not searched for.
    sudden_reversal: ShareOrOff = Field(
        default=Decimal("0.01"), description="Leave when trades fall so far within one second.", json_schema_extra=RATIO
    )
    trailing_stop: ShareOrOff = Field(
        default=Decimal("0.002"),
        description="Leave so far below the best bid since the entry, once that is above what was paid.",
        json_schema_extra=RATIO,
    )
    percentile_shift: Annotated[Exact, Field(ge=0, le=Decimal("0.2"))] = Field(
        default=Decimal("0.05"),
        description="How much lower is bought and higher sold when volatility is at twice the detector's limit.",
        json_schema_extra=RATIO,
    )
    decay_after_ms: Pause = Field(default=5_000, description="From then on the target sinks towards what was paid.")
    # No limit is stated: as long as a position is held at most. In a price that jumps to and fro a fifth of a candle
    # comes back later than within the next second.
    entry_lifetime_ms: Annotated[Count, Field(ge=1, le=3_600_000)] = Field(
        default=20_000, description="How long an order to buy may wait."
    )


class FlashCrashMarket(Section):
    """One market of the flash-crash trader, and what is different there; 0: as in the profile."""

    instrument: str = Field(description="What is traded.")
    venue: VenueName = Field(description="Where.")
    capital_quote: Positive = Field(description="Equity at the start, of which each position takes a part.")
    minimum_volume: NotNegative = Field(
        default=Decimal(0),
        description="A candle's volume must exceed this too.",
        json_schema_extra=unit("base currency"),
    )
    minimum_range: ShareOrOff = Field(
        default=Decimal(0), description="Least range of a candle that is traded.", json_schema_extra=RATIO
    )
    stop_loss: ShareOrOff = Field(
        default=Decimal(0), description="Loss at which a position is left.", json_schema_extra=RATIO
    )
    maximum_hold_ms: Pause = Field(default=0, description="How long a position is held at most.")
    volume_multiple: Multiple = Field(
        default=Decimal(0), description="Multiple of the mean volume.", json_schema_extra=RATIO
    )
    entry_score: Score = Field(
        default=0, description="Least score; selling exhaustion never asks for more.", json_schema_extra=unit("points")
    )


class FlashCrashSettings(Section):
    """The flash-crash trader; ``detector.profile`` chooses its profile too."""

    readme: FlashCrashThresholds = Field(default=FlashCrashThresholds(), description="The profile of the description.")
    optimized: OptimizedTrading = Field(default=OptimizedTrading(), description="The searched profile.")
    markets: Mapping[MarketName, FlashCrashMarket] = Field(
        default_factory=dict, description="What is traded, by any names."
    )

    def thresholds(self, profile: DetectorProfile, market: FlashCrashMarket) -> FlashCrashThresholds:
        """What is in force for a market: the profile, and the market's own thresholds over it."""
        chosen = self.readme if profile is DetectorProfile.README else self.optimized
        names = ("minimum_range", "stop_loss", "maximum_hold_ms", "volume_multiple", "entry_score")
        own = {name: getattr(market, name) for name in names if getattr(market, name)}
        if "entry_score" in own:
            own["lowered_entry_score"] = min(chosen.lowered_entry_score, own["entry_score"])
        return chosen.model_copy(update=own)
