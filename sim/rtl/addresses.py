"""Where a core's datagrams come from and go to, and what is in a frame that it sent."""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from typing import Final

from hdl.control.seal import BoardSeal
from market.errors import Rejected

_HEADERS: Final = struct.Struct(">12xH2xH12xIHHHxx")
"""Of Ethernet, IPv4 and UDP: ethertype, total length, destination address, ports, UDP length."""
_FCS_SIZE: Final = 4
_IP_AT: Final = 14
_ETHERTYPE_IPV4: Final = 0x0800
_LOOPBACK: Final = IPv4Address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class BoardAddresses:
    """Ours and the host's: link (MAC) addresses as numbers of 48 bits, IPv4 addresses, UDP ports.

    Triggers, acknowledgements and status messages go to the host's ``message_port``, the log to its ``log_port``.
    """

    source_link: int = 0x02_00_00_00_00_01
    destination_link: int = 0x02_00_00_00_00_02
    source_address: IPv4Address = _LOOPBACK
    destination_address: IPv4Address = _LOOPBACK
    source_port: int = 31_901
    message_port: int = 31_900
    log_port: int = 31_902


LOOPBACK: Final = BoardAddresses()
"""Everything on this machine, at the ports of the receive loop."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """What a frame carries to whom."""

    address: IPv4Address
    source_port: int
    port: int
    payload: bytes


def addresses_port(addresses: BoardAddresses, seal: BoardSeal | None = None) -> bytes:
    """The addresses, and a guarded core's seal, as the bytes of the core's port, the least significant first."""
    from hdl.boards.guarded_core import guarded_layout  # Amaranth is an extra: whoever has a core has it
    from hdl.egress.settings import egress_layout

    layout = egress_layout if seal is None else guarded_layout
    values = {name: int(value) for name, value in asdict(addresses).items()}
    if seal is not None:
        values |= {"key": int.from_bytes(seal.key, "little"), "floor": seal.floor}
    bits: int = sum(value << layout[name].offset for name, value in values.items())
    return bits.to_bytes(-(-layout.size // 8), "little")


def datagram_of(frame: bytes) -> Datagram:
    """What an untagged frame of UDP over IPv4, check sequence included, carries; its checksums are not looked at.

    Raises Rejected for any other frame, and for one that is shorter than its headers say.
    """
    if len(frame) >= _HEADERS.size + _FCS_SIZE:
        ethertype, total, address, source_port, port, length = _HEADERS.unpack_from(frame)
        whole = total + _IP_AT + _FCS_SIZE <= len(frame) and length + _HEADERS.size - 8 <= total + _IP_AT
        if ethertype == _ETHERTYPE_IPV4 and whole and length >= 8:
            payload = frame[_HEADERS.size : _HEADERS.size - 8 + length]
            return Datagram(IPv4Address(address), source_port, port, payload)
    raise Rejected(f"a frame of {len(frame)} bytes is no whole UDP datagram: {frame[: _HEADERS.size].hex()}")
