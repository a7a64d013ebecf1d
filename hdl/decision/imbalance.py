"""IMBALANCE of the event's own quote, by products of mantissas instead of a division."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_least
from hdl.decision.edge_bits import BUY, SELL
from hdl.decision.schedule import Preparation, Schedule, Stage
from hdl.decision.shapes import instrument_fields, price_shape
from hdl.parameters import CoreParameters
from hdl.records import quote_layout
from market.fastpath.specification import IMBALANCE_FRACTION_BITS

_LIMB_BITS: Final = 16
_THRESHOLD_BITS: Final = IMBALANCE_FRACTION_BITS
_PRODUCT_BITS: Final = _LIMB_BITS + _THRESHOLD_BITS


class Imbalance(wiring.Component):
    """Whether the bids outweigh the asks by the threshold, or the asks the bids.

    ``((bq - aq) << 15) / (bq + aq) >= t`` is exactly ``(bq - aq) << 15 >= bq * t + aq * t``; both sides have one
    scaling, so mantissas do, cut to the largest one where the quantity is cut.

    Members
    -------
    at: the schedule; quote: the event, stable from ``SCALE`` to ``COMPARE``.
    threshold: of the instrument row; top: the largest mantissa, after ``Preparation.SUMS``.
    maximum_spread: of the instrument row; bid, ask, bid_cut, ask_cut: of the admission, after ``Stage.SCALE``.
    enabled: the kind is on and the event's venue enabled.
    admitted, bid_shown, ask_shown: after ``Stage.COMPARE``.
    difference, total: bid quantity minus and plus ask quantity, as mantissas, after ``Stage.COMPARE``.
    conditions: bits ``BUY`` and ``SELL``; after ``Stage.CHOOSE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        bits, price = parameters.price_bits, price_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "quote": In(quote_layout),
                "threshold": In(instrument_fields(parameters)["imbalance_threshold"]),
                "top": In(price),
                "maximum_spread": In(price),
                "bid": In(price),
                "ask": In(price),
                "enabled": In(1),
                "admitted": In(1),
                "bid_shown": In(1),
                "ask_shown": In(1),
                "bid_cut": In(1),
                "ask_cut": In(1),
                "difference": Out(signed(bits + 1)),
                "total": Out(unsigned(bits + 1)),
                "conditions": Out(2),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        bits = self._parameters.price_bits
        sources = {
            "bid": (self.quote.bid_quantity, self.at.event[Stage.SCALE]),
            "ask": (self.quote.ask_quantity, self.at.event[Stage.SCALE]),
            "top": (self.top, self.at.preparation[Preparation.PRODUCTS]),
        }
        products = {name: self._products(m, name, value[:bits], at) for name, (value, at) in sources.items()}
        sums = []
        for limb, top in enumerate(products["top"]):
            sums.append(total := Signal(_PRODUCT_BITS + 1, name=f"product_sum_{limb}"))
            bid, ask = products["bid"][limb], products["ask"][limb]
            with m.If(self.at.event[Stage.COMPARE]):
                m.d.sync += total.eq(Mux(self.bid_cut, top, bid) + Mux(self.ask_cut, top, ask))
        bid = Mux(self.bid_cut, self.top, self.quote.bid_quantity[:bits])
        ask = Mux(self.ask_cut, self.top, self.quote.ask_quantity[:bits])
        with m.If(self.at.event[Stage.COMPARE]):
            m.d.sync += [
                self.difference.eq(bid - ask),
                self.total.eq(bid + ask),
            ]
        self._compare(m, sums)
        return m

    def _products(self, m: Module, name: str, value: Value, at: Value) -> list[Signal]:
        """A mantissa times the threshold, limb by limb."""
        products = []
        for limb, start in enumerate(range(0, len(value), _LIMB_BITS)):
            products.append(product := Signal(_PRODUCT_BITS, name=f"{name}_product_{limb}"))
            with m.If(at):
                m.d.sync += product.eq(value[start : start + _LIMB_BITS] * self.threshold)
        return products

    def _compare(self, m: Module, sums: list[Signal]) -> None:
        """Sums of even limbs do not overlap, nor do those of odd ones: two numbers instead of one per limb."""
        even = Cat(sums[::2])
        odd = Cat(sums[1::2]).shift_left(_LIMB_BITS)
        apart = self.difference.shift_left(_THRESHOLD_BITS)
        outweigh, ready, tight = Signal(2), Signal(2), Signal()
        if self._parameters.compact:
            self._compare_once(m, outweigh, even + odd)
        else:
            with m.If(self.at.event[Stage.CHOOSE]):
                m.d.sync += [
                    outweigh[BUY].eq(at_least(apart - even, odd)),
                    outweigh[SELL].eq(at_least(-apart - even, odd)),
                ]
        m.d.comb += self.conditions.eq(outweigh & ready)
        with m.If(self.at.event[Stage.COMPARE]):
            m.d.sync += tight.eq(at_least(self.bid + self.maximum_spread, self.ask))
        with m.If(self.at.event[Stage.CHOOSE]):
            m.d.sync += [
                ready[BUY].eq(self.enabled & self.admitted & tight & self.ask_shown),
                ready[SELL].eq(self.enabled & self.admitted & tight & self.bid_shown),
            ]

    def _compare_once(self, m: Module, outweigh: Signal, total: Value) -> None:
        """The larger side alone is compared: the total is not 0, so that only one side can outweigh."""
        less = self.difference[-1]
        amount = Mux(less, -self.difference, self.difference).as_unsigned()[: len(self.difference) - 1]
        enough = at_least(amount.shift_left(_THRESHOLD_BITS), total)
        with m.If(self.at.event[Stage.CHOOSE]):
            m.d.sync += [outweigh[BUY].eq(enough & ~less), outweigh[SELL].eq(enough & less)]
