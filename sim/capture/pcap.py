"""The classic capture format: a file header, then records (Internet-Draft draft-ietf-opsawg-pcap)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sim.capture.packet import Packet
from sim.capture.source import Source

MAXIMUM_FRAME = 1 << 24
"""Longest frame in bytes; a longer one means that the file is damaged."""

_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_LINK_MASK = 0x0FFF_FFFF


def is_pcap(magic: bytes) -> bool:
    """Whether a file that begins with these four bytes is in this format."""
    return magic in _MAGICS


def packets(magic: bytes, source: Source) -> Iterator[Packet]:
    """The packets of a file whose magic has been read; Rejected where the file is damaged."""
    order, ns_per_tick = _MAGICS[magic]
    link_type = struct.unpack(order + "HHiIII", source.read(20, "file header"))[5] & _LINK_MASK
    record = struct.Struct(order + "IIII")
    while head := source.read_or_end(record.size, "record header"):
        seconds, fraction, captured, on_wire = record.unpack(head)
        if captured > MAXIMUM_FRAME:
            source.fail(f"record length was {captured}", f"at most {MAXIMUM_FRAME}")
        if fraction * ns_per_tick >= 1_000_000_000:
            source.fail(f"fraction of a second was {fraction}", f"less than {1_000_000_000 // ns_per_tick}")
        frame = source.read(captured, "record")
        yield Packet(seconds * 1_000_000_000 + fraction * ns_per_tick, link_type, frame, on_wire)
