"""Writing capture files: UDP payloads as raw IPv4 packets in the classic format, with nanosecond times."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from market.errors import Fatal
from sim.capture.packet import LinkType

_MAGIC: Final = 0xA1B23C4D
_UDP: Final = 17
_HEADERS: Final = 28
GROUP: Final = bytes([239, 0, 0, 1])
SENDER: Final = bytes([10, 0, 0, 1])


def write_pcap(path: Path, payloads: Iterable[tuple[int, bytes]], *, port: int = 6100) -> None:
    """Write (receive time in ns, payload) pairs as datagrams from one sender to one multicast group.

    Checksums are 0, which UDP over IPv4 allows. Raises Fatal for a payload that no datagram holds.
    """
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, 65535, LinkType.RAW_IPV4))
        for time_ns, payload in payloads:
            frame = _datagram(payload, port)
            seconds, fraction = divmod(time_ns, 1_000_000_000)
            file.write(struct.pack("<IIII", seconds, fraction, len(frame), len(frame)))
            file.write(frame)


def _datagram(payload: bytes, port: int) -> bytes:
    length = _HEADERS + len(payload)
    if length > 0xFFFF:
        raise Fatal(f"a datagram holds at most {0xFFFF - _HEADERS} bytes, was given {len(payload)}")
    network = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 32, _UDP, 0, SENDER, GROUP)
    return network + struct.pack(">HHHH", port, port, length - 20, 0) + payload
