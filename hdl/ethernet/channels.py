"""Which channel a datagram belongs to: the table of destinations, looked up by address and port."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.command_fields import command_field
from hdl.ethernet.content_match import LOOKUP_CYCLES, WRITE_CYCLES, ContentMatch
from hdl.ethernet.row_match import ADDRESS_BITS, PORT_BITS
from hdl.ethernet.scan_match import ScanMatch, search_cycles
from hdl.parameters import CoreParameters
from hdl.records import (
    FEED_BITS,
    INSTRUMENT_NUMBER_BITS,
    VENUE_NUMBER_BITS,
    ControlCommand,
    channel_layout,
)
from market.fastpath import layout

_FEWEST_ROWS_AT_ONCE: Final = 4
_COMPACT_STEPS: Final = 16
_PACED_STEPS: Final = 4
"""A packet's feed must be known by its third beat, some nine cycles behind the beat with the port."""


def lookup_cycles(parameters: CoreParameters) -> int:
    """Cycles from ``lookup`` to ``answered``, at most."""
    if not parameters.registers_rows:
        return LOOKUP_CYCLES
    return search_cycles(parameters.channels, _rows_at_once(parameters)) + parameters.paced


def write_cycles(parameters: CoreParameters) -> int:
    """Cycles from a command to ``done``, without lookups in between."""
    if not parameters.registers_rows:
        return WRITE_CYCLES
    return search_cycles(parameters.channels, _rows_at_once(parameters)) + parameters.paced


def _rows_at_once(parameters: CoreParameters) -> int:
    """Rows that are compared in a cycle: four, or as many as it takes to be done in four cycles.

    A datagram with a quote leaves time for four times as many.
    """
    if parameters.bus_bytes == 1:
        return _FEWEST_ROWS_AT_ONCE
    if parameters.compact and not parameters.packet_feeds:
        return 1 << (-(-parameters.channels // _COMPACT_STEPS) - 1).bit_length()
    return max(_FEWEST_ROWS_AT_ONCE, 1 << (-(-parameters.channels // _PACED_STEPS) - 1).bit_length())


class ChannelTable(wiring.Component):
    """The lowest enabled row with a destination: searched, or found by content if the 64-bit bus has no time for that.

    Rows are disabled at power-on. After a row is written the last lookup is done again, so that by ``done`` the answer
    is that of the new table.

    Parameters
    ----------
    parameters: the build; its ``channels`` are the rows.

    Members
    -------
    command: rows are written by ChannelRow, other templates are ignored.
    lookup: strobe: ``address`` and ``port`` are looked up; numbers, as in a channel row.
    answered: strobe, at most ``lookup_cycles`` after ``lookup``, or when rows that are being written are done.
    found: the lowest enabled row with that destination exists; cleared by ``lookup``, holds until the next one.
    row: that row, while ``found``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "command": In(ControlCommand(parameters)),
                "lookup": In(1),
                "address": In(ADDRESS_BITS),
                "port": In(PORT_BITS),
                "answered": Out(1),
                "found": Out(1),
                "row": Out(channel_layout),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Keys in the search, the rest of a row in memories that are read in the cycle of the answer.

        On a paced bus all that goes to registers first: decoders, lines and the machine begin with it.
        """
        m = Module()
        parameters = self._parameters
        rows = parameters.channels
        match: Any = ScanMatch(rows, _rows_at_once(parameters)) if parameters.registers_rows else ContentMatch(rows)
        m.submodules.match = match

        def field(name: str) -> Signal:
            return command_field(self.command.message, "ChannelRow", name)

        later = m.d.sync if parameters.paced else m.d.comb
        m.d.comb += [
            match.write.eq(self.command.apply & (self.command.template == layout.TEMPLATE_CHANNEL_ROW)),
            match.write_row.eq(field("channel")),
            match.write_key.eq(Cat(field("port"), field("address"))),
            match.write_enabled.eq(field("enabled")[0]),
            match.lookup.eq(self.lookup),
            match.key.eq(Cat(self.port, self.address)),
        ]
        later += [
            self.command.done.eq(match.done),
            self.answered.eq(match.answered),
            self.found.eq(match.found),
            self.row.channel.eq(match.index),
        ]
        shapes = {"instrument": INSTRUMENT_NUMBER_BITS, "venue": VENUE_NUMBER_BITS, "feed": FEED_BITS}
        for name, bits in shapes.items():
            store = memory.Memory(shape=unsigned(bits), depth=rows, init=[])
            m.submodules[name] = store
            read, write = store.read_port(domain="comb"), store.write_port()
            m.d.comb += [
                write.addr.eq(match.write_row),
                write.data.eq(field(name)),
                write.en.eq(match.write),
                read.addr.eq(match.index),
            ]
            later += getattr(self.row, name).eq(read.data)
        if parameters.paced:
            with m.If(self.lookup):
                m.d.sync += [self.answered.eq(0), self.found.eq(0)]
        return m
