"""While the machine is armed, limits may only tighten: compares a row with the one that is in force, byte by byte.

This is a policy in front of the machine and no part of its decisions. The price collar may move either way, because
it follows the market; the notional that bounds it may not grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.control.message import field_shape
from hdl.parameters import BYTE, CoreParameters
from market.errors import Fatal
from market.fastpath import layout

OFFSET_BITS: Final = 7
"""Bytes of a message that have a place in memory: 128, more than any row's block."""


class Relation(IntEnum):
    """How a field of a new row may differ from the one in force."""

    ANY = 0
    AT_MOST = 1
    AT_LEAST = 2
    SUBSET = 3
    """No bit that was not set before."""


LIMITS: Final[Mapping[str, Mapping[tuple[str, ...], Relation]]] = {
    "EngineRow": {
        ("rateInterval",): Relation.AT_LEAST,
        ("rateTolerance",): Relation.AT_MOST,
        ("lease",): Relation.AT_MOST,
    },
    "VenueRow": {
        ("enabled",): Relation.AT_MOST,
        ("fee",): Relation.AT_LEAST,
        ("maximumAge",): Relation.AT_MOST,
        ("maximumSilence",): Relation.AT_MOST,
    },
    "InstrumentRow": {
        ("enabled",): Relation.AT_MOST,
        ("kinds",): Relation.SUBSET,
        ("imbalanceThreshold",): Relation.AT_LEAST,
        ("minimumEdge",): Relation.AT_LEAST,
        ("basisThreshold",): Relation.AT_LEAST,
        ("maximumSpread",): Relation.AT_MOST,
        ("minimumQuantity",): Relation.AT_LEAST,
        ("maximumQuantity",): Relation.AT_MOST,
        ("maximumNotionalLow", "maximumNotionalHigh"): Relation.AT_MOST,
        ("basisWarmUp",): Relation.AT_LEAST,
        ("cooldown",): Relation.AT_LEAST,
        ("positionLimit",): Relation.AT_MOST,
    },
}
"""Rows with limits; fields that are named together are the parts of one number, lowest first."""
KEYS: Final = {"EngineRow": None, "VenueRow": "venue", "InstrumentRow": "instrument"}
"""The field that says which row it is."""

mark_layout: Final = data.StructLayout(
    {"relation": unsigned(2), "first": unsigned(1), "last": unsigned(1), "signed": unsigned(1)}
)
"""What a byte of a row is: part of a field with a relation, its first or last byte, the sign's byte."""


@dataclass(frozen=True)
class Mark:
    """One byte, by the names of ``mark_layout``."""

    at: int
    relation: Relation
    first: bool
    last: bool
    signed: bool

    def bits(self) -> dict[str, int]:
        """As the initial value of a memory row."""
        return {name: int(getattr(self, name)) for name in mark_layout.members}


def marks_of(message: str) -> Iterator[Mark]:
    """The bytes with a relation of a row. Raises ``Fatal`` for parts of a number that are not next to each other."""
    fields = layout.SCHEMA.message(message).fields
    for names, relation in LIMITS[message].items():
        parts = [fields[name] for name in names]
        start, end = parts[0].offset, parts[-1].end
        if sum(part.size for part in parts) != end - start or layout.HEADER_SIZE + end > 1 << OFFSET_BITS:
            raise Fatal(f"{names} of {message} are at {[part.offset for part in parts]}; expected one run of bytes")
        for at in range(start, end):
            last = at == end - 1
            is_signed = last and field_shape(parts[-1]).signed
            yield Mark(layout.HEADER_SIZE + at, relation, at == start, last, is_signed)


