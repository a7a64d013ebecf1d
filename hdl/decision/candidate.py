"""Parts 6 and 8 of a quote event: the candidate's size, edge and legs as a trigger."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Const, Module, Mux, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.choice import base_shape
from hdl.decision.compare import above
from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.gate import candidate_fields
from hdl.decision.pick import one_of
from hdl.decision.schedule import Schedule, Stage
from hdl.decision.shapes import Fields, bundle, holding_fields, price_shape, quote_fields
from hdl.parameters import CoreParameters
from hdl.records import SIDE_BITS, trigger_layout
from market.fastpath.specification import NO_VENUE, Kind, Side


def leg_fields(parameters: CoreParameters) -> Fields:
    """The fields of a trigger that a candidate decides."""
    names = ("kind", "first_venue", "first_side", "second_venue", "second_side", "first_price", "second_price")
    layout = trigger_layout(parameters)
    return {name: Shape.cast(layout[name].shape) for name in (*names, "quantity", "edge")}


class CandidateRecord(wiring.Component):
    """Turns a candidate into the legs, size and edge of a trigger.

    Members
    -------
    at: the schedule.
    candidate: after ``Stage.GATE``.
    venue, here: of the event, as a number and as one bit.
    bid, ask: its quote; bid_least, ask_least: its quantities, or the maximum if that is less; mid: bid + ask.
    quotes: stored, of the other venues; bases: per group and venue, what the event was compared with.
    maximum: of the instrument row; holdings: of all venues.
    legs: kind, venues, sides, prices, quantity and edge of the trigger are set here; after ``Stage.RECORD``.
    selling, buying: per venue, it has such a leg; after ``Stage.SELECT``.
    new_selling, new_buying: pending size of the venue that sells, that buys, with this candidate's; after ``RESULT``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, holding = price_shape(parameters), holding_fields(parameters)
        venues = parameters.venues
        super().__init__(
            {
                "at": In(Schedule()),
                "candidate": In(bundle(candidate_fields(parameters))),
                "venue": In(parameters.venue_bits),
                "here": In(venues),
                "bid": In(price),
                "ask": In(price),
                "bid_least": In(price),
                "ask_least": In(price),
                "mid": In(parameters.price_bits + 1),
                "quotes": In(bundle(quote_fields(parameters))).array(venues),
                **{f"{group}_bases": In(base_shape(parameters, group)).array(venues) for group in PAIR_GROUPS},
                "maximum": In(price),
                "holdings": In(bundle(holding)).array(venues),
                "legs": Out(bundle(leg_fields(parameters))),
                "selling": Out(venues),
                "buying": Out(venues),
                "new_selling": Out(holding["pending_sell"]),
                "new_buying": Out(holding["pending_buy"]),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        self._size(m)
        self._edge(m)
        self._record(m)
        self._pendings(m)
        return m

    def _size(self, m: Module) -> None:
        """The minimum of the maximum and of what each leg displays, in two steps."""
        candidate, price = self.candidate, price_shape(self._parameters)
        own, other = Signal(price, name="own_size"), Signal(price, name="other_size")
        least = Mux(candidate.own_sells, self.bid_least, self.ask_least)
        asks = one_of(candidate.venue, [quote.ask_quantity for quote in self.quotes])
        bids = one_of(candidate.venue, [quote.bid_quantity for quote in self.quotes])
        with m.If(self.at.event[Stage.SELECT]):
            m.d.sync += [
                own.eq(Mux(candidate.own, least, self.maximum)),
                other.eq(Mux(candidate.own_sells, asks, bids)),
            ]
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += self.legs.quantity.eq(Mux(candidate.other & above(own, other), other, own))

    def _edge(self, m: Module) -> None:
        candidate = self.candidate
        shape = base_shape(self._parameters, "basis_sells")
        base, value = Signal(shape, name="chosen_base"), Signal(shape, name="compared_value")
        chosen = {
            group: one_of(candidate.venue, list(getattr(self, f"{group}_bases")))
            for group in ("arb_sells", "arb_buys", "basis_sells")
        }
        arb_base = Mux(candidate.own_sells, chosen["arb_sells"], chosen["arb_buys"])
        arb_value = Mux(candidate.own_sells, self.bid, self.ask)
        is_arb = candidate.kind == Kind.ARB
        with m.If(self.at.event[Stage.SELECT]):
            m.d.sync += [
                base.eq(Mux(is_arb, arb_base, chosen["basis_sells"])),
                value.eq(Mux(is_arb, arb_value, self.mid)),
            ]
        with m.If(self.at.event[Stage.RECORD]):
            gain = Mux(candidate.own_sells, value - base, base - value)
            m.d.sync += self.legs.edge.eq(Mux(candidate.kind == Kind.IMBALANCE, 0, gain))

    def _record(self, m: Module) -> None:
        """Legs: the seller's first, a single one first."""
        candidate, legs = self.candidate, self.legs
        price = price_shape(self._parameters)
        own_price, other_price = Signal(price), Signal(price)
        other_venue = Signal(self._parameters.venue_bits)
        own_side, other_side = Signal(SIDE_BITS), Signal(SIDE_BITS)
        own_first, both = Signal(), Signal()
        asks = one_of(candidate.venue, [quote.ask for quote in self.quotes])
        bids = one_of(candidate.venue, [quote.bid for quote in self.quotes])
        with m.If(self.at.event[Stage.SELECT]):
            numbers = [Const(number, self._parameters.venue_bits) for number in range(self._parameters.venues)]
            m.d.sync += [
                own_price.eq(Mux(candidate.own_sells, self.bid, self.ask)),
                other_price.eq(Mux(candidate.own_sells, asks, bids)),
                own_side.eq(Mux(candidate.own_sells, Side.SELL, Side.BUY)),
                other_side.eq(Mux(candidate.own_sells, Side.BUY, Side.SELL)),
                own_first.eq(candidate.own & (candidate.own_sells | ~candidate.other)),
                both.eq(candidate.own & candidate.other),
                other_venue.eq(one_of(candidate.venue, numbers)),
            ]
        own = {"venue": self.venue, "side": own_side, "price": own_price}
        other = {"venue": other_venue, "side": other_side, "price": other_price}
        absent = {"venue": NO_VENUE, "side": Side.NONE, "price": 0}
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += legs.kind.eq(candidate.kind)
            for name, missing in absent.items():
                m.d.sync += [
                    getattr(legs, f"first_{name}").eq(Mux(own_first, own[name], other[name])),
                    getattr(legs, f"second_{name}").eq(Mux(both, Mux(own_first, other[name], own[name]), missing)),
                ]

    def _pendings(self, m: Module) -> None:
        candidate, holding = self.candidate, holding_fields(self._parameters)
        own_leg, other_leg = Mux(candidate.own, self.here, 0), Mux(candidate.other, candidate.venue, 0)
        sold = Signal(holding["pending_sell"])
        bought = Signal(holding["pending_buy"])
        with m.If(self.at.event[Stage.SELECT]):
            m.d.sync += [
                self.selling.eq(Mux(candidate.own_sells, own_leg, other_leg)),
                self.buying.eq(Mux(candidate.own_sells, other_leg, own_leg)),
            ]
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += [
                sold.eq(one_of(self.selling, [each.pending_sell for each in self.holdings])),
                bought.eq(one_of(self.buying, [each.pending_buy for each in self.holdings])),
            ]
        with m.If(self.at.event[Stage.RESULT]):
            m.d.sync += [
                self.new_selling.eq(sold + self.legs.quantity),
                self.new_buying.eq(bought + self.legs.quantity),
            ]
