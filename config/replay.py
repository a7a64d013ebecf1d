"""Settings of the replay of recordings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from config.base import Count, Milliseconds, Section
from config.signals import SignalsSettings


class Settle(StrEnum):
    """What becomes of the orders of a trigger when a recording cannot answer."""

    UNFILLED = "unfilled"
    FILLED = "filled"


class ReplaySettings(Section):
    """Replay of recordings through the fast loop."""

    settle: Settle = Field(
        default=Settle.UNFILLED, description="Whether the legs of a trigger count as filled in full or as not filled."
    )
    settle_after_ms: Milliseconds = Field(default=1, description="Time from a trigger to the settlement of its legs.")
    workers: Annotated[Count, Field(ge=1, le=256)] = Field(default=1, description="Threads that decode recordings.")
    maximum_jump_s: Annotated[Count, Field(ge=1, le=31_536_000)] = Field(
        default=60,
        description="A line stamped this much later than the line after it is refused as unreadable.",
    )
    signals: SignalsSettings = Field(
        default=SignalsSettings(), description="Market signals, sampled beside the decisions."
    )
