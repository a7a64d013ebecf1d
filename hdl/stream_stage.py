"""A register between two components that a stream connects."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamStage(wiring.Component):
    """Passes a stream on from registers, both ways; a value in two cycles at most.

    Members
    -------
    before, after: the stream. empty: nothing is held.
    """

    def __init__(self, shape: Any) -> None:
        signature = stream.Signature(shape)
        super().__init__({"before": In(signature), "after": Out(signature), "empty": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        before, after = self.before, self.after
        m.d.comb += [before.ready.eq(~after.valid), self.empty.eq(~after.valid)]
        with m.If(before.valid & before.ready):
            m.d.sync += [Value.cast(after.payload).eq(Value.cast(before.payload)), after.valid.eq(1)]
        with m.Elif(after.ready):
            m.d.sync += after.valid.eq(0)
        return m
