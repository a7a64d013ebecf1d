"""The order of stored values: which of two venues is the better one, known before the event."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from amaranth.hdl import Module, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import above
from hdl.decision.schedule import Preparation, Schedule
from hdl.parameters import CoreParameters


class Order(wiring.Component):
    """Compares every two of the venues' values; of equals the lower venue is the better one.

    Parameters
    ----------
    shape: of the values.
    descending: the largest value is the best one, else the smallest.

    Members
    -------
    at: the schedule; ``better`` is ready at the end of ``Preparation.ORDERS``.
    values: per venue.
    better: per venue w, bit x says that venue x is better than w.
    """

    def __init__(self, parameters: CoreParameters, shape: Shape, descending: bool) -> None:
        self._venues, self._descending = parameters.venues, descending
        super().__init__(
            {
                "at": In(Schedule()),
                "values": In(shape).array(parameters.venues),
                "better": Out(parameters.venues).array(parameters.venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        with m.If(self.at.preparation[Preparation.ORDERS]):
            for lower, upper in combinations(range(self._venues), 2):
                here, there = self.values[lower], self.values[upper]
                upper_is_better = above(there, here) if self._descending else above(here, there)
                m.d.sync += [
                    self.better[lower][upper].eq(upper_is_better),
                    self.better[upper][lower].eq(~upper_is_better),
                ]
        return m


def best(candidates: Value, better: Any) -> list[Value]:
    """Per venue, whether it is a candidate and no better venue is one."""
    return [candidates[venue] & ~(candidates & worse_than).any() for venue, worse_than in enumerate(better)]
