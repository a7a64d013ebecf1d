"""Part 7 of a quote event: the candidate passes, or the first reason stops it."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.edge_bits import BUY, PAIR_GROUPS, SELL
from hdl.decision.schedule import Schedule, Stage
from hdl.decision.shapes import Fields, bundle
from hdl.parameters import CoreParameters
from hdl.records import KIND_BITS
from market.fastpath.specification import GateReason, Kind

OTHER_LEG: Final[Fields] = {
    name: unsigned(1)
    for name in ("bid_inside", "ask_inside", "sell_fits", "buy_fits", "own_sell_fits", "own_buy_fits", "leads")
}
"""What is known before the event of the legs of one other venue w: see ``StoredSides`` and ``Rooms``; lead[v][w]."""


def own_leg(parameters: CoreParameters) -> Fields:
    """What is known of one side of the event: see ``OwnSide``."""
    return {"inside": unsigned(1), "fits": unsigned(1), "fits_others": unsigned(parameters.venues)}


def candidate_fields(parameters: CoreParameters) -> Fields:
    """A candidate: its kind (0: there is none), the other venue as one bit, and which legs it has.

    ``own_sells``: the event's venue sells or is rich. ``own``, ``other``: the leg on it, on the other venue, is sent.
    """
    flags = {name: unsigned(1) for name in ("own_sells", "own", "other")}
    return {"kind": unsigned(KIND_BITS), "venue": unsigned(parameters.venues), **flags}


class Gate(wiring.Component):
    """Takes the first group with a pick, and puts it through the gate.

    Size is never compared itself: the minimum of three quantities fits a room if one of them does.

    Members
    -------
    at: the schedule.
    picks: per group of ``PAIR_GROUPS``; imbalance: the rises ``BUY`` and ``SELL``. Both after ``Stage.CHOOSE``.
    bid, ask: the event's legs; others: those of the other venues.
    killed, leased, enabled, cool, rate_free: in ``Stage.GATE``.
    early: strobe after ``Stage.GATE``: the candidate passes.
    candidate: after ``Stage.GATE``; stopped: bit per ``GateReason``, at most one, after ``Stage.SELECT``.
    fires: the candidate passes; like ``candidate`` until the next event's gate.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._venues = range(parameters.venues)
        leg, candidate = bundle(own_leg(parameters)), bundle(candidate_fields(parameters))
        flags = ("killed", "leased", "enabled", "cool", "rate_free")
        super().__init__(
            {
                "at": In(Schedule()),
                "picks": In(parameters.venues).array(len(PAIR_GROUPS)),
                "imbalance": In(2),
                "bid": In(leg),
                "ask": In(leg),
                "others": In(bundle(OTHER_LEG)).array(parameters.venues),
                **{name: In(1) for name in flags},
                "early": Out(1),
                "fires": Out(1),
                "candidate": Out(candidate),
                "stopped": Out(len(GateReason)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        inside, fits = self._legs(m)
        m.d.sync += self.early.eq(0)
        allowed = Signal(4)
        m.d.comb += allowed.eq(Cat(~self.killed, self.leased, self.enabled, self.cool))
        passes, found = Signal(), Signal()
        m.d.comb += [
            found.eq(Cat(self.picks).any() | self.imbalance.any()),
            passes.eq(found & allowed.all() & inside & fits & self.rate_free),
        ]
        checks = Signal(len(GateReason))
        with m.If(self.at.event[Stage.GATE]):
            m.d.sync += [
                self.early.eq(passes),
                self.fires.eq(passes),
                checks.eq(Cat(allowed, inside, fits, self.rate_free)),
            ]
            self._take(m)
        with m.If(self.at.event[Stage.SELECT]):
            lowest_failed = ~checks & (checks + 1)
            m.d.sync += self.stopped.eq(Mux(self.candidate.kind != 0, lowest_failed, 0))
        return m

    def _legs(self, m: Module) -> tuple[Value, Value]:
        """Whether the chosen candidate's prices are inside the collar, and its size in the rooms."""
        inside: dict[str, list[Value]] = {group: [] for group in PAIR_GROUPS}
        fits: dict[str, list[Value]] = {group: [] for group in PAIR_GROUPS}
        for venue, other in enumerate(self.others):
            sells_inside, buys_inside = self.bid.inside & other.ask_inside, self.ask.inside & other.bid_inside
            sells_fit = (self.bid.fits | other.own_sell_fits) & (other.buy_fits | self.bid.fits_others[venue])
            buys_fit = (self.ask.fits | other.own_buy_fits) & (other.sell_fits | self.ask.fits_others[venue])
            inside["arb_sells"].append(sells_inside)
            inside["arb_buys"].append(buys_inside)
            inside["basis_sells"].append(Mux(other.leads, other.ask_inside, sells_inside))
            inside["basis_buys"].append(Mux(other.leads, other.bid_inside, buys_inside))
            fits["arb_sells"].append(sells_fit)
            fits["arb_buys"].append(buys_fit)
            fits["basis_sells"].append(Mux(other.leads, other.buy_fits, sells_fit))
            fits["basis_buys"].append(Mux(other.leads, other.sell_fits, buys_fit))
        chosen_inside, chosen_fits = Signal(), Signal()
        m.d.comb += [
            chosen_inside.eq(self._of_first(inside, self.bid.inside, self.ask.inside)),
            chosen_fits.eq(self._of_first(fits, self.bid.fits, self.ask.fits)),
        ]
        return chosen_inside, chosen_fits

    def _of_first(self, flags: dict[str, list[Value]], bid: Value, ask: Value) -> Value:
        """The flag of the pick of the first group that has one, else of the IMBALANCE rise."""
        value = Mux(self.imbalance[BUY], ask, bid)
        for group, picks in reversed(list(zip(PAIR_GROUPS, self.picks, strict=True))):
            value = Mux(picks.any(), (picks & Cat(flags[group])).any(), value)
        return value

    def _take(self, m: Module) -> None:
        """Which candidate it is, for the registers behind the gate."""
        candidate = self.candidate
        leads = Cat(other.leads for other in self.others)
        m.d.sync += [
            candidate.venue.eq(0),
            candidate.own.eq(1),
            candidate.other.eq(0),
            candidate.own_sells.eq(self.imbalance[SELL]),
            candidate.kind.eq(Mux(self.imbalance.any(), Kind.IMBALANCE, 0)),
        ]
        for group, picks in reversed(list(zip(PAIR_GROUPS, self.picks, strict=True))):
            basis = group.startswith("basis")
            with m.If(picks.any()):
                m.d.sync += [
                    candidate.kind.eq(Kind.BASIS if basis else Kind.ARB),
                    candidate.venue.eq(picks),
                    candidate.own_sells.eq(group.endswith("sells")),
                    candidate.own.eq(~(picks & leads).any() if basis else 1),
                    candidate.other.eq(1),
                ]
