"""Messages as JSON, and from JSON: enumerations and sets by name, raw bytes as hexadecimal digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from market.errors import Rejected
from market.wire.sbe import DataLayout, Decoded, FieldLayout, GroupLayout, MessageLayout, Schema, encode, encode_packet
from orchestrator.codec.recognise import Reading


def reading_values(reading: Reading) -> dict[str, Any]:
    """A reading as ``encode_values`` takes it back."""
    schema = reading.schema
    header = {} if reading.packet is None or schema.packet is None else schema.packet.fields
    return {
        "schema": reading.name,
        "packet": None if reading.packet is None else _named_leaves(header, reading.packet),
        "messages": [_message_values(schema, message) for message in reading.messages],
    }


def _message_values(schema: Schema, message: Decoded) -> dict[str, Any]:
    return {
        "name": message.name,
        "header": _named_leaves(schema.header.fields, message.header),
        "values": _named(message.layout, message.values),
    }


def _named(layout: MessageLayout | GroupLayout, values: Mapping[str, Any]) -> dict[str, Any]:
    named = _named_leaves(layout.fields, values)
    for name, group in layout.groups.items():
        named[name] = [_named(group, entry) for entry in values[name]]
    return named | {name: _plain(values[name]) for name in layout.data}


def _named_leaves(leaves: Mapping[str, FieldLayout], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _name(leaf, values[name]) for name, leaf in leaves.items()}


def _name(leaf: FieldLayout, value: Any) -> Any:
    if isinstance(value, int) and leaf.enum is not None:
        name = leaf.enum.name_of(value)
        return value if name == str(value) else name
    if isinstance(value, int) and leaf.choices is not None:
        known = sum(1 << bit for bit in leaf.choices.choices.values())
        return list(leaf.choices.names_of(value)) if value & ~known == 0 else value
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def encode_values(schema: Schema, document: Any) -> bytes:
    """Bytes of an object like that of ``reading_values``: ``messages``, and ``packet`` for a packet.

    One message may stand by itself: ``{"name": ..., "values": {...}}``. Headers may be left out, their lengths and
    counts are computed. Raises Rejected for what does not fit the schema.
    """
    if not isinstance(document, Mapping):
        raise Rejected(f"the JSON was {type(document).__name__}, expected an object with name and values, or messages")
    messages = document.get("messages", [document])
    if not isinstance(messages, list):
        raise Rejected(f"messages was {type(messages).__name__}, expected a list")
    encoded = [_encode_message(schema, message) for message in messages]
    packet = document.get("packet")
    if packet is None:
        return b"".join(encoded)
    if schema.packet is None:
        raise Rejected(f"packet was given, but {schema.path.name} has no packets")
    return encode_packet(schema, _numbered_leaves(schema.packet.fields, packet), encoded)


def _encode_message(schema: Schema, message: Any) -> bytes:
    if not isinstance(message, Mapping) or not isinstance(message.get("name"), str):
        raise Rejected(f"a message was {message!r}, expected an object with name and values")
    layout = schema.message(message["name"])
    header = _numbered_leaves(schema.header.fields, message.get("header") or {})
    return encode(schema, layout.name, _numbered(layout, message.get("values") or {}), header)


def _numbered(layout: MessageLayout | GroupLayout, values: Any) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise Rejected(f"{layout.name} was {values!r}, expected an object of its fields")
    numbered = _numbered_leaves(layout.fields, values)
    for name, entries in values.items():
        if name in layout.groups and isinstance(entries, list):
            numbered[name] = [_numbered(layout.groups[name], entry) for entry in entries]
        elif name in layout.data:
            numbered[name] = _data(layout.data[name], entries)
    return numbered


def _numbered_leaves(leaves: Mapping[str, FieldLayout], values: Any) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise Rejected(f"a header was {values!r}, expected an object of its fields")
    return {name: _number(leaves[name], value) if name in leaves else value for name, value in values.items()}


def _number(leaf: FieldLayout, value: Any) -> Any:
    if isinstance(value, str) and leaf.enum is not None:
        if value not in leaf.enum.values:
            raise Rejected(f"field {leaf.name!r} was {value!r}, expected one of {', '.join(leaf.enum.values)}")
        return leaf.enum.values[value]
    if isinstance(value, list) and leaf.choices is not None:
        unknown = [name for name in value if name not in leaf.choices.choices]
        if unknown:
            raise Rejected(
                f"field {leaf.name!r} was {unknown[0]!r}, expected some of {', '.join(leaf.choices.choices)}"
            )
        return sum(1 << leaf.choices.choices[name] for name in set(value))
    if isinstance(value, str) and leaf.primitive.is_float:
        return _float(leaf, value)
    return value


def _float(leaf: FieldLayout, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise Rejected(f"field {leaf.name!r} was {value!r}, expected a number") from None


def _data(item: DataLayout, value: Any) -> Any:
    if item.encoding is not None or not isinstance(value, str):
        return value
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise Rejected(f"data {item.name!r} was {value!r}, expected hexadecimal digits") from None
