"""The block format of newer capture tools (Internet-Draft draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sim.capture.packet import Packet
from sim.capture.pcap import MAXIMUM_FRAME
from sim.capture.source import Source

MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_TIME_RESOLUTION, _TIME_OFFSET = 9, 14
_MICROSECONDS = 6


@dataclass(frozen=True)
class _Interface:
    """A capturing interface: its link type, and how its time stamps count."""

    link_type: int
    ticks_per_second: int
    offset_s: int

    def time_ns(self, ticks: int) -> int:
        return self.offset_s * 1_000_000_000 + ticks * 1_000_000_000 // self.ticks_per_second


def packets(source: Source) -> Iterator[Packet]:
    """The packets of a file whose magic has been read; Rejected where the file is damaged."""
    order = ""
    interfaces: list[_Interface] = []
    head = MAGIC + source.read(4, "section header")
    while head:
        if head[:4] == MAGIC:
            order = _section(head, source)
            interfaces = []
        else:
            kind, body = _block(head, order, source)
            if kind == _INTERFACE:
                interfaces.append(_interface(body, order, source))
            elif kind == _SIMPLE:
                source.fail("packet has no time (simple packet block)", "enhanced packet blocks")
            elif kind in (_PACKET, _OLD_PACKET):
                yield _packet(kind, body, order, interfaces, source)
        head = source.read_or_end(8, "block header")


def _section(head: bytes, source: Source) -> str:
    """Read the rest of a section header; gives the section's byte order."""
    magic = source.read(4, "section header")
    order = _ORDERS.get(magic)
    if order is None:
        source.fail(f"byte-order magic was {magic.hex()}", "1a2b3c4d in either order")
    length = struct.unpack(order + "I", head[4:8])[0]
    _check_length(length, 28, source)
    body = source.read(length - 16, "section header")
    major = struct.unpack_from(order + "H", body)[0]
    if major != 1:
        source.fail(f"pcapng version was {major}", "1")
    _check_trailer(length, source.read(4, "section header"), order, source)
    return order


def _block(head: bytes, order: str, source: Source) -> tuple[int, bytes]:
    kind, length = struct.unpack(order + "II", head)
    _check_length(length, 12, source)
    body = source.read(length - 12, "block")
    _check_trailer(length, source.read(4, "block"), order, source)
    return kind, body


def _check_length(length: int, least: int, source: Source) -> None:
    if not least <= length <= MAXIMUM_FRAME or length % 4:
        source.fail(f"block length was {length}", f"a multiple of 4 from {least} to {MAXIMUM_FRAME}")


def _check_trailer(length: int, trailer: bytes, order: str, source: Source) -> None:
    repeated = struct.unpack(order + "I", trailer)[0]
    if repeated != length:
        source.fail(f"block length was {length} before and {repeated} behind the block", "the same length twice")


def _interface(body: bytes, order: str, source: Source) -> _Interface:
    if len(body) < 8:
        source.fail(f"interface block had {len(body)} bytes", "8 or more")
    options = _options(body[8:], order, source)
    resolution = options.get(_TIME_RESOLUTION, bytes([_MICROSECONDS]))
    offset = options.get(_TIME_OFFSET, bytes(8))
    if len(resolution) != 1 or len(offset) != 8:
        source.fail(f"time options had {len(resolution)} and {len(offset)} bytes", "1 and 8 bytes")
    exponent = resolution[0] & 0x7F
    return _Interface(
        link_type=struct.unpack_from(order + "H", body)[0],
        ticks_per_second=1 << exponent if resolution[0] & 0x80 else 10**exponent,
        offset_s=struct.unpack(order + "q", offset)[0],
    )


def _options(raw: bytes, order: str, source: Source) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    position = 0
    while position + 4 <= len(raw):
        code, length = struct.unpack_from(order + "HH", raw, position)
        position += 4
        if code == 0:
            break
        if position + length > len(raw):
            source.fail(f"option {code} had {length} bytes", f"at most {len(raw) - position}")
        options.setdefault(code, raw[position : position + length])
        position += length + -length % 4
    return options


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface], source: Source) -> Packet:
    if len(body) < 20:
        source.fail(f"packet block had {len(body)} bytes", "20 or more")
    layout = "IIIII" if kind == _PACKET else "HxxIIII"
    number, high, low, captured, on_wire = struct.unpack_from(order + layout, body)
    if number >= len(interfaces):
        source.fail(f"packet names interface {number}", f"one of {len(interfaces)} interfaces")
    if captured > len(body) - 20:
        source.fail(f"packet had {captured} bytes", f"at most {len(body) - 20}")
    interface = interfaces[number]
    return Packet(interface.time_ns(high << 32 | low), interface.link_type, body[20 : 20 + captured], on_wire)
