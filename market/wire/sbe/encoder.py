"""Encode any message of a schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from market.errors import Rejected
from market.wire.sbe.decoder import MESSAGE_LENGTHS
from market.wire.sbe.layout import (
    CompositeLayout,
    DataLayout,
    FieldLayout,
    GroupLayout,
    MessageLayout,
    Schema,
    block_length_at,
)
from market.wire.sbe.numbers import write_leaf


def encode(schema: Schema, name: str, values: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> bytes:
    """One message with its header, padded to the schema's alignment.

    Parameters
    ----------
    values: fields by name, groups as sequences of mappings, data as bytes or str. Optional fields may be left out.
    header: further members of the header (for example ``transactTime``). Lengths and counts are computed, except that
        ``version`` and ``blockLength`` may be given to write a message of an earlier version.

    Raises Rejected for an unknown message or field, a required one that is missing, or a value out of range.
    """
    layout = schema.message(name)
    given = dict(header or {})
    version = given.get("version", schema.version)
    encoder = _Encoder(schema, version)
    length = given.get("blockLength", block_length_at(layout.fields, layout.block_length, version))
    body = encoder.body(layout, values, length)
    total = schema.header.size + len(body)
    padding = -total % schema.alignment
    known = {
        "blockLength": length,
        "templateId": layout.template_id,
        "schemaId": schema.id,
        "version": version,
        "numGroups": sum(group.since_version <= version for group in layout.groups.values()),
        "numVarDataFields": sum(item.since_version <= version for item in layout.data.values()),
        **dict.fromkeys(MESSAGE_LENGTHS, total + padding),
    }
    return encode_composite(schema, schema.header, given | known) + bytes(body) + bytes(padding)


def encode_composite(schema: Schema, composite: CompositeLayout, values: Mapping[str, Any]) -> bytes:
    """The bytes of a composite that stands by itself; values that it has no member for are left out."""
    buffer = bytearray(composite.size)
    for name, leaf in composite.fields.items():
        if leaf.constant is None:
            write_leaf(leaf, schema.byte_order, buffer, 0, values.get(name))
    return bytes(buffer)


class _Encoder:
    def __init__(self, schema: Schema, version: int) -> None:
        self.schema = schema
        self.version = version

    def body(self, layout: MessageLayout | GroupLayout, values: Mapping[str, Any], length: int) -> bytearray:
        """A block with what follows it: the root, or one entry of a group."""
        unknown = set(values) - set(layout.fields) - set(layout.groups) - set(layout.data)
        if unknown:
            known = ", ".join([*layout.fields, *layout.groups, *layout.data])
            raise Rejected(f"{layout.name} has no {', '.join(sorted(unknown))}; it has {known}")
        buffer = bytearray(length)
        for name, leaf in layout.fields.items():
            self.leaf(layout.name, leaf, buffer, values.get(name))
        for name, group in layout.groups.items():
            self.group(group, buffer, values.get(name, ()))
        for name, item in layout.data.items():
            self.variable(item, buffer, values.get(name, b""))
        return buffer

    def leaf(self, owner: str, leaf: FieldLayout, buffer: bytearray, value: Any) -> None:
        if leaf.constant is not None:
            if value is not None and value != leaf.constant:
                raise Rejected(f"{owner}.{leaf.name} was {value!r}, but it is the constant {leaf.constant!r}")
        elif leaf.since_version > self.version:
            if value is not None:
                raise Rejected(f"{owner}.{leaf.name} exists since version {leaf.since_version}, not in {self.version}")
        elif leaf.end > len(buffer):
            raise Rejected(f"{owner}.{leaf.name} ends at {leaf.end}, behind the block of {len(buffer)} bytes")
        else:
            write_leaf(leaf, self.schema.byte_order, buffer, 0, value)

    def group(self, group: GroupLayout, buffer: bytearray, items: Any) -> None:
        if not isinstance(items, Sequence) or isinstance(items, str | bytes):
            raise Rejected(f"group {group.name} was {items!r}, expected a sequence of mappings")
        if group.since_version > self.version:
            if items:
                raise Rejected(f"group {group.name} exists since version {group.since_version}, not in {self.version}")
            return
        stride = block_length_at(group.fields, group.stride, self.version)
        dimension = {
            "blockLength": stride,
            "numInGroup": len(items),
            "numGroups": len(group.groups),
            "numVarDataFields": len(group.data),
        }
        buffer += encode_composite(self.schema, group.dimension, dimension)
        for item in items:
            if not isinstance(item, Mapping):
                raise Rejected(f"entry of group {group.name} was {item!r}, expected a mapping")
            buffer += self.body(group, item, stride)

    def variable(self, item: DataLayout, buffer: bytearray, value: Any) -> None:
        if item.since_version > self.version:
            return
        if not isinstance(value, str | bytes | bytearray | memoryview):
            raise Rejected(f"data {item.name!r} was {value!r}, expected bytes or text")
        try:
            raw = value.encode(item.encoding or "utf-8") if isinstance(value, str) else bytes(value)
        except UnicodeEncodeError as error:
            raise Rejected(f"data {item.name!r} was {value!r}, expected {item.encoding} text") from error
        prefix = bytearray(item.prefix)
        write_leaf(item.length_field, self.schema.byte_order, prefix, 0, len(raw))
        buffer += prefix + raw
