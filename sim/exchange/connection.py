"""One WebSocket connection of a client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sim.exchange.outbox import Message, Outbox
from sim.exchange.service import VenueService
from sim.faults.plan import Channel

if TYPE_CHECKING:
    from aiohttp import web

_PING_S: Final = 20.0
_NO_ANSWER_S: Final = 60.0
"""Who answers no ping for so long is disconnected."""
_GOING_AWAY: Final = 1001
_FAREWELL_S: Final = 1.0
"""How long a client may take to answer that a connection is closed."""
_LARGEST_BYTES: Final = 1 << 20


class Connection:
    """A connection from its opening handshake to its end.

    Parameters
    ----------
    latency_ns: added to every message. wraps_events: whether events are sent as the member "event" of a message.
    """

    def __init__(
        self, service: VenueService, request: web.BaseRequest, latency_ns: int, *, wraps_events: bool = False
    ) -> None:
        from aiohttp import web

        self._service = service
        self._request = request
        self.wraps_events = wraps_events
        self._socket = web.WebSocketResponse(
            timeout=_FAREWELL_S, autoping=False, max_msg_size=_LARGEST_BYTES, compress=False
        )
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._loop.time()
        self._outbox = Outbox(service, self._send, self.abort, latency_ns)

    @property
    def address(self) -> str:
        """Where the client is."""
        return self._request.remote or ""

    @property
    def sent(self) -> int:
        """Messages that were written."""
        return self._outbox.sent

    @property
    def waiting(self) -> int:
        """Messages that are to be written."""
        return self._outbox.waiting

    def put(self, message: Message, channel: Channel, *, is_fill: bool = False) -> None:
        """Send a message, if faults let it through."""
        self._outbox.put(message, channel, is_fill=is_fill)

    def abort(self) -> None:
        """End the connection at once, without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, last: str) -> None:
        """Send one message more and end the connection: the server goes away."""
        with suppress(ConnectionError):
            await self._socket.send_str(last)
            await self._socket.close(code=_GOING_AWAY, message=b"going away")

    async def serve(self, take: Callable[[str], Awaitable[None]]) -> web.WebSocketResponse:
        """Receive until the connection ends; ``take`` gets every text."""
        await self._socket.prepare(self._request)
        tasks = [asyncio.ensure_future(work) for work in (self._outbox.run(), self._ping())]
        try:
            await self._receive(take)
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
                    raise outcome
        return self._socket

    async def _receive(self, take: Callable[[str], Awaitable[None]]) -> None:
        from aiohttp import WSMsgType

        async for message in self._socket:
            if self._silent():
                continue
            self._heard_s = self._loop.time()
            if message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                await take(message.data)

    async def _send(self, message: Message) -> None:
        if isinstance(message, str):
            await self._socket.send_str(message)
        else:
            await self._socket.send_bytes(message)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_S)
            if self._silent():
                self._heard_s = self._loop.time()
            elif self._loop.time() - self._heard_s > _NO_ANSWER_S:
                self.abort()
            else:
                await self._socket.ping()

    def _silent(self) -> bool:
        return self._service.faults.is_silent(self._service.name, self._service.now_ns())
