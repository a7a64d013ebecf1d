"""Settings of the fast loop as a whole: which build runs it, its sizes, its rate limit and its lease."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.base import Count, Microseconds, Milliseconds, Section
from config.board import BoardSettings


class BackEnd(StrEnum):
    """Which build of the fast loop decides; all decide alike."""

    CPU = "cpu"
    CPU_PROCESS = "cpu-process"
    """The CPU engine in a process of its own, followed by a shadow that takes its place when it fails."""
    SOFT_FPGA = "soft-fpga"
    FPGA = "fpga"
    """A board, or a simulated core in its place, over UDP, followed by a shadow as well."""


class EngineSettings(Section):
    """The fast loop: back end, build sizes, rate limit and lease."""

    back_end: BackEnd = Field(default=BackEnd.CPU, description="Build of the fast loop that decides.")
    price_bits: Annotated[Count, Field(ge=16, le=48)] = Field(
        default=48, description="Width P of prices and quantities; both must stay below 2^P counts of their exponent."
    )
    venues: Annotated[Count, Field(ge=1, le=62)] = Field(default=4, description="Venues that the build has room for.")
    instruments: Annotated[Count, Field(ge=1, le=4096)] = Field(
        default=16, description="Instruments that the build has room for."
    )
    rate_interval_us: Annotated[Microseconds, Field(ge=3)] = Field(
        default=10_000, description="Mean time between triggers that the rate limit allows; at least 2,048 ns."
    )
    rate_tolerance_us: Microseconds = Field(
        default=90_000,
        description="How far triggers may run ahead of that mean: bursts of 1 + tolerance / interval triggers pass. "
        "At most 62 intervals.",
    )
    patience_ms: Annotated[Milliseconds, Field(ge=1)] = Field(
        default=250,
        description="Live, where the engine is not in this process: after so long without a word of it a shadow takes "
        "its place.",
    )
    lease_ms: Annotated[Milliseconds, Field(ge=1)] = Field(
        default=1_000, description="How long the engine may trigger after a heartbeat of the host."
    )
    board: BoardSettings = Field(default=BoardSettings(), description="The board, where one decides.")

    @model_validator(mode="after")
    def _tolerance_fits(self) -> Self:
        most = 62 * self.rate_interval_us
        if self.rate_tolerance_us > most:
            raise ValueError(
                f"rate_tolerance_us was {self.rate_tolerance_us}: must be at most 62 x rate_interval_us = {most}"
            )
        return self
