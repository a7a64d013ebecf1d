"""Datagrams to one address and port as bytes, from a bus of eight bytes, with the logic of one byte per cycle."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.headers import ETHERTYPE_TAG
from hdl.ethernet.receiver import FrameReceiver
from hdl.octet_stream import octet_stream
from hdl.parameters import BYTE, CoreParameters
from hdl.records import Drop, FrameBus
from market.errors import Fatal

BEAT_BYTES: Final = 8
BEATS: Final = 512
"""Places for beats of frames that wait, headers and all; one stays free."""
_COUNTED: Final = 8
_stored_layout: Final = data.StructLayout({"data": 64, "rest": 3, "last": 1, "error": 1})
"""A beat; ``rest``: its bytes less one."""


class BeatInbox(wiring.Component):
    """Keeps frames to one destination, reads them slowly, and gives the payloads of those that are good.

    A frame goes through the receiver of one byte per cycle twice: for the verdict over it, and then, if it is good,
    for its payload. Frames to others are left out before that, so that the line may bring more than one byte per cycle.

    Parameters
    ----------
    parameters: the build, with a bus of eight bytes; for another its elaboration is ``Fatal``.

    Members
    -------
    rx: frames. address, port: the destination, which must not change.
    octets: payloads of good frames, a byte in three cycles at most.
    lost: strobe: a frame to the destination, good or not, found no room.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "rx": In(FrameBus(parameters)),
                "address": In(32),
                "port": In(16),
                "octets": Out(octet_stream()),
                "lost": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A ring: beats are written as they come, and belong to the reader when their frame has ended and is ours."""
        if self._parameters.bus_bytes != BEAT_BYTES:
            raise Fatal(f"expected a bus of {BEAT_BYTES} bytes, not of {self._parameters.bus_bytes}")
        m = Module()
        m.submodules.ring = ring = memory.Memory(shape=_stored_layout, depth=BEATS, init=[])
        write, read = ring.write_port(), ring.read_port()
        rx, is_ours = self.rx, self._destination(m)
        written, kept, taken = (Signal(range(BEATS), name=name) for name in ("written", "kept", "taken"))
        behind, overflow, has_room = Signal(range(BEATS)), Signal(), Signal()
        m.d.comb += [
            behind.eq(written + 1),
            has_room.eq((behind != taken) & ~overflow),
            write.addr.eq(written),
            write.data.data.eq(rx.data),
            write.data.rest.eq((rx.count - 1)[:3]),
            write.data.last.eq(rx.last),
            write.data.error.eq(rx.error),
            write.en.eq(rx.valid & has_room),
            self.lost.eq(rx.valid & rx.last & is_ours & ~has_room),
        ]
        with m.If(rx.valid):
            m.d.sync += overflow.eq(~has_room & ~rx.last)
            with m.If(rx.last & ~(is_ours & has_room)):
                m.d.sync += written.eq(kept)
            with m.Elif(has_room):
                m.d.sync += written.eq(behind)
                with m.If(rx.last):
                    m.d.sync += kept.eq(behind)
        self._read(m, read, kept, taken)
        return m

    def _destination(self, m: Module) -> Value:
        """Whether the frame is to our address and port, with or without a tag; known before its last beat."""
        rx = self.rx
        beat, at = Signal(range(_COUNTED)), Signal(range(_COUNTED))
        tagged, begun, ours = Signal(), Signal(), Signal()
        m.d.comb += at.eq(Mux(rx.first, 0, beat))
        address, port = _wire_order(self.address), _wire_order(self.port)
        with m.If(rx.valid):
            m.d.sync += beat.eq(Mux(at == _COUNTED - 1, at, at + 1))
            with m.If(rx.first):
                m.d.sync += ours.eq(0)
            with m.If(at == 1):
                m.d.sync += tagged.eq(rx.data[32:48] == _wire_order(Const(ETHERTYPE_TAG, 16)))
            with m.If(at == 3):
                m.d.sync += begun.eq(rx.data[48:] == address[:16])
            with m.If(at == 4):
                with m.If(tagged):
                    m.d.sync += begun.eq(rx.data[16:48] == address)
                with m.Else():
                    m.d.sync += ours.eq(begun & (rx.data[:16] == address[16:]) & (rx.data[32:48] == port))
            with m.If((at == 5) & tagged):
                m.d.sync += ours.eq(begun & (rx.data[:16] == port))
        return ours

    def _read(self, m: Module, read: memory.ReadPort, kept: Signal, taken: Signal) -> None:
        """A byte of a beat per cycle while a frame is judged; one at a time, until it is taken, when it is given.

        The memory shows a beat in the cycle after its address is there.
        """
        m.submodules.receiver = receiver = FrameReceiver(CoreParameters(self._parameters.capacity, bus_bytes=1))
        fed, octets, payload = receiver.rx, self.octets, receiver.payload
        at, lane, shows, begins = Signal(range(BEATS)), Signal(range(BEAT_BYTES)), Signal(), Signal(init=1)
        judging, giving = Signal(), Signal()
        steps, beat_ends, frame_ends, rewinds = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            read.addr.eq(at),
            fed.count.eq(1),
            receiver.found.eq(1),
            steps.eq(shows & ~judging & ~(giving & (fed.valid | octets.valid))),
            beat_ends.eq(steps & (lane == read.data.rest)),
            frame_ends.eq(beat_ends & read.data.last),
            rewinds.eq(judging & receiver.end & (receiver.drop == Drop.NONE)),
        ]
        m.d.sync += [
            fed.valid.eq(steps),
            fed.first.eq(begins),
            fed.last.eq(frame_ends),
            fed.error.eq(frame_ends & read.data.error),
            fed.data.eq(read.data.data.word_select(lane, BYTE)),
            shows.eq((at != kept) & ~beat_ends & ~rewinds),
        ]
        with m.If(steps):
            m.d.sync += [lane.eq(Mux(beat_ends, 0, lane + 1)), begins.eq(frame_ends), at.eq(at + beat_ends)]
        with m.If(frame_ends):
            m.d.sync += [judging.eq(~giving), giving.eq(0)]
            with m.If(giving):
                m.d.sync += taken.eq(at + 1)
        with m.If(judging & receiver.end):
            m.d.sync += judging.eq(0)
            with m.If(rewinds):
                m.d.sync += [at.eq(taken), giving.eq(1)]
            with m.Else():
                m.d.sync += taken.eq(at)
        with m.If(octets.ready):
            m.d.sync += octets.valid.eq(0)
        with m.If(giving & fed.valid & payload.valid):
            m.d.sync += [
                octets.valid.eq(1),
                octets.payload.data.eq(payload.data),
                octets.payload.last.eq(payload.last),
            ]


def _wire_order(number: Value) -> Value:
    """The bytes of a number, the most significant first."""
    return Cat(*(number[at : at + BYTE] for at in reversed(range(0, len(number), BYTE))))
