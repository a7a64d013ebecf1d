"""One WebSocket connection that is made anew whenever it ends, falls silent or is asked to be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Protocol

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from orchestrator.feeds.limits import FeedLimits

LARGEST_FRAME_BYTES: Final = 64 << 20
_CONTROL: Final = (WSMsgType.PING, WSMsgType.PONG)
_SHUTDOWN: Final = b'"serverShutdown"'
_SHUTDOWN_BYTES: Final = 256
"""An announcement of the server's shutdown is shorter than this."""


class ConnectionState(IntEnum):
    """How a connection stands."""

    CONNECTING = 0
    UP = 1
    """It stands, and has brought a message."""
    PAUSED = 2
    """It failed, and is tried again after a pause."""
    GIVEN_UP = 3
    """It failed too often in a row: a human must look, and ``resume`` it."""


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


class Receiver(Protocol):
    """Who is told of what a connection brings, in the network's thread."""

    def opened(self) -> None:
        """The first message of a connection is about to come."""

    def message(self, content: bytes, is_text: bool) -> None:
        """A whole message."""

    def broken(self, reason: str) -> None:
        """The connection is gone; another one is on its way."""

    def note(self, text: str) -> None:
        """Something for people to read."""


class Connection:
    """Holds one connection; ``run`` it in the network's thread.

    Members
    -------
    state: how it stands now. opened: connections that brought a message. attempts_failed: how many in a row.
    """

    def __init__(self, address: StreamAddress, limits: FeedLimits, receiver: Receiver) -> None:
        self.address = address
        self.state = ConnectionState.CONNECTING
        self.opened = 0
        self.attempts_failed = 0
        self._limits = limits
        self._receiver = receiver
        self._resumed = asyncio.Event()
        self._restart: asyncio.Future[str] | None = None

    def restart(self, reason: str) -> None:
        """End the connection that stands, if any; the next one is made at once or after a pause."""
        if self._restart is not None and not self._restart.done():
            self._restart.set_result(reason)

    def resume(self) -> None:
        """Try again after it was given up."""
        self._resumed.set()

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            was_sound, reason = await self._connection()
            self.attempts_failed = 0 if was_sound else self.attempts_failed + 1
            if was_sound:
                self.state = ConnectionState.CONNECTING
                self._receiver.broken(reason)
                self._receiver.note(f"{self.address.url}: {reason}; connecting again")
                continue
            await self._pause(reason)

    async def _pause(self, reason: str) -> None:
        """Wait before the next attempt, or for a human when there were too many."""
        backoff = self._limits.backoff
        pause_s = backoff.pause_s(self.attempts_failed)
        if pause_s is not None:
            self.state = ConnectionState.PAUSED
            self._receiver.broken(reason)
            self._receiver.note(
                f"{self.address.url}: {reason}; again in {pause_s:g} s "
                f"(attempt {self.attempts_failed} of {backoff.attempts})"
            )
            await asyncio.sleep(pause_s)
            self.state = ConnectionState.CONNECTING
            return
        self.state = ConnectionState.GIVEN_UP
        self._receiver.broken(reason)
        self._receiver.note(
            f"{self.address.url}: {reason}; given up after {self.attempts_failed} attempts in a row: look at the venue "
            "and at the network, then resume the feed"
        )
        self._resumed.clear()
        await self._resumed.wait()
        self.attempts_failed = 0
        self.state = ConnectionState.CONNECTING

    async def _connection(self) -> tuple[bool, str]:
        """One connection until it ends: whether it had been of use, and why it ended."""
        loop = asyncio.get_running_loop()
        self._restart = loop.create_future()
        try:
            async with asyncio.timeout(self._limits.connect_s):
                transport, listener = await ws_connect(
                    lambda: _Listener(self, self._receiver),
                    self.address.url,
                    max_frame_size=LARGEST_FRAME_BYTES,
                    extra_headers=dict(self.address.headers) or None,
                    use_aiofastnet=False,
                )
        except (OSError, WSError, TimeoutError) as error:
            return False, f"no connection ({str(error) or type(error).__name__})"
        assert isinstance(listener, _Listener)
        since_s = loop.time()
        try:
            for message in self.address.subscribe:
                transport.send(WSMsgType.TEXT, message.encode())
            reason = await self._until_silent(transport, listener, self._restart)
        finally:
            listener.is_over = True
            transport.disconnect()
        return listener.heard and loop.time() - since_s >= self._limits.backoff.first_s, reason

    async def _until_silent(self, transport: WSTransport, listener: _Listener, restart: asyncio.Future[str]) -> str:
        """Wait for the end of a connection, or end it when nothing arrives any more."""
        loop = asyncio.get_running_loop()
        silence_s = self._limits.silence_s if self.address.silence_s is None else self.address.silence_s
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


class _Listener(WSListener):
    """Hands whole messages of one connection on."""

    def __init__(self, connection: Connection, receiver: Receiver) -> None:
        self.heard = False
        self.is_over = False
        self._connection = connection
        self._receiver = receiver
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
            self._connection.opened += 1
            self._connection.state = ConnectionState.UP
            self._receiver.opened()
        self._receiver.message(content, is_text)
        if is_text and len(content) < _SHUTDOWN_BYTES and _SHUTDOWN in content:
            self._connection.restart("the server announced its shutdown")