class Ratchet(wiring.Component):
    """Whether a row would loosen a limit, and what the rows in force are.

    The bytes of a message are shown in passes, from the first byte on. The first three say nothing yet: template and
    row number are behind them.

    Members
    -------
    begin: strobe: a pass begins; the bytes follow. keep: level: in this pass the row becomes the one in force.
    valid, octet: strobe: the next byte. At least 3 cycles lie between one and the next.
    is_limits: the message of the last pass is a row with limits.
    loosens: a byte of the last pass did more than its relation allows.

    Rows that were never kept are all zeros.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._counts = {"EngineRow": 1, "VenueRow": parameters.venues, "InstrumentRow": parameters.instruments}
        super().__init__(
            {
                "begin": In(1),
                "keep": In(1),
                "valid": In(1),
                "octet": In(BYTE),
                "is_limits": Out(1),
                "loosens": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A byte is compared in the third cycle from its strobe, when memory has answered."""
        m = Module()
        kinds = list(self._counts)
        rows = sum(self._counts.values())
        m.submodules.store = store = memory.Memory(shape=BYTE, depth=rows << OFFSET_BITS, init=[])
        m.submodules.marks = marks = memory.Memory(
            shape=mark_layout, depth=len(kinds) << OFFSET_BITS, init=self._initial_marks(kinds)
        )
        old, mark, write = store.read_port(), marks.read_port(), store.write_port()
        offset, octet = Signal(OFFSET_BITS + 1), Signal(BYTE)
        kind, row = Signal(range(len(kinds))), Signal(range(rows))
        answered, compared, before = Signal(), Signal(), Signal(BYTE)
        rule = Signal(mark_layout)
        inside = self.is_limits & ~offset[-1]
        m.d.comb += [
            old.addr.eq(Cat(offset[:OFFSET_BITS], row)),
            mark.addr.eq(Cat(offset[:OFFSET_BITS], kind)),
            write.addr.eq(old.addr),
            write.data.eq(octet),
            write.en.eq(compared & self.keep & inside),
        ]
        m.d.sync += [answered.eq(self.valid), compared.eq(answered)]
        with m.If(self.begin):
            m.d.sync += [offset.eq(0), self.is_limits.eq(0), self.loosens.eq(0), kind.eq(0), row.eq(0)]
        with m.If(self.valid):
            m.d.sync += octet.eq(self.octet)
        with m.If(answered):
            m.d.sync += [before.eq(old.data), rule.eq(mark.data)]
        with m.If(compared):
            m.d.sync += offset.eq(Mux(offset[-1], offset, offset + 1))
            self._identify(m, kinds, offset, octet, kind, row)
            with m.If(inside):
                self._compare(m, rule, before, octet)
        return m

    def _initial_marks(self, kinds: list[str]) -> list[dict[str, int]]:
        initial = [dict.fromkeys(mark_layout.members, 0) for _ in range(len(kinds) << OFFSET_BITS)]
        for number, name in enumerate(kinds):
            for mark in marks_of(name):
                initial[number << OFFSET_BITS | mark.at] = mark.bits()
        return initial

    def _identify(self, m: Module, kinds: list[str], offset: Signal, octet: Signal, kind: Signal, row: Signal) -> None:
        """Which row a message is about, as soon as its bytes say so; a row that does not exist is none."""
        base = 0
        high_template = layout.HEADER_TEMPLATE + 1
        with m.If((offset == high_template) & (octet != 0)):
            m.d.sync += self.is_limits.eq(0)
        for number, name in enumerate(kinds):
            template, count = layout.SCHEMA.message(name).template_id, self._counts[name]
            with m.If((offset == layout.HEADER_TEMPLATE) & (octet == template)):
                m.d.sync += [self.is_limits.eq(1), kind.eq(number), row.eq(base)]
            key = KEYS[name]
            if key is not None:
                field = layout.SCHEMA.message(name).fields[key]
                for at in range(field.size):
                    part, below = octet << at * BYTE, Const(count)
                    with m.If(self.is_limits & (kind == number) & (offset == layout.HEADER_SIZE + field.offset + at)):
                        m.d.sync += row.eq(row + part)
                        with m.If(part >= below):
                            m.d.sync += self.is_limits.eq(0)
            base += count

    def _compare(self, m: Module, rule: Any, before: Signal, octet: Signal) -> None:
        """The highest byte in which a number differs decides; so the flags of lower bytes are overwritten."""
        above, below = Signal(), Signal()
        is_above, is_below = Signal(), Signal()
        flip = Cat(Const(0, BYTE - 1), rule.signed)
        new, old = octet ^ flip, before ^ flip
        m.d.comb += [
            is_above.eq(Mux(new == old, above & ~rule.first, new > old)),
            is_below.eq(Mux(new == old, below & ~rule.first, new < old)),
        ]
        m.d.sync += [above.eq(is_above), below.eq(is_below)]
        with m.Switch(rule.relation):
            with m.Case(Relation.AT_MOST), m.If(rule.last & is_above):
                m.d.sync += self.loosens.eq(1)
            with m.Case(Relation.AT_LEAST), m.If(rule.last & is_below):
                m.d.sync += self.loosens.eq(1)
            with m.Case(Relation.SUBSET), m.If((octet & ~before).any()):
                m.d.sync += self.loosens.eq(1)
