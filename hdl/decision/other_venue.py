"""The pipeline of the other venues: everything that an event is compared with, one venue per cycle."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.arbitrage import Arbitrage
from hdl.decision.basis import Basis
from hdl.decision.conditions import FOUR_BITS, PairConditions
from hdl.decision.contender import prospect_fields
from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.pipeline import carried
from hdl.decision.rooms import Rooms
from hdl.decision.samples import BasisSample
from hdl.decision.schedule import Preparation, Sampling, Schedule, follow
from hdl.decision.shapes import (
    VENUE_FIELDS,
    assign,
    basis_fields,
    bundle,
    holding_fields,
    instrument_fields,
    quote_fields,
    room_shape,
)
from hdl.decision.stored_sides import StoredSides
from hdl.decision.stores import LoadedVenue
from hdl.decision.usable import Usable
from hdl.decision.venues import VENUE_STATE
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS

_MASKS = ("leads", "led", "valid", "sampled")


class OtherVenues(wiring.Component):
    """Each other venue w in turn against the event's venue v: limits, rooms, conditions, and later basis samples.

    Members
    -------
    at: the schedule of the pipeline; own: that of the event.
    here, first: of w, in ``READ``: its bit; v is below it.
    venues: bit per venue, those in use; time: T; instrument: the row.
    own_fee, own_enabled: of v; leads, led: bit per venue w, lead[v][w] and lead[w][v]; valid: w has a valid quote;
        sampled: the pair has a basis; old_...: the pair's bits.
    stored: what is known of w, and of the pair, after ``ROWS``; its holding a cycle later, and that of v before.
    own_mid: of the event, after ``Stage.COMPARE``.
    own_selling, own_buying: rooms of v.
    prospect: of w, within ``LIMITS``.
    new_value, new_samples: see ``BasisSample``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        venues, basis = unsigned(parameters.venues), basis_fields(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "own": In(Schedule()),
                "here": In(venues),
                "first": In(1),
                "venues": In(venues),
                "time": In(TIME_BITS),
                "instrument": In(bundle(instrument_fields(parameters))),
                "own_fee": In(VENUE_FIELDS["fee"]),
                "own_enabled": In(1),
                **{name: In(venues) for name in _MASKS},
                **{f"old_{group}": In(venues) for group in PAIR_GROUPS},
                "stored": In(LoadedVenue(parameters)),
                "own_mid": In(parameters.price_bits + 1),
                "own_selling": Out(room_shape(parameters)),
                "own_buying": Out(room_shape(parameters)),
                "prospect": Out(bundle(prospect_fields(parameters))),
                "new_value": Out(basis["value"]),
                "new_samples": Out(basis["samples"]),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        here, first = Signal(self._parameters.venues), Signal()
        here_read, first_read = self.here, self.first
        if self._parameters.registers_rows:
            here_read, first_read = Signal.like(here), Signal()
            with m.If(self.at.preparation[Preparation.READ] | self.at.event[Sampling.READ]):
                m.d.sync += [here_read.eq(self.here), first_read.eq(self.first)]
        with m.If(self.at.preparation[Preparation.ROWS] | self.at.event[Sampling.ROWS]):
            m.d.sync += [here.eq(here_read), first.eq(first_read)]
        m.submodules.usable = usable = Usable(self._parameters)
        m.d.comb += assign(usable.row, self.stored.row, VENUE_STATE)
        m.d.comb += [
            usable.in_build.eq((here & self.venues).any()),
            usable.valid.eq((here & self.valid).any()),
            usable.time.eq(self.time),
            usable.quote_time.eq(self.stored.quote.time),
        ]
        m.submodules.sides = sides = StoredSides(self._parameters)
        m.d.comb += assign(sides.quote, self.stored.quote, quote_fields(self._parameters))
        m.d.comb += [
            sides.minimum.eq(self.instrument.minimum_quantity),
            sides.low.eq(self.instrument.price_low),
            sides.high.eq(self.instrument.price_high),
        ]
        arbitrage = self._arbitrage(m)
        basis = self._basis(m, usable, here, first)
        rooms = self._rooms(m)
        conditions, leads = self._conditions(m, usable, sides, basis, here)
        follow(m, self.at, usable, sides, arbitrage, basis, rooms, conditions)
        prospect = self.prospect
        inside = Signal(2)
        m.d.comb += inside.eq(Cat(sides.bid_inside, sides.ask_inside))
        inside_then = self._since_sums(m, inside, "inside")
        m.d.comb += [
            *assign(prospect, arbitrage, ("sell_limit", "buy_limit")),
            *assign(prospect, basis, ("rich_limit", "cheap_limit", "due")),
            *assign(prospect, rooms, ("selling", "buying", "sell_fits", "buy_fits", "own_sell_fits", "own_buy_fits")),
            *[
                getattr(prospect, f"{name}_{group}").eq(getattr(getattr(conditions, name), group))
                for name in ("prepared", "may_rise")
                for group in PAIR_GROUPS
            ],
            prospect.leads.eq(leads[-1]),
            Cat(prospect.bid_inside, prospect.ask_inside).eq(inside_then[-1]),
        ]
        return m

    def _since_sums(self, m: Module, value: Signal, name: str) -> list[Signal]:
        """A value that is there after ``SUMS``, and goes along until ``PARTS``."""
        register = Signal(len(value), name=name)
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            m.d.sync += register.eq(value)
        lone = self._parameters.has_lone_other
        return carried(m, self.at, register, Preparation.PARTS, since=Preparation.PRODUCTS, lone=lone)

    def _arbitrage(self, m: Module) -> Arbitrage:
        m.submodules.arbitrage = part = Arbitrage(self._parameters)
        m.d.comb += [
            part.own_fee.eq(self.own_fee),
            *assign(part, self.stored.quote, ("bid", "ask")),
            part.fee.eq(self.stored.row.fee),
            part.minimum_edge.eq(self.instrument.minimum_edge),
        ]
        return part

    def _basis(self, m: Module, usable: Usable, here: Signal, first: Signal) -> Basis:
        m.submodules.basis = part = Basis(self._parameters)
        m.submodules.sample = sample = BasisSample(self._parameters)
        m.d.comb += [
            part.time.eq(self.time),
            part.first.eq(first),
            part.sampled.eq((here & self.sampled).any()),
            *assign(part, self.stored.quote, ("bid", "ask")),
            *assign(part.stored, self.stored.basis, basis_fields(self._parameters)),
            part.threshold.eq(self.instrument.basis_threshold),
            part.warm_up.eq(self.instrument.basis_warm_up),
            part.interval.eq(self.instrument.basis_interval),
            part.comparable.eq(usable.comparable),
            sample.prepared.eq(self.own.preparation[Preparation.SUMS]),
            sample.shift.eq(self.instrument.basis_shift),
            sample.own_mid.eq(self.own_mid),
            *assign(sample, part, ("mid", "value", "samples")),
            sample.first.eq(part.is_first),
            *assign(self, sample, ("new_value", "new_samples")),
        ]
        follow(m, self.at, sample)
        return part

    def _rooms(self, m: Module) -> Rooms:
        m.submodules.rooms = part = Rooms(self._parameters)
        m.d.comb += [
            *[mine.eq(theirs) for mine, theirs in zip(part.own.preparation, self.own.preparation, strict=True)],
            *[mine.eq(theirs) for mine, theirs in zip(part.own.event, self.own.event, strict=True)],
            *assign(part.holding, self.stored.holding, holding_fields(self._parameters)),
            *assign(part, self.stored.quote, ("bid_quantity", "ask_quantity")),
            *assign(self, part, ("own_selling", "own_buying")),
            part.limit.eq(self.instrument.position_limit),
            part.maximum.eq(self.instrument.maximum_quantity),
        ]
        return part

    def _conditions(
        self, m: Module, usable: Usable, sides: StoredSides, basis: Basis, here: Signal
    ) -> tuple[PairConditions, list[Signal]]:
        """The conditions; and lead[v][w], as it goes along."""
        m.submodules.conditions = part = PairConditions()
        masks = {"leads": self.leads, "led": self.led}
        masks |= {group: getattr(self, f"old_{group}") for group in FOUR_BITS}
        flags = {name: Signal(name=f"{name}_here") for name in masks}
        for name, mask in masks.items():
            with m.If(self.at.preparation[Preparation.SUMS]):
                m.d.sync += flags[name].eq((here & mask).any())
        lone = self._parameters.has_lone_other
        then = {name: carried(m, self.at, flag, Preparation.PARTS, lone=lone) for name, flag in flags.items()}
        shown = Signal(2)
        m.d.comb += shown.eq(Cat(sides.bid_shown, sides.ask_shown))
        shown_then = self._since_sums(m, shown, "shown")
        m.d.comb += [
            part.enabled.eq(self.own_enabled),
            part.kinds.eq(self.instrument.kinds),
            part.comparable.eq(usable.comparable),
            part.warm.eq(basis.warm),
            Cat(part.bid_shown, part.ask_shown).eq(shown_then[0]),
            part.leads.eq(then["leads"][1]),
            part.led.eq(then["led"][1]),
            *[getattr(part.old, group).eq(then[group][1]) for group in FOUR_BITS],
        ]
        return part, then["leads"]
