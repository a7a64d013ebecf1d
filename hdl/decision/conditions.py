"""Parts 3 and 4 of a quote event against one other venue: which conditions hold, and which of them rose."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.schedule import Preparation, Schedule, Stage
from hdl.decision.shapes import KINDS_BITS, Fields, bundle
from market.fastpath.specification import Kind

FOUR_BITS: Final[Fields] = {group: unsigned(1) for group in PAIR_GROUPS}
"""A bit per group of a venue's bits, against one other venue."""


class PairConditions(wiring.Component):
    """The four conditions of the event's venue v against one other venue w.

    Members
    -------
    at: the schedule.
    enabled: v is enabled; comparable: w may be compared, after ``Preparation.PRODUCTS``.
    kinds: of the instrument row; leads: lead[v][w]; led: lead[w][v]; warm: the pair has samples enough.
    bid_shown, ask_shown: w displays the minimum; own_bid_shown, own_ask_shown: v does, after ``Stage.COMPARE``.
    reached: per group, whether the prices reach its limit, after ``Stage.COMPARE``.
    admitted: after ``Stage.COMPARE``; without it no condition holds.
    old: the bits as they are stored.
    rises: per group, a candidate: a rise that may be acted on; within ``Stage.CHOOSE``.
    new: the conditions, after ``Stage.CHOOSE``.
    """

    def __init__(self) -> None:
        four = bundle(FOUR_BITS)
        super().__init__(
            {
                "at": In(Schedule()),
                "enabled": In(1),
                "comparable": In(1),
                "kinds": In(KINDS_BITS),
                "leads": In(1),
                "led": In(1),
                "warm": In(1),
                "bid_shown": In(1),
                "ask_shown": In(1),
                "own_bid_shown": In(1),
                "own_ask_shown": In(1),
                "reached": In(four),
                "admitted": In(1),
                "old": In(four),
                "rises": Out(four),
                "new": Out(four),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        may_arb, may_basis = self.kinds[Kind.ARB - 1], self.kinds[Kind.BASIS - 1] & self.warm
        # what is sent: with a lead of v only the leg on w; with one of w, for the bit, only the leg on v
        without_mine, without_theirs = self.leads, self.led & ~self.leads
        known_before = {
            "arb_sells": may_arb & self.ask_shown,
            "arb_buys": may_arb & self.bid_shown,
            "basis_sells": may_basis & (self.ask_shown | without_theirs),
            "basis_buys": may_basis & (self.bid_shown | without_theirs),
        }
        own_shown = {
            "arb_sells": self.own_bid_shown,
            "arb_buys": self.own_ask_shown,
            "basis_sells": self.own_bid_shown | without_mine,
            "basis_buys": self.own_ask_shown | without_mine,
        }
        for group, before in known_before.items():
            prepared, may_rise = Signal(name=f"prepared_{group}"), Signal(name=f"may_rise_{group}")
            possible = self.enabled & self.comparable & before
            candidate = ~without_theirs if group.startswith("basis") else 1
            with m.If(self.at.preparation[Preparation.PARTS]):
                m.d.sync += [
                    prepared.eq(possible),
                    may_rise.eq(possible & ~getattr(self.old, group) & candidate),
                ]
            holds = own_shown[group] & getattr(self.reached, group) & self.admitted
            m.d.comb += getattr(self.rises, group).eq(may_rise & holds)
            with m.If(self.at.event[Stage.CHOOSE]):
                m.d.sync += getattr(self.new, group).eq(prepared & holds)
        return m
