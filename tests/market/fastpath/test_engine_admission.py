"""Which events are admitted, what a rejected one leaves behind, and how numbers are scaled."""

from __future__ import annotations

import pytest

from market.fastpath.specification import EngineSizes, Kind, Side
from tests.market.fastpath.engine_driver import SECOND, UNIT, Driver

TOP = (1 << 48) - 1
BID, ASK = 100 * UNIT, 101 * UNIT


@pytest.fixture
def driver() -> Driver:
    driver = Driver()
    driver.set_up(kinds=Kind.ARB.mask, minimumEdge=UNIT, cooldown=0)
    driver.quote(1, 90 * UNIT, 91 * UNIT)
    return driver


@pytest.mark.parametrize(
    ("changes", "counter"),
    [
        ({"instrument": 16}, "rejectUnknown"),
        ({"instrument": -1}, "rejectUnknown"),
        ({"venue": 4}, "rejectUnknown"),
        ({"venue": -1}, "rejectUnknown"),
        ({"instrument": 3}, "rejectUnknown"),
        ({"sequence": 0}, "rejectOldSequence"),
        ({"sequence": 1}, "rejectOldSequence"),
        ({"price_exponent": -8}, "rejectExponent"),
        ({"quantity_exponent": -8}, "rejectExponent"),
        ({"bid_quantity": 0}, "rejectEmpty"),
        ({"ask_quantity": 0}, "rejectEmpty"),
        ({"bid": 0}, "rejectRange"),
        ({"bid": -1}, "rejectRange"),
        ({"ask": TOP + 1}, "rejectRange"),
        ({"bid_quantity": -1}, "rejectRange"),
        ({"ask_quantity": -1}, "rejectRange"),
        ({"ask": BID}, "rejectCrossed"),
        ({"ask": BID - 1}, "rejectCrossed"),
    ],
)
def test_reasons(driver: Driver, changes: dict[str, int], counter: str) -> None:
    event = {"venue": 1, "bid": BID, "ask": ASK, "bid_quantity": UNIT, "ask_quantity": UNIT}
    before = driver.count("quoteEvents")
    assert driver.quote(**{**event, **changes}) == []
    rejects = {name: count for name, count in driver.engine.counters.items() if name.startswith("reject") and count}
    assert rejects == {counter: 1}
    assert driver.count("quoteEvents") == before + 1


@pytest.mark.parametrize(
    ("changes", "counter"),
    [
        ({"sequence": -5, "price_exponent": 0}, "rejectOldSequence"),
        ({"price_exponent": 0, "bid_quantity": 0}, "rejectExponent"),
        ({"bid_quantity": 0, "bid": 0}, "rejectEmpty"),
        ({"bid_quantity": -1, "ask": 1}, "rejectRange"),
    ],
)
def test_the_first_reason_counts(driver: Driver, changes: dict[str, int], counter: str) -> None:
    driver.quote(**{"venue": 1, "bid": BID, "ask": ASK, "bid_quantity": UNIT, "ask_quantity": UNIT, **changes})
    assert driver.count(counter) == 1


def test_an_old_sequence_leaves_the_quote(driver: Driver) -> None:
    driver.quote(1, 1, 2, sequence=0)
    (trigger,) = driver.quote(0, BID, ASK)
    assert trigger["secondPrice"] == 91 * UNIT


@pytest.mark.parametrize("changes", [{"price_exponent": 0}, {"bid_quantity": 0}, {"bid": 0}, {"ask": 1}])
def test_a_reject_from_exponent_on_leaves_no_quote(driver: Driver, changes: dict[str, int]) -> None:
    driver.quote(**{"venue": 1, "bid": BID, "ask": ASK, "bid_quantity": UNIT, "ask_quantity": UNIT, **changes})
    assert driver.quote(0, BID, ASK) == []


def test_a_reject_from_exponent_on_stores_the_sequence(driver: Driver) -> None:
    driver.quote(1, 0, 0, sequence=100)
    driver.quote(1, BID, ASK, sequence=100)
    assert driver.count("rejectOldSequence") == 1


@pytest.mark.parametrize("rejected", [0, 1])
def test_a_reject_from_exponent_on_clears_the_bits_of_both_roles(driver: Driver, rejected: int) -> None:
    assert len(driver.quote(0, BID, ASK)) == 1
    driver.quote(rejected, 0, 0)
    if rejected == 1:
        assert len(driver.quote(1, 90 * UNIT, 91 * UNIT)) == 1
    else:
        assert len(driver.quote(0, BID, ASK)) == 1


