"""Clients of the exchange of a test: CCXT, and plain requests."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from orchestrator.execution.ccxt_client import BinanceAddresses, binance_client
from sim.exchange.keys import ApiKey, KeyKind
from tests.sim.exchange.stage import FUTURES, HMAC, PATIENCE_S, SPOT, Stage


@asynccontextmanager
async def ccxt_spot(stage: Stage, key: ApiKey = HMAC, options: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
    """CCXT on the spot venue, with its markets loaded."""
    at = stage.address(SPOT)
    addresses = BinanceAddresses(spot_http=at.http, spot_ws=at.ws)
    async with _opened(binance_client(addresses, api_key=key.key, secret=key.secret, options=options)) as client:
        yield client


@asynccontextmanager
async def ccxt_futures(
    stage: Stage, key: ApiKey = HMAC, options: Mapping[str, Any] | None = None
) -> AsyncIterator[Any]:
    """CCXT on the futures venue, with its markets loaded."""
    at = stage.address(FUTURES)
    addresses = BinanceAddresses(futures_http=at.http, futures_ws=at.ws)
    client = binance_client(addresses, api_key=key.key, secret=key.secret, market_type="swap", options=options)
    async with _opened(client) as opened:
        yield opened


@asynccontextmanager
async def _opened(client: Any) -> AsyncIterator[Any]:
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


def signed(key: ApiKey, values: Mapping[str, object] | None = None, *, at_ns: int | None = None) -> str:
    """A form signed with an HMAC key."""
    stamp_ns = time.time_ns() if at_ns is None else at_ns
    form = urlencode({**(values or {}), "timestamp": stamp_ns // 10**6})
    signature = hmac.new(key.secret.encode(), form.encode(), hashlib.sha256).hexdigest()
    return f"{form}&signature={signature}"


class Raw:
    """Requests as they are on the wire.

    Parameters
    ----------
    session: of aiohttp. stage: the exchange.
    """

    def __init__(self, session: ClientSession, stage: Stage) -> None:
        self.session = session
        self.stage = stage
        self._sockets: list[Socket] = []

    async def ask(
        self, path: str, form: str = "", *, method: str = "GET", key: ApiKey | None = None, venue: str = SPOT
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, content and headers of an answer."""
        url = URL(f"{self.stage.address(venue).http}{path}?{form}", encoded=True)
        headers = {"X-MBX-APIKEY": key.key} if key else {}
        async with self.session.request(method, url, headers=headers) as answer:
            return answer.status, await answer.json(), answer.headers

    async def open(self, path: str, *, key: ApiKey | None = None, venue: str = SPOT) -> Socket:
        """A WebSocket connection."""
        headers = {"X-MBX-APIKEY": key.key} if key else {}
        opened = Socket(await self.session.ws_connect(f"{self.stage.address(venue).ws}{path}", headers=headers))
        self._sockets.append(opened)
        return opened

    async def close(self) -> None:
        """End all WebSocket connections."""
        for socket in self._sockets:
            await socket.socket.close()


class Socket:
    """A WebSocket connection of which messages are awaited one by one."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self._numbers = count(1)

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message."""
        await self.socket.send_str(json.dumps(message))

    async def next(self, patience_s: float = PATIENCE_S) -> Any:
        """The next message: JSON, or bytes; raises ConnectionError when the connection has ended."""
        message = await asyncio.wait_for(self.socket.receive(), patience_s)
        if message.type is WSMsgType.TEXT:
            return json.loads(message.data)
        if message.type is WSMsgType.BINARY:
            return message.data
        code = message.data if message.type is WSMsgType.CLOSE else self.socket.close_code
        raise ConnectionError(f"the connection ended: {message.type.name} {code}")

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message that is wanted; others are passed over."""
        while not wanted(message := await self.next()):
            continue
        return message

    async def call(self, method: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer of the WebSocket API to a request; events are passed over."""
        number = next(self._numbers)
        await self.send({"id": number, "method": method, "params": dict(values or {})})
        answer = await self.until(lambda message: message.get("id") == number)
        assert isinstance(answer, dict)
        return answer


def signed_values(key: ApiKey, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Parameters of the WebSocket API, signed with a key of either kind."""
    whole = {**(values or {}), "apiKey": key.key, "timestamp": time.time_ns() // 10**6}
    payload = "&".join(f"{name}={whole[name]}" for name in sorted(whole)).encode()
    if key.kind is KeyKind.HMAC:
        return {**whole, "signature": hmac.new(key.secret.encode(), payload, hashlib.sha256).hexdigest()}
    private = load_pem_private_key(key.secret.encode(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    return {**whole, "signature": base64.b64encode(private.sign(payload)).decode()}


@asynccontextmanager
async def raw(stage: Stage) -> AsyncIterator[Raw]:
    """Requests without a client that knows the exchange."""
    async with ClientSession() as session:
        client = Raw(session, stage)
        try:
            yield client
        finally:
            await client.close()
