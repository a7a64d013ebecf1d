"""The exchange of a soak, in a process of its own, and its handle in the run's process."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, Self

import uvloop

from config.settings import Settings
from market.errors import Fatal
from orchestrator.clock import SystemClock
from orchestrator.exchange.venues import account_keys, served_venues
from orchestrator.live.soak_load import Load
from orchestrator.risk.readings import resident_bytes
from sim.exchange.served import ServedVenue
from sim.exchange.server import ExchangeServer

_START_S: Final = 60.0
_ANSWER_S: Final = 10.0
_JOIN_S: Final = 10.0


@dataclass(frozen=True)
class Serving:
    """Where the venues are, by name, and the key of their account."""

    http: dict[str, str]
    key: str
    secret: str


@dataclass(frozen=True)
class SentCounts:
    """What was written to connections with market data, and what still waits there, by venue.

    Parameters
    ----------
    missed: messages that the load left out, because the process was late.
    """

    sent: dict[str, int]
    waiting: dict[str, int]
    missed: int
    resident_bytes: int


class SoakExchange:
    """The exchange's process; a context manager that ends it.

    Parameters
    ----------
    settings: whose venues are served, with their background traders.
    """

    def __init__(self, settings: Settings) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(self._theirs, settings), name="exchange", daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._theirs.close()
        self.serving: Serving = self._answer(_START_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(_JOIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def counts(self) -> SentCounts:
        """What was sent until now."""
        return self._ask(None)

    def set_rate(self, rate: float) -> SentCounts:
        """Let the venues send so many messages per second, all together; 0: only what happens by itself."""
        return self._ask(rate)

    def _ask(self, rate: float | None) -> SentCounts:
        self._pipe.send(rate)
        counts: SentCounts = self._answer(_ANSWER_S)
        return counts

    def _answer(self, patience_s: float) -> Any:
        """The next answer; raises Fatal when none comes."""
        try:
            if self._pipe.poll(patience_s):
                return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Fatal("the exchange's process has ended; its error is above") from error
        raise Fatal(f"the exchange's process did not answer within {patience_s:g} s")


class _Venues:
    """Served venues with a load on each."""

    def __init__(self, settings: Settings) -> None:
        self._clock = SystemClock()
        now_ns = self._clock.now_ns()
        served = served_venues(settings, now_ns)
        self._key = account_keys(settings.exchange)[0]
        self._loads = [
            Load(venue.venue, settings.exchange.seed, partial(self._published, venue.name)) for venue in served
        ]
        loaded = [_with_load(venue, load) for venue, load in zip(served, self._loads, strict=True)]
        self.server = ExchangeServer(loaded, self._clock.now_ns)

    @property
    def serving(self) -> Serving:
        http = {name: at.http for name, at in self.server.addresses.items()}
        return Serving(http, self._key.key, self._key.secret)

    def set_rate(self, rate: float) -> None:
        for load in self._loads:
            load.set_rate(rate / len(self._loads), self._clock.now_ns())

    def _published(self, name: str) -> int:
        server = self.server.servers[name]
        return server.sent + server.waiting

    def counts(self) -> SentCounts:
        servers = self.server.servers
        return SentCounts(
            sent={name: server.sent for name, server in servers.items()},
            waiting={name: server.waiting for name, server in servers.items()},
            missed=sum(load.missed for load in self._loads),
            resident_bytes=resident_bytes(),
        )


def _with_load(venue: ServedVenue, load: Load) -> ServedVenue:
    return ServedVenue(
        name=venue.name, venue=venue.venue, keys=venue.keys, latency=venue.latency, players=(*venue.players, load)
    )


async def _serve(pipe: Connection[Any, Any], settings: Settings) -> None:
    """Serve until the other end of the pipe is closed."""
    venues = _Venues(settings)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), asked.set)
    async with venues.server:
        pipe.send(venues.serving)
        while True:
            await asked.wait()
            asked.clear()
            while pipe.poll():
                try:
                    rate_wanted = pipe.recv()
                except EOFError:
                    loop.remove_reader(pipe.fileno())
                    return
                if rate_wanted is not None:
                    venues.set_rate(rate_wanted)
                pipe.send(venues.counts())


def _work(pipe: Connection[Any, Any], settings: Settings) -> None:
    """The other process. An interrupt of the terminal reaches it, too; the run decides when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve(pipe, settings))
