"""What a packet dispatcher needs to know of a schema: where the words are that say what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.lib import data

from hdl.parameters import BYTE
from hdl.sbe.places import Place, header_places, place_of, root_places
from hdl.sbe.words import WORD_BYTES
from market.errors import Fatal
from market.wire.sbe import Schema

_LENGTHS = ("messageLength", "frameLength")
_COUNT = "messageCount"
_BLOCK = "blockLength"
_SCHEMA = "schemaId"
_TEMPLATE = "templateId"


@dataclass(frozen=True, slots=True)
class MessageFormat:
    """A message to take: its template, the bytes of its root block, and its fields from the header's first byte."""

    name: str
    template: int
    block_length: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class PacketFormat:
    """A packet header of ``packet_words``, then messages of whole words that count their own length.

    ``length``, ``template`` and, where the schema has them, ``block`` and ``schema_field`` are places in the first
    word of a message; ``count`` is the place of the number of messages in the packet header.
    """

    packet_words: int
    packet_places: tuple[Place, ...]
    count: Place
    header_size: int
    header_places: tuple[Place, ...]
    length: Place
    template: Place
    block: Place | None
    schema_field: Place | None
    schema_id: int
    messages: tuple[MessageFormat, ...]

    @property
    def message_words(self) -> int:
        """Words of a message up to the last one with a field to take."""
        places = [*self.header_places, self.template, *(place for item in self.messages for place in item.places)]
        return max(-(-place.end // WORD_BYTES) for place in places)

    def fields_layout(self) -> data.UnionLayout:
        """The fields of the messages, one struct per message, all over the same words."""
        size = self.message_words * WORD_BYTES * BYTE
        return data.UnionLayout({item.name: spread(item.places, size) for item in self.messages})


def packet_format(
    schema: Schema, packet_fields: Sequence[str], header_fields: Sequence[str], messages: Mapping[str, Sequence[str]]
) -> PacketFormat:
    """The format of a schema's packets, with the fields to take.

    Raises Fatal for a schema whose parts do not begin at words, or whose first word does not say what follows.
    """
    packet = schema.packet
    if packet is None or packet.size % WORD_BYTES or schema.alignment % WORD_BYTES:
        raise Fatal(f"{schema.path.name}: packets and messages must begin at multiples of {WORD_BYTES} bytes")
    if packet.size < 2 * WORD_BYTES or schema.header.size <= WORD_BYTES:
        raise Fatal(f"{schema.path.name}: headers of packets and messages must be longer than {WORD_BYTES} bytes")
    if _COUNT in packet.fields and packet.fields[_COUNT].offset < packet.size - WORD_BYTES:
        raise Fatal(f"{schema.path.name}: {_COUNT} must be in the last {WORD_BYTES} bytes of the packet header")
    counted = [name for name in _LENGTHS if name in schema.header.fields]
    if not counted or _COUNT not in packet.fields:
        raise Fatal(f"{schema.path.name}: expected one of {_LENGTHS} in the header and {_COUNT} in the packet header")
    length, template = header_places(schema, (counted[0], _TEMPLATE))
    found = {
        name: header_places(schema, (name,))[0] if name in schema.header.fields else None for name in (_BLOCK, _SCHEMA)
    }
    if any(place.end > WORD_BYTES for place in (length, template, *found.values()) if place is not None):
        raise Fatal(f"{schema.path.name}: length, template and schema must be in the first {WORD_BYTES} bytes")
    return PacketFormat(
        packet_words=packet.size // WORD_BYTES,
        packet_places=tuple(place_of(packet.fields[name]) for name in packet_fields),
        count=place_of(packet.fields[_COUNT]),
        header_size=schema.header.size,
        header_places=header_places(schema, header_fields),
        length=length,
        template=template,
        block=found[_BLOCK],
        schema_field=found[_SCHEMA],
        schema_id=schema.id,
        messages=tuple(_message(schema, name, fields) for name, fields in messages.items()),
    )


def _message(schema: Schema, name: str, fields: Sequence[str]) -> MessageFormat:
    layout = schema.message(name)
    return MessageFormat(name, layout.template_id, layout.block_length, root_places(schema, name, fields))


def spread(places: Sequence[Place], bits: int) -> data.FlexibleLayout:
    """Fields where they lie in so many bits of a block."""
    fields: dict[str, Any] = {place.name: data.Field(place.shape, place.offset * BYTE) for place in places}
    return data.FlexibleLayout(bits, fields)
