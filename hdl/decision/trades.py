"""Trade events: they only count (docs/fastpath.md, rules 7 and 10)."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import above
from hdl.decision.scaling import ScalingRead, scaled, top_mantissa, top_value
from hdl.decision.shapes import SCALING_FIELDS, assign, bundle, price_shape
from hdl.parameters import CoreParameters
from hdl.records import count_bit, count_layout, sizes_layout, trade_layout, volume_layout
from market.fastpath.state import Counter

TRADE_CYCLES: Final = 4
"""Cycles from a trade to its outcome; one trade per cycle."""


def trade_outcome_layout(parameters: CoreParameters) -> data.StructLayout:
    """What a trade does to the counters, and to the volumes if ``has_volume``."""
    return data.StructLayout({"counts": count_layout, "has_volume": 1, "volume": volume_layout(parameters)})


class TradeCounter(wiring.Component):
    """Checks and scales trades, in order.

    Members
    -------
    sizes: in use.
    trade: trades as a feed gives them.
    scaling: a reader of the scaling table.
    outcome: one per trade.
    idle: no trade is on its way.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "sizes": In(sizes_layout(parameters)),
                "trade": In(stream.Signature(trade_layout)),
                "scaling": Out(ScalingRead(parameters)),
                "outcome": Out(stream.Signature(trade_outcome_layout(parameters))),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        move, there = Signal(), Signal(TRADE_CYCLES)
        m.d.comb += [
            move.eq(~self.outcome.valid | self.outcome.ready),
            # not in the cycle in which an outcome is taken: its taker need not be asked
            self.trade.ready.eq(~self.outcome.valid),
            self.outcome.valid.eq(there[-1]),
            self.idle.eq(~there.any()),
        ]
        with m.If(move):
            m.d.sync += there.eq(Cat(self.trade.valid & self.trade.ready, there))
        first, second, third = (Signal(trade_layout, name=name) for name in ("first", "second", "third"))
        with m.If(self.trade.valid & self.trade.ready):
            m.d.sync += first.eq(self.trade.payload)
        m.d.comb += [self.scaling.instrument.eq(first.instrument), self.scaling.venue.eq(first.venue)]
        row = bundle(SCALING_FIELDS).create(path=("row",))
        in_build = Signal()
        with m.If(move & there[0]):
            m.d.sync += [
                second.eq(first),
                in_build.eq((first.instrument < self.sizes.instruments) & (first.venue < self.sizes.venues)),
                *assign(row, self.scaling.row, SCALING_FIELDS),
            ]
        with m.If(move & there[1]):
            m.d.sync += third.eq(second)
        flags = self._check(m, move & there[1], second, row, in_build)
        with m.If(move & there[2]):
            self._outcome(m, third, *flags)
        return m

    def _check(self, m: Module, strobe: Any, trade: Any, row: Any, in_build: Any) -> tuple[Signal, Signal, Signal]:
        """The reasons to reject in their order, whether the quantity is cut, and what it counts as."""
        bits = self._parameters.price_bits
        fails, cut, quantity = Signal(3), Signal(), Signal(price_shape(self._parameters))
        exponents_differ = Cat(trade.price_exponent, trade.quantity_exponent) != Cat(
            row.price_exponent, row.quantity_exponent
        )
        price, size = trade.price, trade.quantity
        price_bad = price[-1] | (price == 0) | above(price, top_mantissa(self.sizes, row.price_shift))
        size_bad = size[-1] | (size == 0)
        is_cut = above(size, top_mantissa(self.sizes, row.quantity_shift))
        largest, value = top_value(self.sizes, row.quantity_shift), scaled(size, row.quantity_shift, bits)
        with m.If(strobe):
            m.d.sync += [
                fails.eq(Cat(~(in_build & row.known), exponents_differ, price_bad | size_bad)),
                cut.eq(is_cut),
                quantity.eq(Mux(is_cut, largest, value)),
            ]
        return fails, cut, quantity

    def _outcome(self, m: Module, trade: Any, fails: Signal, cut: Signal, quantity: Signal) -> None:
        outcome = self.outcome.payload
        good = ~fails.any()
        mask = {
            Counter.TRADE_EVENTS: 1,
            Counter.REJECT_UNKNOWN: fails[0],
            Counter.REJECT_EXPONENT: fails[1] & ~fails[0],
            Counter.REJECT_RANGE: fails[2] & ~fails[1] & ~fails[0],
            Counter.QUANTITY_CUT: good & cut,
        }
        m.d.sync += [outcome.counts.mask[count_bit(counter)].eq(value) for counter, value in mask.items()]
        m.d.sync += [
            outcome.has_volume.eq(good),
            outcome.volume.instrument.eq(trade.instrument),
            outcome.volume.side.eq(trade.aggressor),
            outcome.volume.quantity.eq(quantity),
        ]
