"""A machine with its tables set up by a scenario, and quotes that make each kind of candidate."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from market.fastpath.conformance.case import Input, Quote
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Kind
from tests.hdl.decision.against_reference import Follower
from tests.hdl.decision.conftest import PARAMETERS
from tests.hdl.decision.machine import Machine
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

SIZES = EngineSizes(venues=3, instruments=2)


class Market:
    """What a test does with a machine: the inputs of a scenario first, then events of its own."""

    def __init__(self, machine: Machine, scenario: Scenario) -> None:
        self.machine, self.ports, self.now = machine, machine.ports, scenario.now
        self._sequence = 1_000_000

    def quote(self, venue: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> Quote:
        """A quote of instrument 0 with the next sequence number."""
        self._sequence += 1
        return Quote(0, venue, -9, -9, self._sequence, bid, bid_quantity, ask, ask_quantity)


def run_market(
    compiled: Compiled,
    test: Callable[[Market], Awaitable[None]],
    *kinds: Kind,
    quotes: tuple[tuple[int, int, int, int, int], ...] = (),
    **row: Any,
) -> None:
    """Run a test on an armed machine with the kinds on, after quotes of (venue, bid, size, ask, size)."""
    scenario = Scenario("market", "set-up of a test", sizes=SIZES)
    scenario.set_up(*kinds, **row)
    for quote in quotes:
        scenario.quote(*quote)
    inputs: list[tuple[int, Input]] = [(step.at_ns, step.input) for step in scenario.steps]

    async def bench(ports: Ports) -> None:
        machine = Machine(ports, PARAMETERS)
        await Follower(machine, ReferenceEngine(SIZES)).follow(inputs)
        await test(Market(machine, scenario))

    compiled.run(bench)
