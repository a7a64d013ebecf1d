"""Where fields lie in a block, and the struct that they make once they are captured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from hdl.parameters import BYTE
from market.errors import Fatal, Rejected
from market.wire.sbe import ByteOrder, FieldLayout, Primitive, Schema

_SIGNED = frozenset((Primitive.INT8, Primitive.INT16, Primitive.INT32, Primitive.INT64))
_WIDEST_FIELD = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a block: its name in the captured struct, first byte, bytes, and whether it is a signed number.

    Floating-point numbers are taken as their bits. A member of a composite, ``field.member`` in the schema, has the
    name ``field_member``.
    """

    name: str
    offset: int
    size: int
    is_signed: bool = False

    @property
    def end(self) -> int:
        """Offset of the first byte behind the field."""
        return self.offset + self.size

    @property
    def shape(self) -> Any:
        """Shape of the captured number."""
        return signed(self.size * BYTE) if self.is_signed else unsigned(self.size * BYTE)

    def moved(self, by: int) -> Place:
        """The same field, counted from a point that lies ``by`` bytes before the present one."""
        return Place(self.name, self.offset + by, self.size, self.is_signed)


def place_of(leaf: FieldLayout) -> Place:
    """Place of a leaf in its block; Rejected for a constant, and for text that is wider than a number."""
    if not 0 < leaf.size <= _WIDEST_FIELD:
        raise Rejected(f"field {leaf.name!r} has {leaf.size} bytes; expected 1 to {_WIDEST_FIELD}")
    return Place(
        leaf.name.replace(".", "_"), leaf.offset, leaf.size, leaf.primitive in _SIGNED and leaf.array_length == 1
    )


def header_places(schema: Schema, names: Iterable[str]) -> tuple[Place, ...]:
    """Places of fields of the message header, from the header's first byte."""
    _check_order(schema)
    return tuple(place_of(schema.header.fields[name]) for name in names)


def root_places(schema: Schema, message: str, names: Iterable[str]) -> tuple[Place, ...]:
    """Places of fields of a message's root block, from the first byte of the message's header."""
    _check_order(schema)
    fields = schema.message(message).fields
    return tuple(place_of(_field(fields, name, message)).moved(schema.header.size) for name in names)


def entry_places(schema: Schema, message: str, group: str, names: Iterable[str]) -> tuple[Place, ...]:
    """Places of fields of a group's entry, from the entry's first byte."""
    _check_order(schema)
    fields = schema.message(message).groups[group].fields
    return tuple(place_of(_field(fields, name, group)) for name in names)


def struct_of(places: Sequence[Place]) -> data.StructLayout:
    """The captured fields, in the order given."""
    return data.StructLayout({place.name: place.shape for place in places})


def in_order(places: Iterable[Place]) -> tuple[Place, ...]:
    """Fields by their offsets; Fatal if two of them share a byte."""
    found = tuple(sorted(places, key=lambda place: place.offset))
    for before, after in pairwise(found):
        if after.offset < before.end:
            raise Fatal(f"fields {before.name!r} and {after.name!r} overlap; expected fields of one message")
    return found


def _field(fields: Any, name: str, owner: str) -> FieldLayout:
    found = fields.get(name)
    if not isinstance(found, FieldLayout):
        raise Rejected(f"field {name!r} is not in {owner}; it has {', '.join(fields)}")
    return found


def _check_order(schema: Schema) -> None:
    if schema.byte_order is not ByteOrder.LITTLE:
        raise Rejected(f"{schema.path.name} is {schema.byte_order.name} endian; the decoders take LITTLE only")
