"""The decision machine against the reference engine: same counters, same triggers, same late values."""

from __future__ import annotations

import pytest

from hdl.parameters import BUS_BYTES, CoreParameters
from market.fastpath.conformance.case import Case, Frame
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.text import load_corpus
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.against_reference import Follower
from tests.hdl.decision.conftest import PARAMETERS
from tests.hdl.decision.machine import DecisionTop, Machine
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

PRICE_BITS = (48, 40, 24, 32)
OTHER = EngineSizes(venues=3, instruments=5)
MANY = EngineSizes(venues=9, instruments=2)
"""More venues than can be read before a candidate's other venue is; samples of the basis then come behind it."""


def fits(case: Case) -> bool:
    """Whether a case needs no frames and no more than the capacity of the machine under test."""
    sizes, capacity = case.sizes, PARAMETERS.capacity
    frames = any(isinstance(step.input, Frame) for step in case.steps)
    return not frames and sizes.venues <= capacity.venues and sizes.instruments <= capacity.instruments


CASES = [case for case in load_corpus() if fits(case)]


def follow_random(machine: Compiled, parameters: CoreParameters, sizes: EngineSizes, seed: int, inputs: int) -> int:
    """Random inputs to both; the number of triggers, all equal."""
    engine = ReferenceEngine(sizes)
    host = RandomHost(engine, seed, with_frames=False)
    triggers = 0

    async def test(ports: Ports) -> None:
        nonlocal triggers
        follower = Follower(Machine(ports, parameters), engine, seed)
        await follower.follow(host.next_input() for _ in range(inputs))
        triggers = follower.triggers

    machine.run(test)
    return triggers


@pytest.mark.parametrize("seed", range(6))
def test_random_inputs_decide_the_same_in_both(compiled_for: dict[int, Compiled], seed: int) -> None:
    sizes = EngineSizes(venues=2 + seed % 3, instruments=1 + seed % 4, price_bits=PRICE_BITS[seed % 4])
    parameters = CoreParameters(PARAMETERS.capacity, BUS_BYTES[seed // 3 % 2])
    assert follow_random(compiled_for[parameters.bus_bytes], parameters, sizes, seed, inputs=2_500) > 50


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_conformance_case(compiled: Compiled, case: Case) -> None:
    async def test(ports: Ports) -> None:
        follower = Follower(Machine(ports, PARAMETERS), ReferenceEngine(case.sizes))
        await follower.follow((step.at_ns, step.input) for step in case.steps)

    compiled.run(test)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_inputs_decide_the_same_in_both(compiled_for: dict[int, Compiled], seed: int) -> None:
    sizes = EngineSizes(venues=2 + seed % 3, instruments=1 + seed % 4, price_bits=PRICE_BITS[seed // 4 % 4])
    parameters = CoreParameters(PARAMETERS.capacity, BUS_BYTES[seed // 3 % 2])
    assert follow_random(compiled_for[parameters.bus_bytes], parameters, sizes, seed, inputs=25_000) > 500


@pytest.mark.parametrize("bus_bytes", BUS_BYTES)
def test_many_venues_decide_the_same(bus_bytes: int) -> None:
    parameters = CoreParameters(MANY, bus_bytes)
    machine = Compiled(DecisionTop, parameters)
    for venues in (9, 6):
        sizes = EngineSizes(venues=venues, instruments=2)
        assert follow_random(machine, parameters, sizes, seed=300 + venues, inputs=2_500) > 50


@pytest.mark.long
@pytest.mark.parametrize("bus_bytes", BUS_BYTES)
def test_another_capacity_decides_the_same(bus_bytes: int) -> None:
    parameters = CoreParameters(OTHER, bus_bytes)
    machine = Compiled(DecisionTop, parameters)
    for seed in range(200, 204):
        sizes = EngineSizes(venues=2 + seed % 2, instruments=5, price_bits=48)
        assert follow_random(machine, parameters, sizes, seed, inputs=8_000) > 250
