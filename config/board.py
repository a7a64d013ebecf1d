"""Settings of a board that runs the fast loop: where it is, and where it sends to."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from config.base import Count, Milliseconds, Section
from config.loop import Port, Unicast, ipv4_address


class BoardSettings(Section):
    """A board of the fast loop, for back_end = "fpga"; its key is in the environment."""

    address: Unicast = Field(default="192.168.1.50", description="The board's address, as it was built.")
    control_port: Port = Field(default=31_901, description="Port of the board that takes control messages.")
    market_port: Annotated[Count, Field(ge=1, le=61_440)] = Field(
        default=31_960,
        description="Port of the board that gets the market data of the first market; one port more for each further "
        "market, in the order of instruments and their markets.",
    )
    bind_address: Annotated[str, AfterValidator(ipv4_address)] = Field(
        default="0.0.0.0", description="Address of this machine that the board sends to; 0.0.0.0: any."
    )
    message_port: Port = Field(default=31_900, description="Port of this machine for triggers, answers and statuses.")
    log_port: Port = Field(default=31_902, description="Port of this machine for the event log.")
    answer_ms: Annotated[Milliseconds, Field(ge=1)] = Field(
        default=1_000, description="How long an answer is waited for while the board is taken over; asked three times."
    )
