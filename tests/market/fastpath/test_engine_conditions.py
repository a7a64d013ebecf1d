"""Conditions, their edges, and the choice among rises."""

from __future__ import annotations

from typing import Any

import pytest

from market.fastpath.specification import NO_VENUE, Kind, Side
from tests.market.fastpath.engine_driver import ALL_KINDS, SECOND, UNIT, Driver, basis_of

LOW, HIGH = 100 * UNIT, 110 * UNIT


def make(**changes: Any) -> Driver:
    driver = Driver()
    driver.set_up(**{"kinds": Kind.ARB.mask, "minimumEdge": 5 * UNIT, **changes})
    return driver


def legs(trigger: dict[str, int]) -> tuple[int, int, int, int]:
    return trigger["firstVenue"], trigger["firstSide"], trigger["secondVenue"], trigger["secondSide"]


def sells_to(seller: int, buyer: int) -> tuple[int, int, int, int]:
    return seller, Side.SELL, buyer, Side.BUY


@pytest.mark.parametrize(("edge", "count"), [(5 * UNIT, 1), (5 * UNIT + 1, 0)])
def test_an_edge_of_the_minimum_is_enough(edge: int, count: int) -> None:
    driver = make(minimumEdge=edge)
    driver.quote(1, LOW - 1, LOW)
    assert len(driver.quote(0, LOW + 5 * UNIT, LOW + 6 * UNIT)) == count


def test_the_mover_may_be_the_buyer() -> None:
    driver = make()
    driver.quote(1, HIGH, HIGH + 1)
    (trigger,) = driver.quote(0, LOW - 1, LOW)
    assert legs(trigger) == sells_to(1, 0)
    assert trigger["edge"] == HIGH - LOW
    assert (trigger["firstPrice"], trigger["secondPrice"]) == (HIGH, LOW)


@pytest.mark.parametrize(("seller", "priced"), [(0, LOW), (1, HIGH)])
def test_both_fees_are_on_the_price_of_the_other_venue(seller: int, priced: int) -> None:
    driver = make(minimumEdge=0)
    driver.write_venue(0, fee=3_001)
    driver.write_venue(1, fee=-1_000)
    driver.quote(1, *((HIGH, HIGH + 1) if seller == 1 else (LOW - 1, LOW)))
    (trigger,) = driver.quote(0, *((HIGH, HIGH + 1) if seller == 0 else (LOW - 1, LOW)))
    assert trigger["edge"] == HIGH - LOW - -(-(priced * 2_001) >> 20)


def test_only_a_rise_triggers_and_a_fall_makes_room_for_the_next() -> None:
    driver = make()
    driver.quote(1, LOW - 1, LOW)
    assert len(driver.quote(0, HIGH, HIGH + 1)) == 1
    assert driver.quote(0, HIGH + 1, HIGH + 2) == []
    assert driver.quote(1, LOW - 2, LOW - 1) == []
    assert driver.quote(0, LOW, LOW + 1) == []
    assert len(driver.quote(0, HIGH, HIGH + 1)) == 1


def test_a_pair_has_one_bit_whoever_moves() -> None:
    driver = make()
    driver.quote(1, LOW - 1, LOW)
    assert len(driver.quote(0, HIGH, HIGH + 1)) == 1
    driver.quote(1, HIGH - 1, HIGH)
    assert len(driver.quote(1, LOW - 1, LOW)) == 1


def test_a_suppressed_rise_is_used_up() -> None:
    driver = make(arm=False)
    driver.quote(1, LOW - 1, LOW)
    assert driver.quote(0, HIGH, HIGH + 1) == []
    assert (driver.count("candidateArb"), driver.count("gateKill")) == (1, 1)
    driver.arm()
    assert driver.quote(0, HIGH, HIGH + 1) == []
    assert driver.count("candidateArb") == 1


