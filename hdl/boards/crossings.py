"""From one clock to another: frames, bytes, counters. No clock has to have anything to do with the other."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.fifo import AsyncFIFO
from amaranth.lib.wiring import In, Out

from hdl.parameters import BusWidth
from hdl.records import FrameBus


class FrameCrossing(wiring.Component):
    """A queue of beats between two clocks; a beat is there two to four cycles of the reading clock after it was given.

    Parameters
    ----------
    parameters: of the bus. depth: beats, a power of two. written, read: domains of both sides.

    Members
    -------
    before, before_ready: frames in. after, after_ready: frames out. A beat passes in a cycle of both.
    """

    def __init__(self, parameters: BusWidth, depth: int, *, written: str, read: str) -> None:
        bus = FrameBus(parameters)
        self._depth, self._written, self._read = depth, written, read
        super().__init__({"before": In(bus), "before_ready": Out(1), "after": Out(bus), "after_ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        """All of a beat but ``valid`` is one word of the queue."""
        m = Module()
        names = [name for name in self.before.signature.members if name != "valid"]
        came, shown = (Cat(getattr(bus, name) for name in names) for bus in (self.before, self.after))
        queue = _queue(m, len(came), self._depth, self._written, self._read)
        m.d.comb += [
            queue.w_data.eq(came),
            queue.w_en.eq(self.before.valid),
            self.before_ready.eq(queue.w_rdy),
            shown.eq(queue.r_data),
            self.after.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.after_ready),
        ]
        return m


class StreamCrossing(wiring.Component):
    """A queue of a stream's values between two clocks.

    Parameters
    ----------
    shape: of a value. depth, written, read: as of ``FrameCrossing``.

    Members
    -------
    before, after: the stream.
    """

    def __init__(self, shape: Any, depth: int, *, written: str, read: str) -> None:
        signature = stream.Signature(shape)
        self._depth, self._written, self._read = depth, written, read
        super().__init__({"before": In(signature), "after": Out(signature)})

    def elaborate(self, platform: object) -> Module:
        """A value is one word of the queue."""
        m = Module()
        before, after = self.before, self.after
        came, shown = Value.cast(before.payload), Value.cast(after.payload)
        queue = _queue(m, len(came), self._depth, self._written, self._read)
        m.d.comb += [
            queue.w_data.eq(came),
            queue.w_en.eq(before.valid),
            before.ready.eq(queue.w_rdy),
            shown.eq(queue.r_data),
            after.valid.eq(queue.r_rdy),
            queue.r_en.eq(after.ready),
        ]
        return m


def _queue(m: Module, width: int, depth: int, written: str, read: str) -> Any:
    m.submodules.queue = queue = AsyncFIFO(width=width, depth=depth, w_domain=written, r_domain=read, exact_depth=True)
    return queue


class CountCrossing(wiring.Component):
    """A counter as another clock sees it, some cycles late: in Gray code, so that it is never seen half changed.

    Parameters
    ----------
    bits: of the counter. written, read: domains of both sides.

    Members
    -------
    before: the counter; it may grow by one per cycle. after: the same.
    """

    def __init__(self, bits: int, *, written: str, read: str) -> None:
        self._written, self._read = written, read
        super().__init__({"before": In(bits), "after": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        """Encoded in one domain, decoded in the other."""
        m = Module()
        bits = len(self.before)
        encoded, crossed, decoded = Signal(bits), Signal(bits), Signal(bits)
        m.d[self._written] += encoded.eq(self.before ^ (self.before >> 1))
        m.submodules.crossed = FFSynchronizer(encoded, crossed, o_domain=self._read)
        m.d.comb += decoded[-1].eq(crossed[-1])
        m.d.comb += [decoded[at].eq(decoded[at + 1] ^ crossed[at]) for at in range(bits - 1)]
        m.d[self._read] += self.after.eq(decoded)
        return m
