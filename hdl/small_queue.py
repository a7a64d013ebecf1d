"""A queue in distributed RAM."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out


class SmallQueue(wiring.Component):
    """Holds what comes in until it is taken, where there is no time for ``BlockQueue``; it shows it late in a cycle.

    Members
    -------
    before, after: the stream; an entry is in ``after`` from the cycle after it came in on.
    empty: nothing is held. room: ``before`` will be ready in the next cycle, too, whatever comes now.
    """

    def __init__(self, shape: Any, depth: int) -> None:
        self._depth = depth
        signature = stream.Signature(shape)
        super().__init__({"before": In(signature), "after": Out(signature), "empty": Out(1), "room": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        before, after = self.before, self.after
        m.submodules.queue = queue = SyncFIFO(width=Value.cast(before.payload).shape().width, depth=self._depth)
        m.d.comb += [
            queue.w_data.eq(before.payload),
            queue.w_en.eq(before.valid),
            before.ready.eq(queue.w_rdy),
            Value.cast(after.payload).eq(queue.r_data),
            after.valid.eq(queue.r_rdy),
            queue.r_en.eq(after.ready),
            self.empty.eq(~queue.r_rdy),
            self.room.eq(queue.level < self._depth - 1),
        ]
        return m
