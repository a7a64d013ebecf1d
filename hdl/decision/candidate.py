"""Parts 6 and 8 of a quote event: the candidate's size, edge and legs as a trigger."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, Shape, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.choice import group_shape
from hdl.decision.compare import above
from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.gate import candidate_fields
from hdl.decision.pick import one_of
from hdl.decision.schedule import Schedule, Stage
from hdl.decision.shapes import (
    Fields,
    bundle,
    doubled_limit_shape,
    holding_fields,
    instrument_fields,
    price_shape,
    quote_fields,
)
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
    candidate: after ``Stage.GATE``; picks: per group, bit w as ``Choice`` gave it, until ``Stage.SELECT``.
    venue: of the event.
    bid, ask: its quote; bid_least, ask_least: its quantities, or the maximum if that is less; mid: bid + ask.
    limits: per group and other venue, what the event has reached; minimum_edge, basis_threshold: of the instrument
        row, what was added there.
    maximum: of the instrument row.
    other_venue: the number of the candidate's other venue; from ``Stage.SELECT`` on.
    quote: what is stored of it; holding: pending sizes of the venue that sells and the one that buys; after ``ROWS``.
    legs: kind, venues, sides, prices, quantity and edge of the trigger are set here; after ``Stage.RECORD``.
    new_selling, new_buying: pending size of the venue that sells, that buys, with this candidate's; after ``RESULT``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, holding, row = price_shape(parameters), holding_fields(parameters), instrument_fields(parameters)
        others = parameters.others
        super().__init__(
            {
                "at": In(Schedule()),
                "candidate": In(bundle(candidate_fields(parameters))),
                "picks": In(others).array(len(PAIR_GROUPS)),
                "venue": In(parameters.venue_bits),
                "bid": In(price),
                "ask": In(price),
                "bid_least": In(price),
                "ask_least": In(price),
                "mid": In(parameters.price_bits + 1),
                **{f"{group}_limits": In(group_shape(parameters, group)).array(others) for group in PAIR_GROUPS},
                "minimum_edge": In(row["minimum_edge"]),
                "basis_threshold": In(row["basis_threshold"]),
                "maximum": In(price),
                "other_venue": In(parameters.venue_bits),
                "quote": In(bundle(quote_fields(parameters))),
                "holding": In(bundle(holding)),
                "legs": Out(bundle(leg_fields(parameters))),
                "new_selling": Out(holding["pending_sell"]),
                "new_buying": Out(holding["pending_buy"]),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        self._size(m)
        self._edge(m)
        self._record(m)
        with m.If(self.at.event[Stage.RESULT]):
            m.d.sync += [
                self.new_selling.eq(self.holding.pending_sell + self.legs.quantity),
                self.new_buying.eq(self.holding.pending_buy + self.legs.quantity),
            ]
        return m

    def _size(self, m: Module) -> None:
        """The minimum of the maximum and of what each leg displays, in two steps."""
        candidate, quote = self.candidate, self.quote
        own = Signal(price_shape(self._parameters), name="own_size")
        least = Mux(candidate.own_sells, self.bid_least, self.ask_least)
        with m.If(self.at.event[Stage.SELECT]):
            m.d.sync += own.eq(Mux(candidate.own, least, self.maximum))
        other = Mux(candidate.own_sells, quote.ask_quantity, quote.bid_quantity)
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += self.legs.quantity.eq(Mux(candidate.other & above(own, other), other, own))

    def _edge(self, m: Module) -> None:
        """How far the event goes beyond the limit, and what was added to it."""
        candidate, shape = self.candidate, doubled_limit_shape(self._parameters)
        limit, value, beyond = (Signal(shape, name=name) for name in ("limit", "value", "beyond"))
        added = Signal(signed(self._parameters.price_bits + 3))
        is_arb = candidate.kind == Kind.ARB
        limits = [getattr(self, f"{group}_limits") for group in PAIR_GROUPS]
        with m.If(self.at.event[Stage.SELECT]):
            m.d.sync += [
                limit.eq(
                    one_of(
                        [pick for picks in self.picks for pick in picks],
                        [each for of_group in limits for each in of_group],
                    )
                ),
                value.eq(Mux(is_arb, Mux(candidate.own_sells, self.bid, self.ask), self.mid)),
                added.eq(Mux(is_arb, self.minimum_edge, self.basis_threshold)),
            ]
        with m.If(self.at.event[Stage.ROWS]):
            m.d.sync += beyond.eq(Mux(candidate.own_sells, value - limit, limit - value))
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += self.legs.edge.eq(Mux(candidate.kind == Kind.IMBALANCE, 0, beyond + added))

    def _record(self, m: Module) -> None:
        """Legs: the seller's first, a single one first."""
        candidate, legs, quote = self.candidate, self.legs, self.quote
        own_price = Signal(price_shape(self._parameters))
        own_side, other_side = Signal(SIDE_BITS), Signal(SIDE_BITS)
        own_first, both = Signal(), Signal()
        with m.If(self.at.event[Stage.SELECT]):
            m.d.sync += [
                own_price.eq(Mux(candidate.own_sells, self.bid, self.ask)),
                own_side.eq(Mux(candidate.own_sells, Side.SELL, Side.BUY)),
                other_side.eq(Mux(candidate.own_sells, Side.BUY, Side.SELL)),
                own_first.eq(candidate.own & (candidate.own_sells | ~candidate.other)),
                both.eq(candidate.own & candidate.other),
            ]
        own = {"venue": self.venue, "side": own_side, "price": own_price}
        other_price = Mux(candidate.own_sells, quote.ask, quote.bid)
        other = {"venue": self.other_venue, "side": other_side, "price": other_price}
        absent = {"venue": NO_VENUE, "side": Side.NONE, "price": 0}
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += legs.kind.eq(candidate.kind)
            for name, missing in absent.items():
                m.d.sync += [
                    getattr(legs, f"first_{name}").eq(Mux(own_first, own[name], other[name])),
                    getattr(legs, f"second_{name}").eq(Mux(both, Mux(own_first, other[name], own[name]), missing)),
                ]
