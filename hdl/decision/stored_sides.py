"""Both sides of another venue's stored quote, as legs: what they display, whether their prices are inside."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_least, at_most
from hdl.decision.schedule import Preparation, Schedule
from hdl.decision.shapes import bundle, price_shape, quote_fields
from hdl.parameters import CoreParameters


class StoredSides(wiring.Component):
    """Bid (sold at) and ask (bought at) of a stored quote against an instrument row.

    Members
    -------
    at: the schedule of the pipeline; all outputs are ready at the end of ``Preparation.SUMS``.
    quote: a stored quote; minimum, low, high: of the instrument row.
    bid_shown, ask_shown: the quantity is at least the minimum.
    bid_inside, ask_inside: the price is in low..high.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        price = price_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "quote": In(bundle(quote_fields(parameters))),
                "minimum": In(price),
                "low": In(price),
                "high": In(price),
                "bid_shown": Out(1),
                "ask_shown": Out(1),
                "bid_inside": Out(1),
                "ask_inside": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                self.bid_shown.eq(at_least(self.quote.bid_quantity, self.minimum)),
                self.ask_shown.eq(at_least(self.quote.ask_quantity, self.minimum)),
                self.bid_inside.eq(at_least(self.quote.bid, self.low) & at_most(self.quote.bid, self.high)),
                self.ask_inside.eq(at_least(self.quote.ask, self.low) & at_most(self.quote.ask, self.high)),
            ]
        return m
