"""The server of one venue: HTTP and WebSocket connections, and the pulse by which time passes on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Final

import msgspec

from sim.exchange import answers
from sim.exchange.answers import ApiError, json_text
from sim.exchange.api_session import ApiSession
from sim.exchange.connection import Connection
from sim.exchange.http_door import HttpDoor
from sim.exchange.keys import KeyKind, KeyRing
from sim.exchange.listen_keys import ListenKeys
from sim.exchange.listening import Listening
from sim.exchange.market import market_of
from sim.exchange.quota import FUTURES_LIMITS, SPOT_LIMITS
from sim.exchange.served import ServedVenue
from sim.exchange.service import VenueService
from sim.exchange.sessions import StreamRefusal, StreamSession, shutdown_event
from sim.exchange.stream_names import Category, Stream, parse_sbe_stream, parse_stream
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.symbol_rules import UNCHANGED, SymbolRules
from sim.faults.fate import Faults
from sim.faults.plan import FaultKind

if TYPE_CHECKING:
    from aiohttp import web

_CONNECT_WEIGHT: Final = 2
_API_PATH: Final = {MarketKind.SPOT: "/ws-api/v3", MarketKind.USD_MARGINED: "/ws-fapi/v1"}
_STREAM_PATH: Final = re.compile(
    r"(?:/f?stream)?(?P<sbe>/sbe)?(?:/(?P<category>public|market|private))?/(?P<form>ws|stream)(?:/(?P<rest>.*))?"
)
_NUMBER: Final = re.compile(r"[0-9]*")
_KEY_HEADER: Final = "X-MBX-APIKEY"


class VenueServer:
    """See the module; ``pulse`` must be called every few milliseconds.

    Parameters
    ----------
    now_ns: the clock.
    """

    def __init__(self, served: ServedVenue, faults: Faults, now_ns: Callable[[], int]) -> None:
        kind = served.venue.model.kind
        limits = served.limits or (SPOT_LIMITS if kind is MarketKind.SPOT else FUTURES_LIMITS)
        self.name = served.name
        self.service = VenueService(served.name, served.venue, KeyRing(served.keys), limits, faults, now_ns)
        self._latency = served.latency
        self._players = served.players
        self._listening = Listening(self.service.server_ns)
        self._listen_keys = ListenKeys(self._listening.expired)
        self._market = market_of(self.service, self._listen_keys)
        self._door = HttpDoor(self.service, self._market.endpoints, served.latency)
        self._connections: set[Connection] = set()
        self._streaming: set[Connection] = set()
        self._sent_before = 0

    @property
    def sent(self) -> int:
        """Messages that were written to connections with market data, those that have ended included."""
        return self._sent_before + sum(connection.sent for connection in self._streaming)

    @property
    def waiting(self) -> int:
        """Messages that are to be written to them."""
        return sum(connection.waiting for connection in self._streaming)

    def pulse(self) -> None:
        """Let time pass: the venue, periodic messages, listen keys, and faults that begin."""
        service = self.service
        for player in self._players:
            player.advance(service.now_ns())
        now_ns = service.pulse()
        for fault in service.faults.moments(self.name, now_ns):
            self._befall(fault, now_ns)
        for model in service.venue.model.symbols:
            self._change(model.symbol, now_ns)
        self._listen_keys.expire(now_ns)
        self._market.hub.pulse(now_ns)

    def disconnect(self) -> None:
        """End all connections at once, without a word."""
        for connection in tuple(self._connections):
            connection.abort()

    async def close(self) -> None:
        """Tell all connections that the server goes away, and end them."""
        event = shutdown_event(self.service.server_ns(self.service.now_ns()))
        for connection in tuple(self._connections):
            await connection.close(json_text({"event": event} if connection.wraps_events else event))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """A request, or the beginning of a WebSocket connection."""
        from aiohttp import web

        service = self.service
        if service.faults.is_away(self.name, service.now_ns()):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await self._door.handle(request)
        try:
            return await self._connected(request)
        except ApiError as refusal:
            body = msgspec.json.encode(refusal.body)
            return web.Response(body=body, status=refusal.status, headers=refusal.headers)

    async def _connected(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.rstrip("/")
        if path == _API_PATH[self._market.kind]:
            return await self._api(request)
        found = _STREAM_PATH.fullmatch(path)
        if found is None:
            raise answers.not_found()
        category = Category(found["category"] or "")
        key = request.query.get("listenKey") or self._key_in(found["rest"] or "")
        if self._market.kind is MarketKind.USD_MARGINED and (category is Category.PRIVATE or key):
            return await self._listen(request, key)
        return await self._streams(request, found)

    async def _api(self, request: web.BaseRequest) -> web.StreamResponse:
        service = self.service
        service.quota.spend(request.remote or "", _CONNECT_WEIGHT, service.server_ns(service.now_ns()))
        connection = Connection(service, request, self._latency.answer_ns, wraps_events=True)
        session = ApiSession(
            service,
            connection,
            self._market.endpoints.methods,
            self._market.user_data,
            self._latency,
            subscribes=self._market.kind is MarketKind.SPOT,
            shows_limits=request.query.get("returnRateLimits", "true") != "false",
        )
        with self._kept(connection):
            try:
                return await connection.serve(session.take)
            finally:
                session.leave_all()

    async def _streams(self, request: web.BaseRequest, found: re.Match[str]) -> web.StreamResponse:
        if found["sbe"]:
            self._check_sbe_key(request)
        connection = Connection(self.service, request, self._latency.publish_ns)
        combined = found["form"] == "stream"
        session = StreamSession(self.service, self._market.hub, connection, self._parser(found), combined=combined)
        names = request.query.get("streams", "") if combined else found["rest"] or ""
        try:
            session.join(name for name in names.split("/") if "@" in name)
        except StreamRefusal as refusal:
            raise ApiError(-1000, refusal.message) from refusal
        self._streaming.add(connection)
        try:
            with self._kept(connection):
                return await connection.serve(session.take)
        finally:
            session.leave_all()
            self._streaming.discard(connection)
            self._sent_before += connection.sent

    async def _listen(self, request: web.BaseRequest, key: str) -> web.StreamResponse:
        account = self._listen_keys.account(key)
        connection = Connection(self.service, request, self._latency.answer_ns)
        with self._kept(connection), self._listening.joined(key, account, self._market.user_data, connection) as take:
            return await connection.serve(take)

    @contextmanager
    def _kept(self, connection: Connection) -> Iterator[None]:
        """Know of a connection while the block runs."""
        self._connections.add(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)

    def _befall(self, fault: FaultKind, now_ns: int) -> None:
        """Do what a fault of the whole venue does when it begins; a recorded book has moved on when it is back."""
        if fault is FaultKind.EXPIRE_LISTEN_KEYS:
            self._listen_keys.expire(now_ns, every=True)
            return
        self.disconnect()
        if fault is FaultKind.OUTAGE and not self._players:
            for model in self.service.venue.exchange_info().symbols:
                self.service.venue.withdraw(model.symbol, now_ns)
            self.service.publish(now_ns)

    def _change(self, symbol: str, now_ns: int) -> None:
        """Trade a symbol as the changes that last have it."""
        venue, changes = self.service.venue, self.service.faults.changes(self.name, symbol, now_ns)
        if not changes and venue.rules(symbol) is UNCHANGED:
            return
        rules = SymbolRules(
            is_trading=all(change.is_trading for change in changes),
            tick_factor=prod(change.tick_factor for change in changes),
            lot_factor=prod(change.lot_factor for change in changes),
            notional_factor=prod(change.notional_factor for change in changes),
        )
        venue.change_rules(symbol, rules if changes else UNCHANGED)

    def _parser(self, found: re.Match[str]) -> Callable[[str], Stream | None]:
        if found["sbe"]:
            return parse_sbe_stream
        kind, category = self._market.kind, Category(found["category"] or "")
        return lambda name: parse_stream(name, kind, category)

    def _key_in(self, rest: str) -> str:
        """A listen key in a path; empty for streams, and for the numbers by which clients tell connections apart."""
        return "" if "@" in rest or _NUMBER.fullmatch(rest) else rest

    def _check_sbe_key(self, request: web.BaseRequest) -> None:
        if self.service.keys.find(request.headers.get(_KEY_HEADER, "")).kind is not KeyKind.ED25519:
            raise ApiError(-4056, "HMAC_SHA256 API key is not supported.")