def test_a_first_sequence_may_be_any_number(driver: Driver) -> None:
    assert len(driver.quote(0, BID, ASK, sequence=-(1 << 63))) == 1
    assert driver.quote(0, BID, ASK, sequence=(1 << 63) - 1) == []
    assert driver.count("rejectOldSequence") == 0


def test_quantities_are_cut_at_the_top(driver: Driver) -> None:
    driver.write_instrument(kinds=Kind.ARB.mask, maximumQuantity=TOP, priceHigh=1 << 47, positionLimit=TOP)
    driver.quote(1, 90 * UNIT, 91 * UNIT, (1 << 63) - 1, (1 << 63) - 1)
    (trigger,) = driver.quote(0, BID, ASK, TOP + 1, 1)
    assert trigger["firstQuantity"] == trigger["secondQuantity"] == TOP
    assert driver.count("quantityCut") == 3


def test_cut_quantities_count_before_the_crossing_is_seen(driver: Driver) -> None:
    driver.quote(1, BID, BID, TOP + 1, 1)
    assert (driver.count("quantityCut"), driver.count("rejectCrossed")) == (1, 1)


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_scaling_multiplies_mantissas(driver: Driver, shift: int) -> None:
    factor = 10**shift
    row = {"priceExponent": shift - 9, "quantityExponent": -2, "priceShift": shift, "quantityShift": 3}
    driver.write_scaling(0, 0, **row)
    exponents = {"price_exponent": shift - 9, "quantity_exponent": -2}
    (trigger,) = driver.quote(0, BID // factor, ASK // factor, 7, 9, **exponents)
    assert (trigger["firstPrice"], trigger["firstQuantity"]) == (BID, 7_000)


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
@pytest.mark.parametrize("price_bits", [20, 48])
def test_the_top_falls_with_the_scaling(shift: int, price_bits: int) -> None:
    driver = Driver(EngineSizes(price_bits=price_bits))
    top = ((1 << price_bits) - 1) // 10**shift
    driver.write_scaling(0, 0, priceShift=shift, quantityShift=shift)
    driver.quote(0, 1, top + 1, 1, 1)
    assert driver.count("rejectRange") == 1
    driver.quote(0, 1, top, top + 1, top)
    assert (driver.count("rejectRange"), driver.count("quantityCut")) == (1, 1)


def test_a_rejected_event_still_makes_its_venue_heard(driver: Driver) -> None:
    driver.write_venue(1, maximumSilence=SECOND, maximumAge=100 * SECOND)
    driver.now += SECOND
    driver.quote(1, 1, 1, sequence=-1)
    driver.now += SECOND
    assert len(driver.quote(0, BID, ASK)) == 1


def trade(driver: Driver, **changes: int) -> None:
    fields = {"instrument": 0, "venue": 0, "price_exponent": -9, "quantity_exponent": -9, "aggressor": Side.BUY}
    driver.engine.trade(**{**fields, "price": UNIT, "quantity": 5, "time_ns": driver.now, **changes})


def test_trades_only_count(driver: Driver) -> None:
    driver.write_scaling(0, 0, quantityShift=2)
    for side, times in ((Side.BUY, 1), (Side.SELL, 2), (Side.NONE, 3)):
        for _ in range(times):
            trade(driver, aggressor=side)
    trade(driver, aggressor=Side.SELL, quantity=TOP)
    numbers = [driver.status() for _ in range(16)]
    (volumes,) = [status for status in numbers if status["volumeInstrument"] == 0]
    assert (volumes["buyVolume"], volumes["sellVolume"], volumes["tradeCount"]) == (500, 1_000 + TOP // 100 * 100, 7)
    assert driver.count("tradeEvents") == 7
    assert driver.count("quantityCut") == 1
    assert {status["volumeInstrument"] for status in numbers} == set(range(16))
    assert all(status["volumeInstrument"] == status["number"] % 16 for status in numbers)


@pytest.mark.parametrize(
    ("changes", "counter"),
    [
        ({"venue": 9}, "rejectUnknown"),
        ({"instrument": 3}, "rejectUnknown"),
        ({"price_exponent": 0, "price": 0}, "rejectExponent"),
        ({"price": 0}, "rejectRange"),
        ({"price": TOP + 1}, "rejectRange"),
        ({"quantity": 0}, "rejectRange"),
    ],
)
def test_rejected_trades(driver: Driver, changes: dict[str, int], counter: str) -> None:
    trade(driver, **changes)
    assert driver.count(counter) == driver.count("tradeEvents") == 1
