"""Random values for any message of a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from market.wire.sbe import FieldLayout, GroupLayout, MessageLayout, Primitive

_RANGES = {
    Primitive.INT8: (-127, 1 << 7),
    Primitive.INT16: (-(1 << 15) + 1, 1 << 15),
    Primitive.INT32: (-(1 << 31) + 1, (1 << 31) - 1),
    Primitive.INT64: (-(1 << 63) + 1, (1 << 63) - 1),
    Primitive.UINT8: (0, 255),
    Primitive.UINT16: (0, 65_535),
    Primitive.UINT32: (0, (1 << 32) - 1),
    Primitive.UINT64: (0, (1 << 63) - 1),
}


def random_leaf(leaf: FieldLayout, random: np.random.Generator) -> Any:
    """A value that the leaf can hold; sometimes null where it may be."""
    if leaf.constant is not None:
        return leaf.constant
    if leaf.null is not None and leaf.array_length == 1 and random.random() < 0.1:
        return None
    if leaf.enum is not None:
        return int(random.choice(sorted(leaf.enum.values.values())))
    if leaf.primitive is Primitive.CHAR:
        letters = random.integers(ord("A"), ord("Z") + 1, int(random.integers(1, leaf.array_length + 1)))
        return bytes(letters.tolist()).decode("ascii")
    if leaf.primitive is Primitive.DOUBLE:
        return float(random.normal() * 10.0 ** random.integers(-8, 9))
    if leaf.primitive is Primitive.FLOAT:
        return float(np.float32(random.normal()))
    low, high = _RANGES[leaf.primitive]
    values = [int(value) for value in random.integers(low, high, leaf.array_length)]
    return values[0] if leaf.array_length == 1 else tuple(values)


def random_values(layout: MessageLayout | GroupLayout, random: np.random.Generator, most: int = 4) -> dict[str, Any]:
    """Values for every field, up to ``most`` entries in every group, and short data."""
    values: dict[str, Any] = {name: random_leaf(leaf, random) for name, leaf in layout.fields.items()}
    for name, group in layout.groups.items():
        values[name] = [random_values(group, random, most) for _ in range(int(random.integers(0, most + 1)))]
    for name, item in layout.data.items():
        raw = random.integers(ord("A"), ord("Z") + 1, int(random.integers(0, 12))).tolist()
        values[name] = bytes(raw) if item.encoding is None else bytes(raw).decode("ascii")
    return values


def mutated(payload: bytes, random: np.random.Generator) -> bytes:
    """The payload with a few bytes changed, and sometimes cut or lengthened."""
    damaged = bytearray(payload)
    for _ in range(int(random.integers(0, 4))):
        if damaged:
            value = random.choice([0, 1, 2, 4, 8, 16, 127, 128, 255, int(random.integers(0, 256))])
            damaged[int(random.integers(0, min(len(damaged), 80)))] = int(value)
    kind = random.random()
    if kind < 0.3:
        return bytes(damaged[: int(random.integers(0, len(damaged) + 1))])
    if kind < 0.4:
        return bytes(damaged) + random.bytes(int(random.integers(1, 40)))
    return bytes(damaged)


def bits_of(leaf: FieldLayout, value: Any) -> int:
    """A decoded value as the signed 64-bit integer that a compiled decoder stores."""
    raw = leaf.null if value is None else value
    if isinstance(raw, float):
        raw = (
            int(np.float64(raw).view(np.int64))
            if leaf.primitive is Primitive.DOUBLE
            else int(np.float32(raw).view("i4"))
        )
    assert isinstance(raw, int)
    return raw - (1 << 64) if raw >= 1 << 63 else raw


def row_of(fields: Mapping[str, FieldLayout], values: Mapping[str, Any]) -> list[int]:
    """Decoded fields in schema order as a compiled decoder stores them; constants have no column."""
    return [bits_of(leaf, values[name]) for name, leaf in fields.items() if leaf.constant is None]
