"""Part 5 of a quote event: of the rises of each group the best one."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Shape
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.order import Order, best
from hdl.decision.schedule import Schedule, Stage, Turns
from hdl.decision.shapes import doubled_limit_shape, limit_shape
from hdl.parameters import CoreParameters

_DESCENDING: Final = {"arb_sells": False, "arb_buys": True, "basis_sells": False, "basis_buys": True}
"""The largest edge sells against the lowest limit, and buys against the highest; so does |dev|."""


def group_shape(parameters: CoreParameters, group: str) -> Shape:
    """Shape of a group's limits."""
    return limit_shape(parameters) if group.startswith("arb") else doubled_limit_shape(parameters)


class Choice(wiring.Component):
    """Picks the first group with a rise, and in it the venue with the largest edge or |dev|, the lowest of equals.

    Members
    -------
    at: the schedule; turns: of the pipeline.
    newest: per group, the limit of the other venue in ``turns.orders``; limits: those of all before it.
    rises: per group, bit w: a rise against the other venue w, in their order; within ``Stage.CHOOSE``.
    picks: per group, the venue as one bit, in one group at most; found: there is one. After ``Stage.CHOOSE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        others = parameters.others
        ports = {"at": In(Schedule()), "turns": In(Turns(parameters)), "found": Out(1)}
        for group in PAIR_GROUPS:
            ports |= {
                f"{group}_newest": In(group_shape(parameters, group)),
                f"{group}_limits": In(group_shape(parameters, group)).array(others),
                f"{group}_rises": In(others),
                f"{group}_picks": Out(others),
            }
        super().__init__(ports)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        earlier: Any = 0
        for group in PAIR_GROUPS:
            order = Order(self._parameters, group_shape(self._parameters, group), _DESCENDING[group])
            m.submodules[group] = order
            limits = getattr(self, f"{group}_limits")
            m.d.comb += [value.eq(limit) for value, limit in zip(order.values, limits, strict=True)]
            m.d.comb += [order.newest.eq(getattr(self, f"{group}_newest")), order.turn.eq(self.turns.orders)]
            rises = getattr(self, f"{group}_rises")
            with m.If(self.at.event[Stage.CHOOSE]):
                m.d.sync += getattr(self, f"{group}_picks").eq(Mux(earlier, 0, Cat(best(rises, order.better))))
            earlier = earlier | rises.any()
        with m.If(self.at.event[Stage.CHOOSE]):
            m.d.sync += self.found.eq(earlier)
        return m
