"""One quote event, from what is stored to what it changes."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.admission import Admission
from hdl.decision.candidate import CandidateRecord, leg_fields
from hdl.decision.choice import Choice
from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.gate import OTHER_LEG, Gate, candidate_fields, own_leg
from hdl.decision.imbalance import Imbalance
from hdl.decision.other_venue import OtherVenue
from hdl.decision.own_side import OwnSide
from hdl.decision.pick import one_of
from hdl.decision.schedule import Preparation, Schedule, Stage, follow
from hdl.decision.shapes import (
    LEAD_FIELD,
    SCALING_FIELDS,
    VENUE_FIELDS,
    assign,
    basis_fields,
    bundle,
    holding_fields,
    instrument_fields,
    price_shape,
    quote_fields,
    room_shape,
)
from hdl.decision.stores import Changes, Loaded, LoadedVenue
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS, count_bit, count_layout, quote_layout, sizes_layout
from market.fastpath.specification import Kind
from market.fastpath.state import Counter

_BASES = {"arb_sells": "sell_base", "arb_buys": "buy_base", "basis_sells": "basis_base", "basis_buys": "basis_base"}
_GATE_STATE = ("killed", "leased", "cool", "rate_free")


class Event(wiring.Component):
    """Decides an event; nothing of it is stored here.

    Members
    -------
    at: the schedule; sizes: in use.
    in_build, venue, here, time: of the event, from ``Preparation.READ`` on; its venue as a number and as one bit.
    loaded, venues: what is stored, after ``Preparation.READ``; quote: from ``Stage.SCALE`` on.
    killed, leased, cool, rate_free: of the gate, in ``Stage.GATE``.
    early, fires: see ``Gate``.
    legs: of the trigger; counts: what the event counts; after ``Stage.RECORD``.
    changes, bases: after ``Stage.RESULT``.
    difference, total, bid, ask: for the late values, in ``Stage.CHOOSE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        bits, price = parameters.price_bits, price_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "sizes": In(sizes_layout(parameters)),
                "in_build": In(1),
                "venue": In(parameters.venue_bits),
                "here": In(parameters.venues),
                "time": In(TIME_BITS),
                "loaded": In(Loaded(parameters)),
                "venues": In(LoadedVenue(parameters)).array(parameters.venues),
                "quote": In(quote_layout),
                **{name: In(1) for name in _GATE_STATE},
                "early": Out(1),
                "fires": Out(1),
                "legs": Out(bundle(leg_fields(parameters))),
                "counts": Out(count_layout),
                "changes": Out(Changes(parameters)),
                "bases": Out(bundle(basis_fields(parameters))).array(parameters.venues),
                "difference": Out(signed(bits + 1)),
                "total": Out(unsigned(bits + 1)),
                "bid": Out(price),
                "ask": Out(price),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        parameters = self._parameters
        m.submodules.admission = self._admission = Admission(parameters)
        m.submodules.own_bid = self._own_bid = OwnSide(parameters)
        m.submodules.own_ask = self._own_ask = OwnSide(parameters)
        m.submodules.imbalance = self._imbalance = Imbalance(parameters)
        m.submodules.choice = self._choice = Choice(parameters)
        m.submodules.gate = self._gate = Gate(parameters)
        m.submodules.record = self._record = CandidateRecord(parameters)
        self._others = [OtherVenue(parameters, number) for number in range(parameters.venues)]
        for number, other in enumerate(self._others):
            m.submodules[f"other_{number}"] = other
        follow(m, self.at, self._admission, self._own_bid, self._own_ask, self._imbalance, self._choice)
        follow(m, self.at, self._gate, self._record, *self._others)

        own_enabled, own_selling, own_buying = self._own_rows(m)
        self._admit(m)
        self._own_sides(m, own_selling, own_buying)
        self._weigh(m, own_enabled)
        self._compare(m, own_enabled, own_selling, own_buying)
        self._choose(m)
        self._pass(m)
        self._describe(m)
        self._change(m, own_enabled)
        self._count(m)
        return m

    def _own_rows(self, m: Module) -> tuple[Signal, Signal, Signal]:
        """Of the event's own venue: whether it is enabled, and its rooms to sell and to buy."""
        enabled = Signal()
        selling, buying = (Signal(room_shape(self._parameters), name=name) for name in ("selling_room", "buying_room"))
        with m.If(self.at.preparation[Preparation.READ]):
            m.d.sync += enabled.eq(one_of(self.here, [each.row.enabled for each in self.venues]))
        with m.If(self.at.preparation[Preparation.PARTS]):
            m.d.sync += [
                selling.eq(one_of(self.here, [other.selling for other in self._others])),
                buying.eq(one_of(self.here, [other.buying for other in self._others])),
            ]
        return enabled, selling, buying

    def _admit(self, m: Module) -> None:
        part = self._admission
        m.d.comb += [
            *assign(part, self, ("sizes", "quote", "in_build")),
            *assign(part, self.loaded, ("sequence_known", "sequence")),
            *assign(part.scaling, self.loaded.scaling, SCALING_FIELDS),
        ]

    def _own_sides(self, m: Module, own_selling: Signal, own_buying: Signal) -> None:
        """The bid is sold at, and the other venue then buys; the ask is bought at."""
        row, admission = self.loaded.row, self._admission
        for name, side, room, other_room in (
            ("bid", self._own_bid, own_selling, "buying"),
            ("ask", self._own_ask, own_buying, "selling"),
        ):
            m.d.comb += [
                side.price.eq(getattr(admission, name)),
                side.uncut.eq(getattr(admission, f"{name}_uncut")),
                side.cut.eq(getattr(admission, f"{name}_cut")),
                side.top.eq(admission.quantity_top_value),
                side.minimum.eq(row.minimum_quantity),
                side.maximum.eq(row.maximum_quantity),
                side.low.eq(row.price_low),
                side.high.eq(row.price_high),
                side.room.eq(room),
            ]
            for mine, other in zip(side.rooms, self._others, strict=True):
                m.d.comb += mine.eq(getattr(other, other_room))

    def _weigh(self, m: Module, own_enabled: Signal) -> None:
        part, admission, row = self._imbalance, self._admission, self.loaded.row
        m.d.comb += [
            part.quote.eq(self.quote),
            part.threshold.eq(row.imbalance_threshold),
            part.top.eq(admission.quantity_top),
            part.maximum_spread.eq(row.maximum_spread),
            *assign(part, admission, ("bid", "ask", "bid_cut", "ask_cut", "admitted")),
            part.enabled.eq(own_enabled & row.kinds[Kind.IMBALANCE - 1]),
            part.bid_shown.eq(self._own_bid.shown),
            part.ask_shown.eq(self._own_ask.shown),
            *assign(self, part, ("difference", "total")),
            *assign(self, admission, ("bid", "ask")),
        ]

    def _compare(self, m: Module, own_enabled: Signal, own_selling: Signal, own_buying: Signal) -> None:
        """Wires up every other venue."""
        parameters, loaded = self._parameters, self.loaded
        fields = instrument_fields(parameters)
        own_fee, leads, led = Signal(VENUE_FIELDS["fee"]), Signal(parameters.venues), Signal(parameters.venues)
        masks = [getattr(loaded.row, LEAD_FIELD.format(venue)) for venue in range(parameters.venues)]
        with m.If(self.at.preparation[Preparation.READ]):
            m.d.sync += own_fee.eq(one_of(self.here, [each.row.fee for each in self.venues]))
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                leads.eq(one_of(self.here, masks)),
                led.eq(Cat((mask & self.here).any() for mask in masks)),
            ]
        for number, other in enumerate(self._others):
            wiring.connect(m, wiring.flipped(self.venues[number]), other.stored)
            m.d.comb += [
                other.own.eq(self.here[number]),
                other.first.eq(self.here[:number].any()),
                other.time.eq(self.time),
                other.venues.eq(self.sizes.venues),
                *assign(other.instrument, loaded.row, fields),
                other.own_fee.eq(own_fee),
                other.own_enabled.eq(own_enabled),
                other.leads.eq(leads[number]),
                other.led.eq(led[number]),
                *[getattr(other.old, group).eq(getattr(loaded.bits, group)[number]) for group in PAIR_GROUPS],
                other.own_bid.eq(self._admission.bid),
                other.own_ask.eq(self._admission.ask),
                other.own_bid_shown.eq(self._own_bid.shown),
                other.own_ask_shown.eq(self._own_ask.shown),
                other.own_mid.eq(self._record.mid),
                other.admitted.eq(self._admission.admitted),
                other.own_selling.eq(own_selling),
                other.own_buying.eq(own_buying),
            ]

    def _choose(self, m: Module) -> None:
        for group, base in _BASES.items():
            rises = Cat(getattr(other.rises, group) for other in self._others)
            m.d.comb += getattr(self._choice, f"{group}_rises").eq(rises)
            for mine, other in zip(getattr(self._choice, f"{group}_bases"), self._others, strict=True):
                m.d.comb += mine.eq(getattr(other, base))

    def _pass(self, m: Module) -> None:
        gate, legs = self._gate, own_leg(self._parameters)
        m.d.comb += [
            *[mine.eq(getattr(self._choice, f"{g}_picks")) for mine, g in zip(gate.picks, PAIR_GROUPS, strict=True)],
            gate.found.eq(self._choice.found),
            gate.imbalance.eq(self._imbalance.conditions & ~self.loaded.bits.imbalance),
            *assign(gate.bid, self._own_bid, legs),
            *assign(gate.ask, self._own_ask, legs),
            *assign(gate, self, _GATE_STATE),
            gate.enabled.eq(self.loaded.row.enabled),
            *assign(self, gate, ("early", "fires")),
        ]
        for mine, other in zip(gate.others, self._others, strict=True):
            m.d.comb += assign(mine, other.leg, OTHER_LEG)

    def _describe(self, m: Module) -> None:
        """The candidate's legs, size and edge."""
        part, parameters = self._record, self._parameters
        mid = Signal(unsigned(parameters.price_bits + 1))
        with m.If(self.at.event[Stage.COMPARE]):
            m.d.sync += mid.eq(self._admission.bid + self._admission.ask)
        m.d.comb += [
            *assign(part.candidate, self._gate.candidate, candidate_fields(parameters)),
            part.venue.eq(self.venue),
            part.here.eq(self.here),
            *assign(part, self._admission, ("bid", "ask")),
            part.bid_least.eq(self._own_bid.least),
            part.ask_least.eq(self._own_ask.least),
            part.mid.eq(mid),
            part.maximum.eq(self.loaded.row.maximum_quantity),
            *assign(self.legs, part.legs, leg_fields(parameters)),
        ]
        for number, other in enumerate(self._others):
            m.d.comb += assign(part.quotes[number], self.venues[number].quote, quote_fields(parameters))
            m.d.comb += assign(part.holdings[number], self.venues[number].holding, holding_fields(parameters))
            m.d.comb += [getattr(part, f"{group}_bases")[number].eq(getattr(other, _BASES[group])) for group in _BASES]

    def _change(self, m: Module, own_enabled: Signal) -> None:
        changes, parameters = self.changes, self._parameters
        samples = Cat(other.comparable & other.due for other in self._others)
        m.d.comb += [
            *assign(changes, self._admission, ("stored", "admitted")),
            changes.sequence.eq(self.quote.sequence),
            *assign(changes.quote, self._admission, ("bid", "ask")),
            changes.quote.bid_quantity.eq(self._own_bid.quantity),
            changes.quote.ask_quantity.eq(self._own_ask.quantity),
            changes.quote.time.eq(self.time),
            *[
                getattr(changes.bits, group).eq(Cat(getattr(other.new, group) for other in self._others))
                for group in PAIR_GROUPS
            ],
            changes.bits.imbalance.eq(self._imbalance.conditions),
            changes.sampled.eq(Mux(self._admission.admitted & own_enabled, samples, 0)),
            changes.selling.eq(Mux(self._gate.fires, self._record.selling, 0)),
            changes.buying.eq(Mux(self._gate.fires, self._record.buying, 0)),
            *assign(changes, self._record, ("new_selling", "new_buying")),
        ]
        for mine, other in zip(self.bases, self._others, strict=True):
            m.d.comb += assign(mine, other.sampled, basis_fields(parameters))

    def _count(self, m: Module) -> None:
        """The counters that the event moves by one; the counter of cut quantities possibly by two."""
        admission, gate = self._admission, self._gate
        mask: dict[int, Any] = {Counter.QUOTE_EVENTS: 1, Counter.QUANTITY_CUT: admission.cuts.any()}
        mask |= {Counter.REJECT_UNKNOWN + reason: bit for reason, bit in enumerate(admission.rejected)}
        mask |= {Counter.GATE_KILL + reason: bit for reason, bit in enumerate(gate.stopped)}
        for kind in Kind:
            is_kind = gate.candidate.kind == kind
            mask[Counter.CANDIDATE_ARB + kind - 1] = is_kind
            mask[Counter.TRIGGER_ARB + kind - 1] = is_kind & gate.fires
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += self.counts.both_cut.eq(admission.cuts.all())
            m.d.sync += [self.counts.mask[count_bit(Counter(each))].eq(bit) for each, bit in mask.items()]
