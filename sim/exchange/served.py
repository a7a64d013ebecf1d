"""What a server is made of, as the caller states it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from sim.exchange.keys import ApiKey
from sim.exchange.latency import Latency
from sim.exchange.quota import Limits
from sim.exchange.venue.venue import SimulatedVenue


class Player(Protocol):
    """Plays something into a venue as time passes, such as a recorded market."""

    def advance(self, now_ns: int) -> None:
        """Play what is due until a time."""


@dataclass(frozen=True, kw_only=True)
class ServedVenue:
    """A venue that a server is to be made for.

    Parameters
    ----------
    name: of the venue, as addresses and faults name it. limits: None: Binance's. port: 0: any free one.
    players: what is played into it while it is served.
    """

    name: str
    venue: SimulatedVenue
    keys: tuple[ApiKey, ...] = ()
    latency: Latency = field(default_factory=Latency)
    limits: Limits | None = None
    port: int = 0
    players: tuple[Player, ...] = ()


@dataclass(frozen=True, slots=True)
class VenueAddress:
    """Where a venue is, without paths: ``http://127.0.0.1:8080`` and ``ws://127.0.0.1:8080``."""

    http: str
    ws: str