def test_an_unchosen_rise_is_used_up() -> None:
    driver = make()
    driver.quote(1, LOW - 1, LOW)
    driver.quote(2, LOW - 2, LOW - 1)
    (trigger,) = driver.quote(0, HIGH, HIGH + 1)
    assert legs(trigger) == sells_to(0, 2)
    assert driver.quote(0, HIGH, HIGH + 1) == []
    assert driver.count("candidateArb") == 1


def test_table_writes_leave_bits_alone() -> None:
    driver = make()
    driver.quote(1, LOW - 1, LOW)
    driver.quote(0, HIGH, HIGH + 1)
    driver.write_instrument(kinds=Kind.ARB.mask, minimumEdge=UNIT)
    driver.write_venue(1)
    assert driver.quote(0, HIGH, HIGH + 1) == []


def test_switching_a_kind_off_lets_its_condition_fall_at_the_next_event() -> None:
    driver = make()
    driver.quote(1, LOW - 1, LOW)
    driver.quote(0, HIGH, HIGH + 1)
    driver.write_instrument(kinds=0)
    driver.quote(0, HIGH, HIGH + 1)
    driver.write_instrument(kinds=Kind.ARB.mask)
    assert len(driver.quote(0, HIGH, HIGH + 1)) == 1


@pytest.mark.parametrize("disabled", [0, 1])
def test_a_disabled_venue_has_no_conditions(disabled: int) -> None:
    driver = make()
    driver.write_venue(disabled, enabled=0)
    driver.quote(1, LOW - 1, LOW)
    assert driver.quote(0, HIGH, HIGH + 1) == []
    assert driver.count("candidateArb") == 0


@pytest.mark.parametrize(("late", "count"), [(0, 1), (1, 0)])
def test_a_quote_may_be_as_old_as_the_maximum_age(late: int, count: int) -> None:
    driver = make()
    driver.write_venue(1, maximumAge=1_000, maximumSilence=SECOND)
    driver.quote(1, LOW - 1, LOW)
    driver.now += 1_000 + late
    assert len(driver.quote(0, HIGH, HIGH + 1)) == count


@pytest.mark.parametrize(("late", "count"), [(0, 1), (1, 0)])
def test_a_venue_may_be_silent_for_the_maximum_silence(late: int, count: int) -> None:
    driver = make()
    driver.write_venue(1, maximumAge=SECOND, maximumSilence=1_000)
    driver.quote(1, LOW - 1, LOW)
    driver.now += 1_000 + late
    assert len(driver.quote(0, HIGH, HIGH + 1)) == count


@pytest.mark.parametrize(("shown", "count"), [(1_000, 1), (999, 0)])
@pytest.mark.parametrize("short", ["mine", "theirs"])
def test_each_leg_shows_the_minimum_quantity(shown: int, count: int, short: str) -> None:
    driver = make(minimumQuantity=1_000)
    driver.quote(1, LOW - 1, LOW, 1, shown if short == "theirs" else UNIT)
    assert len(driver.quote(0, HIGH, HIGH + 1, shown if short == "mine" else UNIT, 1)) == count


def test_selling_comes_before_buying_and_the_largest_edge_first() -> None:
    driver = make()
    driver.quote(1, LOW - 1, LOW)
    driver.quote(2, LOW - 2, LOW - 1)
    driver.quote(3, LOW + 40 * UNIT, LOW + 41 * UNIT)
    driver.write_instrument(kinds=Kind.ARB.mask, minimumEdge=5 * UNIT)
    (trigger,) = driver.quote(0, HIGH, HIGH + 1)
    assert legs(trigger) == sells_to(0, 2)
    assert trigger["edge"] == 10 * UNIT + 1


def test_equal_edges_go_to_the_lowest_venue() -> None:
    driver = make()
    for venue in (3, 1, 2):
        driver.quote(venue, LOW - 1, LOW)
    (trigger,) = driver.quote(0, HIGH, HIGH + 1)
    assert legs(trigger) == sells_to(0, 1)


