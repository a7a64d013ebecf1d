"""What a capture file holds: frames with the time at which they were received."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class LinkType(IntEnum):
    """Link types whose frames are understood, by their number in the tcpdump registry."""

    NULL = 0
    ETHERNET = 1
    RAW = 12
    RAW_OPENBSD = 14
    RAW_IP = 101
    LOOP = 108
    LINUX_COOKED = 113
    RAW_IPV4 = 228
    RAW_IPV6 = 229
    LINUX_COOKED_2 = 276


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured frame.

    ``time_ns``: receive time in ns since the Unix epoch. ``link_type``: a number of the tcpdump registry, see
    ``LinkType``. ``frame``: the captured bytes from the link layer on. ``wire_length``: bytes that were on the wire,
    more than ``frame`` holds if the capture cut it.
    """

    time_ns: int
    link_type: int
    frame: bytes
    wire_length: int
