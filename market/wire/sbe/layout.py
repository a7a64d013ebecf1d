"""What a schema compiles to: every field with a static offset, every group with its stride.

A message is a root block, then groups, then variable-length data. A block is a list of leaves: composites are
flattened. A composite with one member on the wire (a mantissa with a constant exponent) takes the field's own name;
any other member is called ``field.member``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from market.errors import Rejected


class ByteOrder(Enum):
    """Byte order of every number of a schema; the value is the prefix that ``struct`` uses."""

    LITTLE = "<"
    BIG = ">"


class Primitive(Enum):
    """The primitive types of SBE, by their name in a schema."""

    CHAR = "char"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT = "float"
    DOUBLE = "double"

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return _SIZE[self]

    @property
    def code(self) -> str:
        """The format character of ``struct``."""
        return _CODE[self]

    @property
    def is_float(self) -> bool:
        return self in (Primitive.FLOAT, Primitive.DOUBLE)

    @property
    def default_null(self) -> int:
        """Null of an optional field: its value, or for floats its bit pattern (SBE 1.0, section 2.4)."""
        return _NULL[self]


_CODE = dict(zip(Primitive, "cbhiqBHIQfd", strict=True))
_SIZE = dict(zip(Primitive, (1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8), strict=True))
_NULL = {
    Primitive.CHAR: 0,
    Primitive.INT8: -(1 << 7),
    Primitive.INT16: -(1 << 15),
    Primitive.INT32: -(1 << 31),
    Primitive.INT64: -(1 << 63),
    Primitive.UINT8: (1 << 8) - 1,
    Primitive.UINT16: (1 << 16) - 1,
    Primitive.UINT32: (1 << 32) - 1,
    Primitive.UINT64: (1 << 64) - 1,
    Primitive.FLOAT: 0x7FC0_0000,
    Primitive.DOUBLE: 0x7FF8_0000_0000_0000,
}


@dataclass(frozen=True)
class EnumTable:
    """An enumeration: ``values`` maps each name to its integer (characters by their code)."""

    name: str
    values: Mapping[str, int]

    def name_of(self, value: int) -> str:
        """The value's name, or its digits where the schema has no name for it."""
        return next((name for name, known in self.values.items() if known == value), str(value))


@dataclass(frozen=True)
class SetTable:
    """A bit set: ``choices`` maps each name to its bit number."""

    name: str
    choices: Mapping[str, int]

    def names_of(self, value: int) -> tuple[str, ...]:
        """Names of the bits that are set, in the schema's order; unnamed bits as ``bit7``."""
        named = tuple(name for name, bit in self.choices.items() if value >> bit & 1)
        known = set(self.choices.values())
        unnamed = tuple(f"bit{bit}" for bit in range(value.bit_length()) if value >> bit & 1 and bit not in known)
        return named + unnamed


@dataclass(frozen=True)
class FieldLayout:
    """One leaf of a block.

    ``offset`` counts from the block's start. ``array_length`` is 1 for a scalar. ``constant`` is the value of a leaf
    without bytes on the wire. ``null`` is the value that means "absent" (for floats the bit pattern), None for a
    required leaf. ``exponent`` is the constant decimal exponent; ``exponent_field`` names the field of the root
    block that carries it.
    """

    name: str
    offset: int
    primitive: Primitive
    array_length: int = 1
    constant: int | float | str | None = None
    null: int | None = None
    since_version: int = 0
    enum: EnumTable | None = None
    choices: SetTable | None = None
    exponent: int | None = None
    exponent_field: str | None = None

    @property
    def size(self) -> int:
        """Bytes on the wire; 0 for a constant."""
        return 0 if self.constant is not None else self.primitive.size * self.array_length

    @property
    def end(self) -> int:
        """Offset of the first byte after the leaf."""
        return self.offset + self.size


@dataclass(frozen=True)
class CompositeLayout:
    """A composite by itself: message header, packet header, or the dimensions of a group. ``size`` in bytes."""

    name: str
    size: int
    fields: Mapping[str, FieldLayout]


