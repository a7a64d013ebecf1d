"""UDP datagrams are found behind every link layer; anything else is no datagram."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.capture import Datagram, LinkType, Packet, udp_payload

PAYLOAD = b"top of book"
SOURCE, DESTINATION = "10.1.2.3", "239.111.111.1"
SOURCE_6, DESTINATION_6 = "2001:db8::1", "ff02::5"


def udp(payload: bytes = PAYLOAD, length: int | None = None) -> bytes:
    return struct.pack(">HHHH", 5000, 6100, 8 + len(payload) if length is None else length, 0) + payload


def ipv4(body: bytes, protocol: int = 17, fragment: int = 0, options: bytes = b"") -> bytes:
    head = struct.pack(
        ">BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body), 1, fragment, 9, protocol, 0
    )
    addresses = ipaddress.ip_address(SOURCE).packed + ipaddress.ip_address(DESTINATION).packed
    return head + addresses + options + body


def ipv6(body: bytes, protocol: int = 17) -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(body), protocol, 9)
    return head + ipaddress.ip_address(SOURCE_6).packed + ipaddress.ip_address(DESTINATION_6).packed + body


MAC = bytes(12)
IP4 = ipv4(udp())
LINKS = {
    "ethernet": (LinkType.ETHERNET, MAC + b"\x08\x00" + IP4),
    "ethernet with padding": (LinkType.ETHERNET, MAC + b"\x08\x00" + IP4 + bytes(18)),
    "one tag": (LinkType.ETHERNET, MAC + b"\x81\x00\x00\x05\x08\x00" + IP4),
    "two tags": (LinkType.ETHERNET, MAC + b"\x88\xa8\x00\x07\x81\x00\x00\x05\x08\x00" + IP4),
    "options": (LinkType.ETHERNET, MAC + b"\x08\x00" + ipv4(udp(), options=bytes(8))),
    "raw": (LinkType.RAW_IP, IP4),
    "raw, older number": (LinkType.RAW, IP4),
    "raw IPv4": (LinkType.RAW_IPV4, IP4),
    "cooked": (LinkType.LINUX_COOKED, bytes(14) + b"\x08\x00" + IP4),
    "cooked, tagged": (LinkType.LINUX_COOKED, bytes(14) + b"\x81\x00\x00\x05\x08\x00" + IP4),
    "cooked, version 2": (LinkType.LINUX_COOKED_2, b"\x08\x00" + bytes(18) + IP4),
    "null": (LinkType.NULL, b"\x02\0\0\0" + IP4),
    "loop": (LinkType.LOOP, b"\0\0\0\x02" + IP4),
}


@pytest.mark.parametrize("link", LINKS)
def test_a_datagram_is_found_behind_its_link_layer(link: str) -> None:
    link_type, frame = LINKS[link]
    found = udp_payload(Packet(7, link_type, frame, len(frame)))
    assert found == Datagram(7, SOURCE, 5000, DESTINATION, 6100, PAYLOAD)


@pytest.mark.parametrize(
    "packet",
    [
        ipv6(udp()),
        ipv6(struct.pack(">BB6x", 17, 0) + udp(), protocol=0),
        ipv6(struct.pack(">BB14x", 17, 1) + udp(), protocol=60),
    ],
)
def test_a_datagram_is_found_in_ipv6(packet: bytes) -> None:
    found = udp_payload(Packet(7, LinkType.RAW_IPV6, packet, len(packet)))
    assert found == Datagram(7, SOURCE_6, 5000, DESTINATION_6, 6100, PAYLOAD)
    tagged = Packet(7, LinkType.ETHERNET, MAC + b"\x86\xdd" + packet, 0)
    assert udp_payload(tagged) == found


NOTHING = {
    "tcp": ipv4(udp(), protocol=6),
    "first fragment": ipv4(udp(), fragment=0x2000),
    "later fragment": ipv4(udp(), fragment=0x0010),
    "length below its header": ipv4(udp(length=7)),
    "length behind the packet": ipv4(udp(length=9 + len(PAYLOAD))),
    "no room for a header": ipv4(b"1234"),
    "header length of 16": b"\x44" + ipv4(udp())[1:],
    "another version": b"\x55" + ipv4(udp())[1:],
    "cut by the capture": ipv4(udp())[:-1],
    "IPv6 fragment": ipv6(bytes(8) + udp(), protocol=44),
    "IPv6 tcp": ipv6(udp(), protocol=6),
    "IPv6 extensions without end": ipv6(struct.pack(">BB6x", 0, 0), protocol=0),
    "empty": b"",
}


@pytest.mark.parametrize("reason", NOTHING)
def test_anything_else_is_no_datagram(reason: str) -> None:
    assert udp_payload(Packet(0, LinkType.RAW_IP, NOTHING[reason], 0)) is None


@pytest.mark.parametrize("link_type", [LinkType.ETHERNET, 147])
def test_other_link_layers_and_protocols_are_no_datagram(link_type: int) -> None:
    assert udp_payload(Packet(0, link_type, MAC + b"\x08\x06" + IP4, 0)) is None


@given(
    link=st.sampled_from(sorted(LINKS)),
    cut=st.integers(0, 80),
    noise=st.lists(st.tuples(st.integers(0, 79), st.integers(0, 255))),
)
@settings(derandomize=True, deadline=None, max_examples=500)
def test_damaged_frames_never_raise(link: str, cut: int, noise: list[tuple[int, int]]) -> None:
    link_type, frame = LINKS[link]
    damaged = bytearray(frame)
    for position, value in noise:
        if position < len(damaged):
            damaged[position] = value
    found = udp_payload(Packet(0, link_type, bytes(damaged[:cut]), 0))
    assert found is None or found.payload in bytes(damaged[:cut])
