"""Lines and books under test: whole packets and control messages, each compared with the reference's lines."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hdl.books.book_unit import pair_layout
from hdl.books.records import EventCounter, EventKind, event_layout, operation_layout, packet_layout
from hdl.parameters import CoreParameters
from hdl.records import sizes_layout, sizes_values
from market.fastpath.layout import SCHEMA
from market.fastpath.reference import control
from market.fastpath.reference.deribit import ABOVE_ALL
from market.fastpath.reference.events import QuoteEvent, TradeEvent
from market.fastpath.reference.feed_messages import Message
from market.fastpath.reference.lines import READERS, LineEvent, Outcome, Packet, Withdrawal
from market.fastpath.reference.messages import read_message
from market.fastpath.reference.state import State
from market.fastpath.specification import DropReason, EngineSizes, Feed, Refusal, Side
from market.wire.sbe import encode
from tests.hdl.books.book_top import deals_of, operations_of
from tests.hdl.decision.machine import fields_of, packed
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

CAPACITY = EngineSizes(venues=4, instruments=8, lines=16, books=8, order_books=4, book_orders=256, book_ticks=64)
FIRST_WIRE = 700
"""Wire instrument of book 0."""
LONG_ENOUGH = 300
"""Cycles in which books do all they can without anyone taking their events."""
PATIENCE = 3_000
"""Cycles after which an answer is missing."""
Event = dict[str, Any]
_NUMBERS = ("bid_price", "bid_quantity", "ask_price", "ask_quantity", "price", "quantity")


class RecordingState(State):
    """Notes the quotes that control messages make it forget."""

    def __init__(self, sizes: EngineSizes) -> None:
        super().__init__(sizes)
        self.forgotten: list[tuple[int, int]] = []

    def forget_quote(self, instrument: int, venue: int) -> None:
        self.forgotten.append((instrument, venue))
        super().forget_quote(instrument, venue)


@dataclass
class BookBench:
    """Drives ``BookTop``. ``rng`` makes operations come late and events be taken late, if there is one.

    ``kinds`` counts the kinds of events that came.
    """

    ports: Ports
    sizes: EngineSizes
    capacity: EngineSizes
    rng: random.Random | None = None
    state: RecordingState = field(init=False)
    kinds: dict[EventKind, int] = field(default_factory=lambda: dict.fromkeys(EventKind, 0))
    refusals: set[Refusal] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.state = RecordingState(self.sizes)
        self.ports.set("sizes", packed(sizes_layout(CoreParameters(self.capacity)), sizes_values(self.sizes)))
        self.ports.set("forget__ready", 1)

    async def command(self, name: str, fields: dict[str, int]) -> Refusal:
        """A control message, if it passes the checks that are made before; what it was refused for."""
        octets = encode(SCHEMA, name, {"sequence": 1, **fields})
        message = read_message(octets)
        assert message is not None
        self.state.forgotten.clear()
        refusal = control.apply(self.state, message)
        if refusal in (Refusal.UNKNOWN_ROW, Refusal.BAD_VALUE):
            return refusal
        template = SCHEMA.message(name).template_id
        forgotten, refused = await self._apply(template, octets, waits=name != "Reset")
        assert refused == refusal
        if name != "Reset":
            assert forgotten == self.state.forgotten
            self.refusals.add(refusal)
        return refusal

    async def _apply(self, template: int, octets: bytes, waits: bool) -> tuple[list[tuple[int, int]], int]:
        ports, forgotten = self.ports, []
        ports.set("command__template", template)
        ports.set("command__message", int.from_bytes(octets, "little"))
        for _ in range(3):
            await ports.tick()
        ports.set("command__apply", 1)
        await ports.tick()
        ports.set("command__apply", 0)
        for _ in range(PATIENCE):
            if ports.get("command__done") or not waits:
                break
            if ports.get("forget__valid") and ports.get("forget__ready"):
                pair = fields_of(pair_layout, ports.get("forget__payload"))
                forgotten.append((pair["instrument"], pair["venue"]))
            await ports.tick()
            ports.set("forget__ready", self.rng is None or self.rng.random() < 0.5)
        refusal = ports.get("command__refusal") if waits else 0
        assert not waits or ports.get("command__done")
        await ports.tick()
        assert not ports.get("command__done")
        return forgotten, refusal

    async def load_book(self, book: int, line: int, number: int) -> None:
        """A row whose instrument has the book's number, and its book, live: 7 bid at 1,001, 8 offered at 1,012."""
        row = {"book": book, "line": line, "wireInstrument": FIRST_WIRE + book, "instrument": book, "tick": 1}
        await self.command("BookRow", row | {"priceExponent": -2, "quantityExponent": -1, "enabled": 1})
        await self.command("BookClear", {"book": book, "base": 1_000})
        for side, price in ((Side.BUY, 1_001), (Side.SELL, 1_012)):
            order = {"order": price, "side": int(side), "price": price, "quantity": 6 + int(side)}
            assert await self.command("BookOrder", {"book": book, **order}) is Refusal.NONE
        assert await self.command("BookReady", {"book": book, "number": number}) is Refusal.NONE

    async def packets(self, venue: int, feed: Feed, payloads: list[bytes]) -> list[Event]:
        """Packets whose events are taken only when the books wait for that, or all is done."""
        expected: list[Event] = []
        ports = self.ports
        for payload in payloads:
            packet = self.state.lines.read(venue, feed, payload)
            assert isinstance(packet, Packet)
            await self._arrive(venue, feed, payload)
            operations = [each for message in packet.messages for each in _operations_of(feed, message)]
            expected += [_event_of(event) for event in self.state.lines.take(packet, Outcome())]
            await self._accept(packet, len(operations))
            for operation in operations:
                ports.set("operations__payload", packed(operation_layout, operation))
                ports.set("operations__valid", 1)
                await self._until(lambda: ports.get("operations__ready"))
                await ports.tick()
                ports.set("operations__valid", 0)
        for _ in range(LONG_ENOUGH):
            await ports.tick()
        found = [event for _ in payloads for event in (await self._events([]))[0]]
        assert found == expected
        return found

    async def packet(self, venue: int, feed: Feed, payload: bytes) -> list[Event]:
        """A packet; the events that came of it, less the counts. Nothing, if it is dropped."""
        packet = self.state.lines.read(venue, feed, payload)
        if packet is DropReason.BAD_MESSAGE:
            return []
        await self._arrive(venue, feed, payload)
        assert self.ports.get("old") == (packet is DropReason.DUPLICATE)
        if not isinstance(packet, Packet):
            return []
        return await self._take(packet)

    async def _arrive(self, venue: int, feed: Feed, payload: bytes) -> None:
        ports, header = self.ports, READERS[feed].read_header(payload)
        ports.set("venue", venue)
        ports.set("feed", int(feed))
        values = {"number": header.number, "count": header.count, "wire_channel": header.channel}
        ports.set("packet", packed(packet_layout, {**values, "snapshot": not header.in_sequence}))
        ports.set("header", 1)
        await ports.tick()
        ports.set("header", 0)
        await self._until(lambda: not ports.get("searching"))

    async def _until(self, holds: Any) -> None:
        for _ in range(PATIENCE):
            if holds():
                return
            await self.ports.tick()
        raise AssertionError("still waiting")

    async def _take(self, packet: Packet) -> list[Event]:
        operations = [each for message in packet.messages for each in _operations_of(packet.feed, message)]
        outcome = Outcome()
        expected = list(self.state.lines.take(packet, outcome))
        await self._accept(packet, len(operations))
        events, counts = await self._events(operations)
        check_packet(packet, (events, counts), (expected, outcome))
        return events

    async def _accept(self, packet: Packet, entries: int) -> None:
        ports = self.ports
        ports.set("is_packet", 1)
        ports.set("heartbeat", not packet.messages)
        ports.set("entries", entries)
        ports.set("accept", 1)
        await ports.tick()
        ports.set("accept", 0)

    async def _events(self, operations: list[dict[str, int]]) -> tuple[list[Event], dict[EventCounter, int]]:
        """Give the operations, and take the events until END."""
        ports, waiting = self.ports, list(operations)
        found: list[Event] = []
        counts = dict.fromkeys(EventCounter, 0)
        for _ in range(PATIENCE):
            self._offer(waiting)
            ports.set("events__ready", self._now(0.7))
            if ports.get("events__valid") and ports.get("events__ready"):
                event = fields_of(event_layout, ports.get("events__payload"))
                self.kinds[EventKind(event["kind"])] += 1
                if event["kind"] == EventKind.END:
                    break
                if event["kind"] == EventKind.COUNT:
                    for counter in EventCounter:
                        counts[counter] += event["mask"] >> counter & 1
                else:
                    found.append(_shown(event))
            if waiting and ports.get("operations__ready") and ports.get("operations__valid"):
                waiting.pop(0)
                ports.set("operations__valid", 0)
            await ports.tick()
        else:
            raise AssertionError("the packet does not end")
        await ports.tick()
        ports.set("events__ready", 0)
        assert not waiting
        assert not ports.get("overrun")
        return found, counts

    def _offer(self, waiting: list[dict[str, int]]) -> None:
        ports = self.ports
        if waiting and not ports.get("operations__valid") and self._now(0.3):
            ports.set("operations__payload", packed(operation_layout, waiting[0]))
            ports.set("operations__valid", 1)

    def _now(self, chance: float) -> bool:
        return self.rng is None or self.rng.random() < chance


