"""Packets: a header, then messages until the end of the payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from market.errors import Fatal, Rejected
from market.wire.sbe.decoder import MESSAGE_LENGTHS, Decoded, decode, decode_composite
from market.wire.sbe.encoder import encode, encode_composite
from market.wire.sbe.layout import CompositeLayout, Schema

_LENGTH = "packetLength"
_COUNT = "messageCount"


@dataclass(frozen=True)
class DecodedPacket:
    """One packet: its header, the messages of known templates in order, and how many others were skipped by length."""

    header: Mapping[str, Any]
    messages: tuple[Decoded, ...]
    skipped: int


def decode_packet(schema: Schema, payload: bytes | memoryview) -> DecodedPacket:
    """Decode a packet of a schema that declares a packet header.

    Raises Rejected if the header's length or count does not fit the payload, for a damaged message, and for an unknown
    template where the message header has no length to skip it by.
    """
    view = memoryview(payload).cast("B")
    composite = _packet_header(schema)
    header = decode_composite(schema, composite, view)
    if header.get(_LENGTH, len(view) - composite.size) != len(view) - composite.size:
        raise Rejected(f"packet length was {header[_LENGTH]}, expected {len(view) - composite.size}")
    messages: list[Decoded] = []
    skipped = 0
    position = composite.size
    while position < len(view):
        length = _unknown_length(schema, view, position)
        if length:
            skipped += 1
            position += length
        else:
            messages.append(decode(schema, view, position))
            position += messages[-1].length
    if header.get(_COUNT, len(messages) + skipped) != len(messages) + skipped:
        raise Rejected(f"message count was {header[_COUNT]}, expected {len(messages) + skipped}")
    return DecodedPacket(header, tuple(messages), skipped)


def encode_packet(schema: Schema, header: Mapping[str, Any], messages: Sequence[bytes]) -> bytes:
    """A packet of messages that are encoded already; the header's length and count are computed."""
    body = b"".join(messages)
    known = {_LENGTH: len(body), _COUNT: len(messages)}
    return encode_composite(schema, _packet_header(schema), {**header, **known}) + body


def reencode(schema: Schema, packet: DecodedPacket) -> bytes:
    """The bytes of a decoded packet again; skipped messages are lost."""
    messages = [encode(schema, item.name, item.values, item.header) for item in packet.messages]
    return encode_packet(schema, packet.header, messages)


def _packet_header(schema: Schema) -> CompositeLayout:
    if schema.packet is None:
        raise Fatal(f"schema {schema.path} declares no packet header; expected the attribute wire:packetType")
    return schema.packet


def _unknown_length(schema: Schema, view: memoryview, position: int) -> int:
    """Bytes of the message at a position if its template is unknown and its header counts them, else 0."""
    header = decode_composite(schema, schema.header, view, position)
    length = next((header[name] for name in MESSAGE_LENGTHS if name in header), 0)
    if header["templateId"] in schema.templates or not length:
        return 0
    if header.get("schemaId", schema.id) != schema.id:
        raise Rejected(f"schema id was {header['schemaId']}, expected {schema.id} ({schema.path.name})")
    if not schema.header.size <= length <= len(view) - position or length % schema.alignment:
        limits = f"{schema.header.size} to {len(view) - position}, a multiple of {schema.alignment}"
        raise Rejected(f"message length was {length}, expected {limits}")
    return int(length)
