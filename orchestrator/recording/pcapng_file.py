"""Writing the pcapng format: datagrams as Ethernet frames with nanosecond times.

Block layouts: Internet-Draft draft-ietf-opsawg-pcapng, sections 4.1 to 4.3. The frame around a datagram is made
here, since a socket delivers its payload alone: MAC addresses are those of the group or zero, the UDP checksum is 0,
which RFC 768 defines as "none".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_PACKET: Final = 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_UNKNOWN_LENGTH: Final = -1
_ETHERNET: Final = 1
_TIME_RESOLUTION: Final = 9
_NANOSECONDS: Final = 9
_IPV4: Final = 0x0800
_UDP: Final = 17
_TIME_TO_LIVE: Final = 64


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An IPv4 address and a port."""

    address: IPv4Address
    port: int


def _block(kind: int, body: bytes) -> bytes:
    padded = body + bytes(-len(body) % 4)
    length = 12 + len(padded)
    return struct.pack("<II", kind, length) + padded + struct.pack("<I", length)


def preamble() -> bytes:
    """What a file begins with: a section, and one Ethernet interface whose times are nanoseconds."""
    resolution = struct.pack("<HHB3x", _TIME_RESOLUTION, 1, _NANOSECONDS) + struct.pack("<HH", 0, 0)
    section = _block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH))
    return section + _block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, 0) + resolution)


def packet(time_ns: int, frame: bytes) -> bytes:
    """One frame as an enhanced packet block."""
    size = len(frame)
    return _block(_PACKET, struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, size, size) + frame)


def udp_frame(source: Endpoint, destination: Endpoint, payload: bytes) -> bytes:
    """The Ethernet frame of a datagram, without its check sequence."""
    udp = struct.pack(">HHHH", source.port, destination.port, 8 + len(payload), 0)
    total = 20 + len(udp) + len(payload)
    fields = struct.pack(">BBHHHBB", 0x45, 0, total, 0, 0, _TIME_TO_LIVE, _UDP)
    addresses = source.address.packed + destination.address.packed
    checksum = struct.pack(">H", _checksum(fields + addresses))
    ethernet = _mac(destination.address) + bytes(6) + struct.pack(">H", _IPV4)
    return ethernet + fields + checksum + addresses + udp + payload


def _mac(address: IPv4Address) -> bytes:
    """MAC address of a multicast group (RFC 1112, section 6.4), zero for others."""
    if not address.is_multicast:
        return bytes(6)
    return b"\x01\x00\x5e" + bytes([address.packed[1] & 0x7F]) + address.packed[2:]


def _checksum(header: bytes) -> int:
    """Ones' complement sum of the 16-bit words (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
