"""One leaf between Python's values and its bytes."""

from __future__ import annotations

import functools
import struct
from typing import Any

from market.errors import Rejected
from market.wire.sbe.layout import ByteOrder, FieldLayout, Primitive

_BITS = {Primitive.FLOAT: "I", Primitive.DOUBLE: "Q"}


@functools.cache
def _struct(order: ByteOrder, code: str) -> struct.Struct:
    return struct.Struct(order.value + code)


def _code(leaf: FieldLayout) -> str:
    if leaf.primitive is Primitive.CHAR:
        return "B" if leaf.enum is not None else f"{leaf.array_length}s"
    return leaf.primitive.code if leaf.array_length == 1 else f"{leaf.array_length}{leaf.primitive.code}"


def read_leaf(leaf: FieldLayout, order: ByteOrder, view: memoryview, start: int) -> Any:
    """The value of a leaf of the block that begins at ``start``; the caller has checked that the bytes are there.

    Whole numbers, enumerations and sets are int; ``char`` fields str without trailing NULs (ISO-8859-1); other arrays
    tuples; null is None.
    """
    if leaf.constant is not None:
        return leaf.constant
    position = start + leaf.offset
    values = _struct(order, _code(leaf)).unpack_from(view, position)
    if leaf.primitive is Primitive.CHAR and leaf.enum is None:
        text: str = values[0].rstrip(b"\0").decode("latin-1")
        return None if leaf.array_length == 1 and leaf.null is not None and text == "" else text
    if leaf.array_length != 1:
        return values
    if leaf.null is not None:
        bits = _BITS.get(leaf.primitive)
        raw = values[0] if bits is None else _struct(order, bits).unpack_from(view, position)[0]
        if raw == leaf.null:
            return None
    return values[0]


def write_leaf(leaf: FieldLayout, order: ByteOrder, buffer: bytearray, start: int, value: Any) -> None:
    """Store a value into the block that begins at ``start``; Rejected if the leaf cannot hold it."""
    position = start + leaf.offset
    if value is None:
        _write_null(leaf, order, buffer, position)
        return
    try:
        if leaf.primitive is Primitive.CHAR and leaf.enum is None:
            _write_text(leaf, buffer, position, value)
        elif leaf.array_length != 1:
            _struct(order, _code(leaf)).pack_into(buffer, position, *value)
        else:
            _struct(order, _code(leaf)).pack_into(buffer, position, value)
    except (struct.error, TypeError, OverflowError) as error:
        length = f"[{leaf.array_length}]" if leaf.array_length != 1 else ""
        raise Rejected(
            f"field {leaf.name!r} was {value!r}, expected {leaf.primitive.value}{length}: {error}"
        ) from error


def _write_null(leaf: FieldLayout, order: ByteOrder, buffer: bytearray, position: int) -> None:
    if leaf.null is None:
        raise Rejected(f"field {leaf.name!r} was absent, but it is required; give it a value")
    code = _BITS.get(leaf.primitive) or ("B" if leaf.primitive is Primitive.CHAR else leaf.primitive.code)
    width = leaf.primitive.size
    for index in range(leaf.array_length):
        _struct(order, code).pack_into(buffer, position + width * index, leaf.null)


def _write_text(leaf: FieldLayout, buffer: bytearray, position: int, value: Any) -> None:
    if not isinstance(value, str | bytes):
        raise Rejected(f"field {leaf.name!r} was {value!r}, expected text")
    try:
        raw = value.encode("latin-1") if isinstance(value, str) else value
    except UnicodeEncodeError as error:
        raise Rejected(f"field {leaf.name!r} was {value!r}, expected ISO-8859-1 characters") from error
    if len(raw) > leaf.array_length:
        raise Rejected(f"field {leaf.name!r} was {len(raw)} characters, expected at most {leaf.array_length}")
    buffer[position : position + leaf.array_length] = raw.ljust(leaf.array_length, b"\0")
