"""Part 1 of a quote event: mantissas are checked and scaled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import above, at_most
from hdl.decision.scaling import multiplied, scaled, top_mantissa, top_value
from hdl.decision.schedule import Preparation, Schedule, Stage
from hdl.decision.shapes import SCALING_FIELDS, bundle, price_shape
from hdl.parameters import CoreParameters
from hdl.records import MANTISSAS, quote_layout, sizes_layout
from market.fastpath.specification import SCALING_SHIFT_LIMIT, RejectReason


class Admission(wiring.Component):
    """Whether a quote is admitted, or why not; its scaled prices and quantities.

    Members
    -------
    at: the schedule.
    quote: the event's mantissas, stable from ``Stage.SCALE`` to ``Stage.COMPARE``.
    in_build: instrument and venue are inside the sizes in use.
    scaling: the scaling row of the event.
    sequence_known, sequence: what is stored.
    quantity_top, quantity_top_value: the largest quantity mantissa and its value, after ``Preparation.SUMS``.
    bid, ask: scaled prices, after ``Stage.SCALE``; like the quantities they mean nothing unless admitted.
    bid_uncut, ask_uncut: scaled quantities if ``bid_cut``, ``ask_cut`` do not say that they are above the largest.
    rejected: bit per ``RejectReason``, at most one; admitted: none. After ``Stage.COMPARE``.
    stored: the sequence is to be stored.
    cuts: the event passed RANGE with a bid, an ask that was cut (two bits).
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price = price_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "sizes": In(sizes_layout(parameters)),
                "quote": In(quote_layout),
                "in_build": In(1),
                "scaling": In(bundle(SCALING_FIELDS)),
                "sequence_known": In(1),
                "sequence": In(signed(64)),
                "quantity_top": Out(price),
                "quantity_top_value": Out(price),
                "bid": Out(price),
                "ask": Out(price),
                "bid_uncut": Out(price),
                "ask_uncut": Out(price),
                "bid_cut": Out(1),
                "ask_cut": Out(1),
                "rejected": Out(len(RejectReason)),
                "admitted": Out(1),
                "stored": Out(1),
                "cuts": Out(2),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        price_top = Signal(price_shape(self._parameters))
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                price_top.eq(top_mantissa(self.sizes, self.scaling.price_shift)),
                self.quantity_top.eq(top_mantissa(self.sizes, self.scaling.quantity_shift)),
                self.quantity_top_value.eq(top_value(self.sizes, self.scaling.quantity_shift)),
            ]
        self._scale(m)
        flags = self._checks(m, price_top)
        with m.If(self.at.event[Stage.COMPARE]):
            self._verdict(m, flags)
        return m

    def _quote(self) -> Any:
        """The quote; a compact core has ``narrowed`` mantissas, the sign bits above them are left out."""
        if not self._parameters.compact:
            return self.quote
        bits = self._parameters.price_bits + 2
        fields = {name: self.quote[name] for name in quote_layout.members}
        fields |= {name: self.quote[name][:bits].as_signed() for name in MANTISSAS}
        return SimpleNamespace(**fields)

    def _scale(self, m: Module) -> None:
        """Each of the four products has its own register of its power of ten.

        Synthesis makes one register of those that are alike: so they differ in their first values.
        """
        bits, quote, scaling = self._parameters.price_bits, self._quote(), self.scaling
        times_power = multiplied if self._parameters.compact else scaled
        products = (
            (self.bid, quote.bid_price, scaling.price_shift, 0),
            (self.ask, quote.ask_price, scaling.price_shift, SCALING_SHIFT_LIMIT),
            (self.bid_uncut, quote.bid_quantity, scaling.quantity_shift, 0),
            (self.ask_uncut, quote.ask_quantity, scaling.quantity_shift, SCALING_SHIFT_LIMIT),
        )
        for product, mantissa, stored, first in products:
            shift = Signal(2, init=first, name=f"{product.name}_shift")
            with m.If(self.at.preparation[Preparation.SUMS]):
                m.d.sync += shift.eq(stored)
            with m.If(self.at.event[Stage.SCALE]):
                m.d.sync += product.eq(times_power(mantissa, shift, bits))
        with m.If(self.at.event[Stage.SCALE]):
            m.d.sync += [
                self.bid_cut.eq(above(quote.bid_quantity, self.quantity_top)),
                self.ask_cut.eq(above(quote.ask_quantity, self.quantity_top)),
            ]

    def _checks(self, m: Module, price_top: Any) -> dict[str, Any]:
        """The checks of the mantissas, each a register or a few of them, after ``Stage.SCALE``."""
        quote, scaling = self._quote(), self.scaling
        exponents = Cat(quote.price_exponent, quote.quantity_exponent)
        expected = Cat(scaling.price_exponent, scaling.quantity_exponent)
        checks = {
            "old": self.sequence_known & at_most(quote.sequence, self.sequence),
            "exponent": exponents != expected,
            "bid_empty": quote.bid_quantity == 0,
            "ask_empty": quote.ask_quantity == 0,
            "negative": quote.bid_quantity[-1] | quote.ask_quantity[-1],
            "bid_low": quote.bid_price[-1] | (quote.bid_price == 0),
            "ask_low": quote.ask_price[-1] | (quote.ask_price == 0),
            "bid_high": above(quote.bid_price, price_top),
            "ask_high": above(quote.ask_price, price_top),
            "crossed": at_most(quote.ask_price, quote.bid_price),
        }
        flags = {name: Signal(name=f"{name}_flag") for name in checks}
        with m.If(self.at.event[Stage.SCALE]):
            m.d.sync += [flags[name].eq(check) for name, check in checks.items()]
        return flags

    def _verdict(self, m: Module, flags: dict[str, Any]) -> None:
        """The first check that fails, in the order of ``RejectReason``."""
        price_bad = flags["bid_low"] | flags["bid_high"] | flags["ask_low"] | flags["ask_high"]
        failures = (
            (RejectReason.UNKNOWN, ~(self.in_build & self.scaling.known)),
            (RejectReason.OLD_SEQUENCE, flags["old"]),
            (RejectReason.EXPONENT, flags["exponent"]),
            (RejectReason.EMPTY, flags["bid_empty"] | flags["ask_empty"]),
            (RejectReason.RANGE, price_bad | flags["negative"]),
            (RejectReason.CROSSED, flags["crossed"]),
        )
        passed: Any = 1
        cuts = Cat(self.bid_cut, self.ask_cut)
        for reason, failed in failures:
            m.d.sync += self.rejected[reason].eq(passed & failed)
            passed = passed & ~failed
            if reason is RejectReason.OLD_SEQUENCE:
                m.d.sync += self.stored.eq(passed)
            if reason is RejectReason.RANGE:
                m.d.sync += self.cuts.eq(Mux(passed, cuts, 0))
        m.d.sync += self.admitted.eq(passed)
