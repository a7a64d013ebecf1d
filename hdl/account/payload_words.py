"""A message of our schema as 8-byte words: header first, fields where the schema puts them, zeros between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from amaranth.hdl import Cat, Const, Value

from hdl.parameters import BYTE
from hdl.records import WORD_BITS
from market.errors import Fatal
from market.fastpath import layout

WORD_BYTES: Final = WORD_BITS // BYTE


def extended(value: Any, bits: int) -> Value:
    """A value with its sign, or zeros, up to ``bits`` bits; cut above them."""
    plain = Value.cast(value)
    have = len(plain)
    if have >= bits:
        return plain[:bits]
    sign = plain[-1].replicate(bits - have) if plain.shape().signed else Const(0, bits - have)
    return Cat(plain, sign)


def words_of(message: str, values: Mapping[str, Any], later: Iterable[str] = ()) -> list[Value]:
    """The words of a message whose fields have these values, header included.

    A word whose fields are all in ``later`` is 0: it is filled in by who sends it. Raises ``Fatal`` for a message
    that is not a whole number of words, and for a field without a value or a value without a field.
    """
    found = layout.SCHEMA.message(message)
    missing = set(found.fields) - set(values) - set(later)
    unknown = (set(values) | set(later)) - set(found.fields)
    if missing or unknown or found.block_length % WORD_BYTES or found.groups:
        raise Fatal(
            f"{message}: no value for {sorted(missing)}, no field for {sorted(unknown)}, block of "
            f"{found.block_length} bytes; expected one value per field, and a block of whole words without groups"
        )
    pieces: list[Value] = []
    at = 0
    for field in found.fields.values():
        value = values.get(field.name, Const(0, 1))
        pieces += [Const(0, (field.offset - at) * BYTE), extended(value, field.size * BYTE)]
        at = field.offset + field.size
    pieces.append(Const(0, (found.block_length - at) * BYTE))
    block = Cat(*pieces)
    return [Const(_header(message), WORD_BITS)] + [
        block[start : start + WORD_BITS] for start in range(0, len(block), WORD_BITS)
    ]


def word_of_field(message: str, field: str) -> int:
    """Which word of a message, its header being word 0, has a field."""
    return (layout.HEADER_SIZE + layout.SCHEMA.message(message).fields[field].offset) // WORD_BYTES


def _header(message: str) -> int:
    found = layout.SCHEMA.message(message)
    return found.block_length | found.template_id << 16 | layout.SCHEMA_ID << 32 | layout.SCHEMA_VERSION << 48
