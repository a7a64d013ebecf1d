"""Ethernet frames around a payload, whole or wrong in named places, built with scapy."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Padding, Raw

GROUP: Final = "239.0.0.1"
GROUP_NUMBER: Final = 0xEF000001
_SOURCE: Final = "10.0.0.1"
_FCS_BYTES: Final = 4


def with_check_sequence(body: bytes) -> bytes:
    """The body and its CRC-32, least significant byte first."""
    return body + zlib.crc32(body).to_bytes(_FCS_BYTES, "little")


def built(
    payload: bytes,
    port: int,
    *,
    address: str = GROUP,
    tags: Sequence[int] = (),
    padding: bytes = b"",
    ether: dict[str, Any] | None = None,
    ip: dict[str, Any] | None = None,
    udp: dict[str, Any] | None = None,
) -> bytes:
    """A frame without its check sequence.

    ``ether``, ``ip`` and ``udp`` are scapy's fields where they are not to have their right values: ``{"chksum": 0}``.
    """
    packet = Ether(**{"dst": "01:00:5e:00:00:01", "src": "02:00:00:00:00:01", **(ether or {})})
    for tag in tags:
        packet = packet / Dot1Q(vlan=tag)
    packet = packet / IP(**{"src": _SOURCE, "dst": address, "flags": "DF", **(ip or {})})
    packet = packet / UDP(**{"sport": 40_000, "dport": port, **(udp or {})}) / Raw(payload)
    return bytes(packet / Padding(padding))


def frame(payload: bytes, port: int, **wrong: Any) -> bytes:
    """A frame with its check sequence; arguments as of ``built``."""
    return with_check_sequence(built(payload, port, **wrong))
