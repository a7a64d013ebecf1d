"""The checks of all control messages as one program: a row of numbers per check, for the checker's memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from amaranth.hdl import unsigned
from amaranth.lib import data

from hdl.control.rules import CHECKS, Below, Check, Holds, Product, Within
from hdl.parameters import BYTE
from hdl.records import WORD_BITS
from market.errors import Fatal
from market.fastpath import layout
from market.fastpath.specification import Refusal

WORD_BYTES: Final = WORD_BITS // BYTE
WORD_INDEX_BITS: Final = 5


class Operation(IntEnum):
    """What a row does with its field."""

    BELOW = 0
    WITHIN = 1
    HOLDS = 2
    MULTIPLICAND = 3
    MULTIPLIER = 4
    """Of a field, or if ``size`` is none, of the number in ``select``."""
    BOUND = 5
    BOUND_HIGH = 6
    PRODUCT = 7
    """Fails unless product and bound are in the order that ``select`` says: ``AT_MOST`` or ``REACHES``."""


class Size(IntEnum):
    """Bytes of a field, as a power of two."""

    ONE = 0
    TWO = 1
    FOUR = 2
    EIGHT = 3


LEASTS: Final = (0, 1, 2, 2_048)
"""Least values that a row can ask for; each but 0 a power of two."""
AT_MOST: Final = 0
REACHES: Final = 1

row_layout: Final = data.StructLayout(
    {
        "operation": unsigned(3),
        "select": unsigned(6),
        "word": unsigned(WORD_INDEX_BITS),
        "lane": unsigned(3),
        "size": unsigned(2),
        "least": unsigned(2),
        "signed": unsigned(1),
        "absent": unsigned(1),
        "negated": unsigned(1),
        "constant": unsigned(1),
        "refusal": unsigned(4),
        "last": unsigned(1),
    }
)
"""``select`` is a ``Limit``, ``Span``, ``Condition``, number or relation; ``lane`` the field's byte in its word."""


@dataclass(frozen=True)
class Row:
    """One row of the program, by the names of ``row_layout``."""

    operation: Operation
    select: int = 0
    word: int = 0
    lane: int = 0
    size: Size = Size.EIGHT
    least: int = 0
    signed: bool = False
    absent: bool = False
    negated: bool = False
    constant: bool = False
    refusal: Refusal = Refusal.NONE
    last: bool = False

    def bits(self) -> dict[str, int]:
        """As the initial value of a memory row."""
        return {name: int(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Program:
    """Rows, and where those of each message begin; messages without checks have no beginning."""

    rows: tuple[Row, ...] = ()
    starts: dict[str, int] = field(default_factory=dict)


def compile_checks() -> Program:
    """The program of ``CHECKS``; each message's last row is marked."""
    rows: list[Row] = []
    starts: dict[str, int] = {}
    for message, by_refusal in CHECKS.items():
        own = [
            replace(row, refusal=refusal)
            for refusal in sorted(by_refusal)
            for check in by_refusal[refusal]
            for row in _rows_of(message, check)
        ]
        if own:
            starts[message] = len(rows)
            rows += [*own[:-1], replace(own[-1], last=True)]
    return Program(tuple(rows), starts)


def _rows_of(message: str, check: Check) -> Iterator[Row]:
    match check:
        case Below():
            row = _field_row(message, check.field, Operation.BELOW, check.limit, check.least)
            yield replace(row, absent=check.absent, negated=check.negated)
        case Within():
            row = _field_row(message, check.field, Operation.WITHIN, check.span, check.least)
            yield replace(row, signed=check.signed)
        case Holds():
            yield Row(Operation.HOLDS, select=check.condition)
        case Product():
            yield _field_row(message, check.multiplicand, Operation.MULTIPLICAND)
            if isinstance(check.multiplier, int):
                yield Row(Operation.MULTIPLIER, select=check.multiplier, constant=True)
            else:
                yield _field_row(message, check.multiplier, Operation.MULTIPLIER)
            yield _field_row(message, check.bound, Operation.BOUND)
            if check.bound_high is not None:
                yield _field_row(message, check.bound_high, Operation.BOUND_HIGH)
            yield Row(Operation.PRODUCT, select=REACHES if check.reaches else AT_MOST)


def _field_row(message: str, name: str, operation: Operation, select: int = 0, least: int = 0) -> Row:
    found = layout.SCHEMA.message(message).fields[name]
    at = layout.HEADER_SIZE + found.offset
    lane = at % WORD_BYTES
    if lane % found.size or least not in LEASTS:
        raise Fatal(
            f"{message}.{name} at byte {at} with {found.size} bytes and least value {least}; expected a place that is "
            f"a multiple of its size, and one of {LEASTS}"
        )
    return Row(
        operation,
        select=int(select),
        word=at // WORD_BYTES,
        lane=lane,
        size=Size(found.size.bit_length() - 1),
        least=LEASTS.index(least),
    )
