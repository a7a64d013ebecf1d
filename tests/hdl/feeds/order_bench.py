"""Runs packets of order-by-order feeds through their decoders, and says what the reference makes of the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from hdl.books.records import BookSide, OperationKind
from hdl.feeds.order_packets import OrderPackets
from hdl.parameters import CoreParameters
from market.fastpath.reference import coinbase, deribit, starbase
from market.fastpath.reference.feed_messages import BadPacket, Change, ChangeKind, Deal, Message
from market.fastpath.reference.order_book import BookSide as ReferenceSide
from market.fastpath.specification import Feed
from tests.hdl.sbe.bus import Beat, as_number, beats_of

FEED_FROM = {1: 16, 8: 2}
"""Cycles from a packet's first beat until its feed is known, by the bytes of the bus; on the wider bus, beats."""
LEVELS = 2
"""Cycles from the last beat until the levels are right."""
READERS = {
    Feed.STARBASE: (starbase.read_header, starbase.read_messages),
    Feed.COINBASE_DERIVATIVES: (coinbase.read_header, coinbase.read_messages),
    Feed.DERIBIT_LEGACY: (deribit.read_header, deribit.read_messages),
}
HEADER_BYTES = {Feed.STARBASE: 24, Feed.COINBASE_DERIVATIVES: 24, Feed.DERIBIT_LEGACY: 8}
KINDS = {
    ChangeKind.PUT: OperationKind.PUT,
    ChangeKind.REDUCE: OperationKind.REDUCE,
    ChangeKind.DELETE: OperationKind.DELETE,
}
SIDES = {ReferenceSide.BID: BookSide.BID, ReferenceSide.ASK: BookSide.ASK, None: BookSide.NONE}
DOUBLES = ("order", "price", "quantity", "last_double")
SIGNED = ("price", "quantity")
Operation = dict[str, int]


@dataclass
class Said:
    """What is said of one payload, at the soonest; ``header`` as (number, count, channel, snapshot), if there was one.

    Cycles are counted from the first beat's.
    """

    header: tuple[int, ...] | None = None
    header_cycle: int = 0
    beat_cycles: list[int] = field(default_factory=list)
    bad_header: bool = False
    bad_messages: bool = False
    heartbeat: bool = False
    entries: int = 0

    @property
    def good(self) -> bool:
        return not self.bad_header and not self.bad_messages


@dataclass(frozen=True)
class Sent:
    """A payload of a feed; ``accepted`` if it is good, unless told otherwise. Without ``last`` if it breaks off."""

    feed: Feed
    payload: bytes
    accepted: bool = True
    breaks_off: bool = False


class Bench:
    """The decoders in a simulator, with a reader of operations that is ready whenever it can be."""

    def __init__(self, bus_bytes: int, *, feeds: frozenset[Feed] = frozenset(Feed), seed: int = 0) -> None:
        self.packets = OrderPackets(CoreParameters(bus_bytes=bus_bytes, feeds=feeds))
        self.bus_bytes = bus_bytes
        self.random = np.random.default_rng(seed)
        self.operations: list[Operation] = []
        self.overrun = False

    def run(self, sent: Sequence[Sent], *, idle: float = 0.1, late: int = 0, reads: bool = True) -> list[Said]:
        """What is said of each payload; ``late``: cycles from when levels are right until it is accepted."""
        said: list[Said] = []

        async def bench(ctx: Any) -> None:
            for one in sent:
                await self._pass(ctx, one, idle, late, said)
            await self._drain(ctx)
            self.overrun = bool(ctx.get(self.packets.overrun))

        async def reader(ctx: Any) -> None:
            operations = self.packets.operations
            ctx.set(operations.ready, reads)
            async for _, _, valid, taken in ctx.tick().sample(operations.valid, operations.payload):
                if valid and reads:
                    self.operations.append(named(taken))

        simulator = Simulator(self.packets)
        simulator.add_clock(1e-6)
        simulator.add_process(reader)
        simulator.add_testbench(bench)
        simulator.run()
        return said

    async def _pass(self, ctx: Any, sent: Sent, idle: float, late: int, all_said: list[Said]) -> None:
        said = Said()
        all_said.append(said)
        ctx.set(self.packets.length, len(sent.payload))
        beats = list(beats_of(sent.payload, self.bus_bytes, self.random, idle))
        while beats and not beats[0].count:
            beats.pop(0)
        for cycle, beat in enumerate(beats):
            if beat.count:
                said.beat_cycles.append(cycle)
            self._set_feed(ctx, sent.feed, cycle if self.bus_bytes == 1 else len(said.beat_cycles) - 1)
            await self._tick(ctx, replace(beat, last=False) if sent.breaks_off else beat)
            if self.bus_bytes == 1:
                self._set_feed(ctx, sent.feed, cycle + 1)
            self._note_header(ctx, said, cycle + 1)
        cycle = len(beats)
        while cycle < len(beats) + LEVELS - 1 or ctx.get(self.packets.pending):
            await self._tick(ctx, Beat(0, 0))
            cycle += 1
            self._set_feed(ctx, sent.feed, cycle if self.bus_bytes == 1 else FEED_FROM[8])
            self._note_header(ctx, said, cycle)
        ctx.set(self.packets.feed, sent.feed)
        self._note_levels(ctx, said)
        for _ in range(late):
            await self._tick(ctx, Beat(0, 0))
        accept = sent.accepted and not sent.breaks_off and said.good and sent.feed in READERS
        strobe = self.packets.accept if accept else self.packets.discard
        ctx.set(strobe, 1)
        await self._tick(ctx, Beat(0, 0))
        ctx.set(strobe, 0)

    def _set_feed(self, ctx: Any, feed: Feed, since: int) -> None:
        ctx.set(self.packets.feed, feed if since >= FEED_FROM[self.bus_bytes] else int(self.random.integers(8)))

    async def _drain(self, ctx: Any) -> None:
        """Until nothing has come out for a while, or nobody takes it."""
        quiet = 0
        while quiet < 5:
            quiet = 0 if ctx.get(self.packets.operations.valid & self.packets.operations.ready) else quiet + 1
            await ctx.tick()

    async def _tick(self, ctx: Any, beat: Beat) -> None:
        bus = self.packets.payload
        ctx.set(bus.valid, beat.count > 0)
        ctx.set(bus.first, beat.first if beat.count else int(self.random.integers(2)))
        ctx.set(bus.last, beat.last if beat.count else int(self.random.integers(2)))
        ctx.set(bus.count, beat.count)
        ctx.set(bus.data, beat.data)
        await ctx.tick()
        ctx.set(bus.valid, 0)

    def _note_header(self, ctx: Any, said: Said, cycle: int) -> None:
        if ctx.get(self.packets.header):
            assert said.header is None, "one header per packet"
            packet = ctx.get(self.packets.packet)
            said.header = packet.number, packet.count, packet.wire_channel, packet.snapshot
            said.header_cycle = cycle

    def _note_levels(self, ctx: Any, said: Said) -> None:
        packets = self.packets
        said.bad_header, said.bad_messages = bool(ctx.get(packets.bad_header)), bool(ctx.get(packets.bad_messages))
        said.heartbeat, said.entries = bool(ctx.get(packets.heartbeat)), ctx.get(packets.entries)
        packet = ctx.get(packets.packet)
        if said.header is not None:
            assert said.header == (packet.number, packet.count, packet.wire_channel, packet.snapshot)