def test_a_negative_minimum_edge_compares_negative_edges() -> None:
    driver = make(minimumEdge=-20 * UNIT)
    driver.quote(1, LOW - 1, LOW + 5 * UNIT)
    driver.quote(2, LOW - 1, LOW + 2 * UNIT)
    (trigger,) = driver.quote(0, LOW, LOW + 1)
    assert trigger["edge"] == -2 * UNIT
    assert legs(trigger) == sells_to(0, 2)


def basis_driver(leads: dict[int, int] | None = None, **changes: Any) -> Driver:
    driver = Driver()
    driver.set_up(arm=False)
    row = {"kinds": Kind.BASIS.mask, "basisThreshold": 4 * UNIT, "basisInterval": 10, "basisShift": 1, **changes}
    driver.write_instrument(leads, **row)
    for second in range(1, 4):
        pair = {"instrument": 0, "firstVenue": 0, "secondVenue": second}
        driver.apply("LoadBasis", basis=0, samples=1, sampleTime=driver.now, **pair)
    driver.arm()
    driver.quote(1, LOW, LOW + 1)
    return driver


def test_the_first_sample_is_the_whole_difference() -> None:
    driver = make(kinds=0)
    driver.quote(0, LOW, LOW + 10)
    driver.quote(1, LOW - 7, LOW - 1)
    assert basis_of(driver, 0, 1) == (18 << 12, 1)


def test_later_samples_wait_for_the_interval() -> None:
    driver = make(kinds=0, basisInterval=100, basisShift=4)
    driver.quote(1, LOW, LOW + 10)
    driver.quote(0, LOW, LOW + 10)
    assert basis_of(driver, 0, 1) == (0, 1)
    driver.now += 99
    driver.quote(0, LOW + 32, LOW + 42)
    assert basis_of(driver, 0, 1) == (0, 1)
    driver.now += 1
    driver.quote(0, LOW + 32, LOW + 42)
    assert basis_of(driver, 0, 1) == (64 << 12 >> 4, 2)
    driver.now += 100
    driver.quote(1, LOW + 64, LOW + 75)
    before = 64 << 12 >> 4
    assert basis_of(driver, 0, 1) == (before + ((-65 << 12) - before >> 4), 3)


def test_a_sample_of_the_future_is_not_old_enough() -> None:
    driver = make(kinds=0, arm=False, basisInterval=0)
    pair = {"instrument": 0, "firstVenue": 0, "secondVenue": 1}
    driver.apply("LoadBasis", basis=5, samples=3, sampleTime=driver.now + 1, **pair)
    driver.quote(1, LOW, LOW + 10)
    driver.quote(0, LOW, LOW + 10)
    assert basis_of(driver, 0, 1) == (5, 3)


def test_samples_stop_at_their_limit() -> None:
    driver = make(kinds=0, arm=False, basisInterval=0, basisShift=0)
    pair = {"instrument": 0, "firstVenue": 0, "secondVenue": 1}
    driver.apply("LoadBasis", basis=5, samples=65_535, sampleTime=driver.now, **pair)
    driver.quote(1, LOW, LOW + 10)
    driver.quote(0, LOW, LOW + 11)
    assert basis_of(driver, 0, 1) == (1 << 12, 65_535)


def test_a_basis_takes_unusable_pairs_not() -> None:
    driver = make(kinds=0)
    driver.write_venue(1, enabled=0)
    driver.quote(1, LOW, LOW + 10)
    driver.quote(0, LOW, LOW + 10)
    assert basis_of(driver, 0, 1) == (0, 0)


@pytest.mark.parametrize(("warm_up", "events"), [(0, 1), (1, 1), (3, 3)])
def test_basis_is_false_before_its_warm_up(warm_up: int, events: int) -> None:
    driver = make(kinds=Kind.BASIS.mask, basisThreshold=4 * UNIT, basisWarmUp=warm_up, basisInterval=0, basisShift=16)
    driver.quote(1, LOW, LOW + 1)
    for _ in range(events):
        assert driver.quote(0, LOW, LOW + 1) == []
    assert basis_of(driver, 0, 1)[1] == events
    (trigger,) = driver.quote(0, HIGH, HIGH + 1)
    assert trigger["kind"] == Kind.BASIS


