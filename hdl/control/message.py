"""Messages of our schema as structures: every field where ``market/fastpath/messages.xml`` puts it."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Shape, Value, signed, unsigned
from amaranth.lib import data

from hdl.parameters import BYTE
from market.fastpath import layout
from market.wire.sbe import FieldLayout

HEADER_FIELDS: Final = {
    "blockLength": layout.HEADER_BLOCK_LENGTH,
    "templateId": layout.HEADER_TEMPLATE,
    "schemaId": layout.HEADER_SCHEMA,
    "version": layout.HEADER_VERSION,
}
"""Fields of the message header, two bytes each, by their offset."""
_HEADER_FIELD_BITS: Final = 16


def field_shape(field: FieldLayout) -> Shape:
    """Width and sign of a field as the schema has them."""
    bits = field.size * BYTE
    return signed(bits) if field.primitive.value.startswith("int") else unsigned(bits)


def message_layout(name: str) -> data.FlexibleLayout:
    """A message from its header to the end of its block; all fields by their names in the schema."""
    found = layout.SCHEMA.message(name)
    size = (layout.HEADER_SIZE + found.block_length) * BYTE
    header = {field: data.Field(unsigned(_HEADER_FIELD_BITS), at * BYTE) for field, at in HEADER_FIELDS.items()}
    block = {
        field.name: data.Field(field_shape(field), (layout.HEADER_SIZE + field.offset) * BYTE)
        for field in found.fields.values()
    }
    return data.FlexibleLayout(size, header | block)


def message_view(octets: Value, name: str) -> Any:
    """The fields of a message whose bytes, header included, are the lowest of ``octets``."""
    shape = message_layout(name)
    return data.View(shape, Value.cast(octets)[: shape.size])
