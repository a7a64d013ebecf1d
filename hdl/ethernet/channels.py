"""Which channel a datagram belongs to: the table of destinations, looked up by address and port."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.command_fields import command_field
from hdl.parameters import CoreParameters
from hdl.records import (
    FEED_BITS,
    INSTRUMENT_NUMBER_BITS,
    VENUE_NUMBER_BITS,
    ControlCommand,
    channel_layout,
)
from market.fastpath import layout

LOOKUP_CYCLES: Final = 2
"""Cycles from ``lookup`` to ``answered``."""
_NIBBLE_BITS: Final = 4
_NIBBLE_VALUES: Final = 1 << _NIBBLE_BITS
_ADDRESS_BITS: Final = 32
_PORT_BITS: Final = 16
_KEY_NIBBLES: Final = (_ADDRESS_BITS + _PORT_BITS) // _NIBBLE_BITS


class ChannelTable(wiring.Component):
    """A memory that is addressed by content, of one bit per row, nibble of the key, and value of the nibble.

    All rows are compared in one cycle. Writing a row takes a cycle per value of a nibble, and the last lookup is
    then done again: ``found`` and ``row`` never speak of an older table.

    Parameters
    ----------
    parameters: the build; its ``channels`` are the rows.

    Members
    -------
    command: rows are written by ChannelRow, other templates are ignored. ``done`` follows ``WRITE_CYCLES`` later,
        in a cycle in which ``found`` and ``row`` are those of the new table.
    lookup: strobe: ``address`` and ``port`` are looked up; numbers, as in a channel row.
    answered: strobe, ``LOOKUP_CYCLES`` after ``lookup``, or with ``done`` if rows were being written.
    found: the lowest enabled row with that destination exists; cleared by ``lookup``, holds until the next one.
    row: that row, while ``found``.
    """

    WRITE_CYCLES: Final = _NIBBLE_VALUES + LOOKUP_CYCLES + 1

    def __init__(self, parameters: CoreParameters) -> None:
        self._rows = parameters.channels
        super().__init__(
            {
                "command": In(ControlCommand(parameters)),
                "lookup": In(1),
                "address": In(_ADDRESS_BITS),
                "port": In(_PORT_BITS),
                "answered": Out(1),
                "found": Out(1),
                "row": Out(channel_layout),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Compare, then take the lowest row, whose content is read in the cycle of the answer."""
        m = Module()
        value, writing = Signal(_NIBBLE_BITS), Signal()
        key, asked = Signal(_ADDRESS_BITS + _PORT_BITS), Signal()
        matches, compared = Signal(self._rows), Signal()
        with m.If(self.lookup):
            m.d.sync += key.eq(Cat(self.port, self.address))
        looked_up = Mux(self.lookup, Cat(self.port, self.address), key)
        stores = self._nibble_stores(m, looked_up, value, writing)
        again = self._write_sequence(m, value, writing)

        strobe = (self.lookup & ~writing) | again
        m.d.sync += [compared.eq(strobe), self.answered.eq(compared & asked & ~self.lookup)]
        with m.If(strobe):
            matches_now = stores[0]
            for store in stores[1:]:
                matches_now = matches_now & store
            m.d.sync += matches.eq(matches_now)
        with m.If(self.lookup):
            m.d.sync += asked.eq(1)
        with m.Elif(compared):
            m.d.sync += asked.eq(0)
        self._answer(m, matches, compared)
        return m

    def _nibble_stores(self, m: Module, key: Any, value: Signal, writing: Signal) -> list[Any]:
        """Per nibble of the key, which rows have it. While a row is written, each value's bit of it is replaced."""
        message = self.command.message
        row = command_field(message, "ChannelRow", "channel")
        row_key = Cat(
            command_field(message, "ChannelRow", "port"),
            command_field(message, "ChannelRow", "address"),
        )
        enabled = command_field(message, "ChannelRow", "enabled")[0]
        outputs = []
        bit = Signal(self._rows)
        m.d.comb += bit.bit_select(row[: max(1, (self._rows - 1).bit_length())], 1).eq(1)
        for nibble in range(_KEY_NIBBLES):
            at = slice(nibble * _NIBBLE_BITS, (nibble + 1) * _NIBBLE_BITS)
            store = memory.Memory(shape=unsigned(self._rows), depth=_NIBBLE_VALUES, init=[])
            m.submodules[f"nibble_{nibble}"] = store
            read, write = store.read_port(domain="comb"), store.write_port()
            has_value = enabled & (row_key[at] == value)
            m.d.comb += [
                read.addr.eq(Mux(writing, value, key[at])),
                write.addr.eq(value),
                write.data.eq(Mux(has_value, read.data | bit, read.data & ~bit)),
                write.en.eq(writing),
            ]
            outputs.append(read.data)
        return outputs

    def _write_sequence(self, m: Module, value: Signal, writing: Signal) -> Signal:
        """All values of a nibble, then a strobe to look up again, then ``done``."""
        again = Signal()
        steps = Signal(LOOKUP_CYCLES)
        applies = self.command.apply & (self.command.template == layout.TEMPLATE_CHANNEL_ROW)
        with m.If(applies):
            m.d.sync += [writing.eq(1), value.eq(0)]
        with m.Elif(writing):
            m.d.sync += [value.eq(value + 1), writing.eq(~value.all())]
        m.d.sync += [again.eq(writing & value.all()), steps.eq(Cat(again, steps))]
        m.d.comb += self.command.done.eq(steps[-1])
        return again

    def _answer(self, m: Module, matches: Signal, compared: Signal) -> None:
        """The lowest match, from groups of rows."""
        index, found = Signal(range(self._rows)), Signal()
        lowest, any_match = lowest_set(m, matches)
        with m.If(compared):
            m.d.sync += [index.eq(lowest), found.eq(any_match)]
        with m.If(self.lookup):
            m.d.sync += found.eq(0)
        row_fields = {
            "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
            "venue": unsigned(VENUE_NUMBER_BITS),
            "feed": unsigned(FEED_BITS),
        }
        writes = self.command.apply & (self.command.template == layout.TEMPLATE_CHANNEL_ROW)
        for name, shape in row_fields.items():
            store = memory.Memory(shape=shape, depth=self._rows, init=[])
            m.submodules[name] = store
            read, write = store.read_port(domain="comb"), store.write_port()
            m.d.comb += [
                write.addr.eq(command_field(self.command.message, "ChannelRow", "channel")),
                write.data.eq(command_field(self.command.message, "ChannelRow", name)),
                write.en.eq(writes),
                read.addr.eq(index),
                getattr(self.row, name).eq(read.data),
            ]
        m.d.comb += [self.row.channel.eq(index), self.found.eq(found)]


def lowest_set(m: Module, bits: Signal) -> tuple[Any, Any]:
    """Number of the lowest set bit, and whether there is one; in steps of four bits, so that depth is logarithmic."""
    level: list[tuple[Any, Any]] = [(bit, None) for bit in bits]
    while len(level) > 1:
        level = [_lowest_of(m, level[at : at + 4]) for at in range(0, len(level), 4)]
    present, number = level[0]
    return (0 if number is None else number), present


def _lowest_of(m: Module, group: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    present, choice = Signal(), Signal(2)
    m.d.comb += present.eq(Cat(*(member for member, _ in group)).any())
    for at in reversed(range(len(group))):
        with m.If(group[at][0]):
            m.d.comb += choice.eq(at)
    if group[0][1] is None:
        return present, choice
    return present, Cat(Array([number for _, number in group])[choice], choice)
