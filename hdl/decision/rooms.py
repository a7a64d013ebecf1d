"""How much more another venue may buy and sell, and what of the size fits without the event's quantity."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_most
from hdl.decision.schedule import Preparation, Schedule
from hdl.decision.shapes import bundle, holding_fields, price_shape, room_shape
from hdl.parameters import CoreParameters


class Rooms(wiring.Component):
    """Rooms of one venue w for an event of venue v.

    A size, the minimum of three quantities, fits a room if one of the three does. The two that are known before
    the event, the maximum and what w displays, are compared here with both venues' rooms.

    Members
    -------
    at: the schedule.
    holding: of w; limit, maximum: of the instrument row; bid_quantity, ask_quantity: of the stored quote of w.
    selling, buying: rooms of w, after ``Preparation.PRODUCTS``.
    own_selling, own_buying: rooms of v, from ``Preparation.LIMITS`` on.
    sell_fits, buy_fits: w has room to sell, buy the size by one of the known quantities; after ``Preparation.PARTS``.
    own_sell_fits, own_buy_fits: v has, against w; after ``Preparation.LIMITS``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, room = price_shape(parameters), room_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "holding": In(bundle(holding_fields(parameters))),
                "limit": In(price),
                "maximum": In(price),
                "bid_quantity": In(price),
                "ask_quantity": In(price),
                "selling": Out(room),
                "buying": Out(room),
                "own_selling": In(room),
                "own_buying": In(room),
                "sell_fits": Out(1),
                "buy_fits": Out(1),
                "own_sell_fits": Out(1),
                "own_buy_fits": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        room = room_shape(self._parameters)
        long, short = Signal(room), Signal(room)
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                long.eq(self.limit + self.holding.position),
                short.eq(self.limit - self.holding.position),
            ]
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            m.d.sync += [
                self.selling.eq(long - self.holding.pending_sell),
                self.buying.eq(short - self.holding.pending_buy),
            ]
        with m.If(self.at.preparation[Preparation.PARTS]):
            m.d.sync += [
                self.sell_fits.eq(at_most(self.maximum, self.selling) | at_most(self.bid_quantity, self.selling)),
                self.buy_fits.eq(at_most(self.maximum, self.buying) | at_most(self.ask_quantity, self.buying)),
            ]
        own_sells = at_most(self.maximum, self.own_selling) | at_most(self.ask_quantity, self.own_selling)
        own_buys = at_most(self.maximum, self.own_buying) | at_most(self.bid_quantity, self.own_buying)
        with m.If(self.at.preparation[Preparation.LIMITS]):
            m.d.sync += [self.own_sell_fits.eq(own_sells), self.own_buy_fits.eq(own_buys)]
        return m
