"""Everything about one other venue that an event is compared with."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.arbitrage import Arbitrage
from hdl.decision.basis import Basis
from hdl.decision.conditions import FOUR_BITS, PairConditions
from hdl.decision.gate import OTHER_LEG
from hdl.decision.rooms import Rooms
from hdl.decision.schedule import Schedule, follow
from hdl.decision.shapes import (
    VENUE_FIELDS,
    assign,
    basis_fields,
    bundle,
    doubled_limit_shape,
    holding_fields,
    instrument_fields,
    limit_shape,
    price_shape,
    quote_fields,
    room_shape,
)
from hdl.decision.stored_sides import StoredSides
from hdl.decision.stores import LoadedVenue
from hdl.decision.usable import Usable
from hdl.decision.venues import VENUE_STATE
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS, VENUE_NUMBER_BITS


class OtherVenue(wiring.Component):
    """The venue w of ``number`` against the event's venue v: limits, rooms, conditions, the basis of the pair.

    While the event is one of w itself, ``comparable`` is 0 and nothing else of it is used.

    Members
    -------
    at: the schedule.
    own: w is v; first: v is below w; venues: in use; time: T; instrument: the row.
    own_fee, own_enabled: of the row of v.
    stored: what is known of w, and of the pair.
    leads, led: lead[v][w] and lead[w][v]; old: the pair's bits.
    own_bid, own_ask, own_bid_shown, own_ask_shown, admitted, own_mid: of the event.
    own_selling, own_buying: rooms of v; selling, buying: rooms of w.
    comparable: v and w may be compared, as far as w is concerned.
    sell_base, buy_base, basis_base: what the event is compared with; the edge or |dev| is the distance.
    rises, new: see ``PairConditions``; leg: see ``Gate``.
    due, sampled: see ``Basis``.
    """

    def __init__(self, parameters: CoreParameters, number: int) -> None:
        self._parameters, self._number = parameters, number
        price, room = price_shape(parameters), room_shape(parameters)
        basis, four = bundle(basis_fields(parameters)), bundle(FOUR_BITS)
        super().__init__(
            {
                "at": In(Schedule()),
                "own": In(1),
                "first": In(1),
                "venues": In(VENUE_NUMBER_BITS),
                "time": In(TIME_BITS),
                "instrument": In(bundle(instrument_fields(parameters))),
                "own_fee": In(VENUE_FIELDS["fee"]),
                "own_enabled": In(1),
                "stored": In(LoadedVenue(parameters)),
                "leads": In(1),
                "led": In(1),
                "old": In(four),
                "own_bid": In(price),
                "own_ask": In(price),
                "own_bid_shown": In(1),
                "own_ask_shown": In(1),
                "own_mid": In(parameters.price_bits + 1),
                "admitted": In(1),
                "own_selling": In(room),
                "own_buying": In(room),
                "selling": Out(room),
                "buying": Out(room),
                "comparable": Out(1),
                "sell_base": Out(limit_shape(parameters)),
                "buy_base": Out(limit_shape(parameters)),
                "basis_base": Out(doubled_limit_shape(parameters)),
                "rises": Out(four),
                "new": Out(four),
                "leg": Out(bundle(OTHER_LEG)),
                "due": Out(1),
                "sampled": Out(basis),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.usable = usable = Usable(self._parameters, self._number)
        m.d.comb += assign(usable, self, ("own", "venues", "time"))
        m.d.comb += assign(usable.row, self.stored.row, VENUE_STATE)
        m.d.comb += [
            usable.valid.eq(self.stored.valid),
            usable.quote_time.eq(self.stored.quote.time),
            self.comparable.eq(usable.comparable),
        ]
        m.submodules.sides = sides = StoredSides(self._parameters)
        m.d.comb += assign(sides.quote, self.stored.quote, quote_fields(self._parameters))
        m.d.comb += [
            sides.minimum.eq(self.instrument.minimum_quantity),
            sides.low.eq(self.instrument.price_low),
            sides.high.eq(self.instrument.price_high),
        ]
        arbitrage, basis = self._arbitrage(m), self._basis(m)
        rooms = self._rooms(m)
        conditions = self._conditions(m, usable, sides, arbitrage, basis)
        follow(m, self.at, usable, sides, arbitrage, basis, rooms, conditions)
        m.d.comb += [
            self.leg.leads.eq(self.leads),
            *assign(self.leg, sides, ("bid_inside", "ask_inside")),
            *assign(self.leg, rooms, ("sell_fits", "buy_fits", "own_sell_fits", "own_buy_fits")),
        ]
        return m

    def _arbitrage(self, m: Module) -> Arbitrage:
        m.submodules.arbitrage = part = Arbitrage(self._parameters)
        m.d.comb += [
            *assign(part, self, ("own_fee", "own_bid", "own_ask")),
            *assign(part, self.stored.quote, ("bid", "ask")),
            *assign(self, part, ("sell_base", "buy_base")),
            part.fee.eq(self.stored.row.fee),
            part.minimum_edge.eq(self.instrument.minimum_edge),
        ]
        return part

    def _basis(self, m: Module) -> Basis:
        m.submodules.basis = part = Basis(self._parameters)
        fields = basis_fields(self._parameters)
        m.d.comb += [
            *assign(part, self, ("first", "time", "own_bid", "own_ask", "own_mid")),
            *assign(part, self.stored.quote, ("bid", "ask")),
            *assign(part.stored, self.stored.basis, fields),
            part.threshold.eq(self.instrument.basis_threshold),
            part.warm_up.eq(self.instrument.basis_warm_up),
            part.interval.eq(self.instrument.basis_interval),
            part.shift.eq(self.instrument.basis_shift),
            self.basis_base.eq(part.base),
            self.due.eq(part.due),
            *assign(self.sampled, part.sampled, fields),
        ]
        return part

    def _rooms(self, m: Module) -> Rooms:
        m.submodules.rooms = part = Rooms(self._parameters)
        m.d.comb += [
            *assign(part.holding, self.stored.holding, holding_fields(self._parameters)),
            *assign(part, self.stored.quote, ("bid_quantity", "ask_quantity")),
            *assign(part, self, ("own_selling", "own_buying")),
            *assign(self, part, ("selling", "buying")),
            part.limit.eq(self.instrument.position_limit),
            part.maximum.eq(self.instrument.maximum_quantity),
        ]
        return part

    def _conditions(
        self, m: Module, usable: Usable, sides: StoredSides, arbitrage: Arbitrage, basis: Basis
    ) -> PairConditions:
        m.submodules.conditions = part = PairConditions()
        m.d.comb += [
            *assign(part, self, ("leads", "led", "own_bid_shown", "own_ask_shown", "admitted")),
            *assign(part, sides, ("bid_shown", "ask_shown")),
            *assign(part.old, self.old, FOUR_BITS),
            *assign(self.rises, part.rises, FOUR_BITS),
            *assign(self.new, part.new, FOUR_BITS),
            part.enabled.eq(self.own_enabled),
            part.comparable.eq(usable.comparable),
            part.kinds.eq(self.instrument.kinds),
            part.warm.eq(basis.warm),
            part.reached.arb_sells.eq(arbitrage.sells),
            part.reached.arb_buys.eq(arbitrage.buys),
            part.reached.basis_sells.eq(basis.rich),
            part.reached.basis_buys.eq(basis.cheap),
        ]
        return part
