"""Which beat of a block is on the bus: one strobe per beat, counted from the block's first."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value


def lane_shape(bus_bytes: int) -> range:
    """Shape of the number of a lane: never without bits, which not every tool reads."""
    return range(max(2, bus_bytes))


def beat_strobes(m: Module, start: Value, valid: Value, count: int) -> list[Any]:
    """``count`` strobes; number k is high while valid beat k of the block is on the bus.

    ``start`` says that the beat on the bus, if valid, is number 0; a block that was under way is then forgotten.
    """
    first = Signal(name="beat_0")
    m.d.comb += first.eq(start & valid)
    if count == 1:
        return [first]
    at = Signal(count - 1, name="at_beat")
    with m.If(valid):
        m.d.sync += at.eq(Mux(start, 1, at << 1))
    strobes = [Signal(name=f"beat_{index}") for index in range(1, count)]
    m.d.comb += [strobe.eq(at[index] & valid & ~start) for index, strobe in enumerate(strobes)]
    return [first, *strobes]
