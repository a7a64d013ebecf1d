"""The two worked examples of the specification, as they stand there."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import TWO_VENUES, Scenario
from market.fastpath.specification import Kind

UNIT = 1_000_000_000
"""1.0 of a price or quantity with exponent -9."""


def cases() -> Iterator[Case]:
    yield _arb()
    yield _basis("worked-basis", leads=[0, 0])
    yield _basis("worked-basis-lead", leads=[0, 1])


def _tables(scenario: Scenario) -> None:
    scenario.control("Hello", sequence=1, epoch=3)
    scenario.engine_row(rate_interval=10_000_000)
    for venue, fee in ((0, 1_049), (1, 525)):
        scenario.venue_row(venue, fee=fee)
        scenario.scaling_row(0, venue)


def _arb() -> Case:
    scenario = Scenario(
        "worked-arb",
        "worked example ARB: fees 10 and 5 bps; the same quote again does not rise",
        Rule.ARB_SELL_V,
        Rule.FEE_ROUNDING,
        Rule.EDGE_RISE,
        Rule.SIZE,
        Rule.TRIGGER_SIGNALS,
        Rule.GATE_RATE,
        sizes=TWO_VENUES,
    )
    _tables(scenario)
    scenario.instrument_row(
        Kind.ARB,
        minimumEdge=5,
        maximumQuantity=2 * UNIT // 5,
        priceLow=60_000 * UNIT,
        priceHigh=63_000 * UNIT,
        positionLimit=UNIT,
    )
    scenario.set_position(0, UNIT // 5)
    scenario.set_position(1, -UNIT // 10)
    scenario.control("Heartbeat")
    scenario.rearm()
    scenario.quote(1, 61_780_000_000_000, 2 * UNIT, 61_780_100_000_000, 4 * UNIT // 5)
    scenario.wait(400_000)
    scenario.quote(0, 61_880_000_000_000, UNIT // 2, 61_880_010_000_000, 3 * UNIT // 10)
    scenario.quote(0, 61_880_000_000_000, UNIT // 2, 61_880_010_000_000, 3 * UNIT // 10)
    return scenario.case()


def _basis(name: str, leads: list[int]) -> Case:
    scenario = Scenario(
        name,
        "worked example BASIS" + (", venue 1 leads 0: only the leg on 0 is sent" if any(leads) else ""),
        *([Rule.BASIS_LEAD] if any(leads) else [Rule.BASIS_V_CHEAP]),
        Rule.FLOOR_SHIFT,
        Rule.BASIS_MEAN,
        Rule.TRIGGER_EDGE,
        sizes=TWO_VENUES,
    )
    _tables(scenario)
    scenario.instrument_row(
        Kind.BASIS,
        leads=leads,
        basisThreshold=37 * UNIT,
        maximumQuantity=2 * UNIT // 5,
        priceLow=60_000 * UNIT,
        priceHigh=63_000 * UNIT,
        positionLimit=10 * UNIT,
    )
    scenario.load_basis(0, 1, 0, basis=187_647_367_898_322, sampleTime=scenario.now - 10_000_000)
    scenario.control("Heartbeat")
    scenario.rearm()
    scenario.quote(0, 61_784_000_000_000, 3 * UNIT // 2, 61_784_010_000_000, 3 * UNIT // 10)
    scenario.quote(1, 61_740_000_000_000, 3 * UNIT // 2, 61_740_100_000_000, 6 * UNIT)
    # the new basis shows in the deviation that the next event sees: with a threshold of 1 in the trigger's edge
    scenario.instrument_row(
        Kind.BASIS,
        leads=leads,
        basisThreshold=1,
        maximumQuantity=2 * UNIT // 5,
        priceLow=60_000 * UNIT,
        priceHigh=63_000 * UNIT,
        positionLimit=10 * UNIT,
    )
    scenario.wait(10_000_000)
    scenario.quote(1, 61_784_000_000_000, 3 * UNIT // 2, 61_784_010_000_000, 6 * UNIT)
    return scenario.case()
