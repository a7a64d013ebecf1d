"""Part 5 of a quote event: of the rises of each group the best one."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Shape
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.edge_bits import PAIR_GROUPS
from hdl.decision.order import Order, best
from hdl.decision.schedule import Schedule, Stage, follow
from hdl.decision.shapes import doubled_limit_shape, limit_shape
from hdl.parameters import CoreParameters

_DESCENDING: Final = {"arb_sells": False, "arb_buys": True, "basis_sells": False, "basis_buys": True}
"""The largest edge sells against the lowest stored value, and buys against the highest; so does |dev|."""


def base_shape(parameters: CoreParameters, group: str) -> Shape:
    """Shape of a group's stored values."""
    return limit_shape(parameters) if group.startswith("arb") else doubled_limit_shape(parameters)


class Choice(wiring.Component):
    """Picks within each group of rises the venue with the largest edge or |dev|, the lowest of equals.

    Members
    -------
    at: the schedule.
    bases: per group and venue, the stored value that the event is compared with.
    rises: per group, bit w: a rise against venue w; within ``Stage.CHOOSE``.
    picks: per group, one bit if any: the venue; after ``Stage.CHOOSE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        venues = parameters.venues
        ports = {"at": In(Schedule())}
        for group in PAIR_GROUPS:
            ports |= {
                f"{group}_bases": In(base_shape(parameters, group)).array(venues),
                f"{group}_rises": In(venues),
                f"{group}_picks": Out(venues),
            }
        super().__init__(ports)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        for group in PAIR_GROUPS:
            order = Order(self._parameters, base_shape(self._parameters, group), _DESCENDING[group])
            m.submodules[group] = order
            follow(m, self.at, order)
            bases = getattr(self, f"{group}_bases")
            m.d.comb += [value.eq(base) for value, base in zip(order.values, bases, strict=True)]
            with m.If(self.at.event[Stage.CHOOSE]):
                picks = best(getattr(self, f"{group}_rises"), order.better)
                m.d.sync += getattr(self, f"{group}_picks").eq(Cat(picks))
        return m
