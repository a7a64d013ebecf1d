"""What a server is made of, as the caller states it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.exchange.keys import ApiKey
from sim.exchange.latency import Latency
from sim.exchange.quota import Limits
from sim.exchange.venue.venue import SimulatedVenue


@dataclass(frozen=True, kw_only=True)
class ServedVenue:
    """A venue that a server is to be made for.

    Parameters
    ----------
    name: of the venue, as addresses and faults name it. limits: None: Binance's. port: 0: any free one.
    """

    name: str
    venue: SimulatedVenue
    keys: tuple[ApiKey, ...] = ()
    latency: Latency = field(default_factory=Latency)
    limits: Limits | None = None
    port: int = 0


@dataclass(frozen=True, slots=True)
class VenueAddress:
    """Where a venue is, without paths: ``http://127.0.0.1:8080`` and ``ws://127.0.0.1:8080``."""

    http: str
    ws: str