@dataclass(frozen=True)
class DataLayout:
    """Variable-length data: a length, then that many bytes.

    ``prefix`` is the number of bytes before the data; ``encoding`` is the character encoding, None for raw bytes.
    """

    name: str
    prefix: int
    length_field: FieldLayout
    encoding: str | None
    since_version: int = 0


@dataclass(frozen=True)
class GroupLayout:
    """A repeating group: dimensions, then entries of ``stride`` bytes, each with its nested groups and data."""

    name: str
    dimension: CompositeLayout
    stride: int
    fields: Mapping[str, FieldLayout]
    groups: Mapping[str, GroupLayout]
    data: Mapping[str, DataLayout]
    since_version: int = 0


@dataclass(frozen=True)
class MessageLayout:
    """A message: a root block of ``block_length`` bytes, then groups, then data, each in wire order."""

    name: str
    template_id: int
    block_length: int
    fields: Mapping[str, FieldLayout]
    groups: Mapping[str, GroupLayout]
    data: Mapping[str, DataLayout]
    since_version: int = 0


@dataclass(frozen=True)
class Schema:
    """A compiled schema file.

    ``header`` stands before every message, ``packet`` (None if there is none) before the messages of a packet.
    Messages are padded to a multiple of ``alignment`` bytes, header included.
    """

    path: Path
    package: str
    id: int
    version: int
    byte_order: ByteOrder
    header: CompositeLayout
    packet: CompositeLayout | None
    alignment: int
    composites: Mapping[str, CompositeLayout]
    enums: Mapping[str, EnumTable]
    sets: Mapping[str, SetTable]
    messages: Mapping[str, MessageLayout]
    templates: Mapping[int, MessageLayout]

    def message(self, name: str) -> MessageLayout:
        """The message of that name; Rejected if the schema has none."""
        found = self.messages.get(name)
        if found is None:
            raise Rejected(f"message {name!r} is not in {self.path.name}; it has {', '.join(self.messages)}")
        return found

    def by_template(self, template_id: int) -> MessageLayout:
        """The message with that template id; Rejected if the schema has none."""
        found = self.templates.get(template_id)
        if found is None:
            known = ", ".join(str(known) for known in self.templates)
            raise Rejected(f"template {template_id} is not in {self.path.name}; it has {known}")
        return found


def block_length_at(leaves: Mapping[str, FieldLayout], full: int, version: int) -> int:
    """Bytes of a block as an earlier version of its schema writes it.

    A block that declares room behind its last field has it in every version, for later fields to take; any other
    ends with the last field that the version has.
    """
    if full > max((leaf.end for leaf in leaves.values()), default=0):
        return full
    if all(leaf.since_version <= version for leaf in leaves.values()):
        return full
    return max((leaf.end for leaf in leaves.values() if leaf.since_version <= version), default=0)


def offset_of(schema: Schema, message: str, field: str, group: str | None = None) -> int:
    """Offset of a field from the start of its block: the root, or an entry of the named group.

    For kernels that freeze offsets into constants when their module is imported. Raises Rejected for a name that the
    schema does not have.
    """
    layout = schema.message(message)
    if group is not None and group not in layout.groups:
        raise Rejected(f"group {group!r} is not in {message}; it has {', '.join(layout.groups) or 'none'}")
    fields = layout.fields if group is None else layout.groups[group].fields
    found = fields.get(field)
    if found is None:
        raise Rejected(f"field {field!r} is not in {group or message}; it has {', '.join(fields)}")
    if found.constant is not None:
        raise Rejected(f"field {field!r} of {group or message} is a constant and has no offset")
    return found.offset


def stride_of(schema: Schema, message: str, group: str) -> int:
    """Bytes per entry of a group of a message."""
    layout = schema.message(message)
    if group not in layout.groups:
        raise Rejected(f"group {group!r} is not in {message}; it has {', '.join(layout.groups) or 'none'}")
    return layout.groups[group].stride
