"""What a server can be asked: each endpoint once, whether it is called over HTTP or over the WebSocket API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sim.exchange.answers import Json
from sim.exchange.keys import ApiKey
from sim.exchange.parameters import Parameters


class Security(Enum):
    """What a request must bring."""

    NONE = "nothing"
    KEY = "a key"
    SIGNED = "a key, a time and a signature"
    TRADE = "the same, by a key that may trade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that has been let in.

    Parameters
    ----------
    key: whose it is; None only where none is needed.
    now_ns: time for the venue. server_ns: time that the server states, which a fault may have set wrong.
    """

    parameters: Parameters
    key: ApiKey | None
    now_ns: int
    server_ns: int

    @property
    def account(self) -> str:
        """Whose request it is; empty for nobody's."""
        return self.key.account if self.key else ""


Weight: TypeAlias = int | Callable[[Parameters], int]
Run: TypeAlias = Callable[[Call], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One thing that can be asked.

    Parameters
    ----------
    run: does it; raises ApiError and VenueRefusal.
    weight: of the request, or what tells it. orders: new orders that it counts as.
    """

    run: Run
    security: Security = Security.NONE
    weight: Weight = 1
    orders: int = 0

    def weight_of(self, parameters: Parameters) -> int:
        """Weight of a request with some parameters."""
        return self.weight if isinstance(self.weight, int) else self.weight(parameters)


Route = tuple[str, str]
"""HTTP method and path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """All that a venue's server can be asked.

    Parameters
    ----------
    routes: over HTTP. methods: over the WebSocket API, by name.
    """

    routes: Mapping[Route, Endpoint]
    methods: Mapping[str, Endpoint]


def weight_by_symbol(one: int, every: int) -> Callable[[Parameters], int]:
    """Weight of a request about one symbol, or about all."""
    return lambda parameters: one if parameters.has("symbol") else every
