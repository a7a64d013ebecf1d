"""One side of the event's own quote, as a leg: what it displays, whether its price is inside, where its size fits."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import above, at_least, at_most
from hdl.decision.schedule import Preparation, Schedule, Stage
from hdl.decision.shapes import price_shape, room_shape
from hdl.parameters import CoreParameters


class OwnSide(wiring.Component):
    """The bid (sold at) or the ask (bought at) of the event.

    Members
    -------
    at: the schedule.
    price, uncut, cut: from the admission, after ``Stage.SCALE``; top: the value of the largest mantissa.
    minimum, maximum, low, high: of the instrument row.
    quantity: cut and scaled; shown: it is at least the minimum; inside: the price is in low..high; after ``COMPARE``.
    room: of the venue for this side; rooms: of the other venues for the other side.
    fits: the quantity, or the maximum, is at most the room; fits_others: the quantity is at most the rooms. After
        ``CHOOSE``.
    least: the quantity, or the maximum if that is less; after ``GATE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        price, room = price_shape(parameters), room_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "price": In(price),
                "uncut": In(price),
                "cut": In(1),
                "top": In(price),
                "minimum": In(price),
                "maximum": In(price),
                "low": In(price),
                "high": In(price),
                "room": In(room),
                "rooms": In(room).array(parameters.others),
                "quantity": Out(price),
                "least": Out(price),
                "shown": Out(1),
                "inside": Out(1),
                "fits": Out(1),
                "fits_others": Out(parameters.others),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        top_shown, maximum_fits, is_more = Signal(), Signal(), Signal()
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            m.d.sync += top_shown.eq(at_least(self.top, self.minimum))
        with m.If(self.at.preparation[Preparation.LIMITS]):
            m.d.sync += maximum_fits.eq(at_most(self.maximum, self.room))
        with m.If(self.at.event[Stage.COMPARE]):
            m.d.sync += [
                self.quantity.eq(Mux(self.cut, self.top, self.uncut)),
                self.shown.eq(Mux(self.cut, top_shown, at_least(self.uncut, self.minimum))),
                self.inside.eq(at_least(self.price, self.low) & at_most(self.price, self.high)),
            ]
        with m.If(self.at.event[Stage.CHOOSE]):
            m.d.sync += [
                self.fits.eq(maximum_fits | at_most(self.quantity, self.room)),
                is_more.eq(above(self.quantity, self.maximum)),
                self.fits_others.eq(Cat(at_most(self.quantity, room) for room in self.rooms)),
            ]
        with m.If(self.at.event[Stage.GATE]):
            m.d.sync += self.least.eq(Mux(is_more, self.maximum, self.quantity))
        return m
