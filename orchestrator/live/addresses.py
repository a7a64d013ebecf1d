"""Where the venues that can be traded on are: their own addresses, or those of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from config.settings import Settings
from config.venues import VenueName
from market.errors import Rejected


@dataclass(frozen=True, slots=True)
class VenueAddresses:
    """One venue's, each without a slash at the end.

    Parameters
    ----------
    http: requests. streams: market and user data. orders: orders over WebSocket. api: path before every request.
    is_own: whether they are the venue's own, so that orders cost real money.
    """

    http: str
    streams: str
    orders: str
    api: str
    is_own: bool


_OWN: Final = {
    VenueName.BINANCE_SPOT: VenueAddresses(
        "https://api.binance.com", "wss://stream.binance.com:9443", "wss://ws-api.binance.com", "/api/v3", True
    ),
    VenueName.BINANCE_USDM: VenueAddresses(
        "https://fapi.binance.com", "wss://fstream.binance.com", "wss://ws-fapi.binance.com", "/fapi/v1", True
    ),
}
TRADEABLE: Final = frozenset(_OWN)
"""Venues that orders can be sent to."""


def venue_addresses(settings: Settings, venue: VenueName) -> VenueAddresses:
    """Where a venue is; raises Rejected for one that cannot be traded on."""
    own = _OWN.get(venue)
    if own is None:
        known = ", ".join(sorted(TRADEABLE))
        raise Rejected(f"venues.{venue} cannot be traded on; expected one of {known}: set enabled = false for others")
    given = settings.venues[venue].addresses
    if not (given.http or given.streams or given.orders):
        return own
    streams = given.streams or given.http.replace("http", "ws", 1)
    return VenueAddresses(given.http, streams, given.orders or streams, own.api, False)
