"""One WebSocket connection of a live feed, over picows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from orchestrator.feeds.connection import Connection, Receiver
from orchestrator.feeds.limits import FeedLimits

LARGEST_FRAME_BYTES: Final = 64 << 20
_CONTROL: Final = (WSMsgType.PING, WSMsgType.PONG)
_CLOSE_S: Final = 0.5
_SHUTDOWN: Final = b'"serverShutdown"'
_SHUTDOWN_BYTES: Final = 256
"""An announcement of the server's shutdown is shorter than this."""


@dataclass(frozen=True, kw_only=True)
class StreamAddress:
    """What to connect to.

    Parameters
    ----------
    subscribe: messages sent once the connection stands. headers: sent with the request for the connection.
    silence_s: seconds without a message that are too many; None: as the feed's limits say.
    has_book: whether the books are on it; without it they are not known.
    """

    url: str
    subscribe: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    silence_s: float | None = None
    has_book: bool = True


class WebSocketConnection(Connection):
    """Holds one WebSocket connection; ``run`` it in the network's thread."""

    def __init__(self, address: StreamAddress, limits: FeedLimits, receiver: Receiver) -> None:
        super().__init__(address.url, limits, receiver)
        self.address = address

    async def attempt(self, restart: asyncio.Future[str]) -> tuple[bool, str]:
        """One connection until it ends: whether it had been of use, and why it ended."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.connect_s):
                transport, listener = await ws_connect(
                    lambda: _Listener(self),
                    self.address.url,
                    max_frame_size=LARGEST_FRAME_BYTES,
                    # An attempt that is given up leaves its connection to picows, which closes it after so long.
                    websocket_handshake_timeout=self.limits.connect_s,
                    extra_headers=dict(self.address.headers) or None,
                    use_aiofastnet=False,
                )
        except (OSError, WSError, TimeoutError) as error:
            return False, f"no connection ({str(error) or type(error).__name__})"
        if not isinstance(listener, _Listener):
            # picows has no error for an end before the answer: it gives no listener.
            return False, "no connection (closed before the answer)"
        since_s = loop.time()
        try:
            for message in self.address.subscribe:
                transport.send(WSMsgType.TEXT, message.encode())
            reason = await self._until_silent(transport, listener, restart)
        finally:
            listener.is_over = True
            await _end(transport)
        return listener.heard and loop.time() - since_s >= self.limits.backoff.first_s, reason

    async def _until_silent(self, transport: WSTransport, listener: _Listener, restart: asyncio.Future[str]) -> str:
        """Wait for the end of a connection, or end it when nothing arrives any more."""
        loop = asyncio.get_running_loop()
        silence_s = self.limits.silence_s if self.address.silence_s is None else self.address.silence_s
        closed = asyncio.ensure_future(transport.wait_disconnected())
        ends: set[asyncio.Future[Any]] = {closed, restart}
        try:
            while not closed.done() and not restart.done():
                left_s = listener.last_s + silence_s - loop.time()
                if left_s <= 0:
                    return f"silent for {silence_s:g} s"
                await asyncio.wait(ends, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        return restart.result() if restart.done() else "closed by the other side"


async def _end(transport: WSTransport) -> None:
    """Close a connection; one that does not close at once is cut off."""
    transport.disconnect()
    try:
        async with asyncio.timeout(_CLOSE_S):
            await transport.wait_disconnected()
    except TimeoutError:
        transport.disconnect(False)


class _Listener(WSListener):
    """Hands whole messages of one connection on."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self.heard = False
        self.is_over = False
        self._connection = connection
        self._receiver = connection.receiver
        self._loop = asyncio.get_running_loop()
        self.last_s = self._loop.time()
        self._parts: list[bytes] = []
        self._is_text = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has arrived."""
        kind = frame.msg_type
        if kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
            return
        if kind in _CONTROL or self.is_over:
            return
        self.last_s = self._loop.time()
        if frame.fin and kind is not WSMsgType.CONTINUATION:
            self._message(frame.get_payload_as_bytes(), kind is WSMsgType.TEXT)
            return
        if kind is not WSMsgType.CONTINUATION:
            self._parts.clear()
            self._is_text = kind is WSMsgType.TEXT
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            whole = b"".join(self._parts)
            self._parts.clear()
            self._message(whole, self._is_text)

    def _message(self, content: bytes, is_text: bool) -> None:
        if not self.heard:
            self.heard = True
            self._connection.heard()
        self._receiver.message(content, is_text)
        if is_text and len(content) < _SHUTDOWN_BYTES and _SHUTDOWN in content:
            self._connection.restart("the server announced its shutdown")
