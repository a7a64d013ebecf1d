"""Market data in datagrams, behind the same interface as streams: what arrives on a socket is decoded in the loop."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, Protocol

from market.wire.packet_stream import LEVELS_PER_BATCH, RECORDS_PER_BATCH, PacketStream, pack_payloads
from market.wire.records import Batch, Words
from orchestrator.feeds.arrivals import Arrival, ArrivalKind, Arrivals
from orchestrator.feeds.decoding import Decoder
from orchestrator.feeds.limits import FeedLimits
from orchestrator.feeds.link import LinkState
from orchestrator.feeds.recorded import RecordedArrivals, read_arrivals
from orchestrator.recording.datagrams import UdpAddress, listening, receive_datagram
from orchestrator.recording.pcapng_file import Endpoint, packet, preamble, udp_frame
from sim.replay.source import Route

_DATAGRAMS_AT_ONCE: Final = 256
_NOWHERE: Final = Endpoint(IPv4Address("127.0.0.1"), 31_950)


class PacketMarket(Protocol):
    """A market of a source of packets."""

    @property
    def symbol(self) -> str: ...

    @property
    def price_decimals(self) -> int: ...

    @property
    def quantity_decimals(self) -> int: ...


NewStream = Callable[[], PacketStream]


class PacketDecoder:
    """Packets of multicast formats, which know of their own gaps.

    Parameters
    ----------
    new_stream: makes the format's reader. has_updates: whether it brings updates of books, not quotes of its own.
    """

    def __init__(self, new_stream: NewStream, *, has_updates: bool) -> None:
        self.has_updates = has_updates
        self._new_stream = new_stream
        self._stream = new_stream()
        self._batch = Batch(RECORDS_PER_BATCH, LEVELS_PER_BATCH)
        self._is_used_up = True
        self._waiting: deque[Sequence[Arrival]] = deque()
        self._line = 1
        self._first_line = 1

    def fresh(self) -> PacketDecoder:
        """A decoder of the same markets that has seen nothing."""
        return PacketDecoder(self._new_stream, has_updates=self.has_updates)

    def is_book(self, content: bytes) -> bool:
        """Never: no books are fetched."""
        return False

    @property
    def suffix(self) -> str:
        """Packets."""
        return ".pcapng"

    @property
    def preamble(self) -> bytes:
        """The file's head."""
        return preamble()

    def record(self, arrival: Arrival) -> bytes:
        """An arrival as a captured frame; a break of the socket is none."""
        if arrival.kind is not ArrivalKind.MESSAGE:
            return b""
        return packet(arrival.stamp_ns, udp_frame(_NOWHERE, _NOWHERE, arrival.content))

    def begin(self, arrivals: Sequence[Arrival]) -> None:
        """Begin with further arrivals."""
        packets = [arrival for arrival in arrivals if arrival.kind is ArrivalKind.MESSAGE]
        if packets:
            self._waiting.append(packets)

    def next_batch(self) -> Batch | None:
        """The next records; None at the end of the arrivals."""
        while True:
            if self._is_used_up:
                if not self._waiting:
                    return None
                taken = self._waiting.popleft()
                contents, times = [one.content for one in taken], [one.stamp_ns for one in taken]
                self._first_line, self._line = self._line, self._line + len(taken)
                self._stream.take(pack_payloads(contents, times, self._first_line))
            self._batch.restart(self._first_line)
            self._is_used_up = self._stream.fill(self._batch)
            if self._batch.count:
                return self._batch


class DatagramLink:
    """The network's side of a source of datagrams."""

    def __init__(
        self, source: int, arrivals: Arrivals, address: UdpAddress, limits: FeedLimits, note: Callable[[str], None]
    ) -> None:
        self.lost = 0
        self.local: Endpoint | None = None
        self._source = source
        self._arrivals = arrivals
        self._address = address
        self._limits = limits
        self._note = note
        self._heard_s = 0.0
        self._state = LinkState.CONNECTING

    @property
    def state(self) -> LinkState:
        """UP while datagrams come, DOWN after a silence."""
        return self._state

    @property
    def reconnections(self) -> int:
        """None: there is no connection."""
        return 0

    @property
    def switches(self) -> int:
        """None: both lines of a group are received where they are sent to the same address."""
        return 0

    async def run(self) -> None:
        """Receive until cancelled; raises MissingInput if the address cannot be used."""
        loop = asyncio.get_running_loop()
        opened: AbstractContextManager[socket.socket] = listening(self._address)
        with opened as receiver:
            receiver.setblocking(False)
            host, port = receiver.getsockname()
            self.local = Endpoint(IPv4Address(host), port)
            self._heard_s = loop.time()
            loop.add_reader(receiver, self._readable, receiver)
            try:
                while True:
                    await asyncio.sleep(max(self._heard_s + self._limits.silence_s - loop.time(), 0.001))
                    if loop.time() - self._heard_s >= self._limits.silence_s:
                        self._silent()
                        self._heard_s = loop.time()
            finally:
                loop.remove_reader(receiver)

    def request_snapshot(self, market: int) -> None:
        """Nothing: books come on the wire."""

    def restart(self, reason: str) -> None:
        """Nothing can be made anew; what is late stays late until it is not."""
        self._note(f"udp {self._address.local.address}:{self._address.local.port}: {reason}")

    def resume(self) -> None:
        """Nothing was given up."""

    def _silent(self) -> None:
        if self._state is LinkState.UP:
            self._state = LinkState.DOWN
            where = f"udp {self._address.local.address}:{self._address.local.port}"
            self._note(f"{where}: silent for {self._limits.silence_s:g} s")
            self._arrivals.put(self._source, Arrival(self._arrivals.stamp_ns(), ArrivalKind.BROKEN, b""))

    def _readable(self, receiver: socket.socket) -> None:
        """Take what waits on the socket."""
        self._heard_s = asyncio.get_running_loop().time()
        self._state = LinkState.UP
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                datagram = receive_datagram(receiver)
            except BlockingIOError:
                return
            self.lost = max(self.lost, datagram.lost)
            stamp_ns = self._arrivals.stamp_ns(datagram.time_ns)
            self._arrivals.put(self._source, Arrival(stamp_ns, ArrivalKind.MESSAGE, datagram.payload))


@dataclass(frozen=True, kw_only=True)
class DatagramPlan:
    """A venue's market data in datagrams.

    Parameters
    ----------
    new_decoder: decodes them. new_books: fresh books, one per market.
    """

    name: str
    address: UdpAddress
    markets: tuple[PacketMarket, ...]
    routes: tuple[Route | None, ...]
    new_decoder: Callable[[], Decoder]
    new_books: Callable[[], Words]
    limits: FeedLimits = field(default_factory=FeedLimits)

    def recorded(self, path: Path) -> RecordedArrivals:
        """The source as a recording of it, to be replayed from a file."""
        return RecordedArrivals(
            name=self.name,
            path=path,
            markets=self.markets,
            routes=self.routes,
            new_books=self.new_books,
            new_decoder=self.new_decoder,
            read=read_arrivals,
        )

    @cached_property
    def settings(self) -> RecordedArrivals:
        """What it carries."""
        return self.recorded(Path())

    @property
    def is_checked(self) -> bool:
        """No books are fetched."""
        return False

    @property
    def has_reserve(self) -> bool:
        """None."""
        return False

    def decoder(self) -> Decoder:
        """A decoder of its packets."""
        return self.new_decoder()

    def link(self, index: int, arrivals: Arrivals, note: Callable[[str], None]) -> DatagramLink:
        """What it listens on."""
        return DatagramLink(index, arrivals, self.address, self.limits, note)
