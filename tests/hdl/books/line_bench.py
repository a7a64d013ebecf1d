"""A table of lines under test, and the reference's lines beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hdl.books.line_table import line_layout
from hdl.books.records import packet_layout, placed_layout
from market.fastpath import layout
from market.fastpath.conformance import packet_builder as wire
from market.fastpath.reference.feed_messages import Header
from market.fastpath.reference.lines import Line, Lines, Outcome, Packet
from market.fastpath.specification import NO_VENUE, DropReason, Feed
from market.wire.sbe import encode
from tests.hdl.decision.machine import fields_of, packed
from tests.hdl.decision.ports import Ports

PATIENCE = 100


def payload_of(feed: Feed, header: Header) -> bytes:
    """A packet of messages that are not read, with a given header."""
    if feed is Feed.DERIBIT_LEGACY:
        return wire.deribit_packet(header.number, [wire.deribit_message(1_000, b"")], channel=header.channel)
    kind = wire.INCREMENTAL if header.in_sequence else wire.SNAPSHOT
    if feed is Feed.STARBASE:
        messages = [wire.starbase_message(119, b"")] * header.count
        return wire.starbase_packet(header.number, messages, channel=header.channel, kind=kind)
    messages = [wire.coinbase_message(124, b"")] * header.count
    return wire.coinbase_packet(header.number, messages, channel=header.channel, kind=kind)


@dataclass
class LineBench:
    """Drives a table through its flattened ports; every answer is compared."""

    ports: Ports
    lines: Lines = field(default_factory=Lines)

    async def command(self, name: str, template: int, **fields: int) -> None:
        """A control message, given as the control unit gives it."""
        ports, message = self.ports, encode(layout.SCHEMA, name, {"sequence": 1, **fields})
        ports.set("command__template", template)
        ports.set("command__message", int.from_bytes(message, "little"))
        ports.set("command__apply", 1)
        await ports.tick()
        ports.set("command__apply", 0)
        assert ports.get("searching")

    async def write_line(self, line: int, venue: int, feed: Feed, channel: int, enabled: bool = True) -> None:
        """A line row, written and asked for."""
        fields = {"line": line, "venue": venue, "feed": int(feed), "wireChannel": channel, "enabled": int(enabled)}
        await self.command("LineRow", layout.TEMPLATE_LINE_ROW, **fields)
        self.lines.lines[line] = Line(venue, feed, channel, enabled)
        await self.ports.tick()
        self.check_line(line)

    async def reset(self, venue: int) -> None:
        """A reset of a venue, or of all; which lines forget is told."""
        await self.command("Reset", layout.TEMPLATE_RESET, venue=venue)
        forgotten = {n for n, line in self.lines.lines.items() if venue in (NO_VENUE, line.venue)}
        told = self.ports.get("forgotten")
        assert forgotten <= {number for number in range(told.bit_length()) if told >> number & 1}
        for number in forgotten:
            self.lines.lines[number].expected = None
        await self.ports.tick()
        assert self.ports.get("forgotten") == 0

    def check_line(self, number: int) -> None:
        """What the table says about a line that was written."""
        row, ports = self.lines.lines[number], self.ports
        ports.set("ask_line", number)
        asked = fields_of(line_layout, ports.get("asked"))
        assert asked == {
            "enabled": row.enabled,
            "venue": row.venue,
            "feed": row.feed,
            "known": row.expected is not None,
            "expected": row.expected or 0,
        }

    async def arrive(self, venue: int, feed: Feed, header: Header) -> None:
        """A packet's header."""
        ports = self.ports
        ports.set("venue", venue)
        ports.set("feed", int(feed))
        values = {"number": header.number, "count": header.count, "wire_channel": header.channel}
        ports.set("packet", packed(packet_layout, {**values, "snapshot": not header.in_sequence}))
        ports.set("header", 1)
        assert ports.get("searching")
        await ports.tick()
        ports.set("header", 0)

    async def settle(self) -> int:
        """Wait until the answer is there; gives the cycles."""
        cycles = 0
        while self.ports.get("searching"):
            await self.ports.tick()
            cycles += 1
            assert cycles < PATIENCE
        return cycles

    async def judge(self, venue: int, feed: Feed, header: Header, takes: bool = True) -> None:
        """The packet that arrived: what it is, and, unless it is dropped, its place."""
        ports = self.ports
        await self.settle()
        packet = self.lines.read(venue, feed, payload_of(feed, header))
        assert ports.get("old") == (packet is DropReason.DUPLICATE)
        if isinstance(packet, Packet) and takes:
            await self._take(packet, heartbeat=header.count == 0, entries=header.number % 100)

    async def _take(self, packet: Packet, heartbeat: bool, entries: int) -> None:
        ports = self.ports
        ports.set("is_packet", 1)
        ports.set("accept", 1)
        ports.set("heartbeat", heartbeat)
        ports.set("entries", entries)
        await ports.tick()
        ports.set("accept", 0)
        assert ports.get("placed__valid")
        placed = fields_of(placed_layout, ports.get("placed__payload"))
        line = None if packet.line is None else self.lines.lines[packet.line]
        expected = None if line is None else line.expected
        outcome = Outcome()
        list(self.lines.take(packet, outcome))
        assert (placed["heartbeat"], placed["entries"]) == (heartbeat, entries)
        assert (placed["venue"], placed["feed"]) == (packet.venue, packet.feed)
        assert placed["has_line"] == (line is not None)
        assert placed["gap"] == outcome.gaps
        if line is None or line.expected is None:
            assert (placed["loses"], placed["old"]) == (0, 0)
        else:
            numbered = packet.feed is not Feed.DERIBIT_LEGACY
            number = packet.header.number if numbered else line.expected - 1
            missing = expected is None or number > expected
            assert (placed["line"], placed["number"]) == (packet.line, number)
            assert placed["loses"] == (numbered and missing)
            assert placed["old"] == (0 if expected is None or missing or not numbered else expected - number)
        ports.set("placed__ready", 1)
        await ports.tick()
        ports.set("placed__ready", 0)
        assert not ports.get("placed__valid")
