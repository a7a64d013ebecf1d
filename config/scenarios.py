"""Settings of generated sessions: shapes of crashes, and the seeds on which detection is tuned and judged."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from config.base import Count, Section, unit

PERCENT: Final = unit("%")
BPS: Final = unit("bps")
Percent = Annotated[Count, Field(ge=0, le=100)]
Drop = Annotated[Count, Field(ge=1, le=60)]
Bps = Annotated[Count, Field(ge=0, le=500)]
Seconds = Annotated[Count, Field(ge=1, le=3_600)]
Legs = Annotated[Count, Field(ge=1, le=60)]
Seed = Annotated[Count, Field(ge=0, lt=10**12)]


class ScenarioKind(StrEnum):
    """What happens in a generated session."""

    QUIET = "quiet"
    VOLATILE = "volatile"
    CASCADE_2025 = "cascade-2025"
    CAPITULATION_2021 = "capitulation-2021"
    SELL_PROGRAM_2010 = "sell-program-2010"
    AIR_POCKET = "air-pocket"

    @property
    def is_crash(self) -> bool:
        """Whether there is something to detect."""
        return self not in (ScenarioKind.QUIET, ScenarioKind.VOLATILE)


class CrashShape(Section):
    """A family of crashes; each session draws its numbers evenly between least and most."""

    least_drop_pct: Drop = Field(description="Least fall.", json_schema_extra=PERCENT)
    most_drop_pct: Drop = Field(description="Most.", json_schema_extra=PERCENT)
    least_fall_s: Seconds = Field(description="Shortest time from the beginning to the bottom.")
    most_fall_s: Seconds = Field(description="Longest.")
    least_rebound_pct: Percent = Field(
        description="Least part of the fall that is recovered.", json_schema_extra=PERCENT
    )
    most_rebound_pct: Percent = Field(description="Most.", json_schema_extra=PERCENT)
    least_rebound_s: Seconds = Field(description="Shortest time of the recovery.")
    most_rebound_s: Seconds = Field(description="Longest.")
    least_legs: Legs = Field(description="Least number of legs of the fall.", json_schema_extra=unit("legs"))
    most_legs: Legs = Field(description="Most.", json_schema_extra=unit("legs"))
    bounce_pct: Percent = Field(description="What each leg gives back, at most.", json_schema_extra=PERCENT)
    acceleration_pct: Percent = Field(
        description="Part of the fall that comes at its end: 0 for an even one.", json_schema_extra=PERCENT
    )
    chop_bps: Bps = Field(
        description="Standard deviation of the price around its path at the worst.", json_schema_extra=BPS
    )
    liquidation_bps: Bps = Field(
        description="How far a cluster of liquidations presses the price.", json_schema_extra=BPS
    )
    spacing_bps: Annotated[Count, Field(ge=1, le=1_000)] = Field(
        description="Mean distance of such clusters.", json_schema_extra=BPS
    )
    halts: bool = Field(default=False, description="Whether the feed stands still for five seconds at the bottom.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for what in ("drop_pct", "fall_s", "rebound_pct", "rebound_s", "legs"):
            least, most = getattr(self, f"least_{what}"), getattr(self, f"most_{what}")
            if least > most:
                raise ValueError(f"least_{what} was {least}: must be at most most_{what} = {most}")
        return self


CASCADE: Final = CrashShape(
    least_drop_pct=8,
    most_drop_pct=15,
    least_fall_s=120,
    most_fall_s=480,
    least_rebound_pct=35,
    most_rebound_pct=65,
    least_rebound_s=240,
    most_rebound_s=600,
    least_legs=6,
    most_legs=12,
    bounce_pct=45,
    acceleration_pct=60,
    chop_bps=35,
    liquidation_bps=30,
    spacing_bps=45,
)
CAPITULATION: Final = CrashShape(
    least_drop_pct=18,
    most_drop_pct=30,
    least_fall_s=420,
    most_fall_s=840,
    least_rebound_pct=40,
    most_rebound_pct=60,
    least_rebound_s=300,
    most_rebound_s=700,
    least_legs=8,
    most_legs=16,
    bounce_pct=45,
    acceleration_pct=60,
    chop_bps=30,
    liquidation_bps=30,
    spacing_bps=60,
)
SELL_PROGRAM: Final = CrashShape(
    least_drop_pct=5,
    most_drop_pct=9,
    least_fall_s=150,
    most_fall_s=280,
    least_rebound_pct=70,
    most_rebound_pct=95,
    least_rebound_s=300,
    most_rebound_s=700,
    least_legs=3,
    most_legs=6,
    bounce_pct=25,
    acceleration_pct=85,
    chop_bps=18,
    liquidation_bps=15,
    spacing_bps=40,
    halts=True,
)
AIR_POCKET: Final = CrashShape(
    least_drop_pct=3,
    most_drop_pct=8,
    least_fall_s=5,
    most_fall_s=25,
    least_rebound_pct=60,
    most_rebound_pct=90,
    least_rebound_s=15,
    most_rebound_s=90,
    least_legs=1,
    most_legs=3,
    bounce_pct=30,
    acceleration_pct=60,
    chop_bps=50,
    liquidation_bps=25,
    spacing_bps=50,
)


class ScenarioSettings(Section):
    """Generated sessions of Bitcoin on USD-M futures, and the statistics of detection over them."""

    duration_s: Annotated[Count, Field(ge=120, le=86_400)] = Field(default=1_800, description="Length of a session.")
    price: Annotated[Count, Field(ge=20_000, le=1_000_000)] = Field(
        default=61_700, description="Price at the start.", json_schema_extra=unit("USD")
    )
    cascade_2025: CrashShape = Field(default=CASCADE, description="Shaped like 2025-10-10.")
    capitulation_2021: CrashShape = Field(default=CAPITULATION, description="Shaped like 2021-05-19.")
    sell_program_2010: CrashShape = Field(default=SELL_PROGRAM, description="Shaped like 2010-05-06.")
    air_pocket: CrashShape = Field(default=AIR_POCKET, description="Seconds without bids.")
    sessions: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=1_000, description="Sessions that the statistics are of.", json_schema_extra=unit("sessions")
    )
    tuning_seed: Seed = Field(
        default=1, description="First seed that thresholds and shapes may be tried on.", json_schema_extra=unit("seed")
    )
    evaluation_seed: Seed = Field(
        default=1_000_000,
        description="First seed that nothing was ever tried on; only judged.",
        json_schema_extra=unit("seed"),
    )

    @model_validator(mode="after")
    def _seeds_are_apart(self) -> Self:
        if abs(self.evaluation_seed - self.tuning_seed) < self.sessions:
            raise ValueError(
                f"evaluation_seed was {self.evaluation_seed}: must be at least sessions = {self.sessions} away from "
                f"tuning_seed = {self.tuning_seed}"
            )
        return self

    def shape(self, kind: ScenarioKind) -> CrashShape:
        """The family of a kind of crash."""
        shapes = {
            ScenarioKind.CASCADE_2025: self.cascade_2025,
            ScenarioKind.CAPITULATION_2021: self.capitulation_2021,
            ScenarioKind.SELL_PROGRAM_2010: self.sell_program_2010,
            ScenarioKind.AIR_POCKET: self.air_pocket,
        }
        return shapes[kind]
