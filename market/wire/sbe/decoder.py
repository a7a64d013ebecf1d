"""Decode any message of a schema: slow, complete, and the reference for the compiled decoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from market.errors import Rejected
from market.wire.sbe.layout import (
    CompositeLayout,
    DataLayout,
    FieldLayout,
    GroupLayout,
    MessageLayout,
    Schema,
    block_length_at,
)
from market.wire.sbe.numbers import read_leaf

Entry = dict[str, Any]
"""One entry of a group: its fields, nested groups and data by name."""

MESSAGE_LENGTHS = ("messageLength", "frameLength")
"""Header fields that count the whole message, header included."""


@dataclass(frozen=True)
class Decoded:
    """One decoded message.

    ``header`` and ``fields`` map names to values, ``groups`` names to lists of entries, ``data`` names to str or bytes.
    A field or group that is younger than the message's version is None or empty. ``length`` is the number of bytes
    that the message takes, header and padding included.
    """

    layout: MessageLayout
    header: Mapping[str, Any]
    fields: Mapping[str, Any]
    groups: Mapping[str, list[Entry]]
    data: Mapping[str, bytes | str]
    length: int

    @property
    def name(self) -> str:
        return self.layout.name

    @property
    def template_id(self) -> int:
        return self.layout.template_id

    @property
    def values(self) -> dict[str, Any]:
        """Fields, groups and data in one mapping, as ``encode`` takes them."""
        return {**self.fields, **self.groups, **self.data}

    def named(self) -> dict[str, Any]:
        """``values`` for people: enumerations by name and sets as tuples of names."""
        return {
            **_named_fields(self.layout.fields, self.fields),
            **{
                name: [_named_entry(self.layout.groups[name], entry) for entry in group]
                for name, group in self.groups.items()
            },
            **self.data,
        }


def _named_fields(layouts: Mapping[str, FieldLayout], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _named(layout, fields[name]) for name, layout in layouts.items()}


def _named_entry(group: GroupLayout, entry: Entry) -> Entry:
    named = _named_fields(group.fields, entry)
    for name, nested in group.groups.items():
        named[name] = [_named_entry(nested, inner) for inner in entry[name]]
    return named | {name: entry[name] for name in group.data}


def _named(layout: FieldLayout, value: Any) -> Any:
    if isinstance(value, int) and layout.enum is not None:
        return layout.enum.name_of(value)
    if isinstance(value, int) and layout.choices is not None:
        return layout.choices.names_of(value)
    return value


def decode(schema: Schema, payload: bytes | bytearray | memoryview, offset: int = 0) -> Decoded:
    """Decode the message whose header begins at ``offset``.

    Raises Rejected, saying what was seen and what was expected, for anything that is not such a message: truncated,
    unknown, with lengths or counts that do not fit. Bytes after the message are not looked at.
    """
    return _Decoder(schema, memoryview(payload).cast("B"), offset).message()


def decode_composite(schema: Schema, composite: CompositeLayout, payload: bytes | memoryview, offset: int = 0) -> Entry:
    """The members of a composite that stands by itself, such as a packet header; Rejected if it is cut off."""
    view = memoryview(payload).cast("B")
    if offset < 0 or len(view) - offset < composite.size:
        raise Rejected(f"{composite.name} was {max(0, len(view) - offset)} bytes, expected {composite.size}")
    return {name: read_leaf(leaf, schema.byte_order, view, offset) for name, leaf in composite.fields.items()}


class _Decoder:
    """A position in a payload; every read is checked against ``end`` first."""

    def __init__(self, schema: Schema, view: memoryview, offset: int) -> None:
        self.schema = schema
        self.view = view
        self.start = self.position = offset
        self.end = len(view)
        self.version = schema.version
        self.where = schema.header.name

    def fail(self, seen: str, expected: str) -> NoReturn:
        raise Rejected(f"{self.where} at byte {self.position - self.start}: {seen}, expected {expected}")

    def need(self, count: int, what: str) -> None:
        left = self.end - self.position
        if count > left:
            self.fail(f"{what} needs {count} bytes but {left} are left", "a complete message")

    def message(self) -> Decoded:
        header = decode_composite(self.schema, self.schema.header, self.view, self.start)
        self.position += self.schema.header.size
        if header.get("schemaId", self.schema.id) != self.schema.id:
            self.fail(f"schema id was {header['schemaId']}", f"{self.schema.id} ({self.schema.path.name})")
        layout = self.schema.by_template(header["templateId"])
        self.where = layout.name
        self.version = header.get("version", self.schema.version)
        self._limit(header)
        block = header.get("blockLength")
        if block is None:
            block = block_length_at(layout.fields, layout.block_length, self.version)
        self.need(block, "root block")
        fields = self.block(layout.fields, block)
        groups = {name: self.group(group) for name, group in layout.groups.items()}
        data = {name: self.variable(item) for name, item in layout.data.items()}
        length = self._length(header) or self.position - self.start
        return Decoded(layout, header, fields, groups, data, length)

    def _length(self, header: Mapping[str, Any]) -> int:
        return next((header[name] for name in MESSAGE_LENGTHS if name in header), 0)

    def _limit(self, header: Mapping[str, Any]) -> None:
        """A header that counts the whole message sets the end of everything inside."""
        if not any(name in header for name in MESSAGE_LENGTHS):
            return
        length = self._length(header)
        if length < self.schema.header.size or length % self.schema.alignment or self.start + length > self.end:
            multiple = f", a multiple of {self.schema.alignment}" if self.schema.alignment > 1 else ""
            expected = f"{self.schema.header.size} to {self.end - self.start}{multiple}"
            self.fail(f"message length was {length}", expected)
        self.end = self.start + length

    def block(self, leaves: Mapping[str, FieldLayout], length: int) -> Entry:
        """The leaves of a block of ``length`` bytes, which are known to be there; moves behind it."""
        fields: Entry = {}
        for name, leaf in leaves.items():
            if leaf.since_version > self.version:
                fields[name] = None
            elif leaf.end > length and leaf.constant is None:
                self.fail(f"block of {length} bytes has no room for field {name!r}", f"{leaf.end} bytes or more")
            else:
                fields[name] = read_leaf(leaf, self.schema.byte_order, self.view, self.position)
        self.position += length
        return fields

    def group(self, group: GroupLayout) -> list[Entry]:
        if group.since_version > self.version:
            return []
        self.need(group.dimension.size, f"dimensions of {group.name}")
        dimension = decode_composite(self.schema, group.dimension, self.view, self.position)
        self.position += group.dimension.size
        stride, count = dimension["blockLength"], dimension["numInGroup"]
        least = stride + sum(nested.dimension.size for nested in group.groups.values() if self.has(nested))
        least += sum(item.prefix for item in group.data.values() if self.has(item))
        if count and not least:
            self.fail(f"group {group.name} had {count} entries of 0 bytes", f"{group.stride} bytes per entry")
        self.need(count * least, f"group {group.name} with {count} entries")
        return [self.entry(group, stride) for _ in range(count)]

    def has(self, part: GroupLayout | DataLayout) -> bool:
        return part.since_version <= self.version

    def entry(self, group: GroupLayout, stride: int) -> Entry:
        self.need(stride, f"entry of {group.name}")
        entry = self.block(group.fields, stride)
        for name, nested in group.groups.items():
            entry[name] = self.group(nested)
        for name, item in group.data.items():
            entry[name] = self.variable(item)
        return entry

    def variable(self, item: DataLayout) -> bytes | str:
        if item.since_version > self.version:
            return b"" if item.encoding is None else ""
        self.need(item.prefix, f"length of {item.name}")
        length = read_leaf(item.length_field, self.schema.byte_order, self.view, self.position)
        self.position += item.prefix
        self.need(length, f"data {item.name}")
        raw = bytes(self.view[self.position : self.position + length])
        if item.encoding is None:
            self.position += length
            return raw
        try:
            text = raw.decode(item.encoding)
        except UnicodeDecodeError as error:
            self.fail(f"data {item.name} was {raw!r}", f"{item.encoding} text ({error.reason})")
        self.position += length
        return text
