"""Runs packets through a dispatcher, and the same packets through the compiled decoder of their format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from hdl.parameters import CoreParameters
from hdl.sbe.packet import PacketDispatcher
from hdl.sbe.packet_format import PacketFormat
from market.wire.binary import (
    FIRST_FIELD,
    PACKET_REASON,
    PACKET_ROWS,
    PACKET_SEQUENCE,
    PACKET_SKIPPED,
    PACKET_TIME,
    ROW_TEMPLATE,
    BinaryBatch,
    BinaryReject,
)
from market.wire.sbe import Schema
from tests.hdl.sbe.bus import Beat, beats_of
from tests.market.wire import packet_samples

GAP = 2
Message = tuple[str, dict[str, int]]


@dataclass
class Packet:
    """What is known of a packet; ``messages`` and what else it has mean nothing unless it is ``whole``.

    ``strobes`` has the cycle of each message, ``beat_cycles`` that of each beat.
    """

    whole: bool = False
    time: int = 0
    sequence: int = 0
    skipped: int = 0
    messages: list[Message] = field(default_factory=list)
    strobes: list[int] = field(default_factory=list)
    beat_cycles: list[int] = field(default_factory=list)


class Bench:
    """A dispatcher in a simulator."""

    def __init__(self, bus_bytes: int, form: PacketFormat, *, seed: int = 0) -> None:
        self.form, self.bus_bytes = form, bus_bytes
        self.dispatcher = PacketDispatcher(CoreParameters(bus_bytes=bus_bytes), form)
        self.random = np.random.default_rng(seed)

    def run(self, payloads: Sequence[bytes], *, idle: float = 0.1, broken_off: Sequence[int] = ()) -> list[Packet]:
        """What is said of each packet; those at the positions ``broken_off`` have no last beat."""
        found = [Packet() for _ in payloads]

        async def bench(ctx: Any) -> None:
            for index, payload in enumerate(payloads):
                beats = list(beats_of(payload, self.bus_bytes, self.random, idle))
                if index in broken_off:
                    beats = [replace(beat, last=False) for beat in beats]
                await self._pass(ctx, payload, found[index], beats)

        simulator = Simulator(self.dispatcher)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        return found

    async def _pass(self, ctx: Any, payload: bytes, packet: Packet, beats: list[Beat]) -> None:
        part = self.dispatcher
        ctx.set(part.length, len(payload))
        for cycle, beat in enumerate([*beats, *[Beat(0, 0)] * GAP]):
            if beat.count:
                packet.beat_cycles.append(cycle)
            await self._tick(ctx, beat)
            self._note(ctx, packet, cycle + 1)
            if cycle + 1 == len(beats):
                packet.whole = bool(ctx.get(part.whole))
        if not beats:
            packet.whole = bool(ctx.get(part.whole))
        packet.time, packet.sequence = ctx.get(part.packet.sendingTime), ctx.get(part.packet.seqNum)

    async def _tick(self, ctx: Any, beat: Beat) -> None:
        bus = self.dispatcher.payload
        ctx.set(bus.valid, beat.count > 0)
        ctx.set(bus.first, beat.first if beat.count else int(self.random.integers(2)))
        ctx.set(bus.last, beat.last if beat.count else int(self.random.integers(2)))
        ctx.set(bus.count, beat.count)
        ctx.set(bus.data, beat.data)
        await ctx.tick()
        ctx.set(bus.valid, 0)

    def _note(self, ctx: Any, packet: Packet, cycle: int) -> None:
        part = self.dispatcher
        packet.skipped += ctx.get(part.skipped)
        if not ctx.get(part.message):
            return
        (name,) = [item.name for item in self.form.messages if ctx.get(part.kind[item.name])]
        (message,) = [item for item in self.form.messages if item.name == name]
        packet.messages.append((name, {place.name: ctx.get(part.fields[name][place.name]) for place in message.places}))
        packet.strobes.append(cycle)


def fields_of(schema: Schema, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Every field of the messages."""
    return {name: tuple(schema.message(name).fields) for name in names}


def expected(form: packet_samples.PacketFormat, batch: BinaryBatch, payload: bytes, names: Sequence[str]) -> Packet:
    """The packet as the compiled decoder reads it, messages of other names being skipped."""
    buffer, bounds = np.frombuffer(payload or b"\0", dtype=np.uint8).copy(), np.array([0, len(payload)])
    assert form.decode_packets(buffer, bounds, batch) == 1
    columns = batch.packets[0]
    whole = columns[PACKET_REASON] == BinaryReject.NONE
    packet = Packet(bool(whole), int(columns[PACKET_TIME]), int(columns[PACKET_SEQUENCE]), int(columns[PACKET_SKIPPED]))
    for row in batch.rows[: columns[PACKET_ROWS]].tolist():
        layout = form.schema.by_template(row[ROW_TEMPLATE])
        if layout.name not in names:
            packet.skipped += 1
            continue
        on_wire = [name.replace(".", "_") for name, leaf in layout.fields.items() if leaf.constant is None]
        packet.messages.append((layout.name, dict(zip(on_wire, row[FIRST_FIELD:], strict=False))))
    return packet


def assert_equal(found: Packet, known: Packet, payload: bytes) -> None:
    assert found.whole == known.whole, payload.hex()
    if not known.whole:
        return
    assert (found.time, found.sequence, found.skipped) == (known.time, known.sequence, known.skipped)
    assert [name for name, _ in found.messages] == [name for name, _ in known.messages]
    for (_, fields), (_, all_fields) in zip(found.messages, known.messages, strict=True):
        assert fields == {name: all_fields[name] for name in fields}
