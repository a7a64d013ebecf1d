"""The risk gate: every limit at its boundary, the order of the reasons, and what a trigger commits."""

from __future__ import annotations

from typing import Any

import pytest

from market.fastpath import state
from market.fastpath.specification import Kind, Side
from tests.market.fastpath.engine_driver import ENGINE, SECOND, UNIT, Driver

LOW, HIGH = 100 * UNIT, 110 * UNIT
SIZE = 1_000


def make(**changes: Any) -> Driver:
    """Venue 1 can be bought at LOW; ``rise`` sells at HIGH on venue 0."""
    driver = Driver()
    row = {"kinds": Kind.ARB.mask, "maximumQuantity": SIZE, "positionLimit": 10 * SIZE}
    driver.set_up(**{**row, **changes})
    driver.quote(1, LOW - 1, LOW)
    return driver


def fall(driver: Driver) -> None:
    assert driver.quote(0, LOW - 1, LOW) == []


def rise(driver: Driver, **changes: int) -> list[dict[str, Any]]:
    return driver.quote(0, HIGH, HIGH + 1, **changes)


def gates(driver: Driver) -> dict[str, int]:
    return {name: count for name, count in driver.engine.counters.items() if name.startswith("gate") and count}


def set_position(driver: Driver, venue: int, position: int, pending_buy: int = 0, pending_sell: int = 0) -> None:
    last = driver.status()["id"]
    pendings = {"pendingBuy": pending_buy, "pendingSell": pending_sell}
    driver.apply("SetPosition", lastId=last, instrument=0, venue=venue, position=position, **pendings)


def test_an_engine_begins_killed() -> None:
    driver = make(arm=False)
    driver.apply("Heartbeat")
    assert rise(driver) == []
    assert gates(driver) == {"gateKill": 1}


def test_kill_stops_and_rearm_starts() -> None:
    driver = make()
    driver.apply("Kill")
    assert rise(driver) == []
    driver.arm()
    fall(driver)
    assert len(rise(driver)) == 1


@pytest.mark.parametrize(("late", "count"), [(0, 1), (1, 0)])
def test_the_lease_holds_to_its_last_nanosecond(late: int, count: int) -> None:
    driver = make()
    driver.write_engine(lease=500)
    driver.apply("Heartbeat")
    driver.now += 500 + late
    assert len(rise(driver)) == count
    assert gates(driver) == ({} if count else {"gateLease": 1})


def test_an_instrument_is_disabled_by_its_row() -> None:
    driver = make(enabled=0)
    assert rise(driver) == []
    assert gates(driver) == {"gateInstrument": 1}


@pytest.mark.parametrize(("late", "count"), [(0, 1), (-1, 0)])
def test_the_cooldown_ends_on_time(late: int, count: int) -> None:
    driver = make(cooldown=1_000)
    assert len(rise(driver)) == 1
    driver.now += 1_000 + late
    fall(driver)
    assert len(rise(driver)) == count
    assert gates(driver) == ({} if count else {"gateCooldown": 1})


@pytest.mark.parametrize(
    ("low", "high", "count"),
    [(LOW, HIGH, 1), (LOW + 1, HIGH, 0), (LOW, HIGH - 1, 0), (HIGH, LOW, 0), (0, 0, 0)],
)
def test_every_leg_lies_in_the_collar(low: int, high: int, count: int) -> None:
    driver = make(priceLow=low, priceHigh=high)
    assert len(rise(driver)) == count
    assert gates(driver) == ({} if count else {"gateCollar": 1})


def test_the_collar_looks_at_legs_that_are_sent_only() -> None:
    driver = Driver()
    driver.set_up(kinds=Kind.IMBALANCE.mask, imbalanceThreshold=16_384, priceLow=LOW + 1)
    assert len(driver.quote(0, LOW, LOW + 1, 9 * UNIT, UNIT)) == 1
    assert driver.quote(0, LOW, LOW + 1, UNIT, 9 * UNIT) == []
    assert gates(driver) == {"gateCollar": 1}


@pytest.mark.parametrize(
    ("venue", "position", "pending_buy", "pending_sell", "count"),
    [
        (0, -9 * SIZE, 0, 0, 1),
        (0, -9 * SIZE - 1, 0, 0, 0),
        (0, 0, 0, 9 * SIZE, 1),
        (0, 0, 0, 9 * SIZE + 1, 0),
        (0, 5 * SIZE, 50 * SIZE, 14 * SIZE, 1),
        (0, 5 * SIZE, 0, 14 * SIZE + 1, 0),
        (1, 9 * SIZE, 0, 0, 1),
        (1, 9 * SIZE + 1, 0, 0, 0),
        (1, 0, 9 * SIZE, 50 * SIZE, 1),
        (1, -5 * SIZE, 14 * SIZE + 1, 0, 0),
    ],
)
def test_pending_orders_take_room_of_their_own_side(
    venue: int, position: int, pending_buy: int, pending_sell: int, count: int
) -> None:
    driver = make()
    set_position(driver, venue, position, pending_buy, pending_sell)
    assert len(rise(driver)) == count
    assert gates(driver) == ({} if count else {"gatePosition": 1})


