"""Where our datagrams go, and the headers in front of them."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Value, unsigned
from amaranth.lib import data

from hdl.ethernet.headers import ETHERTYPE_IPV4, FIRST_BYTE, HEADER_BYTES, PROTOCOL_UDP, UDP_HEADER_BYTES

egress_layout: Final = data.StructLayout(
    {
        "source_link": unsigned(48),
        "destination_link": unsigned(48),
        "source_address": unsigned(32),
        "destination_address": unsigned(32),
        "source_port": unsigned(16),
        "message_port": unsigned(16),
        "log_port": unsigned(16),
    }
)
"""Link (MAC) and IPv4 addresses and UDP ports as numbers: ours are the source, the host's the destination.

Triggers, acknowledgements and status messages go to ``message_port``, the log to ``log_port``.
"""

HEADERS_BYTES: Final = 14 + HEADER_BYTES + UDP_HEADER_BYTES
"""Bytes of a frame before its UDP payload."""
_DO_NOT_FRAGMENT: Final = 0x4000
_TIME_TO_LIVE: Final = 64
_FIXED_SUM: Final = (FIRST_BYTE << 8) + _DO_NOT_FRAGMENT + (_TIME_TO_LIVE << 8 | PROTOCOL_UDP)
"""Sum of the header's 16-bit words that are the same in every packet of ours."""


def address_words(settings: Any) -> list[Any]:
    """The 16-bit words of the header that only the settings decide; sum them with ``FIXED_WORDS``."""
    addresses = (settings.source_address, settings.destination_address)
    return [half for address in addresses for half in (address[:16], address[16:])]


FIXED_WORDS: Final = Const(_FIXED_SUM, 18)


def header_octets(settings: Any, total_length: Value, checksum: Value, port: Value, udp_length: Value) -> list[Any]:
    """The bytes of Ethernet, IPv4 and UDP headers in their order; no UDP checksum."""
    fields = [
        settings.destination_link,
        settings.source_link,
        Const(ETHERTYPE_IPV4, 16),
        Const(FIRST_BYTE << 8, 16),
        total_length,
        Const(0, 16),
        Const(_DO_NOT_FRAGMENT, 16),
        Const(_TIME_TO_LIVE << 8 | PROTOCOL_UDP, 16),
        checksum,
        settings.source_address,
        settings.destination_address,
        settings.source_port,
        port,
        udp_length,
        Const(0, 16),
    ]
    octets = [octet for field in fields for octet in _most_significant_first(Value.cast(field))]
    if len(octets) != HEADERS_BYTES:
        raise ValueError(f"{len(octets)} bytes of headers; expected {HEADERS_BYTES}")
    return octets


def _most_significant_first(field: Value) -> list[Any]:
    return [Cat(field[at : at + 8]) for at in reversed(range(0, len(field), 8))]
