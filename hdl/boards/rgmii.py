"""RGMII at 1 Gbit/s: from what the DDR registers of the pads show to frames, and back.

Ref: Reduced Gigabit Media Independent Interface, version 2.0, 3.3 and 3.4: the low half of a byte goes with the rising
edge, the high one with the falling edge; the control line shows "valid" with the rising edge, and "valid" XOR "error"
with the falling edge.
"""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BusWidth
from hdl.records import FrameBus

PREAMBLE: Final = 0x55
START_OF_FRAME: Final = 0xD5
PREAMBLE_BYTES: Final = 7
PREAMBLE_CYCLES: Final = PREAMBLE_BYTES + 1
"""From the cycle in which a frame is offered to a free transmitter to the one in which its first beat passes."""
GAP_BYTES: Final = 12
"""The least distance between two frames on the line (IEEE Std 802.3-2018 4.4.2)."""
ERROR_COUNT_BITS: Final = 32

edges_layout: Final = data.StructLayout(
    {"low": unsigned(4), "high": unsigned(4), "valid": unsigned(1), "error": unsigned(1)}
)
"""One clock cycle of the lines: the halves of the byte, and the control line at the rising and the falling edge."""


class RgmiiReceiver(wiring.Component):
    """Finds frames between preamble and end of carrier.

    A byte is on ``rx`` two cycles after it is on ``line``: only the next cycle says whether it was the last, and pads
    are far from everything else. A carrier without a start of frame is no frame; a start of frame with nothing behind
    it is an empty one.

    Parameters
    ----------
    parameters: of a bus of one byte. count_bits: of ``errors``.

    Members
    -------
    line: what the DDR registers of the pads show.
    rx: frames; ``error`` on the last beat if the line was in error since the carrier began.
    errors: carriers with an error or without a start of frame, modulo 2^32 or 2 to the power of ``count_bits``.
    """

    def __init__(self, parameters: BusWidth, count_bits: int = ERROR_COUNT_BITS) -> None:
        super().__init__({"line": In(edges_layout), "rx": Out(FrameBus(parameters)), "errors": Out(count_bits)})

    def elaborate(self, platform: object) -> Module:
        """One byte waits for the cycle behind it."""
        m = Module()
        octet, held, inside, begun, damaged = Signal(8), Signal(), Signal(), Signal(), Signal()
        carrier, carried, in_error = Signal(), Signal(), Signal()
        ends, passes = Signal(), Signal()
        line, rx = self.line, self.rx
        m.d.comb += [
            carrier.eq(line.valid),
            in_error.eq(line.valid & ~line.error),
            ends.eq(carried & ~carrier),
            passes.eq(held | (inside & ends)),
        ]
        m.d.sync += [
            rx.valid.eq(passes),
            rx.first.eq(~begun),
            rx.last.eq(ends),
            rx.data.eq(octet),
            rx.count.eq(held),
            rx.error.eq(ends & damaged),
        ]
        m.d.sync += [carried.eq(carrier), octet.eq(data_of(line)), held.eq(inside & carrier)]
        with m.If(passes):
            m.d.sync += begun.eq(1)
        with m.If(~carrier):
            m.d.sync += [inside.eq(0), begun.eq(0), damaged.eq(0)]
        with m.Else():
            with m.If(data_of(line) == START_OF_FRAME):
                m.d.sync += inside.eq(1)
            m.d.sync += damaged.eq(damaged | in_error)
        counted = Signal()
        m.d.sync += counted.eq(ends & (damaged | ~inside))
        with m.If(counted):
            m.d.sync += self.errors.eq(self.errors + 1)
        return m


def data_of(line: data.View) -> data.View:
    """The byte of one cycle."""
    return line.as_value()[:8]


class RgmiiTransmitter(wiring.Component):
    """Puts a preamble in front of each frame and a gap behind it.

    The first byte of the preamble is on ``line`` in the cycle after a frame's first beat is offered. A cycle in which
    a frame does not go on is marked as in error, and so is a beat with ``error``.

    Parameters
    ----------
    parameters: of a bus of one byte.

    Members
    -------
    tx, ready: frames; a beat passes in a cycle of ``tx.valid`` and ``ready``.
    line: what the DDR registers of the pads put out.
    """

    def __init__(self, parameters: BusWidth) -> None:
        super().__init__({"tx": In(FrameBus(parameters)), "ready": Out(1), "line": Out(edges_layout)})

    def elaborate(self, platform: object) -> Module:
        """The byte of a cycle is chosen in the cycle before."""
        m = Module()
        octet, valid, error = Signal(8), Signal(), Signal()
        left = Signal(range(GAP_BYTES))
        m.d.comb += [
            self.line.low.eq(octet[:4]),
            self.line.high.eq(octet[4:]),
            self.line.valid.eq(valid),
            self.line.error.eq(valid ^ error),
        ]
        m.d.sync += [valid.eq(0), error.eq(0), octet.eq(PREAMBLE)]
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.FSM(name="line"):
            with m.State("FREE"), m.If(self.tx.valid):
                m.d.sync += [valid.eq(1), left.eq(PREAMBLE_BYTES - 1)]
                m.next = "PREAMBLE"
            with m.State("PREAMBLE"):
                m.d.sync += [valid.eq(1), octet.eq(Mux(left == 0, START_OF_FRAME, PREAMBLE))]
                with m.If(left == 0):
                    m.next = "FRAME"
            with m.State("FRAME"):
                m.d.comb += self.ready.eq(1)
                m.d.sync += [valid.eq(1), octet.eq(self.tx.data), error.eq(self.tx.error | ~self.tx.valid)]
                with m.If(self.tx.valid & self.tx.last):
                    m.d.sync += left.eq(GAP_BYTES - 1)
                    m.next = "GAP"
            with m.State("GAP"), m.If(left == 0):
                m.next = "FREE"
        return m
