"""Two sources of messages on one way, a message at a time."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class MessageMerger(wiring.Component):
    """Passes messages on, whole ones, in the cycle in which they come.

    Parameters
    ----------
    layout: of a beat; its field ``last`` is set on each message's last one.

    Members
    -------
    preferred, other: the sources; where both have a message, ``preferred`` goes first.
    merged: the messages of both.
    """

    def __init__(self, layout: Any) -> None:
        signature = stream.Signature(layout)
        super().__init__({"preferred": In(signature), "other": In(signature), "merged": Out(signature)})

    def elaborate(self, platform: object) -> Module:
        """Whose turn it is stays so from a message's first beat, shown or taken, to its last."""
        m = Module()
        inside, of_other, chosen = Signal(), Signal(), Signal()
        preferred, other, merged = self.preferred, self.other, self.merged
        m.d.comb += [
            chosen.eq(Mux(inside, of_other, ~preferred.valid)),
            merged.valid.eq(Mux(chosen, other.valid, preferred.valid)),
            Value.cast(merged.payload).eq(Mux(chosen, Value.cast(other.payload), Value.cast(preferred.payload))),
            preferred.ready.eq(merged.ready & ~chosen),
            other.ready.eq(merged.ready & chosen),
        ]
        with m.If(merged.valid):
            m.d.sync += [inside.eq(~(merged.ready & merged.payload.last)), of_other.eq(chosen)]
        return m
