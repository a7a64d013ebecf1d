"""Two sources of frames on one way out, a frame at a time."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import FrameBus


class FrameMerger(wiring.Component):
    """Passes the frames of ``first`` in the cycle in which they come; those of ``other`` between them.

    Members
    -------
    first, first_ready: frames that must not wait. Only a frame of ``other`` that has begun holds them up.
    other, other_ready: frames that may; one that is offered begins in the cycle after one without a frame of ``first``.
    merged, ready: the frames of both. Within a frame ``valid`` stays set.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        bus = FrameBus(parameters)
        super().__init__(
            {
                "first": In(bus),
                "first_ready": Out(1),
                "other": In(bus),
                "other_ready": Out(1),
                "merged": Out(bus),
                "ready": In(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Whose turn it is comes from a register alone: nothing is added to the way of ``first`` but a choice."""
        m = Module()
        of_other = Signal()
        for name in self.merged.signature.members:
            ours, theirs = getattr(self.first, name), getattr(self.other, name)
            m.d.comb += getattr(self.merged, name).eq(Mux(of_other, theirs, ours))
        m.d.comb += [self.first_ready.eq(self.ready & ~of_other), self.other_ready.eq(self.ready & of_other)]
        with m.If(of_other):
            m.d.sync += of_other.eq(~(self.other.valid & self.other.last & self.ready))
        with m.Else():
            m.d.sync += of_other.eq(self.other.valid & ~self.first.valid)
        return m
