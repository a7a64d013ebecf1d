"""One event, step 3: conditions and their boundaries."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import ALL_KINDS, Scenario
from market.fastpath.specification import Kind


def cases() -> Iterator[Case]:
    yield _kinds_off()
    yield _arb_sell_v()
    yield _arb_buy_v()
    yield _arb_fee_on_w()
    yield _arb_negative_minimum()
    yield _arb_minimum_quantity()
    yield _basis_rich_and_cheap()
    yield _basis_cheap_moves()
    yield _basis_negative_side()
    yield _basis_warm_up()
    yield _basis_warm_up_zero()
    yield _basis_minimum_quantity()
    yield _basis_lead_sell()
    yield _basis_lead_minimum_quantity()
    yield _basis_lag()
    yield _basis_both_leads()
    yield _imbalance_threshold(16_384, 30, 10)
    yield _imbalance_threshold(32_767, 65_535, 1)
    yield _imbalance_spread()
    yield _imbalance_minimum_quantity()


def _kinds_off() -> Case:
    scenario = Scenario(
        "kinds-off",
        "a quote that fulfils all three kinds, with each kind switched on in turn by itself",
        Rule.KIND_OFF,
        Rule.TRIGGER_EDGE,
        Rule.TRIGGER_LEGS,
    )
    scenario.set_up(before_arming=lambda: scenario.load_basis(0, 1, 0))
    scenario.flat(1)
    scenario.quote(0, 1_200, 30, 1_202, 10)
    for kind in ALL_KINDS:
        scenario.wait(1_000_000)
        scenario.instrument_row(kind)
        scenario.quote(0, 1_200, 30, 1_202, 10)
    return scenario.case()


def _arb_sell_v() -> Case:
    scenario = Scenario(
        "arb-sell-v",
        "bid 1,005 against ask 1,001 is edge 4, one below the minimum; 1,006 is 5 and rises",
        Rule.ARB_SELL_V,
        Rule.ARB_THRESHOLD,
        Rule.EDGE_RISE,
    )
    scenario.set_up(Kind.ARB)
    scenario.flat(1)
    scenario.quote(0, 1_005, 10, 1_009, 10)
    scenario.quote(0, 1_006, 10, 1_009, 10)
    scenario.quote(0, 1_007, 10, 1_009, 10)
    return scenario.case()


def _arb_buy_v() -> Case:
    scenario = Scenario(
        "arb-buy-v",
        "ask 995 against bid 999 is edge 4, 994 is 5; the seller stands first in the trigger",
        Rule.ARB_BUY_V,
        Rule.ARB_THRESHOLD,
        Rule.TRIGGER_LEGS,
    )
    scenario.set_up(Kind.ARB)
    scenario.flat(1)
    scenario.quote(0, 990, 10, 995, 10)
    scenario.quote(0, 990, 10, 994, 10)
    return scenario.case()


def _arb_fee_on_w() -> Case:
    scenario = Scenario(
        "arb-fee-on-w",
        "fees of 2 x 32,768 / 2^20 = 1/16 on w's price: 16,000 costs 1,000, although v's price is 17,100",
        Rule.FEE_ROUNDING,
        Rule.ARB_SELL_V,
        Rule.ARB_BUY_V,
    )
    scenario.set_up(Kind.ARB, minimumEdge=100)
    scenario.venue_row(0, fee=32_768)
    scenario.venue_row(1, fee=32_768)
    scenario.quote(1, 15_990, 10, 16_000, 10)
    scenario.quote(0, 17_099, 10, 17_200, 10)
    scenario.quote(0, 17_100, 10, 17_200, 10)
    scenario.wait(1_000_000)
    scenario.quote(1, 32_000, 10, 32_010, 10)
    scenario.wait(1_000_000)
    scenario.quote(0, 29_000, 10, 29_901, 10)
    scenario.wait(1_000_000)
    scenario.quote(0, 29_000, 10, 29_900, 10)
    return scenario.case()


def _arb_negative_minimum() -> Case:
    scenario = Scenario(
        "arb-negative-minimum",
        "with a minimum edge of -3 even a loss of 3 rises, one of 4 does not",
        Rule.ARB_THRESHOLD,
    )
    scenario.set_up(Kind.ARB, minimumEdge=-3)
    scenario.flat(1)
    scenario.quote(0, 997, 10, 1_100, 10)
    scenario.quote(0, 998, 10, 1_100, 10)
    return scenario.case()


def _arb_minimum_quantity() -> Case:
    scenario = Scenario(
        "arb-minimum-quantity",
        "either leg below the minimum makes it false; both at the minimum rise; the other sides do not matter",
        Rule.MINIMUM_QUANTITY,
        Rule.SIZE,
    )
    scenario.set_up(Kind.ARB, minimumQuantity=7)
    scenario.quote(1, 999, 1, 1_001, 7)
    scenario.quote(0, 1_010, 6, 1_012, 100)
    scenario.quote(1, 999, 1, 1_001, 6)
    scenario.quote(0, 1_010, 7, 1_012, 100)
    scenario.quote(1, 999, 1, 1_001, 7)
    return scenario.case()


def _basis_rich_and_cheap() -> Case:
    scenario = Scenario(
        "basis-v-rich",
        "basis 20: d = 119 deviates by 99, 120 by 100; venue 0 is sold, 1 bought",
        Rule.BASIS_V_RICH,
        Rule.BASIS_THRESHOLD,
        Rule.TRIGGER_EDGE,
    )
    scenario.set_up(Kind.BASIS, before_arming=lambda: scenario.load_basis(0, 1, 20))
    scenario.flat(1)
    scenario.quote(0, 1_059, 10, 1_060, 10)
    scenario.quote(0, 1_059, 10, 1_061, 10)
    return scenario.case()


def _basis_cheap_moves() -> Case:
    scenario = Scenario(
        "basis-v-cheap",
        "venue 1 falls: d = 99, then 100; 0 is sold, 1, which moved, is bought",
        Rule.BASIS_V_CHEAP,
        Rule.BASIS_THRESHOLD,
    )
    scenario.set_up(Kind.BASIS, before_arming=lambda: scenario.load_basis(0, 1, 0))
    scenario.flat(0)
    scenario.quote(1, 950, 10, 951, 10)
    scenario.quote(1, 949, 10, 951, 10)
    return scenario.case()


def _basis_negative_side() -> Case:
    scenario = Scenario(
        "basis-sell-b",
        "-dev = 99, then 100: venue 1 is rich, sold first; then 0 falls further and the bit is already set",
        Rule.BASIS_V_RICH,
        Rule.BASIS_THRESHOLD,
        Rule.EDGE_SHARED,
    )
    scenario.set_up(Kind.BASIS, before_arming=lambda: scenario.load_basis(0, 1, 0))
    scenario.flat(0)
    scenario.quote(1, 1_049, 10, 1_050, 10)
    scenario.quote(1, 1_049, 10, 1_051, 10)
    scenario.wait(1_000_000)
    scenario.flat(0, 900)
    return scenario.case()


def _basis_warm_up() -> Case:
    scenario = Scenario(
        "basis-warm-up",
        "false while there are fewer samples than the warm-up of 3; the third sample is taken after the third event",
        Rule.BASIS_WARM_UP,
        Rule.BASIS_AFTER,
    )
    scenario.set_up(Kind.BASIS, basisWarmUp=3, basisInterval=0, basisShift=16)
    scenario.flat(1)
    scenario.flat(0)
    for _ in range(3):
        scenario.flat(0, 1_100)
    return scenario.case()


def _basis_warm_up_zero() -> Case:
    scenario = Scenario(
        "basis-warm-up-zero",
        "a warm-up of 0 still needs one sample",
        Rule.BASIS_WARM_UP,
        Rule.BASIS_FIRST,
    )
    scenario.set_up(Kind.BASIS, basisWarmUp=0)
    scenario.flat(1)
    scenario.flat(0, 1_100)
    scenario.flat(0, 1_200)
    return scenario.case()


def _basis_minimum_quantity() -> Case:
    scenario = Scenario(
        "basis-minimum-quantity",
        "the bid of the rich and the ask of the cheap venue must display the minimum",
        Rule.MINIMUM_QUANTITY,
    )
    scenario.set_up(Kind.BASIS, minimumQuantity=8, before_arming=lambda: scenario.load_basis(0, 1, 0))
    scenario.quote(1, 999, 1, 1_001, 8)
    scenario.quote(0, 1_099, 7, 1_101, 100)
    scenario.quote(0, 1_099, 8, 1_101, 1)
    return scenario.case()


def _basis_lead_sell() -> Case:
    scenario = Scenario(
        "basis-lead-sell",
        "0 leads 1: 0 falls, 1 is rich and alone sold; then 0 rises, 1 is cheap and alone bought",
        Rule.BASIS_LEAD,
        Rule.TRIGGER_LEGS,
    )
    scenario.set_up(Kind.BASIS, leads=[0b10, 0], before_arming=lambda: scenario.load_basis(0, 1, 0))
    scenario.quote(1, 999, 4, 1_001, 6)
    scenario.flat(0, 900)
    scenario.wait(1_000_000)
    scenario.flat(0, 1_100)
    return scenario.case()


def _basis_lead_minimum_quantity() -> Case:
    scenario = Scenario(
        "basis-lead-one-leg",
        "with a lead only the sent leg is asked for quantity, collar and room; v's are all unfit",
        Rule.BASIS_LEAD,
        Rule.MINIMUM_QUANTITY,
        Rule.GATE_COLLAR,
        Rule.GATE_POSITION,
        Rule.SIZE,
    )
    scenario.set_up(
        Kind.BASIS,
        leads=[0b10, 0],
        minimumQuantity=5,
        priceLow=990,
        priceHigh=1_010,
        positionLimit=50,
        before_arming=lambda: scenario.load_basis(0, 1, 0),
    )
    scenario.set_position(0, -50, 50, 50)
    scenario.quote(1, 999, 9, 1_001, 9)
    scenario.quote(0, 1_099, 1, 1_101, 1)
    return scenario.case()


def _basis_lag() -> Case:
    scenario = Scenario(
        "basis-lag",
        "1 leads 0 and 0 moved: the bit follows with v's leg alone, never a candidate, so IMBALANCE is chosen; "
        "the bit is set, so the leader's next event finds no rise",
        Rule.BASIS_LAG,
        Rule.CHOICE_KIND,
        Rule.EDGE_SHARED,
    )
    scenario.set_up(
        Kind.BASIS,
        Kind.IMBALANCE,
        leads=[0, 0b01],
        minimumQuantity=5,
        before_arming=lambda: scenario.load_basis(0, 1, 0),
    )
    scenario.quote(1, 999, 1, 1_001, 1)
    scenario.quote(0, 1_099, 30, 1_101, 10)
    scenario.wait(1_000_000)
    scenario.quote(1, 998, 1, 1_001, 1)
    scenario.flat(0)
    scenario.quote(1, 899, 9, 901, 9)
    return scenario.case()


def _basis_both_leads() -> Case:
    scenario = Scenario(
        "basis-both-leads",
        "each leads the other: the one that did not move is the leg",
        Rule.BASIS_BOTH_LEADS,
    )
    scenario.set_up(Kind.BASIS, leads=[0b10, 0b01], before_arming=lambda: scenario.load_basis(0, 1, 0))
    scenario.flat(1)
    scenario.flat(0, 1_100)
    scenario.wait(1_000_000)
    scenario.flat(0)
    scenario.flat(1, 1_100)
    return scenario.case()


def _imbalance_threshold(threshold: int, heavy: int, light: int) -> Case:
    scenario = Scenario(
        f"imbalance-threshold-{threshold}",
        f"{heavy} x {light} is exactly the threshold, one less on the heavy side is below it; both directions",
        Rule.IMBALANCE_BUY,
        Rule.IMBALANCE_SELL,
        Rule.TRIGGER_LEGS,
    )
    scenario.set_up(Kind.IMBALANCE, imbalanceThreshold=threshold)
    scenario.quote(0, 999, heavy - 1, 1_001, light)
    scenario.quote(0, 999, heavy, 1_001, light)
    scenario.wait(1_000_000)
    scenario.quote(0, 999, light, 1_001, heavy - 1)
    scenario.quote(0, 999, light, 1_001, heavy)
    return scenario.case()


def _imbalance_spread() -> Case:
    scenario = Scenario(
        "imbalance-spread",
        "a spread of 100, the maximum, rises; 101 does not",
        Rule.IMBALANCE_SPREAD,
    )
    scenario.set_up(Kind.IMBALANCE)
    scenario.quote(0, 1_000, 30, 1_101, 10)
    scenario.quote(0, 1_000, 30, 1_100, 10)
    return scenario.case()


def _imbalance_minimum_quantity() -> Case:
    scenario = Scenario(
        "imbalance-minimum-quantity",
        "only the side that is taken must display the minimum",
        Rule.MINIMUM_QUANTITY,
        Rule.IMBALANCE_BUY,
        Rule.IMBALANCE_SELL,
    )
    scenario.set_up(Kind.IMBALANCE, minimumQuantity=5)
    scenario.quote(0, 999, 90, 1_001, 4)
    scenario.quote(0, 999, 90, 1_001, 5)
    scenario.wait(1_000_000)
    scenario.quote(1, 999, 4, 1_001, 90)
    scenario.quote(1, 999, 5, 1_001, 90)
    return scenario.case()
