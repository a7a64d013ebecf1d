"""A captured session served on this machine: a venue's public HTTP answers and WebSocket streams, played to clients.

A client that subscribes to a channel of a symbol is sent the session's frames of it in their order, from the first on.
Requests that the session has no answer for get the empty answer of the venue.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from config.venues import VenueName
from market.errors import MissingExtra
from sim.feed.session_frames import Frame, Session
from sim.listening import Listening

if TYPE_CHECKING:
    from aiohttp import web

_END_S: Final = 10.0
_EMPTY: Final = {VenueName.KRAKEN: '{"error":[],"result":{}}', VenueName.COINBASE: '{"data":[],"products":[]}'}


@dataclass
class SessionServer:
    """Where a session is served, and what was asked of it.

    Members
    -------
    pause_s: between two frames. http_url, ws_url: addresses. subscriptions: channel and symbol of every one.
    drops: frames after which a connection is closed, a number per connection; those that follow stay.
    extra: answers beside the session's, by path.
    """

    session: Session
    extra: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    http_url: str = ""
    ws_url: str = ""
    subscriptions: list[tuple[str, str]] = field(default_factory=list)
    drops: list[int] = field(default_factory=list)

    def application(self) -> web.Application:
        """The service; raises MissingExtra without aiohttp."""
        module = _web()
        app: web.Application = module.Application()
        app.add_routes([module.get("/{path:.*}", self._answer)])
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request)
        found = self.extra.get(request.path) or self.session.answers.get(request.path) or _EMPTY[self.session.venue]
        response: web.StreamResponse = _web().Response(text=found, content_type="application/json")
        return response

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        socket: web.WebSocketResponse = _web().WebSocketResponse()
        await socket.prepare(request)
        left = [self.drops.pop(0)] if self.drops else None
        senders: list[asyncio.Task[None]] = []
        try:
            async for message in socket:
                for channel, symbol in _wanted(self.session.venue, message.data):
                    self.subscriptions.append((channel, symbol))
                    frames = self.session.of(channel, symbol)
                    senders.append(asyncio.create_task(_send(socket, frames, self.pause_s, left)))
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
        return socket


async def _send(socket: web.WebSocketResponse, frames: Sequence[Frame], pause_s: float, left: list[int] | None) -> None:
    """Send frames, at most so many more on this connection."""
    for frame in frames:
        if left is not None:
            left[0] -= 1
            if left[0] < 0:
                await socket.close()
                return
        await socket.send_str(frame.text)
        await asyncio.sleep(pause_s)


def _wanted(venue: VenueName, text: Any) -> Iterator[tuple[str, str]]:
    """Channels and symbols that a message subscribes to."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, TypeError):
        return
    if venue is VenueName.KRAKEN and message.get("method") == "subscribe":
        wanted = message["params"]
        yield from ((wanted["channel"], symbol) for symbol in wanted.get("symbol", ()))
    elif venue is VenueName.COINBASE and message.get("type") == "subscribe":
        yield from ((message["channel"], symbol) for symbol in message.get("product_ids", ()))


def _web() -> ModuleType:
    try:
        from aiohttp import web
    except ImportError as missing:
        raise MissingExtra(
            "aiohttp is not installed: pip install --require-hashes -r requirements/live.lock"
        ) from missing
    return web


@contextmanager
def served(server: SessionServer) -> Iterator[SessionServer]:
    """A server that runs on a free port of this machine, in a thread of its own, while the block does."""
    loop = asyncio.new_event_loop()
    ready, stopped = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=_run, args=(loop, server, ready.set, stopped), name="session", daemon=True)
    thread.start()
    try:
        if not ready.wait(_END_S):
            raise TimeoutError("the session server did not start")
        yield server
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(_END_S)


def _run(
    loop: asyncio.AbstractEventLoop, server: SessionServer, ready: Callable[[], None], stopped: asyncio.Event
) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(server, ready, stopped))
    loop.close()


async def _serve(server: SessionServer, ready: Callable[[], None], stopped: asyncio.Event) -> None:
    module = _web()
    runner = module.AppRunner(server.application(), shutdown_timeout=0.1)
    listening = Listening(runner)
    _, port = await listening.start("127.0.0.1", 0)
    server.http_url, server.ws_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws"
    ready()
    await stopped.wait()
    await listening.close()
