"""UDP feeds into a recorder, with the kernel's receive times."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from market.errors import MissingInput
from orchestrator.clock import SystemClock
from orchestrator.recording.pcapng_file import Endpoint, packet, udp_frame
from orchestrator.recording.recorder import Recorder

FLUSH_EVERY_NS: Final = 1_000_000_000
ANY: Final = IPv4Address(0)
_WAIT_S: Final = 0.2
_LARGEST: Final = 65_535
_BUFFER_BYTES: Final = 8 << 20
# Linux: include/uapi/asm-generic/socket.h. Python's socket module does not name them.
_SO_TIMESTAMPNS: Final = 35
_SO_RXQ_OVFL: Final = 40
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class UdpAddress:
    """What to listen to.

    Parameters
    ----------
    local: address and port; a multicast group is joined. interface: local address that joins, 0.0.0.0 for the default.
    as_lines: write JSON datagrams as raw lines rather than frames of a pcapng file.
    silence_s: note when nothing arrives for so long.
    """

    local: Endpoint
    interface: IPv4Address = ANY
    as_lines: bool = False
    silence_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Received:
    """A datagram.

    Parameters
    ----------
    time_ns: the kernel's receive time, None when it gave none. lost: datagrams that it dropped on the socket so far.
    """

    payload: bytes
    time_ns: int | None
    lost: int
    sender: Endpoint


@contextmanager
def listening(address: UdpAddress) -> Iterator[socket.socket]:
    """A bound socket; raises MissingInput if the address cannot be used."""
    local = address.local
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        try:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            receiver.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
            if local.address.is_multicast:
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            receiver.bind((str(local.address), local.port))
            if local.address.is_multicast:
                membership = local.address.packed + address.interface.packed
                receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError as error:
            raise MissingInput(
                f"udp {local.address}:{local.port} cannot be listened to: {error.strerror}; "
                "name a local address, or a multicast group and with --interface the address that joins it"
            ) from error
        receiver.settimeout(_WAIT_S)
        yield receiver


def record_datagrams(
    address: UdpAddress,
    recorder: Recorder,
    note: Callable[[str], None],
    *,
    seconds: float | None = None,
    ready: Callable[[Endpoint], None] = lambda endpoint: None,
) -> None:
    """Record until the recorder is full or the seconds are over.

    Parameters
    ----------
    ready: told the address once datagrams are received.

    Raises MissingInput for an address that cannot be used, OSError when the file cannot be written.
    """
    clock = SystemClock()
    with listening(address) as receiver:
        host, port = receiver.getsockname()
        local = Endpoint(IPv4Address(host), port)
        ready(local)
        start_ns = flushed_ns = heard_ns = clock.monotonic_ns()
        while not recorder.is_full:
            heard = _receive(receiver, address, local, recorder, clock)
            now_ns = clock.monotonic_ns()
            if heard:
                heard_ns = now_ns
            elif now_ns - heard_ns >= address.silence_s * _NS_PER_S:
                note(f"udp {local.address}:{local.port}: silent for {address.silence_s:g} s")
                heard_ns = now_ns
            if now_ns - flushed_ns >= FLUSH_EVERY_NS:
                recorder.file.flush()
                flushed_ns = now_ns
            if seconds is not None and now_ns - start_ns >= seconds * _NS_PER_S:
                return


def _receive(
    receiver: socket.socket, address: UdpAddress, local: Endpoint, recorder: Recorder, clock: SystemClock
) -> bool:
    """Record one datagram; False if none arrived within the wait."""
    try:
        received = receive_datagram(receiver)
    except TimeoutError:
        return False
    time_ns = clock.now_ns() if received.time_ns is None else received.time_ns
    recorder.counts.lost = max(recorder.counts.lost, received.lost)
    if address.as_lines:
        recorder.take_line(time_ns, received.payload)
    else:
        recorder.take(time_ns, packet(time_ns, udp_frame(received.sender, local, received.payload)))
    return True


def receive_datagram(receiver: socket.socket) -> Received:
    """The next datagram of a ``listening`` socket; raises TimeoutError or BlockingIOError as the socket does."""
    payload, ancillary, _, sender = receiver.recvmsg(_LARGEST, 128)
    time_ns, lost = _ancillary(ancillary)
    return Received(payload, time_ns, lost, Endpoint(IPv4Address(sender[0]), sender[1]))


def _ancillary(messages: list[tuple[int, int, bytes]]) -> tuple[int | None, int]:
    """The kernel's receive time, and its count of datagrams that it dropped on this socket."""
    time_ns, lost = None, 0
    for level, kind, data in messages:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, rest_ns = struct.unpack("qq", data[:16])
            time_ns = seconds * _NS_PER_S + rest_ns
        elif level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
            lost = struct.unpack("I", data[:4])[0]
    return time_ns, lost
