"""Where the fields of a control message lie, from the schema of our own messages."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Value

from market.fastpath import layout

BYTE_BITS = 8


def command_field(message: Value, name: str, field: str) -> Any:
    """A field of a control message (header included) as a value of the schema's width and sign."""
    found = layout.SCHEMA.message(name).fields[field]
    start = (layout.HEADER_SIZE + found.offset) * BYTE_BITS
    raw = Value.cast(message)[start : start + found.primitive.size * BYTE_BITS]
    return raw.as_signed() if found.primitive.value.startswith("int") else raw


def lead_mask(message: Value, venue: int, venues: int) -> Any:
    """The mask of the venues that a venue leads, from an instrument row."""
    start = (layout.LEADS_ENTRIES + venue * layout.LEADS_ENTRY_SIZE) * BYTE_BITS
    return Value.cast(message)[start : start + venues]
