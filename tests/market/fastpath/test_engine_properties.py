"""What holds for every stream: limits are kept, whatever comes in and in whatever order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from market.fastpath.layout import SCHEMA
from market.fastpath.specification import NO_VENUE, EngineSizes, Kind, Side
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import ALL_KINDS, SECOND, UNIT, Driver

VENUES = 3
INTERVAL, TOLERANCE, COOLDOWN = 12_000, 20_000, 3_000
LIMIT, LARGEST, LEAST = 1_300, 1_000, 10
PRICE_LOW, PRICE_HIGH = 95 * UNIT, 105 * UNIT

QUANTITIES = (0, -1, 9, 10, 11, 500, 999, 5_000, 50_000, 1 << 50)
QUANTITY_ODDS = (0.01, 0.01, 0.03, 0.05, 0.1, 0.2, 0.2, 0.2, 0.15, 0.05)


@dataclass
class Account:
    """What a host that sees only triggers and settlements knows of one (instrument, venue)."""

    position: int = 0
    pending: dict[int, int] = field(default_factory=lambda: {Side.BUY: 0, Side.SELL: 0})

    def check(self) -> None:
        assert self.position + self.pending[Side.BUY] <= LIMIT
        assert self.position - self.pending[Side.SELL] >= -LIMIT


@dataclass
class Book:
    """Checks every trigger against the limits."""

    accounts: defaultdict[tuple[int, int], Account] = field(default_factory=lambda: defaultdict(Account))
    times: list[int] = field(default_factory=list)
    last: dict[int, int] = field(default_factory=dict)

    def take(self, trigger: dict[str, Any]) -> None:
        time, instrument = trigger["causeTime"], trigger["instrument"]
        assert time - self.last.get(instrument, -COOLDOWN) >= COOLDOWN
        self.last[instrument] = time
        self.times.append(time)
        assert trigger["id"] == len(self.times)
        for leg in ("first", "second"):
            self.take_leg(trigger, leg)
        burst = 1 + TOLERANCE // INTERVAL
        for first in range(len(self.times) - burst):
            assert self.times[first + burst] - self.times[first] >= burst * INTERVAL - TOLERANCE

    def take_leg(self, trigger: dict[str, Any], leg: str) -> None:
        if trigger[f"{leg}Venue"] == NO_VENUE:
            assert trigger["kind"] == Kind.IMBALANCE
            return
        size, price = trigger[f"{leg}Quantity"], trigger[f"{leg}Price"]
        assert 1 <= size <= LARGEST
        assert PRICE_LOW <= price <= PRICE_HIGH
        assert size * price <= LARGEST * PRICE_HIGH
        account = self.accounts[trigger["instrument"], trigger[f"{leg}Venue"]]
        account.pending[trigger[f"{leg}Side"]] += size
        account.check()


def make_driver() -> Driver:
    driver = Driver(EngineSizes(venues=VENUES, instruments=2))
    notional = LARGEST * PRICE_HIGH
    driver.set_up(
        instruments=2,
        kinds=ALL_KINDS,
        minimumEdge=UNIT // 10,
        basisThreshold=UNIT,
        basisInterval=10_000,
        imbalanceThreshold=25_000,
        minimumQuantity=LEAST,
        maximumQuantity=LARGEST,
        priceLow=PRICE_LOW,
        priceHigh=PRICE_HIGH,
        maximumNotionalLow=notional,
        maximumNotionalHigh=0,
        cooldown=COOLDOWN,
        positionLimit=LIMIT,
    )
    driver.write_engine(rateInterval=INTERVAL, rateTolerance=TOLERANCE, lease=SECOND)
    driver.apply("Heartbeat")
    driver.engine.outputs()
    return driver


def random_quote(driver: Driver, random: np.random.Generator) -> list[int]:
    bid = int(random.integers(93 * UNIT, 107 * UNIT))
    ask = bid + int(random.integers(-UNIT // 50, UNIT // 2))
    bid_quantity, ask_quantity = (int(quantity) for quantity in random.choice(QUANTITIES, 2, p=QUANTITY_ODDS))
    driver.now += int(random.integers(0, 4_000))
    instrument, venue = int(random.integers(0, 2)), int(random.integers(0, VENUES))
    time = driver.now - int(random.integers(0, 2)) * 100
    return driver.event(venue, bid, ask, bid_quantity, ask_quantity, instrument=instrument, time=time)


def settle(driver: Driver, book: Book, random: np.random.Generator) -> bool:
    """Settle something that may or may not be pending; whether it was applied."""
    instrument, venue, side = int(random.integers(0, 2)), int(random.integers(0, VENUES)), int(random.integers(1, 3))
    account = book.accounts[instrument, venue]
    released = int(random.integers(0, account.pending[side] + account.pending[side] // 8 + 2))
    filled = int(random.integers(0, released + 2))
    fields = {"instrument": instrument, "venue": venue, "side": side, "released": released, "filled": filled}
    applied = bool(driver.send("Settle", **fields)["result"] == 0)
    assert applied == (filled <= released <= account.pending[side])
    if applied:
        account.pending[side] -= released
        account.position += filled if side == Side.BUY else -filled
        account.check()
    return applied and released > 0


@settings(derandomize=True, deadline=None, max_examples=20)
@given(st.integers(0, (1 << 32) - 1))
def test_limits_hold_on_random_streams(seed: int) -> None:
    driver, book, random = make_driver(), Book(), np.random.default_rng(seed)
    settled = 0
    for _ in range(700):
        if random.random() < 0.2:
            settled += settle(driver, book, random)
            continue
        driver.engine.push_quotes(np.array([random_quote(driver, random)], dtype=np.int64))
        for message in (decode(SCHEMA, output) for output in driver.engine.outputs()):
            if message.name == "Trigger":
                book.take(message.values)
    counters = driver.engine.counters
    candidates = sum(count for name, count in counters.items() if name.startswith("candidate"))
    ends = sum(count for name, count in counters.items() if name.startswith(("gate", "trigger")))
    assert candidates == ends
    assert driver.engine.trigger_count == len(book.times) > 10
    assert settled > 10
    assert all(counters[name] for name in ("gateCooldown", "gateCollar", "gatePosition", "gateRate"))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=10, max_size=10))
def test_no_event_is_too_wild(row: list[int]) -> None:
    driver = make_driver()
    driver.engine.push_quotes(np.array([row], dtype=np.int64))
    assert driver.count("quoteEvents") == 1


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.binary(max_size=700))
def test_no_control_message_is_too_wild(message: bytes) -> None:
    driver = make_driver()
    before = driver.engine.counters
    driver.engine.control(message, driver.now)
    names = [decode(SCHEMA, output).name for output in driver.engine.outputs()]
    assert names == (["Acknowledge"] if len(message) >= 16 else [])
    assert driver.count("controlApplied") == before["controlApplied"]
