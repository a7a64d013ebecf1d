"""What a source is connected to: one stream, or two of which the second takes over when the first fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final, Protocol

from orchestrator.feeds.arrivals import Arrival, ArrivalKind, Arrivals
from orchestrator.feeds.connection import ConnectionState
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.snapshots import Fetch, SnapshotDesk
from orchestrator.feeds.websocket import StreamAddress, WebSocketConnection
from orchestrator.recording.snapshot import fetch_snapshot


class LinkState(IntEnum):
    """How a link stands."""

    CONNECTING = 0
    UP = 1
    DOWN = 2
    """It failed, and is tried again after a pause."""
    GIVEN_UP = 3
    """Every stream failed too often in a row: a human must look."""


class Link(Protocol):
    """The network's side of a source; everything but ``state`` is called in the network's thread."""

    @property
    def state(self) -> LinkState: ...

    @property
    def reconnections(self) -> int:
        """Connections made after the first of each stream."""

    @property
    def switches(self) -> int:
        """Times that the other stream took over."""

    async def run(self) -> None:
        """Keep connected until cancelled."""

    def request_snapshot(self, market: int) -> None:
        """Get a whole book, however the venue gives it."""

    def restart(self, reason: str) -> None:
        """Make the stream anew that the loop follows."""

    def resume(self) -> None:
        """Try again what was given up."""


STATES: Final = {
    ConnectionState.CONNECTING: LinkState.CONNECTING,
    ConnectionState.UP: LinkState.UP,
    ConnectionState.PAUSED: LinkState.DOWN,
    ConnectionState.GIVEN_UP: LinkState.GIVEN_UP,
}
"""State of a link by that of the connection with its books."""


class _Stream:
    """One of the streams of a link: a connection with the books, and maybe others beside it."""

    def __init__(self, link: WebSocketLink, addresses: Sequence[StreamAddress], limits: FeedLimits) -> None:
        self.was_up = False
        self._link = link
        self.connections = [WebSocketConnection(address, limits, _Part(self, address)) for address in addresses]
        self._book = next(connection for connection in self.connections if connection.address.has_book)

    @property
    def state(self) -> LinkState:
        return STATES[self._book.state]

    @property
    def has_failed(self) -> bool:
        return self._book.opened > 0 or self._book.attempts_failed > 0

    @property
    def reconnections(self) -> int:
        return sum(max(connection.opened - 1, 0) for connection in self.connections)

    def restart(self, reason: str) -> None:
        for connection in self.connections:
            connection.restart(reason)

    def resume(self) -> None:
        for connection in self.connections:
            connection.resume()

    def opened(self) -> None:
        self.was_up = True
        self._link.opened(self)

    def broken(self, reason: str) -> None:
        was_up, self.was_up = self.was_up, False
        self._link.broken(self, reason, was_up)

    def message(self, content: bytes) -> None:
        self._link.message(self, content)

    def note(self, text: str) -> None:
        self._link.note(text)


class _Part:
    """One connection of a stream, as the connection sees it."""

    def __init__(self, stream: _Stream, address: StreamAddress) -> None:
        self._stream = stream
        self._has_book = address.has_book

    def opened(self) -> None:
        if self._has_book:
            self._stream.opened()

    def message(self, content: bytes, is_text: bool) -> None:
        self._stream.message(content)

    def broken(self, reason: str) -> None:
        if self._has_book:
            self._stream.broken(reason)

    def note(self, text: str) -> None:
        self._stream.note(text)


class WebSocketLink:
    """One or two streams of the same markets, and the books that are fetched beside them.

    Parameters
    ----------
    streams: addresses of each stream; exactly one of a stream has the books. The second stream is the reserve.
    snapshots: address of the book of each market; none when the venue sends whole books in the stream.

    Members
    -------
    switches: times that the other stream took over.
    """

    def __init__(
        self,
        source: int,
        arrivals: Arrivals,
        streams: Sequence[Sequence[StreamAddress]],
        limits: FeedLimits,
        note: Callable[[str], None],
        *,
        snapshots: Sequence[str] = (),
        fetch: Fetch = fetch_snapshot,
    ) -> None:
        self.switches = 0
        self.note = note
        self._source = source
        self._arrivals = arrivals
        self._streams = [_Stream(self, addresses, limits) for addresses in streams]
        self._followed = self._streams[0]
        self._desk = SnapshotDesk(source, arrivals, snapshots, limits, note, fetch) if snapshots else None
        self._put = arrivals.put
        self._stamp_ns = arrivals.stamp_ns

    @property
    def state(self) -> LinkState:
        """That of the stream that the loop follows; given up only when every stream is."""
        state = self._followed.state
        if state is LinkState.GIVEN_UP and any(stream.state is not LinkState.GIVEN_UP for stream in self._streams):
            return LinkState.DOWN
        return state

    @property
    def reconnections(self) -> int:
        """Connections made after the first of each stream."""
        return sum(stream.reconnections for stream in self._streams)

    async def run(self) -> None:
        """Keep connected until cancelled."""
        async with asyncio.TaskGroup() as group:
            for stream in self._streams:
                for connection in stream.connections:
                    group.create_task(connection.run())
            if self._desk is not None:
                group.create_task(self._desk.run())

    def request_snapshot(self, market: int) -> None:
        """Fetch a book; where the stream itself brings whole books, begin it anew."""
        if self._desk is not None:
            self._desk.request(market)
        else:
            self._followed.restart("a book lost its sequence")

    def restart(self, reason: str) -> None:
        """Make the stream anew that the loop follows."""
        self._followed.restart(reason)

    def resume(self) -> None:
        """Try again what was given up."""
        for stream in self._streams:
            stream.resume()

    def message(self, stream: _Stream, content: bytes) -> None:
        """A message of a stream."""
        kind = ArrivalKind.MESSAGE if stream is self._followed else ArrivalKind.STANDBY
        self._put(self._source, Arrival(self._stamp_ns(), kind, content))

    def opened(self, stream: _Stream) -> None:
        """A stream begins to bring messages."""
        if stream is not self._followed and not self._followed.was_up and self._followed.has_failed:
            self._switch(stream)
        if stream is self._followed and self._desk is not None:
            self._desk.connected()

    def broken(self, stream: _Stream, reason: str, was_up: bool) -> None:
        """A stream is gone, or could not be had."""
        if stream is not self._followed:
            return
        other = next((other for other in self._streams if other.was_up), None)
        if other is not None:
            self.note(f"{reason}; the other stream takes over")
            self._switch(other)
        elif was_up:
            if self._desk is not None:
                self._desk.disconnected()
            self._tell(ArrivalKind.BROKEN)

    def _switch(self, stream: _Stream) -> None:
        self.switches += 1
        self._followed = stream
        self._tell(ArrivalKind.SWITCHED)
        if self._desk is not None:
            self._desk.connected()

    def _tell(self, kind: ArrivalKind) -> None:
        self._put(self._source, Arrival(self._stamp_ns(), kind, b""))