def _operations_of(feed: Feed, message: Message) -> list[dict[str, int]]:
    in_doubles = feed is Feed.DERIBIT_LEGACY and message.deals is not None
    return deals_of(message) if in_doubles else operations_of(message)


def check_packet(
    packet: Packet,
    found: tuple[list[Event], dict[EventCounter, int]],
    expected: tuple[list[LineEvent], Outcome],
) -> None:
    """What came of a packet, and what should."""
    events, outcome = expected
    assert [_limited(event) for event in found[0]] == [_limited(_event_of(event)) for event in events]
    assert found[1] == {
        EventCounter.MESSAGES: outcome.applied,
        EventCounter.SKIPPED_MESSAGES: outcome.skipped,
        EventCounter.GAPS: outcome.gaps,
        EventCounter.HEARTBEATS: int(not packet.messages),
    }


def _limited(event: Event) -> Event:
    """Which number stands for those above all mantissas is free."""
    return {name: min(value, ABOVE_ALL) if name in _NUMBERS else value for name, value in event.items()}


def _event_of(event: LineEvent) -> Event:
    """A reference's event as the hardware's fields that count."""
    if isinstance(event, Withdrawal):
        return {**_quote_fields(event.event), "kind": EventKind.WITHDRAW}
    if isinstance(event, QuoteEvent):
        return {**_quote_fields(event), "kind": EventKind.QUOTE}
    assert isinstance(event, TradeEvent)
    return {
        "kind": EventKind.TRADE,
        "instrument": event.instrument,
        "price_exponent": event.price_exponent,
        "quantity_exponent": event.quantity_exponent,
        "aggressor": int(event.aggressor),
        "price": event.price,
        "quantity": event.quantity,
    }


def _quote_fields(event: QuoteEvent) -> Event:
    names = ("instrument", "price_exponent", "quantity_exponent", "sequence")
    return {name: getattr(event, name) for name in (*names, *_NUMBERS[:4])}


def _shown(event: dict[str, Any]) -> Event:
    quote = event["quote"]
    shown = {"kind": event["kind"], "instrument": event["instrument"]}
    if event["kind"] != EventKind.TRADE:
        return {**shown, **quote}
    names = ("price_exponent", "quantity_exponent")
    shown |= {name: quote[name] for name in names} | {"aggressor": event["aggressor"]}
    return {**shown, "price": quote["bid_price"], "quantity": quote["bid_quantity"]}


def run(
    compiled: Compiled,
    script: Callable[[BookBench], Awaitable[None]],
    rng: random.Random | None = None,
    sizes: EngineSizes = CAPACITY,
) -> None:
    """Run a script on books at power-on, built for ``CAPACITY``."""

    async def test(ports: Ports) -> None:
        await script(BookBench(ports, sizes, CAPACITY, rng))

    compiled.run(test)
