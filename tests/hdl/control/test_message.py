"""The structure of a message has every field of the schema where the encoder puts it."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")


from hdl.control.message import message_layout
from hdl.control.rules import CHECKS
from market.fastpath.conformance.case import SCHEMA
from market.fastpath.layout import SCHEMA_ID, SCHEMA_VERSION
from market.wire.sbe import FieldLayout, encode


def lowest_or_highest(field: FieldLayout, at: int) -> int:
    """The least of a signed field, else its highest less its place: different for each field of a size."""
    bits = 8 * field.size
    return -(1 << bits - 1) + at if field.primitive.value.startswith("int") else (1 << bits) - 1 - at


@pytest.mark.parametrize("name", [*CHECKS, "QuoteEvent", "TradeEvent"])
def test_every_field_of_every_message(name: str) -> None:
    message = SCHEMA.message(name)
    values = {field.name: lowest_or_highest(field, at) for at, field in enumerate(message.fields.values())}
    octets = encode(SCHEMA, name, values | {group: [] for group in message.groups})
    shape = message_layout(name)
    seen = shape.from_bits(int.from_bytes(octets[: shape.size // 8], "little"))
    header = {
        "blockLength": message.block_length,
        "templateId": message.template_id,
        "schemaId": SCHEMA_ID,
        "version": SCHEMA_VERSION,
    }
    assert {field: seen[field] for field in shape.fields} == header | values
