"""The worked examples of the fast loop's specification, to the last digit."""

from __future__ import annotations

import zlib

import pytest

from market.fastpath import state
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import NO_VENUE, Kind, Side
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import UNIT, Driver, basis_of

FEES = (1_049, 525)
TENTH = UNIT // 10


def price(text: str) -> int:
    """A decimal price as a count of 10^-9."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(9, "0"))


@pytest.fixture
def arbitrage() -> Driver:
    driver = Driver(now=1_000_000_000)
    driver.set_up(
        kinds=Kind.ARB.mask,
        minimumEdge=5 * UNIT,
        maximumQuantity=4 * TENTH,
        priceLow=60_000 * UNIT,
        priceHigh=63_000 * UNIT,
        positionLimit=UNIT,
    )
    driver.write_engine(rateInterval=10_000_000)
    for venue, fee in enumerate(FEES):
        driver.write_venue(venue, fee=fee)
    for venue, position in enumerate((2 * TENTH, -TENTH)):
        row = {"instrument": 0, "venue": venue, "position": position, "pendingBuy": 0, "pendingSell": 0}
        driver.apply("SetPosition", lastId=0, **row)
    driver.quote(1, price("61780.0"), price("61780.1"), 2 * UNIT, 8 * TENTH, sequence=41)
    driver.now = 1_000_400_000
    return driver


def test_arbitrage_example(arbitrage: Driver) -> None:
    quote = (0, price("61880.00"), price("61880.01"), 5 * TENTH, 3 * TENTH)
    (trigger,) = arbitrage.quote(*quote, sequence=42)
    assert trigger == {
        "id": 1,
        "epoch": 7,
        "parity": 0,
        "kind": Kind.ARB,
        "causeVenue": 0,
        "instrument": 0,
        "firstVenue": 0,
        "firstSide": Side.SELL,
        "secondVenue": 1,
        "secondSide": Side.BUY,
        "firstPrice": price("61880.00"),
        "firstQuantity": 4 * TENTH,
        "secondPrice": price("61780.1"),
        "secondQuantity": 4 * TENTH,
        "edge": 7_162_919_044,
        "causeSequence": 42,
        "causeTime": 1_000_400_000,
        "imbalance": 8_192,
        "microprice": 61_880_006_250_000,
    }
    assert arbitrage.engine.state[state.RATE_AT] == 1_010_400_000
    assert arbitrage.quote(*quote, sequence=43) == []


def test_parity_is_the_crc_of_the_trigger_payloads(arbitrage: Driver) -> None:
    arbitrage.engine.push_quote(
        tuple(arbitrage.event(0, price("61880.00"), price("61880.01"), 5 * TENTH, 3 * TENTH)),
    )
    (payload,) = [output for output in arbitrage.engine.outputs() if decode(SCHEMA, output).name == "Trigger"]
    assert len(payload) == 104
    assert arbitrage.engine.parity == zlib.crc32(payload)


@pytest.fixture
def basis() -> Driver:
    driver = Driver(now=1_000_000_000)
    driver.set_up(kinds=Kind.BASIS.mask, arm=False, basisThreshold=37 * UNIT, maximumQuantity=UNIT)
    row = {"instrument": 0, "firstVenue": 0, "secondVenue": 1, "samples": 10}
    driver.apply("LoadBasis", basis=187_647_367_898_322, sampleTime=driver.now, **row)
    driver.arm()
    return driver


def load_first_quote(driver: Driver) -> None:
    driver.quote(0, price("61784.00"), price("61784.01"))
    driver.now += 10_000_000


BASIS_EVENT = (1, price("61740.0"), price("61740.1"), 15 * TENTH, 6 * UNIT)
BOTH_LEGS = {
    "firstVenue": 0,
    "firstSide": Side.SELL,
    "firstPrice": price("61784.00"),
    "firstQuantity": UNIT,
    "secondVenue": 1,
    "secondSide": Side.BUY,
    "secondPrice": price("61740.1"),
    "secondQuantity": UNIT,
}
FIRST_LEG = {
    **BOTH_LEGS,
    "secondVenue": NO_VENUE,
    "secondSide": Side.NONE,
    "secondPrice": 0,
    "secondQuantity": 0,
}


@pytest.mark.parametrize(("leads", "legs"), [({}, BOTH_LEGS), ({1: 1 << 0}, FIRST_LEG)])
def test_basis_example(basis: Driver, leads: dict[int, int], legs: dict[str, int]) -> None:
    basis.write_instrument(leads, kinds=Kind.BASIS.mask, basisThreshold=37 * UNIT, maximumQuantity=UNIT)
    load_first_quote(basis)
    (trigger,) = basis.quote(*BASIS_EVENT)
    assert {name: trigger[name] for name in legs} == legs
    assert trigger["kind"] == Kind.BASIS
    assert trigger["edge"] == 42_097_654_322
    assert trigger["imbalance"] == -19_660
    assert trigger["microprice"] == 61_740_020_001_220
    assert basis_of(basis, 0, 1) == (187_815_758_515_608, 11)


def test_the_leader_that_is_compared_with_a_laggard_never_trades(basis: Driver) -> None:
    basis.write_instrument({0: 1 << 1}, kinds=Kind.BASIS.mask, basisThreshold=37 * UNIT, maximumQuantity=UNIT)
    load_first_quote(basis)
    assert basis.quote(*BASIS_EVENT) == []
    assert basis.count("candidateBasis") == 0
