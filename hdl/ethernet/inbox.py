"""Datagrams to one address and port as bytes: the way of control messages over the line."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.receiver import FrameReceiver
from hdl.octet_stream import octet_stream
from hdl.parameters import CoreParameters
from hdl.records import Drop, FrameBus
from market.errors import Fatal

DEPTH: Final = 4_096
"""Bytes that wait; a datagram has at most 1,472."""


class Inbox(wiring.Component):
    """Keeps the payloads of datagrams to one destination until they are taken; what a bad frame brought is forgotten.

    Parameters
    ----------
    parameters: the build, with a bus of one byte; for another its elaboration is ``Fatal``.

    Members
    -------
    rx: frames. address, port: the destination.
    octets: payloads, each once its frame has been found good.
    lost: strobe: a good datagram found no room.
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
        """A ring: bytes are written as they come, and belong to the reader from their frame's verdict on."""
        if self._parameters.bus_bytes != 1:
            raise Fatal(f"an inbox reads a bus of 1 byte, not of {self._parameters.bus_bytes}")
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver(self._parameters)
        m.submodules.ring = ring = memory.Memory(shape=9, depth=DEPTH, init=[])
        write, read = ring.write_port(), ring.read_port()
        wiring.connect(m, wiring.flipped(self.rx), receiver.rx)
        payload = receiver.payload
        written, kept, taken = (Signal(range(DEPTH), name=name) for name in ("written", "kept", "taken"))
        ours, overflow, is_full, shows = Signal(), Signal(), Signal(), Signal()
        with m.If(receiver.lookup):
            m.d.sync += ours.eq((receiver.address == self.address) & (receiver.port == self.port))
        m.d.comb += [
            receiver.found.eq(ours),
            is_full.eq((written + 1)[: len(written)] == taken),
            write.addr.eq(written),
            write.data.eq(Cat(payload.data, payload.last)),
            write.en.eq(payload.valid & ours & ~is_full),
        ]
        with m.If(receiver.begin):
            m.d.sync += ours.eq(0)
        with m.If(write.en):
            m.d.sync += written.eq(written + 1)
        with m.If(payload.valid & ours & is_full):
            m.d.sync += overflow.eq(1)
        with m.If(receiver.end):
            m.d.sync += overflow.eq(0)
            with m.If((receiver.drop == Drop.NONE) & ~overflow):
                m.d.sync += kept.eq(written)
            with m.Else():
                m.d.sync += written.eq(kept)
        m.d.comb += [
            self.lost.eq(receiver.end & (receiver.drop == Drop.NONE) & overflow),
            read.addr.eq(taken),
            self.octets.valid.eq(shows),
            self.octets.payload.data.eq(read.data[:8]),
            self.octets.payload.last.eq(read.data[8]),
        ]
        # the memory shows a byte in the cycle after its address is there; the address stays until the byte is taken
        m.d.sync += shows.eq((taken != kept) & ~(shows & self.octets.ready))
        with m.If(shows & self.octets.ready):
            m.d.sync += taken.eq(taken + 1)
        return m
