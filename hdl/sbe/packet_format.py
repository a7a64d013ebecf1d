"""What a packet dispatcher needs to know of a schema: where it says what follows, and the fields to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hdl.sbe.places import Place, header_places, place_of, root_places
from hdl.sbe.words import WORD_BYTES
from market.errors import Fatal
from market.wire.sbe import CompositeLayout, Schema

_LENGTHS = ("messageLength", "frameLength")
_COUNT = "messageCount"
_BLOCK = "blockLength"
_SCHEMA = "schemaId"
_TEMPLATE = "templateId"

Fields = Mapping[str, str]
"""Names in the schema by the names that the fields shall have."""


@dataclass(frozen=True, slots=True)
class MessageFormat:
    """Messages of one meaning: their templates, the bytes of one, its root block's, and its fields to take.

    Places are counted from the first byte of the message's header.
    """

    meaning: str
    templates: tuple[int, ...]
    size: int
    block_length: int
    places: Mapping[str, Place]

    @property
    def words(self) -> int:
        """Words of a message."""
        return self.size // WORD_BYTES


@dataclass(frozen=True, slots=True)
class PacketFormat:
    """A packet header of ``packet_words``, then messages of whole words that count their own length.

    ``packet`` and ``header`` have the fields to take of both headers, the latter of its first word, where ``length``,
    ``template`` and, if the schema has them, ``block`` and ``schema_field`` are, too; ``count`` is the place of the
    number of messages in the packet header.
    """

    packet_words: int
    packet: Mapping[str, Place]
    count: Place
    header_size: int
    header: Mapping[str, Place]
    length: Place
    template: Place
    block: Place | None
    schema_field: Place | None
    schema_id: int
    messages: tuple[MessageFormat, ...]

    @property
    def message_words(self) -> int:
        """Words of a message up to the last one with a field to take."""
        return max(2, *(-(-place.end // WORD_BYTES) for _, place in self.fields()))

    def fields(self) -> Iterator[tuple[MessageFormat, Place]]:
        """Every field to take, with its message; its name is the one that it shall have."""
        for message in self.messages:
            for place in message.places.values():
                yield message, place


def packet_format(
    schema: Schema, packet: Fields, header: Fields, messages: Mapping[str, tuple[Sequence[str], Fields]]
) -> PacketFormat:
    """The format of a schema's packets; ``messages`` has, by meaning, names of messages and their fields to take.

    Raises Fatal for a schema whose parts do not begin at words, or whose first word does not say what follows, and for
    messages of one meaning that are laid out differently.
    """
    layout = schema.packet
    if layout is None or layout.size % WORD_BYTES or schema.alignment % WORD_BYTES:
        raise Fatal(f"{schema.path.name}: packets and messages must begin at multiples of {WORD_BYTES} bytes")
    _check_headers(schema, layout)
    counted = [name for name in _LENGTHS if name in schema.header.fields]
    if not counted or _COUNT not in layout.fields:
        raise Fatal(f"{schema.path.name}: expected one of {_LENGTHS} in the header and {_COUNT} in the packet header")
    found = {
        name: header_places(schema, (name,))[0] if name in schema.header.fields else None for name in (_BLOCK, _SCHEMA)
    }
    length, template = header_places(schema, (counted[0], _TEMPLATE))
    taken = _renamed(header, header_places(schema, header.values()))
    first = [length, template, *found.values(), *taken.values()]
    if any(place.end > WORD_BYTES for place in first if place is not None):
        raise Fatal(f"{schema.path.name}: length, template and schema must be in the first {WORD_BYTES} bytes")
    return PacketFormat(
        packet_words=layout.size // WORD_BYTES,
        packet=_renamed(packet, [place_of(layout.fields[name]) for name in packet.values()]),
        count=place_of(layout.fields[_COUNT]),
        header_size=schema.header.size,
        header=taken,
        length=length,
        template=template,
        block=found[_BLOCK],
        schema_field=found[_SCHEMA],
        schema_id=schema.id,
        messages=tuple(_message(schema, meaning, *members) for meaning, members in messages.items()),
    )


def _check_headers(schema: Schema, layout: CompositeLayout) -> None:
    if layout.size < 2 * WORD_BYTES or schema.header.size <= WORD_BYTES:
        raise Fatal(f"{schema.path.name}: headers of packets and messages must be longer than {WORD_BYTES} bytes")


def _message(schema: Schema, meaning: str, names: Sequence[str], fields: Fields) -> MessageFormat:
    places = [_renamed(fields, root_places(schema, name, fields.values())) for name in names]
    blocks = {schema.message(name).block_length for name in names}
    if len(blocks) != 1 or any(one != places[0] for one in places):
        raise Fatal(f"{', '.join(names)} are laid out differently; expected messages of one meaning to be alike")
    block = blocks.pop()
    size = -(-(schema.header.size + block) // schema.alignment) * schema.alignment
    templates = tuple(schema.message(name).template_id for name in names)
    return MessageFormat(meaning, templates, size, block, places[0])


def _renamed(fields: Fields, places: Sequence[Place]) -> dict[str, Place]:
    return {
        name: Place(name, place.offset, place.size, place.is_signed) for name, place in zip(fields, places, strict=True)
    }
