"""A receive loop on loopback whose rounds a test counts out: no thread, no waiting."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Kind
from market.pipeline.layout import HISTOGRAM_WORDS
from market.receive import libc
from market.receive.layout import Counter, SocketCounter
from market.receive.log_ring import LogRing
from market.receive.loop import CONTROL_EVERY, Ended, run
from market.receive.words import ChannelSocket, Endpoint, counter, new_loop, socket_counter
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import SECOND, Driver, control_message
from tests.market.fastpath.frame_builder import write_channel

LOOPBACK = "127.0.0.1"
PATIENCE_S = 20
"""Longest wait for a datagram that is already on its way."""
DAY_NS = 86_400 * SECOND
"""Lease and ages are longer than any test: times are those of the wall clock."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; fails when it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"


def open_socket(*, options: bool = True, receive_bytes: int = 1 << 20) -> socket.socket:
    """A bound UDP socket; ``options`` asks for receive times and counts of drops."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    if options:
        opened.setsockopt(socket.SOL_SOCKET, libc.SO_TIMESTAMPNS, 1)
        opened.setsockopt(socket.SOL_SOCKET, libc.SO_RXQ_OVFL, 1)
    opened.bind((LOOPBACK, 0))
    opened.settimeout(PATIENCE_S)
    return opened


def endpoint_of(opened: socket.socket) -> Endpoint:
    address, port = opened.getsockname()
    return Endpoint(IPv4Address(address), port)


@dataclass
class Bench:
    """An engine whose channels are the venues, the loop around it, and the other ends of its sockets."""

    driver: Driver
    channels: Sequence[socket.socket]
    control: socket.socket
    host: socket.socket
    gateway: socket.socket
    triggers: socket.socket
    ring: LogRing
    wait_ms: int = 0

    def __post_init__(self) -> None:
        plan = [ChannelSocket(opened.fileno(), endpoint_of(opened)) for opened in self.channels]
        self.loop = new_loop(
            plan,
            control_fd=self.control.fileno(),
            host=endpoint_of(self.host),
            trigger_fd=self.triggers.fileno(),
            trigger_to=endpoint_of(self.gateway),
            wait_ms=self.wait_ms,
        )

    @property
    def engine(self) -> CpuEngine:
        return self.driver.engine

    def send(self, channel: int, payload: bytes) -> None:
        """A datagram into a channel socket; on loopback it is there when this returns."""
        self.host.sendto(payload, self.channels[channel].getsockname())

    def send_control(self, name: str, **fields: Any) -> bytes:
        """The host's next control message into the control socket; returns it."""
        message = control_message(name, self.driver.next_control, **fields)
        self.driver.next_control += 1
        self.host.sendto(message, self.control.getsockname())
        return message

    def run(self, rounds: int = CONTROL_EVERY) -> Ended:
        """So many rounds of the loop in this thread."""
        return Ended(run(self.engine.state, self.loop, self.ring.words, rounds))

    def received(self, receiver: socket.socket) -> list[bytes]:
        """All that waits in a socket."""
        receiver.setblocking(False)
        found = []
        try:
            while True:
                found.append(receiver.recv(65_536))
        except BlockingIOError:
            return found
        finally:
            receiver.settimeout(PATIENCE_S)

    def triggers_received(self) -> list[bytes]:
        return self.received(self.gateway)

    def answers_received(self) -> list[dict[str, Any]]:
        """What the host got: name and fields."""
        answers = [decode(SCHEMA, payload) for payload in self.received(self.host)]
        return [{"name": answer.name, **answer.values} for answer in answers]

    def count(self, which: Counter) -> int:
        return counter(self.loop, which)

    def socket_count(self, number: int, which: SocketCounter) -> int:
        return socket_counter(self.loop, number, which)

    def drops(self) -> dict[str, int]:
        """Why frames were dropped, without zeros."""
        fields = dict(decode(SCHEMA, self.engine.frame_counters()).fields)
        return {name: count for name, count in fields.items() if count and name not in ("step", "frames", "messages")}

    def latencies(self, histogram: int) -> int:
        """How many triggers a histogram of the loop holds."""
        return int(self.loop[histogram : histogram + HISTOGRAM_WORDS].sum())


@contextmanager
def open_bench(
    *,
    channels: int = 2,
    event_log: bool = False,
    ring_bytes: int | None = None,
    wait_ms: int = 0,
    options: bool = True,
    receive_bytes: int = 1 << 20,
    arm: bool = True,
) -> Iterator[Bench]:
    """A bench whose channel v carries instrument 0 on venue v, and whose ARB trigger needs no edge."""
    driver = Driver(event_log=event_log)
    driver.set_up(kinds=Kind.ARB.mask, minimumEdge=1, arm=arm)
    driver.write_engine(lease=DAY_NS)
    for venue in range(driver.sizes.venues):
        driver.write_venue(venue, maximumAge=DAY_NS, maximumSilence=DAY_NS)
    if ring_bytes is None:
        ring_bytes = 1 << 20 if event_log else 0
    sockets = [open_socket(options=options, receive_bytes=receive_bytes) for _ in range(channels + 4)]
    try:
        control, host, gateway, triggers = sockets[:4]
        bench = Bench(driver, sockets[4:], control, host, gateway, triggers, LogRing(ring_bytes), wait_ms)
        for venue, opened in enumerate(bench.channels):
            destination = endpoint_of(opened)
            write_channel(driver, venue, address=int(destination.address), port=destination.port)
        driver.engine.outputs()
        yield bench
    finally:
        for opened in sockets:
            opened.close()
