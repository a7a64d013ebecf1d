"""Part 7 of a quote event: the candidate passes, or the first reason stops it."""

from __future__ import annotations

from functools import reduce
from operator import or_
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
    return {"inside": unsigned(1), "fits": unsigned(1), "fits_others": unsigned(parameters.others)}


def candidate_fields(parameters: CoreParameters) -> Fields:
    """A candidate: its kind (0: there is none), the other venue, and which legs it has.

    ``venue``: a bit per other venue in their order. ``own_sells``: the event's venue sells or is rich. ``own``,
    ``other``: the leg on it, on the other venue, is sent.
    """
    flags = {name: unsigned(1) for name in ("own_sells", "own", "other")}
    return {"kind": unsigned(KIND_BITS), "venue": unsigned(parameters.others), **flags}


class Gate(wiring.Component):
    """Puts the picked candidate through the gate; without one, the rise of IMBALANCE.

    Size is never compared itself: the minimum of three quantities fits a room if one of them does.

    Safe only with an imbalance threshold of at least 1, which the control unit checks: with 0 both rises of IMBALANCE
    could come at once, and the leg that is looked at would not be the one that is sent.

    Members
    -------
    at: the schedule.
    picks: per group of ``PAIR_GROUPS``, one bit in all of them at most; found: there is one; imbalance: the rises
        ``BUY`` and ``SELL``. All after ``Stage.CHOOSE``.
    bid, ask: the event's legs; others: those of the other venues.
    killed, leased, enabled, cool, rate_free: in ``Stage.GATE``. abandon: the event is given up.
    picked, sells: its other venue, a bit per other venue; the event's venue sells or is rich. Within ``Stage.GATE``.
    early: strobe after ``Stage.GATE``: the candidate passes.
    candidate: after ``Stage.GATE``; stopped: bit per ``GateReason``, at most one, after ``Stage.SELECT``.
    fires: the candidate passes; like ``candidate`` until the next event's gate.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._others = parameters.others
        leg, candidate = bundle(own_leg(parameters)), bundle(candidate_fields(parameters))
        flags = ("killed", "leased", "enabled", "cool", "rate_free")
        super().__init__(
            {
                "at": In(Schedule()),
                "picks": In(parameters.others).array(len(PAIR_GROUPS)),
                "found": In(1),
                "imbalance": In(2),
                "abandon": In(1),
                "bid": In(leg),
                "ask": In(leg),
                "others": In(bundle(OTHER_LEG)).array(parameters.others),
                **{name: In(1) for name in flags},
                "picked": Out(parameters.others),
                "sells": Out(1),
                "early": Out(1),
                "fires": Out(1),
                "candidate": Out(candidate),
                "stopped": Out(len(GateReason)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        inside, fits = Signal(), Signal()
        sells = {kind: self.picks[PAIR_GROUPS.index(f"{kind}_sells")] for kind in ("arb", "basis")}
        m.d.comb += [
            inside.eq(self._chosen(self._inside(m), self.bid.inside, self.ask.inside)),
            fits.eq(self._chosen(self._fits(m), self.bid.fits, self.ask.fits)),
            self.picked.eq(reduce(or_, self.picks)),
            self.sells.eq(Mux(self.found, (sells["arb"] | sells["basis"]).any(), self.imbalance[SELL])),
        ]
        allowed, checks = Signal(4), Signal(len(GateReason))
        m.d.comb += allowed.eq(Cat(~self.killed, self.leased, self.enabled, self.cool))
        found = self.found | self.imbalance.any()
        passes = found & allowed.all() & inside & fits & self.rate_free
        m.d.sync += self.early.eq(0)
        with m.If(self.at.event[Stage.GATE]):
            m.d.sync += [
                self.early.eq(passes & ~self.abandon),
                self.fires.eq(passes),
                checks.eq(Cat(allowed, inside, fits, self.rate_free)),
            ]
            self._take(m)
        with m.If(self.at.event[Stage.SELECT]):
            first_failed = ~checks & (checks + 1)
            m.d.sync += self.stopped.eq(Mux(self.candidate.kind != 0, first_failed, 0))
        return m

    def _inside(self, m: Module) -> list[Signal]:
        """Per group, bit w: the prices of the legs that are sent are inside; registers after ``Stage.CHOOSE``."""
        leads = Cat(other.leads for other in self.others)
        bids, asks = (Cat(getattr(other, f"{side}_inside") for other in self.others) for side in ("bid", "ask"))
        own = {"sells": Mux(self.bid.inside, -1, 0), "buys": Mux(self.ask.inside, -1, 0)}
        other = {"sells": asks, "buys": bids}
        found = []
        for group in PAIR_GROUPS:
            kind, role = group.split("_")
            found.append(inside := Signal(self._others, name=f"{group}_inside"))
            with m.If(self.at.event[Stage.CHOOSE]):
                m.d.sync += inside.eq(other[role] & (own[role] | (leads if kind == "basis" else 0)))
        return found

    def _fits(self, m: Module) -> list[Value]:
        """Per group, bit w: the size fits the rooms of the legs that are sent; within ``Stage.GATE``.

        With a lead of the event's venue it has no leg, and its quantity is no part of the size.
        """
        sides = {"sells": (self.bid, "own_sell_fits", "buy_fits"), "buys": (self.ask, "own_buy_fits", "sell_fits")}
        found = []
        for group in PAIR_GROUPS:
            kind, role = group.split("_")
            side, own_name, other_name = sides[role]
            own_known, bits = Signal(self._others, name=f"{group}_own_fits"), []
            for venue, other in enumerate(self.others):
                leads = other.leads if kind == "basis" else 0
                with m.If(self.at.event[Stage.CHOOSE]):
                    m.d.sync += own_known[venue].eq(getattr(other, own_name) | leads)
                by_own = side.fits_others[venue] & ~other.leads if kind == "basis" else side.fits_others[venue]
                bits.append((side.fits | own_known[venue]) & (getattr(other, other_name) | by_own))
            found.append(Cat(bits))
        return found

    def _chosen(self, flags: list[Any], bid: Value, ask: Value) -> Value:
        """The flag of the pick, or, without one, of the IMBALANCE rise's leg."""
        picked = [(picks & flag).any() for picks, flag in zip(self.picks, flags, strict=True)]
        return Cat(picked).any() | (~self.found & Mux(self.imbalance[BUY], ask, bid))

    def _take(self, m: Module) -> None:
        """Which candidate it is, for the registers behind the gate."""
        candidate = self.candidate
        groups = dict(zip(PAIR_GROUPS, self.picks, strict=True))
        leads = Cat(other.leads for other in self.others)
        picks = self.picked
        is_basis = groups["basis_sells"].any() | groups["basis_buys"].any()
        alone = Mux(self.imbalance.any(), Kind.IMBALANCE, 0)
        m.d.sync += [
            candidate.venue.eq(picks),
            candidate.other.eq(self.found),
            candidate.own.eq(~(is_basis & (picks & leads).any())),
            candidate.own_sells.eq(self.sells),
            candidate.kind.eq(Mux(self.found, Mux(is_basis, Kind.BASIS, Kind.ARB), alone)),
        ]
