"""Settings of the message bus: where its three channels are, and how long anybody waits."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from config.base import Count, Flag, Section, unit

_ADDRESS: Final = re.compile(r"tcp://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+|\*):([0-9]{1,5}|\*)")


def _tcp(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if found is None or (found[2] != "*" and int(found[2]) > 65_535):
        raise ValueError("must be a ZeroMQ address such as tcp://127.0.0.1:5555")
    return text


TcpAddress = Annotated[str, AfterValidator(_tcp)]
Wait = Annotated[Count, Field(ge=1, le=60_000)]


class BusSettings(Section):
    """The message bus, by which other processes and the operator see a run and command it."""

    enabled: Flag = Field(default=True, description="Whether a live or paper run opens the bus.")
    data_address: TcpAddress = Field(
        default="tcp://127.0.0.1:5555", description="Books, trades, health and changes of state are published there."
    )
    command_address: TcpAddress = Field(default="tcp://127.0.0.1:5556", description="Commands are taken there.")
    response_address: TcpAddress = Field(
        default="tcp://127.0.0.1:5557", description="Answers to commands and executions are published there."
    )
    data_timeout_ms: Wait = Field(default=1_000, description="Longest wait for a message of the data channel.")
    command_timeout_ms: Wait = Field(default=1_000, description="Longest wait until a command is handed over.")
    response_timeout_ms: Wait = Field(default=1_000, description="Longest wait for the answer to a command.")
    high_water_mark: Annotated[Count, Field(ge=1, le=1_000_000)] = Field(
        default=10_000,
        description="Messages that wait for a slow peer before further ones are dropped.",
        json_schema_extra=unit("messages"),
    )
    book_levels: Annotated[Count, Field(ge=1, le=1_000)] = Field(
        default=20, description="Levels of each side that are published.", json_schema_extra=unit("levels")
    )
    book_interval_ms: Annotated[Count, Field(ge=1, le=3_600_000)] = Field(
        default=100, description="How often changes of a book are published."
    )
    snapshot_interval_s: Annotated[Count, Field(ge=1, le=3_600)] = Field(
        default=10, description="How often a whole book is published."
    )
    health_interval_ms: Annotated[Count, Field(ge=1, le=3_600_000)] = Field(
        default=1_000, description="How often health is published."
    )
