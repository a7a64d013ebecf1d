"""Registers between who writes frames and who takes them."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import FrameBus


class FrameStage(wiring.Component):
    """Passes frames on from registers, both ways, without a gap within a frame that has none.

    Members
    -------
    before, before_ready: frames in. after, after_ready: the same a cycle later.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        bus = FrameBus(parameters)
        ready = {"before_ready": Out(1, init=1), "after_ready": In(1)}
        super().__init__({"before": In(bus), "after": Out(bus), **ready})

    def elaborate(self, platform: Any) -> Module:
        """A second beat waits behind the first while that is not taken: so it takes a cycle to say so."""
        m = Module()
        names = [name for name in self.before.signature.members if name != "valid"]
        came = Cat(getattr(self.before, name) for name in names)
        shown = Cat(getattr(self.after, name) for name in names)
        held = Signal(len(came))
        with m.If(~self.after.valid | self.after_ready):
            m.d.sync += [
                shown.eq(Mux(self.before_ready, came, held)),
                self.after.valid.eq(self.before.valid | ~self.before_ready),
                self.before_ready.eq(1),
            ]
        with m.Elif(self.before.valid & self.before_ready):
            m.d.sync += [held.eq(came), self.before_ready.eq(0)]
        return m
