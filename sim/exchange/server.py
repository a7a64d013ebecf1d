"""The exchange on localhost: one server per venue, each on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from market.errors import Fatal, MissingExtra, MissingInput
from sim.exchange.keys import NEEDS_LIVE
from sim.exchange.served import ServedVenue, VenueAddress
from sim.exchange.venue_server import VenueServer
from sim.faults.fate import Faults
from sim.faults.plan import FaultPlan
from sim.listening import Listening

PULSE_S: Final = 0.005
"""How often the venues look at the time."""
_FAREWELL_S: Final = 1.0
"""How long requests that are under way may take to end with the server."""


class ExchangeServer:
    """Servers of several venues in one event loop; an asynchronous context manager that starts and ends them.

    Parameters
    ----------
    now_ns: the clock, ns since the epoch. plan: what goes wrong, counted from the start.
    host: a local address to listen on.

    Attributes
    ----------
    faults: known once it runs; faults may be added to it at any time. addresses: of the venues by name.
    """

    def __init__(
        self,
        venues: Sequence[ServedVenue],
        now_ns: Callable[[], int],
        *,
        plan: FaultPlan | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        if len({venue.name for venue in venues}) != len(venues) or not venues:
            raise Fatal(f"names of venues were {[venue.name for venue in venues]}; expected at least one, each once")
        self._venues = tuple(venues)
        self._now_ns = now_ns
        self._plan = plan or FaultPlan()
        self._host = host
        self._listening: list[Listening] = []
        self._pulses: asyncio.Task[None] | None = None
        self._addresses: dict[str, VenueAddress] = {}
        self.servers: dict[str, VenueServer] = {}
        self.faults = Faults(self._plan, 0)

    @property
    def addresses(self) -> Mapping[str, VenueAddress]:
        """Where the venues are; empty before the start."""
        return self._addresses

    async def __aenter__(self) -> Self:
        try:
            from aiohttp import web
        except ModuleNotFoundError as error:
            raise MissingExtra(NEEDS_LIVE) from error
        self.faults = Faults(self._plan, self._now_ns())
        for venue in self._venues:
            server = self.servers[venue.name] = VenueServer(venue, self.faults, self._now_ns)
            runner = web.ServerRunner(web.Server(server.handle, access_log=None), shutdown_timeout=_FAREWELL_S)
            listening = Listening(runner)
            self._listening.append(listening)
            try:
                host, port = await listening.start(self._host, venue.port)
            except OSError as error:
                await self._end()
                where = f"{self._host}:{venue.port}"
                raise MissingInput(f"{venue.name} cannot listen on {where}: {error.strerror}") from error
            self._addresses[venue.name] = VenueAddress(f"http://{host}:{port}", f"ws://{host}:{port}")
        self._pulses = asyncio.ensure_future(self._pulse())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pulses = self._pulses
        if pulses is not None:
            pulses.cancel()
            outcome = (await asyncio.gather(pulses, return_exceptions=True))[0]
            await self._end()
            if isinstance(outcome, Exception):
                raise outcome

    async def ended(self) -> None:
        """Wait for ever, or for the error that ended the venues' time; it is raised."""
        if self._pulses is not None:
            await asyncio.shield(self._pulses)

    async def _end(self) -> None:
        for server in self.servers.values():
            await server.close()
        for listening in self._listening:
            await listening.close()

    async def _pulse(self) -> None:
        while True:
            for server in self.servers.values():
                server.pulse()
            await asyncio.sleep(PULSE_S)
