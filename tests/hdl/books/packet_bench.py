"""Decoder, lines and books under test: the bytes of packets, each compared with the reference's lines."""

from __future__ import annotations

from dataclasses import dataclass

from market.fastpath.feeds.verdict import BAD, GOOD, OLD
from market.fastpath.reference.lines import Outcome, Packet
from market.fastpath.specification import DropReason, Feed
from tests.hdl.books.book_bench import BookBench, Event, check_packet

_VERDICTS = {DropReason.DUPLICATE: OLD, DropReason.BAD_MESSAGE: BAD}
BEHIND_CYCLES = 3
"""From a packet's last beat to the end of its frame, at the soonest."""


@dataclass
class PacketBench(BookBench):
    """Drives ``PacketBooks``."""

    bus_bytes: int = 1

    async def packet(self, venue: int, feed: Feed, payload: bytes) -> list[Event]:
        """A packet; the events that came of it, less the counts. Nothing, if it is dropped."""
        ports, packet = self.ports, self.state.lines.read(venue, feed, payload)
        ports.set("venue", venue)
        ports.set("feed", int(feed))
        ports.set("length", len(payload))
        await self._send(payload)
        for _ in range(BEHIND_CYCLES):
            await ports.tick()
        await self._until(lambda: not ports.get("searching"))
        assert ports.get("verdict") == (GOOD if isinstance(packet, Packet) else _VERDICTS[packet])
        takes = "accept" if isinstance(packet, Packet) else "discard"
        ports.set(takes, 1)
        await ports.tick()
        ports.set(takes, 0)
        if not isinstance(packet, Packet):
            return []
        outcome = Outcome()
        expected = list(self.state.lines.take(packet, outcome))
        events, counts = await self._events([])
        check_packet(packet, (events, counts), (expected, outcome))
        return events

    async def _send(self, payload: bytes) -> None:
        ports = self.ports
        for at in range(0, len(payload), self.bus_bytes):
            beat = payload[at : at + self.bus_bytes]
            ports.set("payload__valid", 1)
            ports.set("payload__first", at == 0)
            ports.set("payload__last", at + self.bus_bytes >= len(payload))
            ports.set("payload__count", len(beat))
            ports.set("payload__data", int.from_bytes(beat, "little"))
            await ports.tick()
            ports.set("payload__valid", 0)
