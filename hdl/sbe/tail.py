"""Variable-length data at the end of a message: whether they end with the payload."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.records import LENGTH_BITS
from hdl.sbe.beats import lane_shape


class TailCheck(wiring.Component):
    """Compares the byte that counts a message's last data with the bytes that the payload has behind it.

    Members
    -------
    valid, start, length: the bus; ``start`` with the payload's first beat, ``length`` of the payload in bytes,
        stable from then to the last.
    take: strobe: ``byte`` in lane ``lane`` of the valid beat on the bus counts the data behind it. Never with
        ``start``. One per payload counts.
    ends: level, from the cycle after ``take`` to the cycle after the next ``start``: the payload has just these bytes
        more. 0 before.
    """

    def __init__(self, *, bus_bytes: int) -> None:
        self._bus_bytes = bus_bytes
        super().__init__(
            {
                "valid": In(1),
                "start": In(1),
                "length": In(LENGTH_BITS),
                "take": In(1),
                "byte": In(BYTE),
                "lane": In(lane_shape(bus_bytes)),
                "ends": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Both numbers are kept and compared a cycle later: the subtraction has a cycle of its own."""
        m = Module()
        left, room = Signal(signed(LENGTH_BITS + 1)), Signal(signed(LENGTH_BITS + 1))
        expected, taken = Signal(BYTE), Signal()
        m.d.comb += self.ends.eq(taken & (room == expected))
        with m.If(self.valid):
            m.d.sync += left.eq(Mux(self.start, self.length, left) - self._bus_bytes)
        with m.If(self.valid & self.start):
            m.d.sync += taken.eq(0)
        with m.Elif(self.take):
            m.d.sync += [taken.eq(1), room.eq(left - self.lane - 1), expected.eq(self.byte)]
        return m