def test_one_sample_less_than_the_warm_up_is_false() -> None:
    driver = make(kinds=Kind.BASIS.mask, basisThreshold=4 * UNIT, basisWarmUp=3, basisInterval=0, basisShift=16)
    driver.quote(1, LOW, LOW + 1)
    driver.quote(0, LOW, LOW + 1)
    driver.quote(0, LOW, LOW + 1)
    assert driver.quote(0, HIGH, HIGH + 1) == []


@pytest.mark.parametrize(("distance", "count"), [(2 * UNIT, 1), (2 * UNIT - 1, 0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_deviation_of_the_threshold_is_enough(distance: int, count: int, sign: int) -> None:
    driver = basis_driver()
    triggers = driver.quote(0, LOW + sign * distance, LOW + sign * distance + 1)
    assert len(triggers) == count
    for trigger in triggers:
        assert legs(trigger) == (sells_to(0, 1) if sign > 0 else sells_to(1, 0))
        assert trigger["edge"] == 4 * UNIT


def test_the_basis_is_rounded_down_before_its_sign_is_turned() -> None:
    driver = Driver()
    driver.set_up(arm=False, kinds=Kind.BASIS.mask, basisThreshold=102)
    pair = {"instrument": 0, "firstVenue": 0, "secondVenue": 1}
    driver.apply("LoadBasis", basis=-1, samples=1, sampleTime=driver.now, **pair)
    driver.arm()
    driver.quote(0, LOW, LOW + 1)
    assert driver.quote(1, LOW + 51, LOW + 52) == []
    (trigger,) = driver.quote(1, LOW - 51, LOW - 50)
    assert (trigger["edge"], legs(trigger)) == (103, sells_to(0, 1))


def test_the_mover_leads_so_only_the_laggard_is_traded() -> None:
    for move, side in ((8 * UNIT, Side.BUY), (-8 * UNIT, Side.SELL)):
        driver = basis_driver({0: 1 << 1}, minimumQuantity=1_000)
        (trigger,) = driver.quote(0, LOW + move, LOW + move + 1, 1, 1)
        assert legs(trigger) == (1, side, NO_VENUE, Side.NONE)


def test_with_two_leads_the_mover_counts_as_the_leader() -> None:
    driver = basis_driver({0: 1 << 1, 1: 1 << 0})
    (trigger,) = driver.quote(0, HIGH, HIGH + 1)
    assert trigger["firstVenue"] == 1


def test_a_laggard_that_moves_uses_up_its_rise_by_its_own_leg() -> None:
    driver = basis_driver({1: 1 << 0}, minimumQuantity=1_000)
    driver.quote(1, LOW, LOW + 1, 1, 1)
    assert driver.quote(0, HIGH, HIGH + 1) == []
    assert driver.count("candidateBasis") == 0
    assert driver.quote(1, LOW, LOW + 1, 1, 1) == []
    assert driver.quote(0, HIGH, HIGH + 1, 999, 999) == []
    assert len(driver.quote(1, LOW, LOW + 1, 1, 1)) == 0
    assert driver.count("candidateBasis") == 0


def test_a_laggard_that_shows_too_little_uses_up_nothing() -> None:
    driver = basis_driver({1: 1 << 0}, minimumQuantity=1_000)
    driver.quote(0, HIGH, HIGH + 1, 999, 999)
    driver.quote(0, HIGH, HIGH + 1, 999, 1_000)
    driver.write_instrument({1: 1 << 0}, kinds=Kind.BASIS.mask, basisThreshold=4 * UNIT, basisShift=16)
    (trigger,) = driver.quote(1, LOW, LOW + 1)
    assert legs(trigger) == (0, Side.SELL, NO_VENUE, Side.NONE)


def test_a_rise_that_is_no_candidate_leaves_the_choice_to_the_next() -> None:
    row: dict[str, Any] = {"kinds": ALL_KINDS, "imbalanceThreshold": 30_000, "minimumEdge": 1_000 * UNIT}
    driver = basis_driver({1: 1 << 0}, **row)
    (trigger,) = driver.quote(0, HIGH, HIGH + 1, UNIT, 1)
    assert trigger["kind"] == Kind.IMBALANCE


def test_the_largest_deviation_is_chosen_and_the_rich_mover_first() -> None:
    driver = basis_driver()
    driver.quote(2, LOW - UNIT, LOW - UNIT + 1)
    driver.quote(3, LOW + 50 * UNIT, LOW + 50 * UNIT + 1)
    driver.engine.outputs()
    (trigger,) = driver.quote(0, HIGH, HIGH + 1)
    assert legs(trigger) == sells_to(0, 2)
    assert trigger["edge"] == 22 * UNIT


def test_arbitrage_comes_before_basis_before_imbalance() -> None:
    row: dict[str, Any] = {"kinds": ALL_KINDS, "imbalanceThreshold": 30_000}
    for edge, kind in ((UNIT, Kind.ARB), (1_000 * UNIT, Kind.BASIS)):
        driver = basis_driver(minimumEdge=edge, **row)
        (trigger,) = driver.quote(0, HIGH, HIGH + 1, UNIT, 1)
        assert trigger["kind"] == kind
        assert driver.count("candidateImbalance") == 0
        assert driver.quote(0, HIGH, HIGH + 1, UNIT, 1) == []


def imbalance_driver(**changes: Any) -> Driver:
    return make(**{"kinds": Kind.IMBALANCE.mask, "imbalanceThreshold": 16_384, "maximumSpread": 10, **changes})


@pytest.mark.parametrize(
    ("bids", "asks", "side"),
    [
        (3_000, 1_000, Side.BUY),
        (2_999, 1_000, None),
        (1_000, 3_000, Side.SELL),
        (1_000, 2_999, None),
        (1_000, 1_000, None),
    ],
)
def test_imbalance_of_the_threshold_is_enough(bids: int, asks: int, side: Side | None) -> None:
    driver = imbalance_driver()
    triggers = driver.quote(0, LOW, LOW + 10, bids, asks)
    if side is None:
        assert triggers == []
        return
    (trigger,) = triggers
    assert legs(trigger) == (0, side, NO_VENUE, Side.NONE)
    assert trigger["firstPrice"] == (LOW + 10 if side is Side.BUY else LOW)
    assert trigger["firstQuantity"] == 1_000
    assert (trigger["edge"], trigger["secondPrice"], trigger["secondQuantity"]) == (0, 0, 0)


def test_imbalance_needs_a_narrow_spread() -> None:
    assert imbalance_driver().quote(0, LOW, LOW + 11, 9_000, 1_000) == []


@pytest.mark.parametrize(("shown", "count"), [(500, 1), (499, 0)])
def test_imbalance_looks_at_the_quantity_of_its_one_leg(shown: int, count: int) -> None:
    driver = imbalance_driver(minimumQuantity=500)
    assert len(driver.quote(0, LOW, LOW + 1, 90_000, shown)) == count
    assert len(driver.quote(1, LOW, LOW + 1, shown, 90_000)) == count


def test_a_swing_from_buying_to_selling_is_a_rise() -> None:
    driver = imbalance_driver()
    assert len(driver.quote(0, LOW, LOW + 1, 9_000, 1_000)) == 1
    assert len(driver.quote(0, LOW, LOW + 1, 1_000, 9_000)) == 1
    assert driver.quote(0, LOW, LOW + 1, 1_000, 9_000) == []


def test_imbalance_of_a_disabled_venue_is_false() -> None:
    driver = imbalance_driver()
    driver.write_venue(0, enabled=0)
    assert driver.quote(0, LOW, LOW + 1, 9_000, 1_000) == []
    assert driver.count("candidateImbalance") == 0
