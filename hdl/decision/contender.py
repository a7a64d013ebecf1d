"""One other venue as an event meets it: its limits, which of them are reached, and what that makes of the bits."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_least, at_most
from hdl.decision.conditions import FOUR_BITS
from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.gate import OTHER_LEG
from hdl.decision.schedule import Schedule, Stage
from hdl.decision.shapes import Fields, bundle, doubled_limit_shape, limit_shape, price_shape, room_shape
from hdl.parameters import CoreParameters

LIMITS: Final = dict(zip(PAIR_GROUPS, ("sell_limit", "buy_limit", "rich_limit", "cheap_limit"), strict=True))
"""Per group, what an event must reach."""

_REGISTERS: Final = ("rich_limit", "cheap_limit", "selling", "buying")
"""Fields of a prospect that come out of a register, which a lone other venue leaves as it is during the event."""


def prospect_fields(parameters: CoreParameters) -> Fields:
    """What is known of another venue w before the event: limits, rooms, conditions, legs, and whether a sample is due.

    ``prepared_``, ``may_rise_``: see ``PairConditions``; leads: lead[v][w].
    """
    arb, basis, room = limit_shape(parameters), doubled_limit_shape(parameters), room_shape(parameters)
    fields: dict[str, Any] = {"sell_limit": arb, "buy_limit": arb, "rich_limit": basis, "cheap_limit": basis}
    fields |= {"selling": room, "buying": room, "due": unsigned(1)}
    fields |= {f"{name}_{group}": unsigned(1) for name in ("prepared", "may_rise") for group in PAIR_GROUPS}
    return {**fields, **OTHER_LEG}


class Contender(wiring.Component):
    """One other venue w against the event's venue v.

    Members
    -------
    at: the schedule of the event.
    take: strobe; ``prospect`` is that of this venue, and becomes ``known``.
    own_bid, own_ask, own_mid: of the event, in ``Stage.COMPARE``.
    own_bid_shown, own_ask_shown, admitted: after ``Stage.COMPARE``; if not admitted no condition holds.
    rises: per group, a candidate: a rise that may be acted on; within ``Stage.CHOOSE``.
    new: the conditions, after ``Stage.CHOOSE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, four, prospect = price_shape(parameters), bundle(FOUR_BITS), bundle(prospect_fields(parameters))
        super().__init__(
            {
                "at": In(Schedule()),
                "take": In(1),
                "prospect": In(prospect),
                "known": Out(prospect),
                "own_bid": In(price),
                "own_ask": In(price),
                "own_mid": In(parameters.price_bits + 1),
                "own_bid_shown": In(1),
                "own_ask_shown": In(1),
                "admitted": In(1),
                "rises": Out(four),
                "new": Out(four),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        known = self.known
        stays = _REGISTERS if self._parameters.has_lone_other else ()
        m.d.comb += [getattr(known, name).eq(getattr(self.prospect, name)) for name in stays]
        with m.If(self.take):
            m.d.sync += [
                getattr(known, name).eq(getattr(self.prospect, name))
                for name in prospect_fields(self._parameters)
                if name not in stays
            ]
        reaches = {
            "arb_sells": at_least(self.own_bid, known.sell_limit),
            "arb_buys": at_most(self.own_ask, known.buy_limit),
            "basis_sells": at_least(self.own_mid, known.rich_limit),
            "basis_buys": at_most(self.own_mid, known.cheap_limit),
        }
        # with a lead of v only the leg on w is sent
        own_shown = {
            "arb_sells": self.own_bid_shown,
            "arb_buys": self.own_ask_shown,
            "basis_sells": self.own_bid_shown | known.leads,
            "basis_buys": self.own_ask_shown | known.leads,
        }
        for group in PAIR_GROUPS:
            reached = Signal(name=f"reached_{group}")
            with m.If(self.at.event[Stage.COMPARE]):
                m.d.sync += reached.eq(reaches[group])
            holds = own_shown[group] & reached & self.admitted
            m.d.comb += getattr(self.rises, group).eq(getattr(known, f"may_rise_{group}") & holds)
            with m.If(self.at.event[Stage.CHOOSE]):
                m.d.sync += getattr(self.new, group).eq(getattr(known, f"prepared_{group}") & holds)
        return m
