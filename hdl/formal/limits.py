"""The limits of a trigger: one event, from whatever an event before it has left behind.

Every register of the machine may begin with any value and everything stored may be anything within its bounds; the
preparation and the event then run once. So the proof is about every event of every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hdl.decision.event import Event
from hdl.decision.schedule import Preparation, Sampling, Stage, cycle_of, prepare_cycles
from hdl.decision.shapes import basis_fields, bundle, holding_fields, quote_fields
from hdl.decision.venues import VENUE_STATE
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.small import SMALL
from hdl.formal.solver import Mode
from market.fastpath.specification import SCALING_SHIFT_LIMIT, Kind, Side

_STORED: Final = ("sizes", "in_build", "venue", "time", "loaded", "quote")
_SCANNED: Final = ("other", "other_here", "other_first", "beyond", "other_venue")
_HELD: Final = ("position", "pending_sell", "pending_buy")
_LONGEST_WAIT: Final = 3
_BEGIN: Final = prepare_cycles(SMALL) - 1
"""Step of the earliest begin: an event may begin while the last venue's limits are computed."""
_DECIDED: Final = _BEGIN + _LONGEST_WAIT + Stage.RESULT + 1
_DEPTH: Final = _DECIDED + 1
_TOP: Final = SMALL.capacity.top
_SEEN: Final = {
    "maximum_quantity": _TOP,
    "minimum_quantity": 0,
    "price_low": 0,
    "price_high": _TOP,
    "position_limit": _TOP,
    "enabled": 1,
    "kinds": (1 << len(Kind)) - 1,
}
"""Limits of an instrument row, and what each is taken as by the mutation that ignores it."""
_ANY_THRESHOLD: Final = "an imbalance threshold of 0"
_NO_PENDING: Final = "pending sizes are seen as 0"
_WITHIN: Final = (
    f"2 venues, prices and quantities of {SMALL.price_bits} bits, an event that begins up to {_LONGEST_WAIT} cycles "
    "behind its preparation"
)


@dataclass(frozen=True, slots=True)
class _Leg:
    """A venue: whether it is enabled, whether it sells or buys, at what price, and what is held there."""

    enabled: Value
    sells: Value
    buys: Value
    price: Value
    position: Value
    pending_sell: Value
    pending_buy: Value