def test_triggers_fill_pending_until_settled() -> None:
    driver = make(positionLimit=2 * SIZE)
    for count in (1, 1, 0):
        assert len(rise(driver)) == count
        fall(driver)
    settlement = {"instrument": 0, "released": SIZE}
    driver.apply("Settle", venue=0, side=Side.SELL, filled=0, **settlement)
    driver.apply("Settle", venue=1, side=Side.BUY, filled=SIZE, **settlement)
    assert rise(driver) == []
    fall(driver)
    driver.apply("Settle", venue=1, side=Side.BUY, filled=0, **settlement)
    assert len(rise(driver)) == 1
    assert gates(driver) == {"gatePosition": 2}


def test_the_rate_limit_is_a_bucket_of_one_and_tolerance_over_interval() -> None:
    driver = make()
    interval = 10_000
    driver.write_engine(rateInterval=interval, rateTolerance=3 * interval)
    passed = 0
    for _ in range(10):
        passed += len(rise(driver))
        fall(driver)
    assert passed == 4
    driver.now += interval - 1
    assert rise(driver) == []
    fall(driver)
    driver.now += 1
    assert len(rise(driver)) == 1
    fall(driver)
    assert rise(driver) == []
    assert gates(driver) == {"gateRate": 8}
    assert driver.engine.state[state.RATE_AT] == SECOND + 5 * interval


def test_rate_credit_does_not_pile_up() -> None:
    driver = make()
    driver.write_engine(rateInterval=10_000, rateTolerance=0)
    driver.now += SECOND // 2
    for count in (1, 0):
        assert len(rise(driver)) == count
        fall(driver)
    assert driver.engine.state[state.RATE_AT] == driver.now + 10_000


REASONS = ["gateKill", "gateLease", "gateInstrument", "gateCooldown", "gateCollar", "gatePosition", "gateRate"]


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_the_first_reason_counts(first: int) -> None:
    driver = make(cooldown=SECOND // 2, minimumEdge=UNIT)
    row: dict[str, Any] = {"kinds": Kind.ARB.mask, "maximumQuantity": SIZE, "cooldown": SECOND // 2}
    driver.write_engine(rateInterval=SECOND, rateTolerance=0)
    assert len(rise(driver)) == 1
    fall(driver)
    row["positionLimit"] = 0 if first <= 5 else 10 * SIZE
    row["priceHigh"] = 1 if first <= 4 else 200 * UNIT
    row["enabled"] = int(first > 2)
    driver.write_instrument(**row)
    if first > 3:
        driver.now += SECOND // 2
    if first == 1 or first == 0:
        driver.write_engine(**{**ENGINE, "lease": 0})
        driver.apply("Heartbeat")
        driver.now += 1
    if first == 0:
        driver.apply("Kill")
    before = driver.engine.counters
    assert rise(driver) == []
    after = driver.engine.counters
    assert {name for name in REASONS if after[name] != before[name]} == {REASONS[first]}


def test_a_stopped_candidate_commits_nothing() -> None:
    driver = make(positionLimit=0)
    before = driver.engine.state.copy()
    rise(driver)
    kept = [state.LAST_ID, state.PARITY, state.RATE_AT]
    assert (driver.engine.state[kept] == before[kept]).all()
    assert driver.engine.trigger_count == 0


def test_ids_count_up_and_each_trigger_carries_the_parity_before_it() -> None:
    driver = make()
    parities = []
    for expected in (1, 2, 3):
        before = driver.engine.parity
        (trigger,) = rise(driver)
        assert (trigger["id"], trigger["parity"]) == (expected, before)
        parities.append(driver.engine.parity)
        fall(driver)
    assert len({0, *parities}) == 4


def test_the_size_is_the_least_of_maximum_and_both_legs() -> None:
    for bid_quantity, ask_quantity, size in ((SIZE, SIZE, SIZE), (7, SIZE, 7), (SIZE, 8, 8), (UNIT, UNIT, SIZE)):
        driver = make()
        driver.quote(1, LOW - 1, LOW, UNIT, ask_quantity)
        (trigger,) = rise(driver, bid_quantity=bid_quantity)
        assert trigger["firstQuantity"] == trigger["secondQuantity"] == size
