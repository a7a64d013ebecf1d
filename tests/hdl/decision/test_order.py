"""The order of limits: which of several candidates is picked."""

from __future__ import annotations

import random

import pytest
from amaranth.hdl import Cat, Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.order import Order, best
from hdl.parameters import CoreParameters
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.ports import Ports, simulate

VENUES = 4
"""Other venues than the event's."""
PARAMETERS = CoreParameters(EngineSizes(venues=VENUES + 1, instruments=1))


class Picker(wiring.Component):
    """An order, and the best of the candidates by it."""

    def __init__(self, descending: bool) -> None:
        self._order = Order(PARAMETERS, signed(4), descending)
        super().__init__(
            {
                "turn": In(VENUES),
                "newest": In(signed(4)),
                "values": In(signed(4)).array(VENUES),
                "candidates": In(VENUES),
                "picks": Out(VENUES),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.order = order = self._order
        m.d.comb += [order.turn.eq(self.turn), order.newest.eq(self.newest)]
        m.d.comb += [mine.eq(value) for mine, value in zip(order.values, self.values, strict=True)]
        m.d.comb += self.picks.eq(Cat(best(self.candidates, order.better)))
        return m


@pytest.mark.parametrize("descending", [False, True], ids=("smallest first", "largest first"))
def test_the_best_candidate_is_picked_and_the_lowest_of_equals(descending: bool) -> None:
    rng = random.Random(1)

    async def test(ports: Ports) -> None:
        for _ in range(100):
            values = [rng.randrange(-4, 4) for _ in range(VENUES)]
            for venue, value in enumerate(values):
                ports.set(f"values__{venue}", value)
            for venue, value in enumerate(values):
                ports.set("newest", value)
                ports.set("turn", 1 << venue)
                await ports.tick()
            for candidates in range(1 << VENUES):
                ports.set("candidates", candidates)
                found = [venue for venue in range(VENUES) if candidates >> venue & 1]
                first = min(found, key=lambda v: (-values[v] if descending else values[v], v), default=None)
                assert ports.get("picks") == (0 if first is None else 1 << first)

    simulate(Picker(descending), test)
