"""Channel settings as the engine's channel rows."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

from config.loop import ChannelSettings, FeedName
from config.settings import Settings
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import NO_INSTRUMENT, Feed
from market.receive.words import Endpoint
from market.wire.sbe import encode
from orchestrator.engine.tables import instrument_numbers, venue_numbers

FEEDS: Final = {
    FeedName.BINANCE_SBE: Feed.BINANCE_SBE,
    FeedName.STARBASE: Feed.STARBASE,
    FeedName.COINBASE_DERIVATIVES: Feed.COINBASE_DERIVATIVES,
    FeedName.DERIBIT_LEGACY: Feed.DERIBIT_LEGACY,
}


def destination(channel: ChannelSettings) -> Endpoint:
    """Where a channel's datagrams are sent."""
    return Endpoint(IPv4Address(channel.address), channel.port)


def channel_rows(settings: Settings, *, first_sequence: int) -> list[bytes]:
    """One control message per channel, in the order of the settings, numbered from ``first_sequence``."""
    venues, instruments = venue_numbers(settings), instrument_numbers(settings)
    rows = []
    for number, channel in enumerate(settings.loop.channels.values()):
        to = destination(channel)
        fields = {
            "sequence": first_sequence + number,
            "address": int(to.address),
            "port": to.port,
            "channel": number,
            "instrument": instruments[channel.instrument] if channel.instrument else NO_INSTRUMENT,
            "venue": venues[channel.venue],
            "feed": FEEDS[channel.feed],
            "enabled": 1,
        }
        rows.append(encode(SCHEMA, "ChannelRow", fields))
    return rows