class _OneEvent:
    """The schedule of one event, what is known of the stored rows, and the trigger."""

    def __init__(self, mutation: str) -> None:
        self.subject = Event(SMALL)
        self.bench = Bench(self.subject)
        self._free(mutation)
        self._run()
        self._bound(mutation)

    def _free(self, mutation: str) -> None:
        """All that is stored has any value but the same one throughout; limits and sizes pass through a mutation."""
        bench, row = self.bench, self.subject.loaded.row
        driven = [f"loaded.row.{name}" for name in _SEEN]
        bench.free_inputs("at", "pipeline", "turns", "here", *_SCANNED, *driven, fixed=_STORED)
        self.limits = {name: bench.fixed(name, Value.cast(getattr(row, name)).shape()) for name in _SEEN}
        shapes = holding_fields(SMALL)
        self.held = {
            name: [bench.fixed(f"{name}_{number}", shapes[name]) for number in range(SMALL.venues)] for name in _HELD
        }
        for name, seen in _SEEN.items():
            bench.m.d.comb += getattr(row, name).eq(seen if mutation == f"ignores {name}" else self.limits[name])
        self.no_pending = mutation == _NO_PENDING

    def _run(self) -> None:
        bench, subject = self.bench, self.subject
        m: Module = bench.m
        wait, self.step = bench.fixed("wait", _LONGEST_WAIT.bit_length()), Signal(range(_DEPTH + 1))
        bench.assume(wait <= _LONGEST_WAIT)
        with m.If(self.step < _DEPTH):
            m.d.sync += self.step.eq(self.step + 1)
        at, pipeline, begin = subject.at, subject.pipeline, _BEGIN + wait
        for schedule in (at, pipeline):
            m.d.comb += [strobe.eq(self.step == number) for number, strobe in enumerate(schedule.preparation)]
        m.d.comb += [strobe.eq(self.step == begin + number) for number, strobe in enumerate(at.event)]
        m.d.comb += [pipeline.event[each].eq(self.step == begin + cycle_of(SMALL, each)) for each in Sampling]
        m.d.comb += [
            subject.turns.limits.eq(at.preparation[Preparation.LIMITS]),
            subject.turns.orders.eq(at.preparation[Preparation.ORDERS]),
            subject.here.eq(Const(1) << subject.venue),
        ]
        self._scan(m, begin)
        self.fires = (self.step == _DECIDED) & subject.fires

    def _scan(self, m: Module, begin: Value) -> None:
        """What is read of the only other venue, and when; before that the stores may show anything."""
        bench, subject = self.bench, self.subject
        own, other, chosen, read = subject.venue, Signal(), Signal(), Signal()
        sold_at, bought_at = Signal(), Signal()
        m.d.comb += [
            other.eq(~own),
            chosen.eq(subject.selected[0] & other),
            subject.other_here.eq(Const(1) << other),
            subject.other_first.eq(~own),
            subject.beyond.eq(~own),
        ]
        with m.If(self.step == begin + Stage.GATE):
            m.d.sync += [
                sold_at.eq(Mux(subject.own_sells, own, chosen)),
                bought_at.eq(Mux(subject.own_sells, chosen, own)),
                read.eq(chosen),
            ]
        with m.If(self.step == begin + Stage.SELECT):
            m.d.sync += subject.other_venue.eq(read)
        self.sold_at, self.bought_at = sold_at, bought_at
        parts: dict[str, Any] = {"row": VENUE_STATE, "quote": quote_fields(SMALL), "basis": basis_fields(SMALL)}
        is_read = self.step >= Preparation.SUMS
        self.other = wiring.Signature({name: wiring.Out(bundle(fields)) for name, fields in parts.items()}).create()
        for part, fields in parts.items():
            for name, shape in fields.items():
                stored = bench.fixed(f"other_{part}_{name}", shape)
                m.d.comb += [
                    getattr(getattr(self.other, part), name).eq(stored),
                    getattr(getattr(subject.other, part), name).eq(
                        Mux(is_read, stored, bench.free(f"unread_{part}_{name}", shape))
                    ),
                ]
        # of the event's venue, then of the other one, in the end of the one that sells and the one that buys
        reading = {"position": sold_at, "pending_sell": sold_at, "pending_buy": bought_at}
        for name, held in self.held.items():
            shown, stored, venue = getattr(subject.other.holding, name), Signal.like(held[0]), Signal()
            m.d.comb += [
                venue.eq(
                    Mux(
                        self.step >= begin + Stage.RECORD,
                        reading[name],
                        Mux(self.step >= Preparation.PRODUCTS, other, own),
                    )
                ),
                stored.eq(0 if self.no_pending and name != "position" else Array(held)[venue]),
                shown.eq(Mux(is_read, stored, bench.free(f"unread_{name}", Value.cast(shown).shape()))),
            ]

    def _bound(self, mutation: str) -> None:
        """What the control unit and the machine keep true of what is stored; of holdings, see their proof."""
        subject, bench, limits, top = self.subject, self.bench, self.limits, _TOP
        bench.assume(subject.sizes.venues == SMALL.venues)
        for shift in range(SCALING_SHIFT_LIMIT + 1):
            bench.assume(subject.sizes[f"top{shift}"] == top // 10**shift)
        bench.assume((limits["minimum_quantity"] > 0) & (limits["minimum_quantity"] <= limits["maximum_quantity"]))
        if mutation != _ANY_THRESHOLD:
            bench.assume(subject.loaded.row.imbalance_threshold != 0)
        for position, pending_sell, pending_buy in zip(*self.held.values(), strict=True):
            for held in (position - pending_sell, position + pending_buy):
                bench.assume((held >= -2 * top) & (held <= 2 * top))

    def legs(self) -> list[_Leg]:
        """What the trigger does at each venue."""
        legs, found = self.subject.legs, []
        for number, held in enumerate(zip(*self.held.values(), strict=True)):
            is_first, is_second = legs.first_venue == number, legs.second_venue == number
            first_side, second_side = legs.first_side, legs.second_side
            sells = (is_first & (first_side == Side.SELL)) | (is_second & (second_side == Side.SELL))
            buys = (is_first & (first_side == Side.BUY)) | (is_second & (second_side == Side.BUY))
            price = Mux(is_first, legs.first_price, legs.second_price)
            is_own = self.subject.venue == number
            enabled = Mux(is_own, self.subject.loaded.own_enabled, self.other.row.enabled)
            found.append(_Leg(enabled, sells, buys, price, *held))
        return found

    def design(self) -> Design:
        """Every kind of trigger is reached."""
        for kind in Kind:
            self.bench.reach(self.fires & (self.subject.legs.kind == kind))
        return self.bench.design()


def _limits(mutation: str) -> Design:
    """A mutation ``ignores FIELD`` lets the machine see that limit as wide as it can be, whatever it is."""
    run = _OneEvent(mutation)
    bench, legs, limits = run.bench, run.subject.legs, run.limits
    with bench.m.If(run.fires):
        bench.claim((legs.quantity >= limits["minimum_quantity"]) & (legs.quantity <= limits["maximum_quantity"]))
        bench.claim(limits["enabled"] & (Cat(0, limits["kinds"]) >> legs.kind)[0])
        bench.claim((legs.first_side != Side.NONE) & (legs.first_venue < SMALL.venues))
        has_second = legs.second_side != Side.NONE
        bench.claim(~has_second | ((legs.first_side == Side.SELL) & (legs.second_side == Side.BUY)))
        bench.claim(~has_second | ((legs.second_venue < SMALL.venues) & (legs.first_venue != legs.second_venue)))
        for leg in run.legs():
            is_leg = leg.sells | leg.buys
            bench.claim(~(leg.sells & leg.buys))
            bench.claim(~is_leg | ((leg.price >= limits["price_low"]) & (leg.price <= limits["price_high"])))
            bench.claim(~is_leg | leg.enabled)
    return run.design()


def _positions(mutation: str) -> Design:
    run = _OneEvent(mutation)
    bench, quantity, room = run.bench, run.subject.legs.quantity, run.limits["position_limit"]
    changes = run.subject.changes
    with bench.m.If(run.fires):
        for venue, leg in enumerate(run.legs()):
            bench.claim(~leg.sells | (leg.position - leg.pending_sell - quantity >= -room))
            bench.claim(~leg.buys | (leg.position + leg.pending_buy + quantity <= room))
            bench.claim((changes.sells & (run.sold_at == venue)) == leg.sells)
            bench.claim((changes.buys & (run.bought_at == venue)) == leg.buys)
            bench.claim(~leg.sells | (changes.new_selling == leg.pending_sell + quantity))
            bench.claim(~leg.buys | (changes.new_buying == leg.pending_buy + quantity))
    return run.design()


LIMITS: Final = Proof(
    name="limits",
    statement=(
        "every trigger has a quantity between the least and the largest of its row, prices inside the collar, an "
        "enabled instrument, kind and venues, and one leg, or two that sell at one venue and buy at another, if the "
        f"imbalance threshold is not 0; {_WITHIN}"
    ),
    build=_limits,
    mutations=(*(f"ignores {name}" for name in _SEEN if name != "position_limit"), _ANY_THRESHOLD),
    mode=Mode.BOUNDED,
    depth=_DEPTH,
    mutation_depth=_DEPTH,
    cover_depth=_DEPTH,
    any_state=True,
    first_claim=_DECIDED,
)
POSITIONS: Final = Proof(
    name="positions",
    statement=(
        "every trigger leaves the positions at its venues, with all that is pending and its own quantity, within the "
        f"limit of its row, and its quantity is added to what is pending there; {_WITHIN}"
    ),
    build=_positions,
    mutations=("ignores position_limit", _NO_PENDING),
    mode=Mode.BOUNDED,
    depth=_DEPTH,
    mutation_depth=_DEPTH,
    cover_depth=_DEPTH,
    any_state=True,
    first_claim=_DECIDED,
    is_long=True,
)
