"""What the compiled decoders of binary formats share: reasons to refuse, columns of packets, and where entries go.

A decoder turns payloads into flat int64 arrays. One row per message has the message's fields in the order of its
schema, from the column that the decoder names on; unsigned 64-bit numbers and doubles are there as their bits. Group
entries are rows of arrays of their own, which the message's row refers to by start and count.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal
from market.native.kernel import inline
from market.native.memory import get, put

Bytes = NDArray[np.uint8]
"""uint8[n]: payloads one behind the other."""
Words = NDArray[np.int64]
"""int64[n]."""
Rows = NDArray[np.int64]
"""int64[n, width], C order."""


class BinaryReject(IntEnum):
    """Why a payload was refused; a refused payload leaves no row."""

    NONE = 0
    TRUNCATED = 1
    """The payload ends inside a header, block, group or data."""
    PACKET_LENGTH = 2
    """The packet header's length differs from the payload's."""
    MESSAGE_COUNT = 3
    """The packet header's count differs from the messages in the payload."""
    MESSAGE_LENGTH = 4
    """A message length below its header, behind the payload, or not a multiple of the padding."""
    SCHEMA = 5
    """Another schema id."""
    TEMPLATE = 6
    """A template that is unknown and cannot be skipped."""
    BLOCK_LENGTH = 7
    """A block that is shorter than its fields, or ends behind the payload."""
    STRIDE = 8
    """Group entries that are shorter than their fields."""
    COUNT = 9
    """More group entries than the payload has room for."""
    TOO_LONG = 10
    """More messages or entries than the caller's arrays hold."""


OK: Final = int(BinaryReject.NONE)
TRUNCATED: Final = int(BinaryReject.TRUNCATED)
PACKET_LENGTH: Final = int(BinaryReject.PACKET_LENGTH)
MESSAGE_COUNT: Final = int(BinaryReject.MESSAGE_COUNT)
MESSAGE_LENGTH: Final = int(BinaryReject.MESSAGE_LENGTH)
SCHEMA: Final = int(BinaryReject.SCHEMA)
TEMPLATE: Final = int(BinaryReject.TEMPLATE)
BLOCK_LENGTH: Final = int(BinaryReject.BLOCK_LENGTH)
STRIDE: Final = int(BinaryReject.STRIDE)
COUNT: Final = int(BinaryReject.COUNT)
TOO_LONG: Final = int(BinaryReject.TOO_LONG)


class PacketColumn(IntEnum):
    """Columns of the packet array: one row per payload."""

    REASON = 0
    """A ``BinaryReject``."""
    TIME = 1
    """The packet header's own time, 0 if it has none."""
    SEQUENCE = 2
    CHANNEL = 3
    FLAGS = 4
    """The packet header's type or flags, 0 if it has none."""
    FIRST_ROW = 5
    ROWS = 6
    SKIPPED = 7
    """Messages of other templates, which have no row."""


PACKET_WIDTH: Final = 8
PACKET_REASON: Final = int(PacketColumn.REASON)
PACKET_TIME: Final = int(PacketColumn.TIME)
PACKET_SEQUENCE: Final = int(PacketColumn.SEQUENCE)
PACKET_CHANNEL: Final = int(PacketColumn.CHANNEL)
PACKET_FLAGS: Final = int(PacketColumn.FLAGS)
PACKET_FIRST_ROW: Final = int(PacketColumn.FIRST_ROW)
PACKET_ROWS: Final = int(PacketColumn.ROWS)
PACKET_SKIPPED: Final = int(PacketColumn.SKIPPED)

# Columns that the row of every message begins with.
ROW_PACKET: Final = 0
"""Index of the payload; for formats of one message per payload the reject reason."""
ROW_TEMPLATE: Final = 1
ROW_OFFSET: Final = 2
"""Byte in the buffer at which the message's header begins."""
ROW_LENGTH: Final = 3
"""Bytes of the message, header and padding included."""
ROW_FLAGS: Final = 4
"""Flags of the message header, 0 if it has none."""
ROW_TIME: Final = 5
"""Time in the message header, 0 if it has none."""
FIRST_FIELD: Final = 6
"""Column of the first field."""

# The sink says where group entries go: per group of a message, rows in use, address of the rows, and room for rows.
SINK_USED: Final = 0
SINK_ADDRESS: Final = 1
SINK_ROOM: Final = 2
SINK_SLOT: Final = 3
"""Words per group."""
SINK_SLOTS: Final = 3
SINK_WORDS: Final = SINK_SLOT * SINK_SLOTS


class BinaryBatch:
    """Arrays that a binary decoder fills.

    Parameters
    ----------
    packets, rows, entries: how many payloads, messages, and entries of each group the arrays hold.
    row_width, entry_widths: columns, as the decoder's module states them.

    Attributes
    ----------
    packets: int64[packets, PACKET_WIDTH], a row per payload.
    rows: int64[rows, row_width], a row per message; columns behind those of its template hold nothing.
    entries: int64[entries, width] for each group.
    """

    def __init__(self, packets: int, rows: int, entries: int, *, row_width: int, entry_widths: tuple[int, ...]) -> None:
        if min(packets, rows, entries) < 1:
            raise Fatal(f"a batch needs room, was {packets} packets, {rows} rows and {entries} entries")
        self.packets: Rows = np.zeros((packets, PACKET_WIDTH), dtype=np.int64)
        self.rows: Rows = np.zeros((rows, row_width), dtype=np.int64)
        self.entries: tuple[Rows, ...] = tuple(np.zeros((entries, width), dtype=np.int64) for width in entry_widths)
        self.sink: Words = np.zeros(SINK_WORDS, dtype=np.int64)

    def used(self, slot: int) -> int:
        """Entries that the last call put into a group's array."""
        return int(self.sink[slot * SINK_SLOT + SINK_USED])


def pack(payloads: list[bytes]) -> tuple[Bytes, Words]:
    """Payloads as the decoders take them: one buffer, and int64[n + 1] bounds of the payloads in it."""
    bounds = np.zeros(len(payloads) + 1, dtype=np.int64)
    np.cumsum([len(payload) for payload in payloads], out=bounds[1:])
    return np.frombuffer(b"".join(payloads), dtype=np.uint8).copy(), bounds


@inline
def aim(sink: int, slot: int, address: int, room: int) -> None:
    """Point a slot of the sink at an array of entries, empty."""
    put(sink, slot * SINK_SLOT + SINK_USED, 0)
    put(sink, slot * SINK_SLOT + SINK_ADDRESS, address)
    put(sink, slot * SINK_SLOT + SINK_ROOM, room)


@inline
def used(sink: int, slot: int) -> int:
    """Entries that a slot of the sink holds."""
    return get(sink, slot * SINK_SLOT + SINK_USED)


@inline
def release(sink: int, slot: int, entries: int) -> None:
    """Forget the entries of a slot beyond the first ``entries``."""
    put(sink, slot * SINK_SLOT + SINK_USED, entries)


@inline
def clear(packet: int, first_row: int) -> None:
    """Start a packet's row: no reason, no header, and where its messages' rows begin."""
    for column in range(PACKET_WIDTH):
        put(packet, column, 0)
    put(packet, PACKET_FIRST_ROW, first_row)


@inline
def begin_row(row: int, packet: int, template: int, offset: int, length: int) -> None:
    """The columns that every message's row begins with."""
    put(row, ROW_PACKET, packet)
    put(row, ROW_TEMPLATE, template)
    put(row, ROW_OFFSET, offset)
    put(row, ROW_LENGTH, length)
