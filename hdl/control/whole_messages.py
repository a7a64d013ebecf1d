"""Keeps messages that come slowly until each is whole, so that they do not hold up who takes them."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.octet_stream import octet_stream


class WholeMessages(wiring.Component):
    """A ring of bytes; what finds it full is lost whole.

    Parameters
    ----------
    depth: bytes that it holds, one less than a power of two of places; the longest message is as long.

    Members
    -------
    octets: messages, always taken.
    whole: the same messages, each from its last byte on, one byte in two cycles.
    lost: strobe: a message found no room.
    """

    def __init__(self, depth: int) -> None:
        self._places = depth + 1
        super().__init__({"octets": In(octet_stream()), "whole": Out(octet_stream()), "lost": Out(1)})

    def elaborate(self, platform: Any) -> Module:
        """Bytes are written as they come, and belong to the reader from the last one of their message on."""
        m = Module()
        m.submodules.ring = ring = memory.Memory(shape=9, depth=self._places, init=[])
        write, read = ring.write_port(), ring.read_port()
        written, kept, taken = (Signal(range(self._places), name=name) for name in ("written", "kept", "taken"))
        overflow, is_full, shows = Signal(), Signal(), Signal()
        octet, behind = self.octets.payload, (written + 1)[: len(written)]
        m.d.comb += [
            self.octets.ready.eq(1),
            is_full.eq(behind == taken),
            write.addr.eq(written),
            write.data.eq(Cat(octet.data, octet.last)),
            write.en.eq(self.octets.valid & ~is_full),
            self.lost.eq(self.octets.valid & octet.last & (overflow | is_full)),
            read.addr.eq(taken),
            self.whole.valid.eq(shows),
            self.whole.payload.data.eq(read.data[:8]),
            self.whole.payload.last.eq(read.data[8]),
        ]
        with m.If(self.octets.valid):
            m.d.sync += overflow.eq((overflow | is_full) & ~octet.last)
            with m.If(self.lost):
                m.d.sync += written.eq(kept)
            with m.Elif(~is_full):
                m.d.sync += written.eq(behind)
                with m.If(octet.last):
                    m.d.sync += kept.eq(behind)
        # the memory shows a byte in the cycle after its address is there; the address stays until the byte is taken
        m.d.sync += shows.eq((taken != kept) & ~(shows & self.whole.ready))
        with m.If(shows & self.whole.ready):
            m.d.sync += taken.eq(taken + 1)
        return m