def named(taken: Any) -> Operation:
    """What an operation's kind gives a meaning to."""
    kind = OperationKind(taken.kind)
    known = ["kind", "clears", "ends", "counts"]
    if kind is not OperationKind.SKIP:
        known.append("wire")
    if kind in KINDS.values():
        known += ["side", "order"]
    if kind in (OperationKind.PUT, OperationKind.TRADE, OperationKind.DEAL):
        known.append("price")
    if kind in (OperationKind.PUT, OperationKind.REDUCE, OperationKind.TRADE, OperationKind.DEAL):
        known.append("quantity")
    if kind in (OperationKind.TRADE, OperationKind.DEAL):
        known.append("aggressor")
    if kind is OperationKind.TICKER:
        known += DOUBLES
    return {name: int(getattr(taken, name)) for name in known}


def expected_operations(feed: Feed, message: Message) -> list[Operation]:
    """A message of the reference as operations."""
    operation: Operation = {"kind": OperationKind.SKIP}
    operation |= {"clears": message.clears, "ends": message.ends, "counts": 1}
    if message.wire_instrument is None:
        return [operation]
    operation |= {"wire": message.wire_instrument}
    if feed is Feed.DERIBIT_LEGACY:
        return _stated(message, operation)
    operation |= {"kind": OperationKind.TOUCH}
    if message.change is not None:
        operation |= _change(message.change)
    if message.deals is not None:
        (deal,) = message.deals
        operation |= _deal(OperationKind.TRADE, deal)
    return [operation]


def _stated(message: Message, operation: Operation) -> list[Operation]:
    if message.quoted is not None:
        bits = [as_number(value, 64) for value in message.quoted.doubles]
        doubles = {name: signed(value) if name in SIGNED else value for name, value in zip(DOUBLES, bits, strict=True)}
        return [operation | {"kind": OperationKind.TICKER} | doubles]
    assert message.deals is not None
    deals = [operation | _deal(OperationKind.DEAL, deal) | {"counts": 0} for deal in message.deals]
    return [*deals, operation | {"kind": OperationKind.KNOWN}]


def _change(change: Change) -> Operation:
    operation: Operation = {
        "kind": KINDS[change.kind],
        "side": SIDES[change.side],
        "order": as_number(change.order, 64),
    }
    if change.kind is ChangeKind.PUT:
        operation["price"] = change.price
    if change.kind is not ChangeKind.DELETE:
        operation["quantity"] = change.quantity
    return operation


def _deal(kind: OperationKind, deal: Deal) -> Operation:
    return {"kind": kind, "price": signed(deal.price), "quantity": signed(deal.quantity), "aggressor": deal.aggressor}


def signed(value: int) -> int:
    """The number that 64 bits are in two's complement."""
    return value - (1 << 64) if value >> 63 > 0 else value


def assert_as_the_reference_says(sent: Sequence[Sent], said: Sequence[Said], operations: Sequence[Operation]) -> None:
    """Verdicts, headers, and the operations of those that were accepted."""
    known: list[Operation] = []
    for one, about in zip(sent, said, strict=True):
        known += _expected(one, about)
    assert list(operations) == known


def _expected(sent: Sent, said: Said) -> list[Operation]:
    read_header, read_messages = READERS[sent.feed]
    try:
        header = read_header(sent.payload)
    except BadPacket:
        assert said.bad_header, sent.payload.hex()
        return []
    assert not said.bad_header, sent.payload.hex()
    count = 0 if sent.feed is Feed.DERIBIT_LEGACY else header.count
    assert said.header == (header.number, count, header.channel, not header.in_sequence)
    assert said.heartbeat == (len(sent.payload) == HEADER_BYTES[sent.feed])
    try:
        messages = read_messages(sent.payload)
    except BadPacket:
        assert said.bad_messages, sent.payload.hex()
        return []
    assert not said.bad_messages, sent.payload.hex()
    operations = [operation for message in messages for operation in expected_operations(sent.feed, message)]
    assert said.entries == len(operations)
    return operations if sent.accepted else []
