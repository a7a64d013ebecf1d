"""Settings of live market data: from where, and when a feed is late, silent or broken."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.base import LONGEST_DURATION_NS, Count, Flag, Section, unit
from config.loop import Destination, Port
from config.venues import VenueName

_LONGEST_MS = LONGEST_DURATION_NS // 10**6
Interval = Annotated[Count, Field(ge=1, le=86_400_000)]
IntervalOrNever = Annotated[Count, Field(ge=0, le=86_400_000)]
Lead = Annotated[Count, Field(ge=-_LONGEST_MS, le=_LONGEST_MS)]


class FeedForm(StrEnum):
    """How a venue's market data arrives."""

    JSON = "json"
    SBE = "sbe"
    CCXT = "ccxt"
    UDP = "udp"


class DepthSpeed(StrEnum):
    """How often the changes of a book are sent."""

    EVERY_100_MS = "100ms"
    AT_ONCE = "0ms"


class TradeStream(StrEnum):
    """Which trades are received."""

    TRADE = "trade"
    AGGREGATE = "aggregate"
    NONE = "none"


class PacketForm(StrEnum):
    """What datagrams contain."""

    BINANCE_SBE = "binance-sbe"
    DERIBIT_LEGACY = "deribit-legacy"
    STARBASE = "starbase"
    COINBASE_DERIVATIVES = "coinbase-derivatives"


class UdpSettings(Section):
    """Datagrams that carry a venue's market data."""

    address: Destination = Field(default="127.0.0.1", description="Where they are sent: an address here, or a group.")
    port: Port = Field(default=31_950, description="Port that they are sent to.")
    interface: str = Field(default="0.0.0.0", description="Address here that joins the group.")
    packets: PacketForm = Field(default=PacketForm.BINANCE_SBE, description="What they contain.")
    definitions: str = Field(
        default="", description="Capture that defines the instruments; only binance-sbe names them itself."
    )

    @model_validator(mode="after")
    def _instruments_are_defined(self) -> Self:
        if self.packets is not PacketForm.BINANCE_SBE and not self.definitions:
            raise ValueError(f"definitions was '': must name a capture for packets = {self.packets}")
        return self


class FeedSourceSettings(Section):
    """One venue's market data."""

    form: FeedForm = Field(
        default=FeedForm.JSON,
        description="json, sbe: Binance's streams; ccxt: any venue that ccxt.pro knows; udp: datagrams.",
    )
    depth: DepthSpeed = Field(
        default=DepthSpeed.EVERY_100_MS, description="Interval of book updates in JSON; spot has no 0ms."
    )
    best_prices: Flag = Field(default=True, description="Whether the stream of best prices is received.")
    trades: TradeStream = Field(default=TradeStream.TRADE, description="Which trades are received.")
    reserve: Flag = Field(
        default=False, description="Whether a second stream stands by, is compared, and takes over on a stall (json)."
    )
    snapshot_levels: Annotated[Count, Field(ge=5, le=5_000)] = Field(
        default=1_000, description="Levels per side of a fetched book.", json_schema_extra=unit("levels")
    )
    clock_ahead_ms: Lead = Field(
        default=0, description="How far the clock here is known to be ahead of the venue's; below 0: behind."
    )
    ccxt_name: str = Field(default="", description="The venue's name in ccxt; empty: the same as here.")
    ccxt_depth: Annotated[Count, Field(ge=0, le=5_000)] = Field(
        default=0, description="Depth to subscribe to over ccxt; 0: its default.", json_schema_extra=unit("levels")
    )
    udp: UdpSettings = Field(default=UdpSettings(), description="Datagrams, for form = udp.")

    @model_validator(mode="after")
    def _reserve_is_known(self) -> Self:
        if self.reserve and self.form is not FeedForm.JSON:
            raise ValueError(f"reserve was true: must be false for form = {self.form}, only json streams are doubled")
        return self


class FeedsSettings(Section):
    """Live market data."""

    silence_ms: Interval = Field(default=1_000, description="A stream without a message for so long is made anew.")
    delay_ms: IntervalOrNever = Field(
        default=500, description="With messages older than this trading pauses and the stream is made anew; 0: never."
    )
    snapshot_every_ms: IntervalOrNever = Field(
        default=10_000, description="How often whole books are fetched and compared; 0: only when one is missing."
    )
    snapshot_pause_ms: Interval = Field(default=1_000, description="Least time between two requests for one book.")
    connect_ms: Interval = Field(default=10_000, description="A connection must stand after so long.")
    retry_after_ms: Interval = Field(default=1_000, description="Pause after a failed attempt; doubles with each.")
    retry_at_most_ms: Interval = Field(default=60_000, description="Longest pause between attempts.")
    attempts: Annotated[Count, Field(ge=1, le=1_000)] = Field(
        default=10, description="Failures in a row after which a human must look and resume the feed."
    )
    deviation_bps: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        default=100, description="Middles of two venues that differ by more are reported: one of the feeds is wrong."
    )
    sources: Mapping[VenueName, FeedSourceSettings] = Field(
        default_factory=dict, description="Venues whose market data does not arrive in the usual way."
    )
