"""How much more each venue may buy and sell, and what of the size fits without the event's quantity."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_most
from hdl.decision.pipeline import carried
from hdl.decision.schedule import Preparation, Schedule
from hdl.decision.shapes import bundle, holding_fields, price_shape, room_shape
from hdl.parameters import CoreParameters


class Rooms(wiring.Component):
    """Rooms of the event's venue v, and behind it of the other venues w, one after the other.

    A size, the minimum of three quantities, fits a room if one of the three does. The two that are known before
    the event, the maximum and what w displays, are compared here with both venues' rooms.

    Members
    -------
    at: the schedule of the pipeline; own: that of the event.
    holding: of v in ``SUMS`` of the event, then of w in ``PRODUCTS``.
    limit, maximum: of the instrument row; bid_quantity, ask_quantity: of the stored quote of w in ``SUMS``.
    own_selling, own_buying: rooms of v, from the event's ``PARTS`` on.
    selling, buying: rooms of w, within ``LIMITS``.
    sell_fits, buy_fits: w has room to sell, buy the size by one of the known quantities; within ``LIMITS``.
    own_sell_fits, own_buy_fits: v has, against w, by what w displays; within ``LIMITS``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, room = price_shape(parameters), room_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "own": In(Schedule()),
                "holding": In(bundle(holding_fields(parameters))),
                "limit": In(price),
                "maximum": In(price),
                "bid_quantity": In(price),
                "ask_quantity": In(price),
                "selling": Out(room),
                "buying": Out(room),
                "own_selling": Out(room),
                "own_buying": Out(room),
                "sell_fits": Out(1),
                "buy_fits": Out(1),
                "own_sell_fits": Out(1),
                "own_buy_fits": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        room, fields = room_shape(self._parameters), holding_fields(self._parameters)
        long, short = Signal(room), Signal(room)
        pending_sell, pending_buy = (Signal(fields[name], name=name) for name in ("pending_sell", "pending_buy"))
        with m.If(self.own.preparation[Preparation.SUMS] | self.at.preparation[Preparation.PRODUCTS]):
            m.d.sync += [
                long.eq(self.limit + self.holding.position),
                short.eq(self.limit - self.holding.position),
                pending_sell.eq(self.holding.pending_sell),
                pending_buy.eq(self.holding.pending_buy),
            ]
        selling, buying = Signal(room), Signal(room)
        m.d.comb += [selling.eq(long - pending_sell), buying.eq(short - pending_buy)]
        with m.If(self.own.preparation[Preparation.PRODUCTS]):
            m.d.sync += [self.own_selling.eq(selling), self.own_buying.eq(buying)]
        with m.If(self.at.preparation[Preparation.PARTS]):
            m.d.sync += [self.selling.eq(selling), self.buying.eq(buying)]
        shown = {}
        for side in ("bid", "ask"):
            register = Signal(price_shape(self._parameters), name=f"{side}_shown")
            with m.If(self.at.preparation[Preparation.SUMS]):
                m.d.sync += register.eq(getattr(self, f"{side}_quantity"))
            lone = self._parameters.has_lone_other
            shown[side] = carried(m, self.at, register, Preparation.PARTS, lone=lone)[-1]
        m.d.comb += [
            self.sell_fits.eq(at_most(self.maximum, self.selling) | at_most(shown["bid"], self.selling)),
            self.buy_fits.eq(at_most(self.maximum, self.buying) | at_most(shown["ask"], self.buying)),
            self.own_sell_fits.eq(at_most(shown["ask"], self.own_selling)),
            self.own_buy_fits.eq(at_most(shown["bid"], self.own_buying)),
        ]
        return m
