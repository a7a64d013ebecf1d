"""The counters of status and frame counters messages."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.records import COUNT_BITS, WORD_BITS, count_bit, count_layout
from market.fastpath.state import Counter

INDEX_BITS: Final = 6


class Counters(wiring.Component):
    """64-bit counters by their position in a count mask; they wrap.

    Members
    -------
    count: strobe, only given while not ``busy``: each counter in the mask of ``counts`` grows by one, cut quantities
        by two with ``both_cut``.
    busy: counters are still growing.
    index, value: while not ``busy``, the counter at a position, in the same cycle.

    Latency
    -------
    ``busy`` for 3 cycles plus one per counter that grows.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "count": In(1),
                "counts": In(count_layout),
                "busy": Out(1),
                "index": In(INDEX_BITS),
                "value": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Three stages: find the lowest bit left, read its counter, write it back."""
        m = Module()
        m.submodules.store = store = memory.Memory(shape=WORD_BITS, depth=COUNT_BITS, init=[])
        read, write = store.read_port(domain="comb"), store.write_port()
        mask, both_cut = Signal(COUNT_BITS), Signal()
        taken, finding, found, growing = Signal(), Signal(), Signal(), Signal()
        found_index, growing_index, grown = Signal(INDEX_BITS), Signal(INDEX_BITS), Signal(WORD_BITS)
        lowest, step = Signal(COUNT_BITS), Signal(2)

        m.d.comb += [
            finding.eq(mask.any()),
            lowest.eq(mask & -mask),
            self.busy.eq(taken | found | growing),
            read.addr.eq(Mux(found, found_index, self.index)),
            self.value.eq(read.data),
            write.en.eq(growing),
            write.addr.eq(growing_index),
            write.data.eq(grown + step),
        ]
        m.d.sync += [taken.eq(self.count | finding), found.eq(finding), growing.eq(found)]
        with m.If(self.count):
            m.d.sync += [mask.eq(self.counts.mask), both_cut.eq(self.counts.both_cut)]
        with m.Elif(finding):
            m.d.sync += [mask.eq(mask ^ lowest), found_index.eq(position_of(lowest))]
        with m.If(found):
            m.d.sync += [
                growing_index.eq(found_index),
                grown.eq(read.data),
                step.eq(Mux(both_cut & (found_index == count_bit(Counter.QUANTITY_CUT)), 2, 1)),
            ]
        return m


def position_of(one_hot: Value) -> Value:
    """Position of the only bit that is set."""
    groups = [[at for at in range(len(one_hot)) if at >> bit & 1] for bit in range(INDEX_BITS)]
    return Cat(*(Cat(*(one_hot[at] for at in group)).any() for group in groups))
