"""Whether a message is well formed: schema, template, block length, group, exact length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.control.message_buffer import MESSAGE_LENGTH_BITS
from hdl.control.program import Program
from hdl.control.rules import CHECKS
from hdl.parameters import BYTE
from hdl.records import WORD_BITS
from market.errors import Fatal
from market.fastpath import layout

EVENTS: Final = ("QuoteEvent", "TradeEvent")
_U16_BITS: Final = 16
_LENGTH_FIELD: Final = "blockLength"
_COUNT_FIELD: Final = "numInGroup"


@dataclass(frozen=True)
class GroupHead:
    """The one group behind a message's block: where its head is in the message, and its entries' size as a shift."""

    start: int
    size: int
    entry_shift: int

    @classmethod
    def of(cls, message: str) -> GroupHead | None:
        """That of a message, None if it has no group. Raises ``Fatal`` for a group that hardware cannot measure."""
        found = layout.SCHEMA.message(message)
        if not found.groups:
            return None
        [group] = found.groups.values()
        shift = group.stride.bit_length() - 1
        if found.data or group.groups or group.data or group.stride != 1 << shift:
            raise Fatal(f"{message}: expected one plain group at most, with entries of a power of two bytes")
        return cls(layout.HEADER_SIZE + found.block_length, group.dimension.size, shift)


class MessageForm(wiring.Component):
    """What a message of at least a header is (docs/fastpath.md, rules 22, 34 and 35).

    Parameters
    ----------
    program: the checks, for where those of each message begin.
    with_events: whether quote and trade events are known.

    Members
    -------
    head: the first words of the message; the rest of the group's head is read only where it is inside the message.
    length: in bytes.
    good: the template is a control message or a known event, and the message is well formed.
    is_event: the template is an event's. has_checks, begin: where its checks begin in the program, if it has any.

    Latency
    -------
    From the message's last word: ``good`` 3 cycles, the others 2.
    """

    def __init__(self, program: Program, with_events: bool) -> None:
        names = (*CHECKS, *(EVENTS if with_events else ()))
        self._names, self._program, self._with_events = names, program, with_events
        self._groups = {name: group for name in names if (group := GroupHead.of(name)) is not None}
        self._head_bytes = max(group.start + group.size for group in self._groups.values())
        super().__init__(
            {
                "head": In(self._head_bytes * BYTE),
                "length": In(MESSAGE_LENGTH_BITS),
                "good": Out(1),
                "is_event": Out(1),
                "has_checks": Out(1),
                "begin": Out(range(len(program.rows))),
            }
        )

    @property
    def head_words(self) -> int:
        """Words that ``head`` is taken from."""
        return -(-self._head_bytes * BYTE // WORD_BITS)

    def elaborate(self, platform: Any) -> Module:
        """Which template it is; a cycle later, what is expected; and then, whether it is so."""
        m = Module()
        is_name = {name: Signal(name=f"is_{name}") for name in self._names}
        template = self._u16(layout.HEADER_TEMPLATE)
        m.d.sync += [flag.eq(template == layout.SCHEMA.message(name).template_id) for name, flag in is_name.items()]
        expected_block, expected = Signal(_U16_BITS), Signal(MESSAGE_LENGTH_BITS)
        known, is_event, has_checks, begin = Signal(), Signal(), Signal(), Signal.like(self.begin)
        group_fits = Signal()
        found_block, found_length, found_known = Signal(_U16_BITS), Signal(MESSAGE_LENGTH_BITS), Signal()
        found_group, found_schema = Signal(), Signal()
        sizes, blocks, begins, unfit = [], [], [], []
        for name, flag in is_name.items():
            found = layout.SCHEMA.message(name)
            size: Value = Const(layout.HEADER_SIZE + found.block_length, MESSAGE_LENGTH_BITS)
            if name in self._groups:
                size, fits = self._measure_group(name)
                unfit.append(flag & ~fits)
            sizes.append(Mux(flag, size, 0))
            blocks.append(Mux(flag, found.block_length, 0))
            begins.append(Mux(flag, self._program.starts.get(name, 0), 0))
        m.d.comb += [
            known.eq(Cat(*is_name.values()).any()),
            is_event.eq(Cat(flag for name, flag in is_name.items() if name in EVENTS).any()),
            has_checks.eq(Cat(flag for name, flag in is_name.items() if name in self._program.starts).any()),
            expected.eq(reduce(or_, sizes)),
            expected_block.eq(reduce(or_, blocks)),
            begin.eq(reduce(or_, begins)),
            group_fits.eq(~Cat(unfit).any()),
        ]
        m.d.sync += [
            found_block.eq(expected_block),
            found_length.eq(expected),
            found_known.eq(known),
            found_group.eq(group_fits),
            found_schema.eq(
                (self._u16(layout.HEADER_SCHEMA) == layout.SCHEMA_ID)
                & (self._u16(layout.HEADER_VERSION) == layout.SCHEMA_VERSION)
            ),
            self.is_event.eq(is_event),
            self.has_checks.eq(has_checks),
            self.begin.eq(begin),
            self.good.eq(
                found_known
                & found_schema
                & found_group
                & (self._u16(layout.HEADER_BLOCK_LENGTH) == found_block)
                & (self.length == found_length)
            ),
        ]
        return m

    def _measure_group(self, name: str) -> tuple[Value, Value]:
        """The length that the message's group asks for, and whether its entries are as long as they must be."""
        # a length that the group's head is not inside cannot be equal to what is expected here
        group = self._groups[name]
        [found] = layout.SCHEMA.message(name).groups.values()
        dimension = found.dimension.fields
        entries = self._u16(group.start + dimension[_COUNT_FIELD].offset)
        size = ((entries << group.entry_shift) + group.start + group.size)[:MESSAGE_LENGTH_BITS]
        return size, self._u16(group.start + dimension[_LENGTH_FIELD].offset) == found.stride

    def _u16(self, at: int) -> Value:
        return Cat(self.head[at * BYTE : at * BYTE + _U16_BITS])


def leads_count(octets: Value) -> Value:
    """Entries of the group of leads in an instrument row."""
    group = GroupHead.of("InstrumentRow")
    [found] = layout.SCHEMA.message("InstrumentRow").groups.values()
    assert group is not None
    at = (group.start + found.dimension.fields[_COUNT_FIELD].offset) * BYTE
    return octets[at : at + _U16_BITS]
