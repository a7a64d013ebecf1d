"""Late values: the division and the microprice, in order, of what was kept only."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from hdl.decision.late import LateValues, late_cycles
from hdl.parameters import CoreParameters
from hdl.records import late_layout
from market.fastpath.reference.integers import imbalance, microprice
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.machine import fields_of
from tests.hdl.decision.ports import Ports, simulate

SIZES = EngineSizes(venues=2, instruments=1)
FORMS = [CoreParameters(SIZES), CoreParameters(SIZES, bus_bytes=8, paced=True, compact=True)]
forms = pytest.mark.parametrize("parameters", FORMS, ids=["usual", "compact"])


async def begin(ports: Ports, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> None:
    values = {"difference": bid_quantity - ask_quantity, "total": bid_quantity + ask_quantity, "bid": bid, "ask": ask}
    for name, value in (values | {"start": 1}).items():
        ports.set(name, value)
    await ports.tick()
    # the inputs are those of the next event from here on
    for name in (*values, "start"):
        ports.set(name, 0)


async def strobe(ports: Ports, name: str) -> None:
    ports.set(name, 1)
    await ports.tick()
    ports.set(name, 0)


def late_of(ports: Ports, parameters: CoreParameters) -> dict[str, Any]:
    return fields_of(late_layout(parameters), ports.get("late__payload"))


@forms
@pytest.mark.parametrize("price_bits", [10, 33, 48])
def test_values_are_those_of_the_formulas(price_bits: int, parameters: CoreParameters) -> None:
    parameters = replace(parameters, capacity=replace(SIZES, price_bits=price_bits))
    rng, top = random.Random(price_bits), parameters.capacity.top

    async def test(ports: Ports) -> None:
        for _ in range(60):
            bid, ask = sorted(rng.sample((1, 2, top - 1, top, rng.randrange(3, top - 1)), 2))
            quantities = [rng.choice((1, 2, top, rng.randrange(1, top))) for _ in range(2)]
            await begin(ports, bid, quantities[0], ask, quantities[1])
            kept_after = rng.randrange(late_cycles(parameters) + 3)
            for cycle in range(late_cycles(parameters) + 5):
                ports.set("keep", int(cycle == kept_after))
                await ports.tick()
            ports.set("keep", 0)
            expected = imbalance(*quantities)
            assert ports.get("late__valid")
            assert late_of(ports, parameters) == {
                "imbalance": expected,
                "microprice": microprice(bid, ask, expected),
            }
            await strobe(ports, "late__ready")
            assert not ports.get("late__valid")

    simulate(LateValues(parameters), test)


@forms
def test_a_value_that_is_kept_at_once_is_there_when_it_is_worked_out(parameters: CoreParameters) -> None:
    async def test(ports: Ports) -> None:
        await begin(ports, 100, 3, 200, 1)
        started = ports.cycle - 1
        await strobe(ports, "keep")
        while not ports.get("late__valid"):
            await ports.tick()
        assert ports.cycle - started == late_cycles(parameters) + 1

    simulate(LateValues(parameters), test)


@pytest.mark.parametrize(
    ("parameters", "after"),
    [(form, after) for form in FORMS for after in range(1, late_cycles(form) + 3)],
    ids=lambda value: str(value) if isinstance(value, int) else f"compact={value.compact}",
)
def test_what_is_not_kept_is_forgotten_by_the_next_start(parameters: CoreParameters, after: int) -> None:
    async def test(ports: Ports) -> None:
        await begin(ports, 100, 9, 200, 1)
        for _ in range(after - 1):
            await ports.tick()
        await begin(ports, 100, 3, 200, 1)
        await strobe(ports, "keep")
        for _ in range(2 * late_cycles(parameters)):
            await ports.tick()
        assert late_of(ports, parameters)["imbalance"] == imbalance(3, 1)
        await strobe(ports, "late__ready")
        assert not ports.get("late__valid")

    simulate(LateValues(parameters), test)
