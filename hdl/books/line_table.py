"""Lines: which sequence a packet belongs to, whether it has anything new, and its place once it counts."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import ENTRY_COUNT_BITS, EXPECTED_BITS, LINE_NUMBER_BITS, packet_layout, placed_layout
from hdl.parameters import CoreParameters
from hdl.records import FEED_BITS, VENUE_NUMBER_BITS, ControlCommand

line_layout: Final = data.StructLayout(
    {
        "enabled": unsigned(1),
        "venue": unsigned(VENUE_NUMBER_BITS),
        "feed": unsigned(FEED_BITS),
        "known": unsigned(1),
        "expected": unsigned(EXPECTED_BITS),
    }
)
"""A line row, and its next number: 0 unless ``known``."""


class LineTable(wiring.Component):
    """The rows of lines and the number that each expects next.

    Parameters
    ----------
    parameters: the build; ``capacity.lines`` are the rows.

    Members
    -------
    command: LineRow and Reset change the table; others, and ``done``, are not for it.
    venue, feed: of the channel of the packet that is arriving.
    header: strobe: ``packet`` is right from this cycle on, until the packet's ``accept``.
    searching: ``old`` and the packet's place are not known yet. Holds back the packet's ``accept``.
    old: nothing of the packet is new: DUPLICATE. Right while not ``searching``.
    is_packet: level: the frame that is numbered next is of a feed whose packets are numbered.
    accept: strobe: a frame counts; a packet, with its ``heartbeat`` and ``entries``, is put at its place.
    placed: the packets that count, in order.
    overrun: stays set once a packet found the queue full.
    ask_line, asked: a row by number, in the same cycle; a row written by a command is new 2 cycles after ``apply``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "command": In(ControlCommand(parameters)),
                "venue": In(VENUE_NUMBER_BITS),
                "feed": In(FEED_BITS),
                "header": In(1),
                "packet": In(packet_layout),
                "searching": Out(1),
                "old": Out(1),
                "is_packet": In(1),
                "accept": In(1),
                "heartbeat": In(1),
                "entries": In(ENTRY_COUNT_BITS),
                "placed": Out(stream.Signature(placed_layout)),
                "overrun": Out(1),
                "ask_line": In(LINE_NUMBER_BITS),
                "asked": Out(line_layout),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        return Module()
