"""Lines: which sequence a packet belongs to, whether it has anything new, and its place once it counts."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hdl.books.packet_place import PLACE_CYCLES, PacketPlace
from hdl.books.records import ENTRY_COUNT_BITS, EXPECTED_BITS, LINE_NUMBER_BITS, packet_layout, placed_layout
from hdl.books.row_search import RowSearch
from hdl.decision.command_fields import command_field
from hdl.parameters import CoreParameters
from hdl.records import FEED_BITS, VENUE_NUMBER_BITS, ControlCommand
from market.fastpath import layout
from market.fastpath.specification import NO_VENUE, Feed

QUEUE_DEPTH: Final = 16
"""Packets that may wait."""
_SEARCH_STEPS: Final = 4
_FAST_SEARCH_STEPS: Final = 2
"""Cycles that rows are compared in: a search ends before the next frame's payload begins."""
_CHANNEL_BITS: Final = 32

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

_row_layout: Final = data.StructLayout(
    {"enabled": unsigned(1), "venue": unsigned(VENUE_NUMBER_BITS), "feed": unsigned(FEED_BITS)}
)


def _banks(parameters: CoreParameters) -> int:
    steps = _SEARCH_STEPS if parameters.registers_rows else _FAST_SEARCH_STEPS
    rows = -(-parameters.capacity.lines // steps)
    return 1 << (rows - 1).bit_length()


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
    searching: ``old`` and the packet's place are not known yet. Holds back the packet's ``accept``. From ``header`` on
        for at most 9 cycles, 7 on a 64-bit bus with a beat per cycle; also after commands, ``accept``, and another
        ``venue`` or ``feed``.
    old: nothing of the packet is new: DUPLICATE. Right while not ``searching``.
    is_packet: level: the frame that is numbered next is of a feed whose packets are numbered.
    accept: strobe: a frame counts; a packet, with its ``heartbeat`` and ``entries``, is put at its place.
    placed: the packets that count, in order.
    overrun: stays set once a packet found the queue full.
    ask_line, asked: a row by number, in the same cycle; a row written by a command is new 2 cycles after ``apply``.
    forgotten: per line, a strobe when a Reset has forgotten where it stands.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters, self._lines = parameters, parameters.capacity.lines
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
                "forgotten": Out(parameters.capacity.lines),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A search finds the line; what follows from its number is worked out all the time, in ``PLACE_CYCLES``."""
        m = Module()
        m.submodules.search = search = RowSearch(
            self._lines, VENUE_NUMBER_BITS + FEED_BITS + _CHANNEL_BITS, _banks(self._parameters)
        )
        m.submodules.place = place = PacketPlace()
        m.submodules.numbers = numbers = memory.Memory(
            shape=unsigned(EXPECTED_BITS), depth=self._lines, init=[], attrs={"ram_style": "distributed"}
        )
        known, takes = Signal(self._lines), Signal()
        has_line = search.found & ~self.packet.snapshot
        of_packet, write = numbers.read_port(domain="comb"), numbers.write_port()
        m.d.comb += [
            takes.eq(self.accept & self.is_packet),
            of_packet.addr.eq(search.index),
            place.known.eq(known.bit_select(search.index, 1)),
            place.expected.eq(of_packet.data),
            place.packet.eq(self.packet),
            place.counts_packets.eq(search.key[VENUE_NUMBER_BITS:][:FEED_BITS] == Feed.DERIBIT_LEGACY),
            self.old.eq(place.old & has_line),
            write.addr.eq(search.index),
            write.data.eq(place.next),
            write.en.eq(takes & has_line),
        ]
        with m.If(takes & has_line):
            m.d.sync += known.bit_select(search.index, 1).eq(1)
        changed = self._commands(m, search, known)
        self._search(m, search, changed)
        self._queue(m, search, place, has_line, takes)
        self._answer(m, search, numbers, known)
        return m

    def _search(self, m: Module, search: RowSearch, changed: Value) -> None:
        """Begins a search, and says until when nothing is known."""
        key, now = Signal(VENUE_NUMBER_BITS + FEED_BITS), Cat(self.venue, self.feed)
        settling, stale = Signal(PLACE_CYCLES), Signal()
        m.d.sync += [key.eq(now), stale.eq(key != now), settling.eq(settling >> 1)]
        m.d.comb += [
            search.key.eq(Cat(key, self.packet.wire_channel)),
            search.start.eq(self.header | changed | stale),
            self.searching.eq(search.start | search.busy | settling[0]),
        ]
        with m.If(search.start | search.busy | self.accept):
            m.d.sync += settling.eq(-1)

    def _commands(self, m: Module, search: RowSearch, known: Signal) -> Value:
        """LineRow and Reset, in the cycle after they are applied; gives that cycle as a strobe."""
        command = self.command

        def field(name: str) -> Any:
            return command_field(command.message, "LineRow", name)

        venue = command_field(command.message, "Reset", "venue")
        writing, forgetting = Signal(), Signal()
        venues = Array(Signal(self._parameters.venue_bits, name=f"venue_of_{line}") for line in range(self._lines))
        m.d.sync += [
            writing.eq(command.apply & (command.template == layout.TEMPLATE_LINE_ROW)),
            forgetting.eq(command.apply & (command.template == layout.TEMPLATE_RESET)),
        ]
        m.d.comb += [
            search.write.eq(writing),
            search.write_row.eq(field("line")),
            search.write_key.eq(Cat(field("venue"), field("feed")[:FEED_BITS], field("wireChannel"))),
            search.write_enabled.eq(field("enabled")[0]),
        ]
        for line, its_venue in enumerate(venues):
            here = writing & (field("line") == line)
            with m.If(forgetting & ((venue == NO_VENUE) | (venue == its_venue))):
                m.d.comb += self.forgotten[line].eq(1)
            with m.If(here):
                m.d.sync += its_venue.eq(field("venue"))
            with m.If(here | self.forgotten[line]):
                m.d.sync += known[line].eq(0)
        return writing | forgetting

    def _queue(self, m: Module, search: RowSearch, place: PacketPlace, has_line: Value, takes: Signal) -> None:
        m.submodules.queue = queue = SyncFIFO(width=Value.cast(self.placed.payload).shape().width, depth=QUEUE_DEPTH)
        placed = Signal(placed_layout)
        m.d.comb += [
            Cat(placed.venue, placed.feed).eq(search.key[: VENUE_NUMBER_BITS + FEED_BITS]),
            placed.has_line.eq(has_line),
            placed.line.eq(search.index),
            placed.number.eq(place.number),
            placed.gap.eq(place.gap),
            placed.loses.eq(place.loses),
            placed.old.eq(place.old_messages),
            placed.heartbeat.eq(self.heartbeat),
            placed.entries.eq(self.entries),
            queue.w_data.eq(placed),
            queue.w_en.eq(takes),
            Value.cast(self.placed.payload).eq(queue.r_data),
            self.placed.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.placed.ready),
        ]
        with m.If(~has_line):
            m.d.comb += [placed.gap.eq(0), placed.loses.eq(0), placed.old.eq(0)]
        with m.If(takes & ~queue.w_rdy):
            m.d.sync += self.overrun.eq(1)

    def _answer(self, m: Module, search: RowSearch, numbers: memory.Memory, known: Signal) -> None:
        """Rows by number, from a second copy: the search reads its own."""
        m.submodules.rows = rows = memory.Memory(
            shape=_row_layout, depth=self._lines, init=[], attrs={"ram_style": "distributed"}
        )
        read, write, number = rows.read_port(domain="comb"), rows.write_port(), numbers.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(search.write_row),
            write.data.enabled.eq(search.write_enabled),
            Cat(write.data.venue, write.data.feed).eq(search.write_key[: VENUE_NUMBER_BITS + FEED_BITS]),
            write.en.eq(search.write),
            read.addr.eq(self.ask_line),
            number.addr.eq(self.ask_line),
            self.asked.enabled.eq(read.data.enabled),
            self.asked.venue.eq(read.data.venue),
            self.asked.feed.eq(read.data.feed),
            self.asked.known.eq(known.bit_select(self.ask_line, 1)),
            self.asked.expected.eq(Mux(self.asked.known, number.data, 0)),
        ]
