"""Numbers: width, scaling, cuts, rounding."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import EngineSizes, Kind


def cases() -> Iterator[Case]:
    for price_bits in (24, 48):
        yield _price_width(price_bits)
        yield _quantity_cut(price_bits)
    yield _scaling_shifts()
    yield _cut_counts_before_crossed()
    yield _fee_rounding("fee-rounds-up", 1, 1, 1_008, "cost of 1,001 at 2 / 2^20 is 1: edge 1,008 - 1,001 - 1 = 6")
    yield _fee_rounding("fee-negative-rounds-up", -1, -1, 1_007, "a rebate of less than 1 rounds up to 0: edge 6")
    yield _fee_rounding("fee-largest", 65_535, 65_535, 1_133, "cost of 1,001 at 131,070 / 2^20 is ceil(125.123) = 126")
    yield _floor_of_negative_basis()
    yield _imbalance_truncates()


def _price_width(price_bits: int) -> Case:
    sizes = EngineSizes(venues=2, instruments=1, price_bits=price_bits)
    scenario = Scenario(
        f"price-width-{price_bits}",
        "the largest price and quantity pass and decide; one more is RANGE",
        Rule.PRICE_WIDTH,
        Rule.REJECT_RANGE,
        Rule.ARB_SELL_V,
        sizes=sizes,
    )
    top = sizes.top
    scenario.set_up(Kind.ARB, Kind.IMBALANCE, priceHigh=top, maximumQuantity=top, positionLimit=top)
    scenario.quote(1, 1, top, 2, top)
    scenario.quote(0, top - 1, top, top, 1)
    scenario.quote(0, top - 1, top, top + 1, 1)
    return scenario.case()


def _quantity_cut(price_bits: int) -> Case:
    sizes = EngineSizes(venues=2, instruments=1, price_bits=price_bits)
    scenario = Scenario(
        f"quantity-cut-{price_bits}",
        "with k = 3 a quantity above top is cut to top and counted once per side; top itself is not",
        Rule.QUANTITY_CUT,
        Rule.SCALING,
        sizes=sizes,
    )
    top = sizes.top // 1_000
    scenario.set_up(Kind.ARB, maximumQuantity=sizes.top, positionLimit=sizes.top)
    scenario.scaling_row(0, 0, quantityShift=3)
    scenario.scaling_row(0, 1, quantityShift=3)
    scenario.quote(1, 999, top + 1, 1_001, (1 << 62) + 5)
    scenario.quote(0, 1_010, top + 1, 1_012, top)
    return scenario.case()


def _scaling_shifts() -> Case:
    scenario = Scenario(
        "scaling-shifts",
        "price k 3 and quantity k 1 on venue 0, price k 2 and quantity k 0 on venue 1",
        Rule.SCALING,
        Rule.SIZE,
        sizes=EngineSizes(venues=2, instruments=1),
    )
    scenario.set_up(Kind.ARB)
    scenario.scaling_row(0, 0, priceExponent=-6, quantityExponent=-8, priceShift=3, quantityShift=1)
    scenario.scaling_row(0, 1, priceExponent=-7, quantityExponent=-9, priceShift=2, quantityShift=0)
    scenario.quote(1, 90, 50, 91, 45, price_exponent=-7)
    scenario.quote(0, 10, 4, 11, 4, price_exponent=-6, quantity_exponent=-8)
    return scenario.case()


def _cut_counts_before_crossed() -> Case:
    scenario = Scenario(
        "cut-before-crossed",
        "a cut counts although the event is then CROSSED, and does not where RANGE comes first",
        Rule.QUANTITY_CUT,
        Rule.REJECT_CROSSED,
        Rule.REJECT_RANGE,
    )
    scenario.set_up()
    top = scenario.sizes.top
    scenario.quote(0, 1_000, top + 1, 1_000, top + 1)
    scenario.quote(0, 0, top + 1, 1_000, top + 1)
    scenario.quote(0, 999, top + 1, 1_000, -1)
    return scenario.case()


def _fee_rounding(name: str, fee_0: int, fee_1: int, bid: int, about: str) -> Case:
    scenario = Scenario(name, about + "; one lower stays below the minimum edge", Rule.FEE_ROUNDING, Rule.ARB_THRESHOLD)
    scenario.set_up(Kind.ARB, minimumEdge=6)
    scenario.venue_row(0, fee=fee_0)
    scenario.venue_row(1, fee=fee_1)
    scenario.flat(1)
    scenario.quote(0, bid - 1, 10, bid + 5, 10)
    scenario.quote(0, bid, 10, bid + 5, 10)
    return scenario.case()


def _floor_of_negative_basis() -> Case:
    scenario = Scenario(
        "floor-of-negative-basis",
        "B = -1 is -1 after >> 12, so d = 0 deviates by 1; its sample moves B by 1 >> 1 = 0, that of d = -2 by "
        "-8,191 >> 1 = -4,096; -4,097 is -2 after >> 12, so d = 0 deviates by 2",
        Rule.FLOOR_SHIFT,
        Rule.BASIS_THRESHOLD,
        Rule.BASIS_MEAN,
    )
    scenario.set_up(
        Kind.BASIS,
        basisThreshold=1,
        basisShift=1,
        basisInterval=0,
        before_arming=lambda: scenario.load_basis(0, 1, 0, basis=-1),
    )
    scenario.flat(1)
    for mid in (1_000, 999, 1_000):
        scenario.wait(1_000_000)
        scenario.flat(0, mid)
    return scenario.case()


def _imbalance_truncates() -> Case:
    scenario = Scenario(
        "imbalance-truncates",
        "1 x 2 is -32,768 / 3 = -10,922 and 2 x 1 is 10,922: truncation, not floor",
        Rule.IMBALANCE_TRUNCATION,
        Rule.TRIGGER_SIGNALS,
        Rule.IMBALANCE_BUY,
        Rule.IMBALANCE_SELL,
    )
    scenario.set_up(Kind.IMBALANCE, imbalanceThreshold=10_922)
    scenario.quote(0, 999, 1, 1_001, 2)
    scenario.wait(1_000_000)
    scenario.quote(0, 999, 2, 1_001, 1)
    scenario.wait(1_000_000)
    scenario.instrument_row(Kind.IMBALANCE, imbalanceThreshold=10_923)
    scenario.quote(1, 999, 1, 1_001, 2)
    scenario.quote(1, 999, 2, 1_001, 1)
    return scenario.case()
