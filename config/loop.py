"""Settings of the receive loop: which datagrams it takes, where its triggers go, who controls it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from config.base import Count, Section
from config.venues import VenueName

CHANNELS_MOST = 64
"""Rows of the engine's channel table."""


class Wait(StrEnum):
    """What the loop does while nothing comes."""

    BUSY = "busy"
    SLEEP = "sleep"


class FeedName(StrEnum):
    """What a channel's datagrams contain."""

    BINANCE_SBE = "binance-sbe"
    STARBASE = "starbase"
    COINBASE_DERIVATIVES = "coinbase-derivatives"
    DERIBIT_LEGACY = "deribit-legacy"


def ipv4_address(text: str) -> str:
    """The text, if it is an IPv4 address; raises ValueError."""
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError("must be an IPv4 address such as 127.0.0.1") from None


def _destination(text: str) -> str:
    address = IPv4Address(ipv4_address(text))
    if address.is_unspecified:
        raise ValueError("must be one address: the loop takes what is sent to it and to no other")
    return str(address)


def _unicast(text: str) -> str:
    text = _destination(text)
    if IPv4Address(text).is_multicast:
        raise ValueError("must be the address of one receiver, not of a group")
    return text


Destination = Annotated[str, AfterValidator(_destination)]
Unicast = Annotated[str, AfterValidator(_unicast)]
Port = Annotated[Count, Field(ge=1, le=65_535)]
PortOrAny = Annotated[Count, Field(ge=0, le=65_535)]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]


class ChannelSettings(Section):
    """Datagrams to one address and port: whose they are and what they contain."""

    address: Destination = Field(description="Destination of the datagrams: an address of this machine, or a group.")
    port: Port = Field(description="Destination port.")
    interface: str = Field(
        default="", description="Network interface that joins the group; empty: the one that the system chooses."
    )
    venue: VenueName = Field(description="Venue whose market data this is.")
    instrument: str = Field(
        default="", description="Instrument that every message is about; empty: the messages name it."
    )
    feed: FeedName = Field(default=FeedName.BINANCE_SBE, description="Format of the messages.")

    @model_validator(mode="after")
    def _messages_say_what_they_are_about(self) -> Self:
        if self.feed is FeedName.BINANCE_SBE and not self.instrument:
            raise ValueError(f"instrument was '': must be set, messages of feed = {self.feed} do not name it")
        return self

    @model_validator(mode="after")
    def _only_groups_are_joined(self) -> Self:
        if self.interface and not IPv4Address(self.address).is_multicast:
            raise ValueError(
                f"interface was {self.interface!r}: must be empty, address = {self.address} is not a group"
            )
        return self


class LoopSettings(Section):
    """The receive loop: market data in, triggers out, in one compiled function."""

    channels: Mapping[ChannelName, ChannelSettings] = Field(
        default_factory=dict, max_length=CHANNELS_MOST, description="Channels in the order of their numbers."
    )
    trigger_address: Unicast = Field(default="127.0.0.1", description="Where triggers are sent: the order gateway.")
    trigger_port: Port = Field(default=31_900, description="Port of the order gateway.")
    control_address: Unicast = Field(
        default="127.0.0.1", description="Where the loop takes control messages; answers leave from there."
    )
    control_port: PortOrAny = Field(default=31_901, description="Port for control messages; 0: any free one.")
    host_address: Unicast = Field(
        default="127.0.0.1", description="The only sender whose control messages count; it gets the answers."
    )
    host_port: PortOrAny = Field(
        default=0, description="Its port; 0: the process of the loop itself arms the engine and renews the lease."
    )
    wait: Wait = Field(
        default=Wait.SLEEP,
        description="busy: never sleeps, takes a whole core; sleep: looks a few times more, then sleeps until a "
        "datagram comes.",
    )
    core: Annotated[Count, Field(ge=-1, le=4_095)] = Field(
        default=-1, description="Processor core that the loop's thread is pinned to; -1: none."
    )
    receive_buffer_bytes: Annotated[Count, Field(ge=4_096, le=2**30)] = Field(
        default=4_194_304,
        description="Room for waiting datagrams of each channel; the system may allow less (net.core.rmem_max).",
    )
