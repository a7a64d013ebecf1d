"""Any venue that ccxt.pro speaks to, as a source like the others: slower, and with whole books instead of updates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from market.errors import Fatal, MissingExtra
from market.wire.markets import Market
from orchestrator.feeds.arrivals import Arrival, ArrivalKind, Arrivals
from orchestrator.feeds.ccxt_lines import CCXT_VENUE, book_line, trade_line
from orchestrator.feeds.connection import Connection, Receiver
from orchestrator.feeds.decoding import LineDecoder
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.link import STATES, LinkState
from orchestrator.live.network import end_tasks
from sim.replay.source import Route, SourceSettings

DEPTH: Final = 50
_OPENING_S: Final = 2.0
MakeExchange = Callable[[], Any]
"""A new ccxt.pro exchange, to be closed by whoever asked for it."""


def exchange_named(
    name: str, options: dict[str, Any] | None = None, *, http: str = "", streams: str = ""
) -> MakeExchange:
    """Makes an exchange of ccxt.pro by its name there.

    Parameters
    ----------
    http, streams: where its requests and streams go in place of every address that ccxt knows; empty: there.

    Making one raises MissingExtra where ccxt is not installed, Fatal for a name that it does not have.
    """

    def make() -> Any:
        known = getattr(_ccxt_pro(), name, None)
        if known is None:
            raise Fatal(f"ccxt.pro has no exchange {name!r}; expected one of ccxt.pro.exchanges as ccxt_name")
        exchange = known({"enableRateLimit": True, **(options or {})})
        exchange.urls["api"] = _moved(exchange.urls["api"], http, streams)
        return exchange

    return make


def _moved(urls: Any, http: str, streams: str) -> Any:
    """A tree of addresses with the same paths at other places."""
    if isinstance(urls, dict):
        return {name: _moved(value, http, streams) for name, value in urls.items()}
    if not isinstance(urls, str):
        return urls
    parts = urlsplit(urls)
    base = streams if parts.scheme in ("ws", "wss") else http
    return f"{base}{parts.path}" if base else urls


def _ccxt_pro() -> Any:
    try:
        import ccxt.pro
    except ImportError as missing:
        raise MissingExtra("ccxt is not installed: pip install --require-hashes -r requirements/live.lock") from missing
    return ccxt.pro


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is watched of one market.

    Parameters
    ----------
    symbol: the market's, as our settings write it. name: ccxt's name of it, such as BTC/USD.
    """

    symbol: str
    name: str


