"""From a captured frame to the UDP datagram inside it: Ethernet with VLAN tags, Linux cooked, raw IP; IPv4 and IPv6."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from sim.capture.packet import LinkType, Packet

_IPV4, _IPV6 = 0x0800, 0x86DD
_TAGS = (0x8100, 0x88A8, 0x9100)
_UDP = 17
_HOP_BY_HOP, _ROUTING, _DESTINATION = 0, 43, 60
_RAW = (LinkType.RAW, LinkType.RAW_OPENBSD, LinkType.RAW_IP, LinkType.RAW_IPV4, LinkType.RAW_IPV6)


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram: receive time in ns since the Unix epoch, addresses as text, ports, payload."""

    time_ns: int
    source: str
    source_port: int
    destination: str
    destination_port: int
    payload: bytes


def udp_payload(packet: Packet) -> Datagram | None:
    """The datagram in a frame, or None if it holds none: another protocol, a fragment, or cut by the capture."""
    start = _network_layer(packet)
    if start is None or start >= len(packet.frame):
        return None
    version = packet.frame[start] >> 4
    if version == 4:
        return _from_ipv4(packet, start)
    if version == 6:
        return _from_ipv6(packet, start)
    return None


def _network_layer(packet: Packet) -> int | None:
    """Offset of the IP header in the frame."""
    frame = packet.frame
    if packet.link_type == LinkType.ETHERNET:
        return _behind_ether_type(frame, 12)
    if packet.link_type == LinkType.LINUX_COOKED:
        return _behind_ether_type(frame, 14)
    if packet.link_type == LinkType.LINUX_COOKED_2:
        return 20 if _word(frame, 0) in (_IPV4, _IPV6) else None
    if packet.link_type in (LinkType.NULL, LinkType.LOOP):
        return 4
    return 0 if packet.link_type in _RAW else None


def _word(frame: bytes, position: int) -> int | None:
    if len(frame) < position + 2:
        return None
    return frame[position] << 8 | frame[position + 1]


def _behind_ether_type(frame: bytes, position: int) -> int | None:
    while (ether_type := _word(frame, position)) in _TAGS:
        position += 4
    return position + 2 if ether_type in (_IPV4, _IPV6) else None


def _from_ipv4(packet: Packet, start: int) -> Datagram | None:
    frame = packet.frame
    if len(frame) < start + 20:
        return None
    header = (frame[start] & 15) * 4
    total, _, fragment, _, protocol = struct.unpack_from(">HHHBB", frame, start + 2)
    if header < 20 or protocol != _UDP or fragment & 0x3FFF:
        return None
    return _udp(packet, start + 12, 4, start + header, total - header)


def _from_ipv6(packet: Packet, start: int) -> Datagram | None:
    frame = packet.frame
    if len(frame) < start + 40:
        return None
    length, protocol = struct.unpack_from(">HB", frame, start + 4)
    position, end = start + 40, start + 40 + length
    while protocol in (_HOP_BY_HOP, _ROUTING, _DESTINATION):
        if len(frame) < position + 8:
            return None
        protocol, extension = frame[position], frame[position + 1]
        position += 8 * (extension + 1)
    if protocol != _UDP:
        return None
    return _udp(packet, start + 8, 16, position, end - position)


def _udp(packet: Packet, addresses: int, width: int, position: int, available: int) -> Datagram | None:
    """The datagram whose UDP header is at ``position``, of which the IP header announces ``available`` bytes."""
    frame = packet.frame
    if available < 8 or len(frame) < position + 8:
        return None
    source_port, destination_port, length, _ = struct.unpack_from(">HHHH", frame, position)
    if not 8 <= length <= available or len(frame) < position + length:
        return None
    return Datagram(
        time_ns=packet.time_ns,
        source=str(ipaddress.ip_address(frame[addresses : addresses + width])),
        source_port=source_port,
        destination=str(ipaddress.ip_address(frame[addresses + width : addresses + 2 * width])),
        destination_port=destination_port,
        payload=frame[position + 8 : position + length],
    )
