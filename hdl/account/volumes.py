"""Trade volumes of each instrument: bought, sold, and the number of trades."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, volume_layout
from market.fastpath.specification import Side


class Volume(IntEnum):
    """What is added up for an instrument; buy and sell as in ``Side``."""

    TRADES = 0
    BUY = int(Side.BUY)
    SELL = int(Side.SELL)


VOLUME_BITS: Final = 2
DISTRIBUTED_ROWS: Final = 64
"""Up to so many rows a block memory is not worth the most of a cycle that it takes to answer."""


class Volumes(wiring.Component):
    """64-bit sums per instrument (docs/fastpath.md, rule 10); they wrap.

    Members
    -------
    add: strobe, only given while not ``busy``: a trade of ``trade``.
    busy: a trade is being added.
    instrument, which, value: while not ``busy``, the sum of an instrument, two cycles after both were given.

    Latency
    -------
    ``busy`` for 6 cycles, 3 for a trade without a side.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "add": In(1),
                "trade": In(volume_layout(parameters)),
                "busy": Out(1),
                "instrument": In(parameters.instrument_bits),
                "which": In(VOLUME_BITS),
                "value": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Per sum: address, read, write back; the side's first, then the number of trades."""
        m = Module()
        parameters = self._parameters
        depth = 1 << parameters.instrument_bits + VOLUME_BITS
        attributes = {"ram_style": "distributed"} if depth <= DISTRIBUTED_ROWS else {}
        m.submodules.store = store = memory.Memory(shape=WORD_BITS, depth=depth, init=[], attrs=attributes)
        read, write = store.read_port(), store.write_port()
        instrument, amount = Signal(parameters.instrument_bits), Signal(parameters.price_bits)
        which = Signal(VOLUME_BITS)
        reading, taking, adding, sum_before = Signal(), Signal(), Signal(), Signal(WORD_BITS)

        m.d.comb += [
            self.busy.eq(reading | taking | adding),
            read.addr.eq(Mux(self.busy, Cat(which, instrument), Cat(self.which, self.instrument))),
            self.value.eq(sum_before),
            write.en.eq(adding),
            write.addr.eq(Cat(which, instrument)),
            write.data.eq(sum_before + Mux(which == Volume.TRADES, 1, amount)),
        ]
        m.d.sync += sum_before.eq(read.data)
        with m.If(self.add):
            m.d.sync += [
                reading.eq(1),
                instrument.eq(self.trade.instrument),
                which.eq(self.trade.side),
                amount.eq(self.trade.quantity),
            ]
        with m.Elif(reading):
            m.d.sync += [reading.eq(0), taking.eq(1)]
        with m.Elif(taking):
            m.d.sync += [taking.eq(0), adding.eq(1)]
        with m.Elif(adding):
            m.d.sync += [adding.eq(0), reading.eq(which != Volume.TRADES), which.eq(Volume.TRADES)]
        return m
