"""The decision machine against the reference engine: same counters, same triggers, same late values."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import CoreParameters
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.against_reference import Follower
from tests.hdl.decision.machine import DecisionTop, Machine
from tests.hdl.decision.ports import Ports, simulate

SMALL = EngineSizes(venues=3, instruments=2)


@pytest.mark.parametrize("seed", range(2))
def test_random_inputs_do_the_same_in_both(seed: int) -> None:
    parameters = CoreParameters(SMALL)
    engine = ReferenceEngine(SMALL)
    host = RandomHost(engine, seed, with_frames=False)

    async def test(ports: Ports) -> None:
        follower = Follower(Machine(ports, parameters), engine, seed)
        await follower.follow(host.next_input() for _ in range(400))
        assert follower.triggers > 3

    simulate(DecisionTop(parameters), test)
