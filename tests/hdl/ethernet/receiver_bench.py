"""Frames into a receiver whose one known destination is that of the frame builder; its answers as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.receiver import VERDICT_CYCLES, FrameReceiver
from hdl.parameters import CoreParameters
from hdl.records import Drop
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping
from market.fastpath.reference.frames import Datagram, read_frame
from market.fastpath.reference.state import State
from market.fastpath.reference.tables import ChannelRow
from market.fastpath.specification import EngineSizes
from tests.hdl.compiled import compiled

PORT = Wrapping().port


@dataclass
class Received:
    """What a receiver said about one frame; ``payload`` has all bytes put out, ``complete`` is its ``last``."""

    drop: Drop
    drops: tuple[Drop, Drop] = (Drop.NONE, Drop.NONE)
    payload: bytes = b""
    complete: bool = False
    length: int = 0


@dataclass
class Line:
    """Beats of frames with so many idle cycles behind each; ``errors`` are the numbers of frames in error."""

    frames: list[bytes]
    gap: int = 4
    errors: frozenset[int] = frozenset()
    beats_apart: int = 0
    "Idle cycles behind each beat within a frame."

    def beats(self, width: int) -> Iterator[tuple[int, int]]:
        """Per cycle the bus as one number (valid, first, last, error, count, data), and the frame that ends, or -1."""
        for number, frame in enumerate(self.frames):
            starts = range(0, max(len(frame), 1), width)
            for start in starts:
                octets = frame[start : start + width]
                is_last = start == starts[-1]
                flags = 1 | (start == 0) << 1 | is_last << 2 | (is_last and number in self.errors) << 3
                bus = flags | len(octets) << 4 | int.from_bytes(octets, "little") << 8
                yield bus, number if is_last else -1
                for _ in range(self.gap if is_last else self.beats_apart):
                    yield 0, -1
        for _ in range(8):
            yield 0, -1


class Reception(wiring.Component):
    """A receiver with one known destination; what it says, packed into few ports."""

    def __init__(self, parameters: CoreParameters) -> None:
        self._receiver = receiver = FrameReceiver(parameters)
        ahead = {"ahead": receiver.ahead} if parameters.ahead_bytes else {}
        self._seen = {
            "strobes": Cat(receiver.end, receiver.payload.valid, receiver.begin),
            "beat": Cat(receiver.payload.valid, receiver.payload.first, receiver.payload.last, Const(0, 1)),
            "count": receiver.payload.count,
            "data": receiver.payload.data,
            "drops": Cat(receiver.drop, receiver.drop_when_found, receiver.drop_when_unknown),
            "length": receiver.length,
            **ahead,
        }
        outputs = {name: Out(len(value)) for name, value in self._seen.items()}
        super().__init__({"bus": In(8 + parameters.bus_bits), **outputs})

    def elaborate(self, platform: object) -> Module:
        """The bus is one number: valid, first, last, error, count and data."""
        m = Module()
        m.submodules.receiver = receiver = self._receiver
        rx = receiver.rx
        m.d.comb += [
            Cat(rx.valid, rx.first, rx.last, rx.error).eq(self.bus),
            rx.count.eq(self.bus[4:8]),
            rx.data.eq(self.bus[8:]),
            *(getattr(self, name).eq(value) for name, value in self._seen.items()),
        ]
        with m.If(receiver.lookup):
            m.d.sync += receiver.found.eq((receiver.address == ADDRESS) & (receiver.port == PORT))
        return m


@dataclass
class ReceiverBench:
    """A receiver of one bus width and everything it put out.

    ``ahead``: of a paced one, what it showed behind each full beat of payload, and how many bytes were before that.
    """

    bus_bytes: int
    paced: bool = False
    ahead: list[tuple[int, bytes]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def run(self, line: Line) -> list[Received]:
        """The verdicts over the frames of a line; asserts the cycles of every strobe on the way."""
        parameters = CoreParameters(bus_bytes=self.bus_bytes, paced=self.paced)
        reception = compiled(Reception, parameters)
        said = reception.component
        self.received.clear()

        async def bench(ctx: Any) -> None:
            octets, complete = bytearray(), False
            due: list[int] = []
            for cycle, (value, ending) in enumerate(line.beats(self.bus_bytes)):
                ctx.set(said.bus, value)
                seen = ctx.get(said.strobes)
                assert seen >> 2 == (value & 3 == 3)
                if seen & 2:
                    flags = ctx.get(said.beat)
                    if flags & 2:
                        octets.clear()
                        complete = False
                    assert not complete
                    octets += ctx.get(said.data).to_bytes(self.bus_bytes, "little")[: ctx.get(said.count)]
                    complete = bool(flags & 4)
                    if self.paced and len(octets) % self.bus_bytes == 0:
                        self.ahead.append((len(octets), ctx.get(said.ahead).to_bytes(parameters.ahead_bytes, "little")))
                if ending >= 0:
                    due.append(cycle + VERDICT_CYCLES[self.bus_bytes])
                if seen & 1:
                    assert due.pop(0) == cycle
                    packed = ctx.get(said.drops)
                    drop, *others = (Drop(packed >> at & 7) for at in (0, 3, 6))
                    length = ctx.get(said.length)
                    self.received.append(Received(drop, (others[0], others[1]), bytes(octets), complete, length))
                    octets.clear()
                    complete = False
                await ctx.tick()
            assert not due

        reception.run(bench)
        return list(self.received)


def expected(frame: bytes, is_known: bool = True) -> Drop | bytes:
    """What the reference says about a frame: why it is dropped, or its payload."""
    state = State(EngineSizes())
    state.channels[3] = ChannelRow(ADDRESS, PORT, venue=0, feed=1, instrument=0, enabled=is_known)
    found = read_frame(state, frame)
    return found.payload if isinstance(found, Datagram) else Drop(found + 1)


def check(line: Line, bus_bytes: int) -> list[Received]:
    """Runs a line and compares every frame with the reference."""
    received = ReceiverBench(bus_bytes).run(line)
    assert len(received) == len(line.frames)
    for number, (frame, said) in enumerate(zip(line.frames, received, strict=True)):
        wanted = Drop.BAD_FCS if number in line.errors else expected(frame)
        if isinstance(wanted, bytes):
            assert (said.drop, said.length, said.payload) == (Drop.NONE, len(wanted), wanted), frame.hex()
            assert said.complete or not wanted, frame.hex()
        else:
            assert said.drop == wanted, frame.hex()
        if number not in line.errors:
            both = tuple(Drop.NONE if isinstance(e, bytes) else e for e in (expected(frame), expected(frame, False)))
            if wanted != Drop.NOT_OURS or both[0] != both[1]:
                assert said.drops[1] == both[1], frame.hex()
    return received


def chunks(frames: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Lists of at most so many frames."""
    listed = list(frames)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
