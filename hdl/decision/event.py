"""One quote event, from what is stored to what it changes."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.admission import Admission
from hdl.decision.candidate import CandidateRecord, leg_fields
from hdl.decision.choice import Choice, group_shape
from hdl.decision.contender import LIMITS, Contender, prospect_fields
from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.gate import OTHER_LEG, Gate, candidate_fields, own_leg
from hdl.decision.imbalance import Imbalance
from hdl.decision.other_venue import OtherVenues
from hdl.decision.own_side import OwnSide
from hdl.decision.pick import one_of
from hdl.decision.scan import spread
from hdl.decision.schedule import Schedule, Stage, Turns, follow
from hdl.decision.shapes import (
    LEAD_FIELD,
    SCALING_FIELDS,
    assign,
    basis_fields,
    bundle,
    holding_fields,
    instrument_fields,
    price_shape,
    quote_fields,
)
from hdl.decision.stores import Changes, Loaded, LoadedVenue
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS, count_bit, count_layout, quote_layout, sizes_layout
from market.fastpath.specification import Kind
from market.fastpath.state import Counter

_GATE_STATE = ("killed", "leased", "cool", "rate_free")


class Event(wiring.Component):
    """Decides an event; nothing of it is stored here.

    Members
    -------
    at: the schedule; pipeline: that of the other venues, turns: of which of them. sizes: in use.
    in_build, venue, here, time: of the event, from ``Preparation.READ`` on; its venue as a number and as one bit.
    loaded: what is stored, after ``Preparation.READ``; quote: from ``Stage.SCALE`` on.
    other, other_here, other_first: of the other venue that is being read, see ``OtherVenues``; beyond: see ``Scan``.
    selected: the candidate's other venue, a bit per other venue; within ``Stage.GATE``. own_sells: and it buys.
    other_venue: its number, from ``Stage.SELECT`` on; ``other`` is of it behind ``Stage.ROWS``.
    killed, leased, cool, rate_free: of the gate, in ``Stage.GATE``.
    abandon, early, fires: see ``Gate``.
    legs: of the trigger; counts: what the event counts; after ``Stage.RECORD``.
    changes: after the last cycle of the event; value, samples: see ``BasisSample``.
    difference, total, bid, ask: for the late values, in ``Stage.CHOOSE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        bits, price, basis = parameters.price_bits, price_shape(parameters), basis_fields(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "pipeline": In(Schedule()),
                "turns": In(Turns(parameters)),
                "sizes": In(sizes_layout(parameters)),
                "in_build": In(1),
                "venue": In(parameters.venue_bits),
                "here": In(parameters.venues),
                "time": In(TIME_BITS),
                "loaded": In(Loaded(parameters)),
                "other": In(LoadedVenue(parameters)),
                "other_here": In(parameters.venues),
                "other_first": In(1),
                "beyond": In(parameters.others),
                "selected": Out(parameters.others),
                "own_sells": Out(1),
                "other_venue": In(parameters.venue_bits),
                "quote": In(quote_layout),
                **{name: In(1) for name in _GATE_STATE},
                "abandon": In(1),
                "early": Out(1),
                "fires": Out(1),
                "legs": Out(bundle(leg_fields(parameters))),
                "counts": Out(count_layout),
                "changes": Out(Changes(parameters)),
                "value": Out(basis["value"]),
                "samples": Out(basis["samples"]),
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
        m.submodules.others = self._others = OtherVenues(parameters)
        self._contenders = [Contender(parameters) for _ in range(parameters.others)]
        for number, contender in enumerate(self._contenders):
            m.submodules[f"contender_{number}"] = contender
        follow(m, self.at, self._admission, self._own_bid, self._own_ask, self._imbalance, self._choice)
        follow(m, self.at, self._gate, self._record, *self._contenders)
        follow(m, self.pipeline, self._others)

        mid, own_mid = Signal(unsigned(parameters.price_bits + 1)), Signal(unsigned(parameters.price_bits + 1))
        m.d.comb += mid.eq(self._admission.bid + self._admission.ask)
        with m.If(self.at.event[Stage.COMPARE]):
            m.d.sync += own_mid.eq(mid)
        self._admit(m)
        self._own_sides(m)
        self._weigh(m)
        self._prepare(m, own_mid)
        self._compare(m, mid)
        self._choose(m)
        self._pass(m)
        self._describe(m, own_mid)
        self._change(m)
        self._count(m)
        return m

    def _admit(self, m: Module) -> None:
        part = self._admission
        m.d.comb += [
            *assign(part, self, ("sizes", "quote", "in_build")),
            *assign(part, self.loaded, ("sequence_known", "sequence")),
            *assign(part.scaling, self.loaded.scaling, SCALING_FIELDS),
        ]

    def _own_sides(self, m: Module) -> None:
        """The bid is sold at, and the other venue then buys; the ask is bought at."""
        row, admission = self.loaded.row, self._admission
        for name, side, room, other_room in (
            ("bid", self._own_bid, self._others.own_selling, "buying"),
            ("ask", self._own_ask, self._others.own_buying, "selling"),
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
            for mine, other in zip(side.rooms, self._contenders, strict=True):
                m.d.comb += mine.eq(getattr(other.known, other_room))

    def _weigh(self, m: Module) -> None:
        part, admission, row = self._imbalance, self._admission, self.loaded.row
        m.d.comb += [
            part.quote.eq(self.quote),
            part.threshold.eq(row.imbalance_threshold),
            part.top.eq(admission.quantity_top),
            part.maximum_spread.eq(row.maximum_spread),
            *assign(part, admission, ("bid", "ask", "bid_cut", "ask_cut", "admitted")),
            part.enabled.eq(self.loaded.own_enabled & row.kinds[Kind.IMBALANCE - 1]),
            part.bid_shown.eq(self._own_bid.shown),
            part.ask_shown.eq(self._own_ask.shown),
            *assign(self, part, ("difference", "total")),
            *assign(self, admission, ("bid", "ask")),
        ]

    def _prepare(self, m: Module, own_mid: Signal) -> None:
        """The pipeline of the other venues."""
        others, loaded, parameters = self._others, self.loaded, self._parameters
        masks = [getattr(loaded.row, LEAD_FIELD.format(venue)) for venue in range(parameters.venues)]
        m.d.comb += [
            *[mine.eq(theirs) for mine, theirs in zip(others.own.preparation, self.at.preparation, strict=True)],
            *[mine.eq(theirs) for mine, theirs in zip(others.own.event, self.at.event, strict=True)],
            others.here.eq(self.other_here),
            others.first.eq(self.other_first),
            others.venues.eq(Cat(self.sizes.venues > venue for venue in range(parameters.venues))),
            others.time.eq(self.time),
            *assign(others.instrument, loaded.row, instrument_fields(parameters)),
            *assign(others, loaded, ("own_enabled", "own_fee", "valid")),
            others.leads.eq(one_of(self.here, masks)),
            others.led.eq(Cat((mask & self.here).any() for mask in masks)),
            others.sampled.eq(loaded.bits.sampled),
            *[getattr(others, f"old_{group}").eq(getattr(loaded.bits, group)) for group in PAIR_GROUPS],
            *assign(others.stored.quote, self.other.quote, quote_fields(parameters)),
            *assign(others.stored.basis, self.other.basis, basis_fields(parameters)),
            *assign(others.stored.holding, self.other.holding, holding_fields(parameters)),
            *assign(others.stored.row, self.other.row, self.other.row.signature.members),
            others.own_mid.eq(own_mid),
            self.value.eq(others.new_value),
            self.samples.eq(others.new_samples),
        ]

    def _compare(self, m: Module, mid: Signal) -> None:
        for number, contender in enumerate(self._contenders):
            m.d.comb += [
                contender.take.eq(self.turns.limits[number]),
                *assign(contender.prospect, self._others.prospect, prospect_fields(self._parameters)),
                contender.own_bid.eq(self._admission.bid),
                contender.own_ask.eq(self._admission.ask),
                contender.own_mid.eq(mid),
                contender.own_bid_shown.eq(self._own_bid.shown),
                contender.own_ask_shown.eq(self._own_ask.shown),
                contender.admitted.eq(self._admission.admitted),
            ]

    def _choose(self, m: Module) -> None:
        choice = self._choice
        m.d.comb += [choice.turns.limits.eq(self.turns.limits), choice.turns.orders.eq(self.turns.orders)]
        for group, limit in LIMITS.items():
            newest = Signal(group_shape(self._parameters, group), name=f"newest_{limit}")
            with m.If(self.turns.limits.any()):
                m.d.sync += newest.eq(getattr(self._others.prospect, limit))
            rises = Cat(getattr(other.rises, group) for other in self._contenders)
            m.d.comb += [getattr(choice, f"{group}_newest").eq(newest), getattr(choice, f"{group}_rises").eq(rises)]
            for part in (choice, self._record):
                for mine, other in zip(getattr(part, f"{group}_limits"), self._contenders, strict=True):
                    m.d.comb += mine.eq(getattr(other.known, limit))

    def _pass(self, m: Module) -> None:
        gate, legs = self._gate, own_leg(self._parameters)
        m.d.comb += [
            *[mine.eq(getattr(self._choice, f"{g}_picks")) for mine, g in zip(gate.picks, PAIR_GROUPS, strict=True)],
            gate.found.eq(self._choice.found),
            gate.abandon.eq(self.abandon),
            gate.imbalance.eq(self._imbalance.conditions & ~self.loaded.bits.imbalance),
            *assign(gate.bid, self._own_bid, legs),
            *assign(gate.ask, self._own_ask, legs),
            *assign(gate, self, _GATE_STATE),
            gate.enabled.eq(self.loaded.row.enabled),
            *assign(self, gate, ("early", "fires")),
        ]
        for mine, other in zip(gate.others, self._contenders, strict=True):
            m.d.comb += assign(mine, other.known, OTHER_LEG)

    def _describe(self, m: Module, own_mid: Signal) -> None:
        """The candidate's legs, size and edge."""
        part, parameters, row = self._record, self._parameters, self.loaded.row
        m.d.comb += [
            *assign(part.candidate, self._gate.candidate, candidate_fields(parameters)),
            *[
                mine.eq(getattr(self._choice, f"{group}_picks"))
                for mine, group in zip(part.picks, PAIR_GROUPS, strict=True)
            ],
            part.venue.eq(self.venue),
            *assign(part, self._admission, ("bid", "ask")),
            part.bid_least.eq(self._own_bid.least),
            part.ask_least.eq(self._own_ask.least),
            part.mid.eq(own_mid),
            *assign(part, row, ("minimum_edge", "basis_threshold")),
            part.maximum.eq(row.maximum_quantity),
            part.other_venue.eq(self.other_venue),
            *assign(part.quote, self.other.quote, quote_fields(parameters)),
            *assign(part.holding, self.other.holding, holding_fields(parameters)),
            *assign(self.legs, part.legs, leg_fields(parameters)),
            self.selected.eq(self._gate.picked),
            self.own_sells.eq(self._gate.sells),
        ]

    def _change(self, m: Module) -> None:
        changes, candidate = self.changes, self._gate.candidate
        due = Cat(other.known.due for other in self._contenders)
        sends = Signal(2)
        m.d.comb += [
            sends.eq(Mux(self._gate.fires, Cat(candidate.own, candidate.other), 0)),
            *assign(changes, self._admission, ("stored", "admitted")),
            changes.sequence.eq(self.quote.sequence),
            *assign(changes.quote, self._admission, ("bid", "ask")),
            changes.quote.bid_quantity.eq(self._own_bid.quantity),
            changes.quote.ask_quantity.eq(self._own_ask.quantity),
            changes.quote.time.eq(self.time),
            *[
                getattr(changes.bits, group).eq(
                    spread(
                        Cat(getattr(other.new, group) for other in self._contenders),
                        self.beyond,
                        self._parameters.venues,
                    )
                )
                for group in PAIR_GROUPS
            ],
            changes.bits.imbalance.eq(self._imbalance.conditions),
            changes.sampled.eq(Mux(self._admission.admitted & self.loaded.own_enabled, due, 0)),
            changes.bits.sampled.eq(spread(changes.sampled, self.beyond, self._parameters.venues)),
            changes.sells.eq(Mux(candidate.own_sells, sends[0], sends[1])),
            changes.buys.eq(Mux(candidate.own_sells, sends[1], sends[0])),
            *assign(changes, self._record, ("new_selling", "new_buying")),
        ]

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
