"""The feeds of numbered packets from payload to events: decoder, lines and books."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.book_unit import BookUnit, pair_layout
from hdl.books.line_table import LineTable
from hdl.books.records import event_layout
from hdl.feeds.order_packets import OrderPackets
from hdl.parameters import CoreParameters
from hdl.records import FEED_BITS, LENGTH_BITS, VENUE_NUMBER_BITS, ControlCommand, PayloadBus, sizes_layout
from market.fastpath.feeds.verdict import BAD, GOOD, OLD


class PacketBooks(wiring.Component):
    """Packets in; what ``market.fastpath.feeds`` says of them, and the events of those that count.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    payload, length: the datagram. venue, feed: of its channel.
    is_packet: level: the feed is one of these. verdict: level, right while not ``searching``.
    accept, discard: strobes, one per frame in order: it is a step, or is none.
    events: of each accepted packet, ended by END.
    command, forget: see ``BookUnit``; LineRow and Reset act on the lines too.
    idle: nothing is under way. overrun: stays set once anything was lost for want of room.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "sizes": In(sizes_layout(parameters)),
                "payload": In(PayloadBus(parameters)),
                "length": In(LENGTH_BITS),
                "venue": In(VENUE_NUMBER_BITS),
                "feed": In(FEED_BITS),
                "is_packet": Out(1),
                "searching": Out(1),
                "verdict": Out(2),
                "accept": In(1),
                "discard": In(1),
                "events": Out(stream.Signature(event_layout)),
                "command": In(ControlCommand(parameters)),
                "forget": Out(stream.Signature(pair_layout)),
                "idle": Out(1),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The three parts, and the order of their verdicts."""
        m = Module()
        m.submodules.packets = packets = OrderPackets(self._parameters)
        m.submodules.lines = lines = LineTable(self._parameters)
        m.submodules.books = books = BookUnit(self._parameters)
        wiring.connect(m, wiring.flipped(self.payload), packets.payload)
        wiring.connect(m, lines.placed, books.placed)
        wiring.connect(m, packets.operations, books.operations)
        wiring.connect(m, books.events, wiring.flipped(self.events))
        wiring.connect(m, books.forget, wiring.flipped(self.forget))
        wiring.connect(m, wiring.flipped(self.command), books.command)
        m.d.comb += [
            self.is_packet.eq(Cat(*(self.feed == feed for feed in self._parameters.packet_feeds)).any()),
            packets.length.eq(self.length),
            packets.feed.eq(self.feed),
            packets.accept.eq(self.accept & self.is_packet),
            packets.discard.eq(self.discard | (self.accept & ~self.is_packet)),
            lines.command.apply.eq(self.command.apply),
            lines.command.template.eq(self.command.template),
            lines.command.message.eq(self.command.message),
            lines.command.time.eq(self.command.time),
            lines.venue.eq(self.venue),
            lines.feed.eq(self.feed),
            lines.header.eq(packets.header),
            lines.packet.eq(packets.packet),
            lines.is_packet.eq(self.is_packet),
            lines.accept.eq(self.accept),
            lines.heartbeat.eq(packets.heartbeat),
            lines.entries.eq(packets.entries),
            lines.ask_line.eq(books.ask_line),
            books.asked.eq(lines.asked),
            books.forgotten.eq(lines.forgotten),
            books.sizes.eq(self.sizes),
            self.searching.eq((packets.pending | lines.searching) & self.is_packet),
            self.verdict.eq(GOOD),
            self.idle.eq(books.idle),
            self.overrun.eq(packets.overrun | lines.overrun),
        ]
        with m.If(packets.bad_header):
            m.d.comb += self.verdict.eq(BAD)
        with m.Elif(lines.old):
            m.d.comb += self.verdict.eq(OLD)
        with m.Elif(packets.bad_messages):
            m.d.comb += self.verdict.eq(BAD)
        return m
