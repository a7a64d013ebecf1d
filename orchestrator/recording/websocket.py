"""WebSocket feeds into a recorder: reconnecting, resubscribing, fetching order books again after every start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from market.errors import Retry
from orchestrator.clock import SystemClock
from orchestrator.recording.backoff import Backoff
from orchestrator.recording.recorder import Recorder
from orchestrator.recording.snapshot import fetch_snapshot

FLUSH_EVERY_S: Final = 1.0
CONNECT_S: Final = 15.0
LARGEST_FRAME_BYTES: Final = 64 << 20
_CONTROL: Final = (WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE)


@dataclass(frozen=True, kw_only=True)
class FeedAddress:
    """What to connect to.

    Parameters
    ----------
    urls: one connection each. subscribe: messages sent on every connection once it stands.
    snapshots: order books fetched ``snapshot_after_s`` after every first message of a connection or file.
    silence_s: a connection on which no frame arrives for so long, pings included, is made anew.
    """

    urls: tuple[str, ...]
    subscribe: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    snapshot_after_s: float = 1.0
    silence_s: float = 60.0
    backoff: Backoff = field(default_factory=Backoff)


async def record_websockets(
    address: FeedAddress, recorder: Recorder, note: Callable[[str], None], *, seconds: float | None = None
) -> None:
    """Record until the recorder is full or the seconds are over.

    Raises Retry when a connection fails too often in a row, OSError when the file cannot be written. Cancelling
    it ends all connections.
    """
    live = _Live(address, recorder, note)
    work: list[Coroutine[Any, Any, None]] = [live.keep_connected(url) for url in address.urls]
    tasks = [asyncio.ensure_future(one) for one in (*work, live.keep_snapshots(), live.keep_flushing(), live.ended())]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Live:
    """What the connections of one recording share."""

    def __init__(self, address: FeedAddress, recorder: Recorder, note: Callable[[str], None]) -> None:
        self.address = address
        self.recorder = recorder
        self.note = note
        self.clock = SystemClock()
        self.wants_snapshots = asyncio.Event()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        recorder.file.on_begin = self.wants_snapshots.set

    async def ended(self) -> None:
        """Wait until the recorder is full; raises what kept it from writing."""
        await self._ended

    def take(self, message: bytes) -> None:
        """Record a message that has just arrived."""
        try:
            self.recorder.take_line(self.clock.now_ns(), message)
        except OSError as error:
            self._end(error)
        if self.recorder.is_full:
            self._end(None)

    def _end(self, error: OSError | None) -> None:
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    async def keep_connected(self, url: str) -> None:
        """Hold one connection, making it anew after every fault."""
        failed = 0
        while True:
            heard, reason = await self._connection(url)
            failed = 1 if heard else failed + 1
            pause_s = self.address.backoff.pause_s(failed)
            if pause_s is None:
                raise Retry(f"{url}: {reason}; gave up after {failed} attempts in a row")
            self.note(f"{url}: {reason}; again in {pause_s:g} s (attempt {failed} of {self.address.backoff.attempts})")
            await asyncio.sleep(pause_s)

    async def _connection(self, url: str) -> tuple[bool, str]:
        """One connection until it ends: whether it brought a message, and why it ended."""
        try:
            async with asyncio.timeout(CONNECT_S):
                transport, listener = await ws_connect(lambda: _Listener(self), url, max_frame_size=LARGEST_FRAME_BYTES)
        except (OSError, WSError, TimeoutError) as error:
            return False, f"no connection ({str(error) or type(error).__name__})"
        if not isinstance(listener, _Listener):
            # picows has no error for an end before the answer: it gives no listener.
            return False, "no connection (closed before the answer)"
        self.recorder.counts.connections += 1
        try:
            for message in self.address.subscribe:
                transport.send(WSMsgType.TEXT, message.encode())
            reason = await self._until_silent(transport, listener)
            return listener.heard, reason
        finally:
            transport.disconnect()

    async def _until_silent(self, transport: WSTransport, listener: _Listener) -> str:
        """Wait for the end of a connection, or end it when nothing arrives any more."""
        loop = asyncio.get_running_loop()
        closed = asyncio.ensure_future(transport.wait_disconnected())
        try:
            while not closed.done():
                left_s = listener.last_s + self.address.silence_s - loop.time()
                if left_s <= 0:
                    return f"silent for {self.address.silence_s:g} s"
                await asyncio.wait({closed}, timeout=left_s)
        finally:
            closed.cancel()
        return "closed by the other side"

    async def keep_snapshots(self) -> None:
        """Fetch order books whenever a connection or a file has begun."""
        while True:
            await self.wants_snapshots.wait()
            await asyncio.sleep(self.address.snapshot_after_s)
            self.wants_snapshots.clear()
            for url in self.address.snapshots:
                await self._snapshot(url)

    async def _snapshot(self, url: str) -> None:
        failed = 0
        while True:
            try:
                message = await asyncio.to_thread(fetch_snapshot, url)
            except Retry as error:
                failed += 1
                pause_s = self.address.backoff.pause_s(failed)
                if pause_s is None:
                    self.note(f"{error}; going on without it")
                    return
                self.note(f"{error}; again in {pause_s:g} s")
                await asyncio.sleep(pause_s)
                continue
            self.recorder.counts.snapshots += 1
            self.take(message)
            return

    async def keep_flushing(self) -> None:
        """Make what has arrived readable, once a second."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            self.recorder.file.flush()


class _Listener(WSListener):
    """Hands whole text messages of one connection on."""

    def __init__(self, live: _Live) -> None:
        self.heard = False
        self.last_s = asyncio.get_running_loop().time()
        self._live = live
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._is_text = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has arrived."""
        self.last_s = self._loop.time()
        if frame.msg_type in _CONTROL:
            if frame.msg_type is WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code(), frame.get_close_message())
                transport.disconnect()
            return
        if frame.msg_type is not WSMsgType.CONTINUATION:
            self._parts.clear()
            self._is_text = frame.msg_type is WSMsgType.TEXT
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            self._message(self._parts)
            self._parts.clear()

    def _message(self, parts: Sequence[bytes]) -> None:
        if not self._is_text:
            self._live.recorder.counts.skipped += 1
            return
        if not self.heard:
            self.heard = True
            self._live.wants_snapshots.set()
        self._live.take(b"".join(parts))
