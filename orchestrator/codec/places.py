"""Where each value of a message stands in its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market.wire.sbe import (
    CompositeLayout,
    DataLayout,
    Decoded,
    Entry,
    FieldLayout,
    GroupLayout,
    MessageLayout,
    Schema,
    decode_composite,
)
from market.wire.sbe.layout import block_length_at


@dataclass(frozen=True)
class Place:
    """One value.

    Parameters
    ----------
    offset, size: in bytes, the offset from the start of the payload; a constant has size 0.
    path: such as ``trades[0].price``. value: as decoded. leaf: its layout; None for variable-length data.
    exponent: decimal exponent of the value, None if it has none.
    """

    offset: int
    size: int
    path: str
    value: Any
    leaf: FieldLayout | None = None
    exponent: int | None = None

    @property
    def text(self) -> str:
        """The value for people: enumerations and sets by name, decimal numbers beside their mantissas."""
        if self.value is None:
            return "absent"
        if isinstance(self.value, bytes):
            return self.value.hex() or "empty"
        if isinstance(self.value, int) and self.leaf is not None:
            return self._integer(self.value, self.leaf)
        if isinstance(self.value, tuple):
            return ", ".join(str(item) for item in self.value)
        return str(self.value) if self.value != "" else '""'

    def _integer(self, value: int, leaf: FieldLayout) -> str:
        if leaf.enum is not None:
            return f"{leaf.enum.name_of(value)} ({value})"
        if leaf.choices is not None:
            return f"{' | '.join(leaf.choices.names_of(value)) or 'none'} ({value:#x})"
        if self.exponent is not None:
            return f"{value} = {Decimal(value).scaleb(self.exponent):f}"
        return str(value)


def composite_places(
    composite: CompositeLayout, values: Mapping[str, Any], start: int, prefix: str = ""
) -> Iterator[Place]:
    """Members of a header."""
    for name, leaf in composite.fields.items():
        yield Place(start + leaf.offset, leaf.size, prefix + name, values[name], leaf)


def message_places(schema: Schema, message: Decoded, payload: bytes, start: int) -> Iterator[Place]:
    """Every value of a message that begins at ``start`` of the payload, in wire order."""
    yield from composite_places(schema.header, message.header, start, "header.")
    yield from _Walk(schema, message, payload, start + schema.header.size).root()


class _Walk:
    """A position in a message that has been decoded: nothing needs checking again."""

    def __init__(self, schema: Schema, message: Decoded, payload: bytes, position: int) -> None:
        self.schema = schema
        self.message = message
        self.payload = payload
        self.position = position
        self.version = message.header.get("version", schema.version)

    def root(self) -> Iterator[Place]:
        layout = self.message.layout
        length = self.message.header.get("blockLength")
        if length is None:
            length = block_length_at(layout.fields, layout.block_length, self.version)
        yield from self.body(layout, self.message.values, length, "")

    def body(self, layout: MessageLayout | GroupLayout, values: Entry, length: int, prefix: str) -> Iterator[Place]:
        for name, leaf in layout.fields.items():
            if leaf.since_version <= self.version:
                offset = self.position + leaf.offset
                yield Place(offset, leaf.size, prefix + name, values[name], leaf, self.exponent(leaf))
        self.position += length
        for name, group in layout.groups.items():
            if group.since_version <= self.version:
                yield from self.group(group, values[name], prefix + name)
        for name, item in layout.data.items():
            if item.since_version <= self.version:
                yield self.variable(item, values[name], prefix + name)

    def exponent(self, leaf: FieldLayout) -> int | None:
        if leaf.exponent_field is not None:
            found = self.message.fields.get(leaf.exponent_field)
            return found if isinstance(found, int) else None
        return leaf.exponent

    def group(self, group: GroupLayout, entries: list[Entry], path: str) -> Iterator[Place]:
        dimension = decode_composite(self.schema, group.dimension, self.payload, self.position)
        yield from composite_places(group.dimension, dimension, self.position, f"{path}.")
        self.position += group.dimension.size
        for index, entry in enumerate(entries):
            yield from self.body(group, entry, dimension["blockLength"], f"{path}[{index}].")

    def variable(self, item: DataLayout, value: bytes | str, path: str) -> Place:
        size = item.prefix + len(value if isinstance(value, bytes) else value.encode(item.encoding or "utf-8"))
        place = Place(self.position, size, path, value)
        self.position += size
        return place
