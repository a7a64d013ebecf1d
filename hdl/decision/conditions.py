"""Parts 3 and 4 of a quote event against the other venues: which conditions hold, and which of them rose."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.schedule import Preparation, Schedule
from hdl.decision.shapes import KINDS_BITS, Fields, bundle
from market.fastpath.specification import Kind

FOUR_BITS: Final[Fields] = {group: unsigned(1) for group in PAIR_GROUPS}
"""A bit per group of a venue's bits, against one other venue."""


class PairConditions(wiring.Component):
    """What is known of the four conditions of the event's venue v against one other venue w before the event.

    Members
    -------
    at: the schedule of the pipeline.
    enabled: v is enabled; kinds: of the instrument row.
    comparable: w may be compared; leads: lead[v][w]; led: lead[w][v]; warm: the pair has samples enough.
    bid_shown, ask_shown: w displays the minimum; old: the bits as they are stored. All after ``PRODUCTS``.
    prepared: per group, the condition holds if prices reach the limit and v displays enough; after ``PARTS``.
    may_rise: it would be a rise that may be acted on.
    """

    def __init__(self) -> None:
        four = bundle(FOUR_BITS)
        flags = ("enabled", "comparable", "leads", "led", "warm", "bid_shown", "ask_shown")
        super().__init__(
            {
                "at": In(Schedule()),
                "kinds": In(KINDS_BITS),
                **{name: In(1) for name in flags},
                "old": In(four),
                "prepared": Out(four),
                "may_rise": Out(four),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        may_arb, may_basis = self.kinds[Kind.ARB - 1], self.kinds[Kind.BASIS - 1] & self.warm
        # what is sent: with a lead of v only the leg on w; with one of w, for the bit, only the leg on v
        without_theirs = self.led & ~self.leads
        known_before = {
            "arb_sells": may_arb & self.ask_shown,
            "arb_buys": may_arb & self.bid_shown,
            "basis_sells": may_basis & (self.ask_shown | without_theirs),
            "basis_buys": may_basis & (self.bid_shown | without_theirs),
        }
        for group, before in known_before.items():
            possible = Signal(name=f"possible_{group}")
            m.d.comb += possible.eq(self.enabled & self.comparable & before)
            candidate = ~without_theirs if group.startswith("basis") else 1
            with m.If(self.at.preparation[Preparation.PARTS]):
                m.d.sync += [
                    getattr(self.prepared, group).eq(possible),
                    getattr(self.may_rise, group).eq(possible & ~getattr(self.old, group) & candidate),
                ]
        return m
