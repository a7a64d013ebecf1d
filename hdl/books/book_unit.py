"""Books: what the packets of lines and the messages of the host do to them, and the events that follow."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.line_table import line_layout
from hdl.books.records import LINE_NUMBER_BITS, event_layout, operation_layout, placed_layout
from hdl.parameters import CoreParameters
from hdl.records import INSTRUMENT_NUMBER_BITS, VENUE_NUMBER_BITS, ControlCommand, sizes_layout

pair_layout: Final = data.StructLayout(
    {"instrument": unsigned(INSTRUMENT_NUMBER_BITS), "venue": unsigned(VENUE_NUMBER_BITS)}
)
"""A venue's quote of an instrument."""


class BookUnit(wiring.Component):
    """All books of a build with their orders: packets in, events out, and what the host loads in between.

    Packets are worked off as they come, ahead of the steps that they are; a step takes their events until END. No
    command is applied while a packet waits, or its events.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    placed, operations: packets at their places, and what their messages ask for.
    events: of each packet in order, ended by END.
    command: LineRow, BookRow, BookClear, BookOrder and BookReady are done here, and perhaps refused; the ranges of
        fields have been checked. The books that a Reset unloads are those of the lines that are ``forgotten``.
    forget: quotes to forget before a command is done; ready when that has been done.
    ask_line, asked, forgotten: see ``LineTable``.
    idle: no packet, event or command is under way.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "sizes": In(sizes_layout(parameters)),
                "placed": In(stream.Signature(placed_layout)),
                "operations": In(stream.Signature(operation_layout)),
                "events": Out(stream.Signature(event_layout)),
                "command": In(ControlCommand(parameters)),
                "forget": Out(stream.Signature(pair_layout)),
                "ask_line": Out(LINE_NUMBER_BITS),
                "asked": In(line_layout),
                "forgotten": In(parameters.capacity.lines),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        return Module()
