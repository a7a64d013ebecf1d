"""The frames that a core sent, taken apart with scapy and compared with its taps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from sim.rtl.addresses import BoardAddresses
from sim.rtl.bench.monitors import SentFrame
from sim.rtl.bench.scapy_frames import with_check_sequence

_WORD: Final = 8
_LEAST_BYTES: Final = 64
_PORT_AT: Final = 36
_UDP_BYTES: Final = 8
_HEADERS_BYTES: Final = 42
_SEQUENCE_BYTES: Final = 4
_PAYLOAD_LIMIT: Final = 1_512
"""Bytes: a log message of the longest payload makes a datagram of its own."""


def wrong_frames(
    frames: Sequence[SentFrame], addresses: BoardAddresses, messages: Iterable[bytes], log: Iterable[bytes]
) -> list[str]:
    """What is wrong with frames that should carry these messages, one each, and these steps of the log, in order.

    A spoiled frame must say so and have a wrong check sequence; nothing else is asked of it.
    """
    found: list[str] = []
    payloads: dict[int, list[bytes]] = {addresses.message_port: [], addresses.log_port: []}
    for number, frame in enumerate(frames):
        is_whole = with_check_sequence(frame.octets[:-_SEQUENCE_BYTES]) == frame.octets
        if frame.error or not is_whole:
            if frame.error == is_whole:
                found.append(f"frame {number}: error {frame.error}, check sequence right {is_whole}")
            continue
        port, payload, problems = _opened(frame.octets, addresses)
        found += [f"frame {number}: {problem}" for problem in problems]
        payloads.get(port, []).append(payload)
    if payloads[addresses.message_port] != list(messages):
        found.append("the datagrams of messages are not the messages")
    padded = b"".join(step + bytes(-len(step) % _WORD) for step in log)
    if b"".join(payloads[addresses.log_port]) != padded:
        found.append("the datagrams of the log are not the log")
    return found


def port_of(octets: bytes) -> int:
    """The UDP port that an untagged frame is for, 0 where it ends before; nothing is checked."""
    return int.from_bytes(octets[_PORT_AT : _PORT_AT + 2], "big") if len(octets) >= _PORT_AT + 6 else 0


def _opened(octets: bytes, addresses: BoardAddresses) -> tuple[int, bytes, list[str]]:
    """Destination port, payload, and what is wrong with the headers."""
    headers = _headers(octets[:_HEADERS_BYTES], len(octets), addresses)
    return headers.port, octets[headers.payload], list(headers.problems)


@dataclass(frozen=True, slots=True)
class _Headers:
    """Destination port, where the payload lies, and what is wrong."""

    port: int
    payload: slice
    problems: tuple[str, ...]


@lru_cache(maxsize=4_096)
def _headers(octets: bytes, length: int, addresses: BoardAddresses) -> _Headers:
    """The headers of a frame of that length, check sequence included: most frames have those of another one."""
    packet = Ether(octets + bytes(max(0, length - _SEQUENCE_BYTES - len(octets))))
    if not (packet.haslayer(IP) and packet.haslayer(UDP)):
        return _Headers(0, slice(0), ("no UDP over IPv4",))
    ip, udp = packet[IP], packet[UDP]
    begin = length - _SEQUENCE_BYTES - len(udp.payload)
    payload = slice(begin, min(begin + udp.len - _UDP_BYTES, length - _SEQUENCE_BYTES))
    right = IP(bytes(ip))
    del right.chksum
    wanted = {
        "link addresses": (int(packet.src.replace(":", ""), 16), int(packet.dst.replace(":", ""), 16))
        == (addresses.source_link, addresses.destination_link),
        "addresses": (ip.src, ip.dst) == (str(addresses.source_address), str(addresses.destination_address)),
        "ports": udp.sport == addresses.source_port and udp.dport in (addresses.message_port, addresses.log_port),
        "IPv4 checksum": IP(bytes(right)).chksum == ip.chksum,
        "lengths": (ip.len, length) == (udp.len + 20, max(_LEAST_BYTES, ip.len + 18)),
        "UDP checksum": udp.chksum == 0,
        "size": payload.stop - payload.start <= _PAYLOAD_LIMIT,
    }
    return _Headers(udp.dport, payload, tuple(f"wrong {name}" for name, holds in wanted.items() if not holds))