class CcxtConnection(Connection):
    """Watches books and trades of some markets; every fault ends them all, and they are watched anew."""

    def __init__(
        self,
        name: str,
        make: MakeExchange,
        watched: Sequence[Watched],
        limits: FeedLimits,
        link: CcxtLink,
        *,
        depth: int,
        subscribed_depth: int | None,
        has_trades: bool,
    ) -> None:
        super().__init__(name, limits, link)
        self._make = make
        self._watched = tuple(watched)
        self._link = link
        self._depth = depth
        self._subscribed_depth = subscribed_depth
        self._has_trades = has_trades
        self._number = 0
        self._has_heard = False
        self._last_s = 0.0

    async def attempt(self, restart: asyncio.Future[str]) -> tuple[bool, str]:
        """Watch until something fails, falls silent or is to be made anew."""
        ccxt = _ccxt_pro()
        loop = asyncio.get_running_loop()
        exchange = self._make()
        self._has_heard = False
        loading = asyncio.ensure_future(exchange.load_markets())
        try:
            async with asyncio.timeout(self.limits.connect_s):
                await asyncio.shield(loading)
            self._stamp_messages(exchange)
            since_s = self._last_s = loop.time()
            reason = await self._watch(exchange, restart)
        except (ccxt.BaseError, OSError, TimeoutError) as error:
            return False, f"no connection ({type(error).__name__}: {error})"
        finally:
            await _close(exchange, loading)
        return self._has_heard and loop.time() - since_s >= self.limits.backoff.first_s, reason

    def _stamp_messages(self, exchange: Any) -> None:
        """Note when messages arrive, before ccxt works on them."""
        loop, handle = asyncio.get_running_loop(), exchange.handle_message

        def stamped(client: Any, message: Any) -> None:
            self._link.note_receipt()
            self._last_s = loop.time()
            handle(client, message)

        exchange.handle_message = stamped

    async def _watch(self, exchange: Any, restart: asyncio.Future[str]) -> str:
        """Watch all markets; gives why that ended, and raises what a watch ended by."""
        loop = asyncio.get_running_loop()
        work: list[Coroutine[Any, Any, None]] = [self._books(exchange, watched) for watched in self._watched]
        if self._has_trades:
            work += [self._trades(exchange, watched) for watched in self._watched]
        tasks = [asyncio.ensure_future(one) for one in work]
        ends: set[asyncio.Future[Any]] = {*tasks, restart}
        try:
            while True:
                left_s = self._last_s + self.limits.silence_s - loop.time()
                if left_s <= 0:
                    return f"silent for {self.limits.silence_s:g} s"
                done, _ = await asyncio.wait(ends, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
                if restart in done:
                    return restart.result()
                for task in done:
                    return f"{type(task.exception()).__name__}: {task.exception()}" if _is_network(task) else "ended"
        finally:
            await end_tasks(tasks)

    async def _books(self, exchange: Any, watched: Watched) -> None:
        while True:
            book = await exchange.watch_order_book(watched.name, self._subscribed_depth)
            self._number += 1
            self._hand_on(book_line(watched.symbol, self._number, book, self._depth))

    async def _trades(self, exchange: Any, watched: Watched) -> None:
        is_news = False
        while True:
            for trade in await exchange.watch_trades(watched.name):
                self._number += 1
                self._hand_on(trade_line(watched.symbol, self._number, trade, is_news=is_news))
            is_news = True

    def _hand_on(self, line: bytes) -> None:
        if not self._has_heard:
            self._has_heard = True
            self.heard()
        self.receiver.message(line, True)


async def _close(exchange: Any, loading: asyncio.Future[Any]) -> None:
    """Close an exchange; connections that it is only just making are waited for, since it would forget them."""
    clients = list(exchange.clients.values())
    opening = [client.connected for client in clients if client.connecting and client.connection is None]
    await asyncio.wait([loading, *opening], timeout=_OPENING_S)
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    await exchange.close()


def _is_network(task: asyncio.Future[Any]) -> bool:
    """Whether a watch ended by an error of ccxt; raises any other, which is a mistake in the program."""
    error = task.exception()
    if error is not None and not isinstance(error, (_ccxt_pro().BaseError, OSError)):
        raise error
    return error is not None


class CcxtLink(Receiver):
    """The network's side of a source over ccxt.pro."""

    def __init__(self, source: int, arrivals: Arrivals, plan: CcxtPlan, note: Callable[[str], None]) -> None:
        self._source = source
        self._arrivals = arrivals
        self._tell = note
        self._received_ns: int | None = None
        self._was_up = False
        self._connection = CcxtConnection(
            plan.name,
            plan.make,
            [Watched(symbol=market.symbol, name=name) for market, name in zip(plan.markets, plan.names, strict=True)],
            plan.limits,
            self,
            depth=plan.depth,
            subscribed_depth=plan.subscribed_depth,
            has_trades=plan.has_trades,
        )

    @property
    def state(self) -> LinkState:
        """That of the watches."""
        return STATES[self._connection.state]

    @property
    def reconnections(self) -> int:
        """Times that everything was watched anew."""
        return max(self._connection.opened - 1, 0)

    @property
    def switches(self) -> int:
        """None: there is no reserve."""
        return 0

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._connection.run()

    def request_snapshot(self, market: int) -> None:
        """Nothing: every message brings a whole book."""

    def restart(self, reason: str) -> None:
        """Watch everything anew."""
        self._connection.restart(reason)

    def resume(self) -> None:
        """Try again after it was given up."""
        self._connection.resume()

    def note_receipt(self) -> None:
        """A message of the venue has just arrived; what ccxt makes of it was received now."""
        self._received_ns = self._arrivals.now_ns()

    def opened(self) -> None:
        """The first line is about to come."""
        self._was_up = True

    def message(self, content: bytes, is_text: bool) -> None:
        """A line."""
        stamp_ns = self._arrivals.stamp_ns(self._received_ns)
        self._arrivals.put(self._source, Arrival(stamp_ns, ArrivalKind.MESSAGE, content))

    def broken(self, reason: str) -> None:
        """Nothing is watched any more."""
        if self._was_up:
            self._was_up = False
            self._arrivals.put(self._source, Arrival(self._arrivals.stamp_ns(), ArrivalKind.BROKEN, b""))

    def note(self, text: str) -> None:
        """Something for people to read."""
        self._tell(text)


@dataclass(frozen=True, kw_only=True)
class CcxtPlan:
    """A venue over ccxt.pro.

    Parameters
    ----------
    name: of the source. make: makes the exchange. names: ccxt's name of each market.
    depth: levels per side that are kept. subscribed_depth: that ccxt subscribes to, None for its default.
    """

    name: str
    make: MakeExchange
    markets: tuple[Market, ...]
    names: tuple[str, ...]
    routes: tuple[Route | None, ...]
    limits: FeedLimits = field(default_factory=FeedLimits)
    depth: int = DEPTH
    subscribed_depth: int | None = None
    has_trades: bool = True

    def recorded(self, path: Path) -> SourceSettings:
        """The source as a recording of it, to be replayed from a file."""
        return SourceSettings(name=self.name, path=path, venue=CCXT_VENUE, markets=self.markets, routes=self.routes)

    @cached_property
    def settings(self) -> SourceSettings:
        """What it carries."""
        return self.recorded(Path())

    @property
    def is_checked(self) -> bool:
        """Nothing to compare with: ccxt checks what the venue lets it check."""
        return False

    @property
    def has_reserve(self) -> bool:
        """None."""
        return False

    def decoder(self) -> LineDecoder:
        """A decoder of its lines."""
        return LineDecoder(CCXT_VENUE, self.markets)

    def link(self, index: int, arrivals: Arrivals, note: Callable[[str], None]) -> CcxtLink:
        """What it is connected to."""
        return CcxtLink(index, arrivals, self, note)
