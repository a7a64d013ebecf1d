"""The bytes of a journal.

A file is a header of 32 bytes and frames until its end, all numbers little-endian::

    header   magic 8 · version u32 · session u32 · zero 12 · CRC-32 of what precedes u32
    frame    length of the payload u32 · CRC-32 of the payload u32 · payload
    payload  encoding u8 (0 MessagePack, 1 JSON) · record

The checksum of a frame starts from the frame's place in the file, so that a frame counts only where it was written:
neither an old frame that a cut file still holds nor a copy inside another record is taken for one. JSON is for records
with a number of more than 64 bits, which MessagePack cannot hold.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import msgspec

from market.errors import Fatal
from orchestrator.storage.records import JournalRecord

VERSION: Final = 2
"""What is written."""
READABLE: Final = (1, VERSION)
"""What is read; version 1 has no orders that were forgotten."""
HEADER_BYTES: Final = 32
FRAME_BYTES: Final = 8
LARGEST_PAYLOAD: Final = 1 << 28
_MAGIC: Final = b"TWJRNL\r\n"
_HEADER: Final = struct.Struct("<8sII12x")
_FRAME: Final = struct.Struct("<II")
_CHECK: Final = struct.Struct("<I")
_PACKED: Final = b"\x00"
_TEXT: Final = b"\x01"

_pack: Final = msgspec.msgpack.Encoder()
_unpack: Final[msgspec.msgpack.Decoder[JournalRecord]] = msgspec.msgpack.Decoder(JournalRecord)
_to_text: Final = msgspec.json.Encoder()
_from_text: Final[msgspec.json.Decoder[JournalRecord]] = msgspec.json.Decoder(JournalRecord)


class UnreadableJournal(Fatal):
    """A file is no journal of a known version, or was damaged where whole records follow."""


def encode_header(session: int) -> bytes:
    """The first 32 bytes of a session's journal."""
    head = _HEADER.pack(_MAGIC, VERSION, session)
    return head + _CHECK.pack(zlib.crc32(head))


def decode_header(header: bytes, name: str) -> int:
    """The session of a journal; raises UnreadableJournal for anything else than a header of a version that is read."""
    if len(header) < HEADER_BYTES or header[:8] != _MAGIC:
        raise UnreadableJournal(f"{name} begins with {header[:8]!r}; expected a journal, {_MAGIC!r}")
    _, version, session = _HEADER.unpack_from(header)
    if version not in READABLE:
        raise UnreadableJournal(
            f"{name} is a journal of version {version}; expected version {READABLE[0]} or {VERSION}: read it with the "
            "program that wrote it"
        )
    (check,) = _CHECK.unpack_from(header, HEADER_BYTES - 4)
    if check != zlib.crc32(header[: HEADER_BYTES - 4]):
        raise UnreadableJournal(f"{name}: the header's checksum is wrong; expected a whole journal")
    return int(session)


def encode_frame(record: JournalRecord, offset: int) -> bytes:
    """A record as it stands at a place of the file; raises Fatal for one that is too large."""
    try:
        payload = _PACKED + _pack.encode(record)
    except OverflowError:
        payload = _TEXT + _to_text.encode(record)
    if len(payload) > LARGEST_PAYLOAD:
        raise Fatal(f"a {type(record).__name__} of {len(payload)} bytes; expected at most {LARGEST_PAYLOAD}")
    return _FRAME.pack(len(payload), _checksum(payload, offset)) + payload


def payload_at(data: memoryview, position: int, offset: int) -> memoryview | None:
    """The payload of the frame that begins at a position of ``data``, which is ``offset`` in the file; None if none."""
    start = position + FRAME_BYTES
    if start > len(data):
        return None
    length, check = _FRAME.unpack_from(data, position)
    if not 1 < length <= LARGEST_PAYLOAD or start + length > len(data):
        return None
    payload = data[start : start + length]
    return payload if check == _checksum(payload, offset) else None


def decode_payload(payload: memoryview, name: str) -> JournalRecord:
    """The record in a payload whose checksum was right; raises UnreadableJournal for one that is not known."""
    body = payload[1:]
    try:
        if payload[0] == _PACKED[0]:
            return _unpack.decode(body)
        if payload[0] == _TEXT[0]:
            return _from_text.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableJournal(f"{name} holds a record that is not of version {VERSION}: {error}") from error
    raise UnreadableJournal(f"{name} holds a record in encoding {payload[0]}; version {VERSION} has 0 and 1")


def _checksum(payload: bytes | memoryview, offset: int) -> int:
    return zlib.crc32(payload, offset & 0xFFFFFFFF)
