"""The order of limits: which of two other venues is the better one, known before the event."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import above
from hdl.parameters import CoreParameters


class Order(wiring.Component):
    """Compares each value with those before it; of equals the lower venue is the better one.

    Parameters
    ----------
    shape: of the values.
    descending: the largest value is the best one, else the smallest.

    Members
    -------
    turn: strobes, a bit per other venue, in their order: its value is ``newest``, and those before it are in
        ``values``. After the last one ``better`` is ready.
    better: per venue w, bit x says that venue x is better than w.
    """

    def __init__(self, parameters: CoreParameters, shape: Shape, descending: bool) -> None:
        self._others, self._descending = parameters.others, descending
        super().__init__(
            {
                "turn": In(parameters.others),
                "newest": In(shape),
                "values": In(shape).array(parameters.others),
                "better": Out(parameters.others).array(parameters.others),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        for lower in range(self._others - 1):
            here, there = self.values[lower], self.newest
            upper_is_better = above(there, here) if self._descending else above(here, there)
            for upper in range(lower + 1, self._others):
                with m.If(self.turn[upper]):
                    m.d.sync += [
                        self.better[lower][upper].eq(upper_is_better),
                        self.better[upper][lower].eq(~upper_is_better),
                    ]
        return m


def best(candidates: Value, better: Any) -> list[Value]:
    """Per venue, whether it is a candidate and no better venue is one."""
    return [candidates[venue] & ~(candidates & worse_than).any() for venue, worse_than in enumerate(better)]
