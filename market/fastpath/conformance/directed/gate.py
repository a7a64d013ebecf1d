"""One event, step 7: every reason, at its boundary."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import EngineSizes, Kind

MS = 1_000_000


def rise(scenario: Scenario, venue: int = 0) -> None:
    """A fresh IMBALANCE rise that buys 10 at 1,001."""
    scenario.flat(venue)
    scenario.quote(venue, 999, 30, 1_001, 10)


def fall(scenario: Scenario, venue: int = 0) -> None:
    """A fresh IMBALANCE rise that sells 10 at 999."""
    scenario.flat(venue)
    scenario.quote(venue, 999, 10, 1_001, 30)


def cases() -> Iterator[Case]:
    yield _kill()
    yield _lease()
    yield _lease_never()
    yield _instrument()
    yield _cooldown()
    yield _cooldown_per_instrument()
    yield _collar()
    yield _collar_two_legs()
    yield _collar_closed()
    yield _position_buy()
    yield _position_sell()
    yield _position_two_legs()
    yield _pending_not_netted()
    yield _rate()
    yield _rate_largest_tolerance()
    yield _order()
    yield _id_wrap()


def _kill() -> Case:
    scenario = Scenario(
        "gate-kill",
        "killed at reset, by message and by hello; quotes, bits and basis go on meanwhile",
        Rule.GATE_KILL,
        Rule.KILL,
        Rule.HELLO,
    )
    scenario.set_up(Kind.IMBALANCE, armed=False)
    rise(scenario)
    scenario.rearm()
    rise(scenario)
    scenario.control("Kill")
    rise(scenario)
    scenario.rearm()
    scenario.wait(MS)
    rise(scenario)
    scenario.control("Hello", sequence=900, epoch=2)
    rise(scenario)
    scenario.rearm()
    scenario.wait(MS)
    rise(scenario)
    return scenario.case()


def _lease() -> Case:
    scenario = Scenario(
        "gate-lease",
        "passes at T = lease_until, stops one ns later, passes again after a heartbeat",
        Rule.GATE_LEASE,
        Rule.HEARTBEAT,
    )
    scenario.set_up(Kind.IMBALANCE)
    scenario.engine_row(lease=5_000)
    scenario.control("Heartbeat")
    scenario.wait(5_000)
    rise(scenario)
    scenario.wait(1)
    rise(scenario)
    scenario.control("Heartbeat")
    scenario.wait(4_000)
    rise(scenario)
    return scenario.case()


def _lease_never() -> Case:
    scenario = Scenario(
        "gate-lease-zero",
        "without an engine row a heartbeat's lease ends at its own T",
        Rule.GATE_LEASE,
        Rule.HEARTBEAT,
    )
    scenario.venue_row(0)
    scenario.scaling_row(0, 0)
    scenario.instrument_row(Kind.IMBALANCE)
    scenario.rearm()
    rise(scenario)
    scenario.control("Heartbeat")
    rise(scenario)
    scenario.wait(1)
    rise(scenario)
    return scenario.case()


def _instrument() -> Case:
    scenario = Scenario("gate-instrument", "conditions and bits of a disabled instrument go on", Rule.GATE_INSTRUMENT)
    scenario.set_up(Kind.IMBALANCE, enabled=0)
    rise(scenario)
    scenario.instrument_row(Kind.IMBALANCE)
    scenario.quote(0, 999, 30, 1_001, 10)
    rise(scenario)
    return scenario.case()


def _cooldown() -> Case:
    scenario = Scenario(
        "gate-cooldown",
        "one ns before the end stops, at the end passes; a stopped candidate does not renew it",
        Rule.GATE_COOLDOWN,
    )
    scenario.set_up(Kind.IMBALANCE, cooldown=10_000)
    rise(scenario)
    scenario.wait(9_999)
    rise(scenario)
    scenario.wait(1)
    rise(scenario)
    scenario.instrument_row(Kind.IMBALANCE, cooldown=0)
    scenario.wait(9_999)
    rise(scenario)
    return scenario.case()


def _cooldown_per_instrument() -> Case:
    scenario = Scenario(
        "cooldown-per-instrument",
        "a cooldown holds one instrument, across its venues, and no other",
        Rule.GATE_COOLDOWN,
        sizes=EngineSizes(venues=2, instruments=2),
    )
    scenario.set_up(Kind.IMBALANCE, cooldown=10_000_000)
    scenario.instrument_row(Kind.IMBALANCE, instrument=1)
    scenario.scaling_row(1, 0)
    rise(scenario)
    scenario.wait(5_000)
    rise(scenario, venue=1)
    scenario.quote(0, 999, 30, 1_001, 10, instrument=1)
    return scenario.case()


def _collar() -> Case:
    scenario = Scenario("gate-collar", "low and high are inside, one beyond either is outside", Rule.GATE_COLLAR)
    scenario.set_up(Kind.IMBALANCE, priceLow=1_001, priceHigh=1_003)
    for ask in (1_000, 1_001, 1_003, 1_004):
        scenario.wait(MS)
        scenario.flat(0)
        scenario.quote(0, 999, 30, ask, 10)
    return scenario.case()


def _collar_two_legs() -> Case:
    scenario = Scenario("gate-collar-legs", "either leg of an ARB outside stops it", Rule.GATE_COLLAR)
    scenario.set_up(Kind.ARB, priceLow=1_001, priceHigh=1_010)
    for ask, bid in ((1_001, 1_011), (1_000, 1_010), (1_001, 1_010)):
        scenario.wait(MS)
        scenario.flat(0)
        scenario.quote(1, 900, 10, ask, 10)
        scenario.quote(0, bid, 10, bid + 2, 10)
    return scenario.case()


def _collar_closed() -> Case:
    scenario = Scenario("gate-collar-closed", "low above high is no reference: nothing passes", Rule.GATE_COLLAR)
    scenario.set_up(Kind.IMBALANCE, priceLow=1_002, priceHigh=1_000)
    rise(scenario)
    fall(scenario)
    return scenario.case()


def _position_buy() -> Case:
    scenario = Scenario(
        "gate-position-buy",
        "limit 100, position 70, pending 20: room for 10; then none is left; pending sells do not help",
        Rule.GATE_POSITION,
        Rule.PENDING,
        Rule.SET_POSITION,
    )
    scenario.set_up(Kind.IMBALANCE, positionLimit=100)
    scenario.set_position(0, 71, 20, 100)
    rise(scenario)
    scenario.set_position(0, 70, 20, 100)
    rise(scenario)
    scenario.wait(MS)
    rise(scenario)
    return scenario.case()


def _position_sell() -> Case:
    scenario = Scenario(
        "gate-position-sell",
        "limit 100, position -70, pending 20: room for 10 to sell, and not for 11",
        Rule.GATE_POSITION,
        Rule.PENDING,
    )
    scenario.set_up(Kind.IMBALANCE, positionLimit=100)
    scenario.set_position(0, -71, 0, 20)
    fall(scenario)
    scenario.set_position(0, -70, 0, 20)
    fall(scenario)
    scenario.wait(MS)
    fall(scenario)
    return scenario.case()


def _position_two_legs() -> Case:
    scenario = Scenario(
        "gate-position-legs",
        "room is each venue's own: no room to sell on 0, no room to buy on 1, then both, then a negative room",
        Rule.GATE_POSITION,
    )
    scenario.set_up(Kind.ARB, positionLimit=100)
    for on_0, on_1 in ((-91, 0), (0, 91), (-90, 90), (-(1 << 48) + 1, (1 << 48) - 1)):
        scenario.wait(MS)
        scenario.set_position(0, on_0)
        scenario.set_position(1, on_1)
        scenario.flat(0)
        scenario.flat(1)
        scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()


def _pending_not_netted() -> Case:
    scenario = Scenario(
        "pending-not-netted",
        "buys and sells add up on their own sides until each room of 15 is used",
        Rule.PENDING,
        Rule.GATE_POSITION,
        Rule.SETTLE,
    )
    scenario.set_up(Kind.IMBALANCE, positionLimit=15)
    for _ in range(2):
        scenario.wait(MS)
        rise(scenario)
        scenario.wait(MS)
        fall(scenario)
    scenario.control("Settle", instrument=0, venue=0, side=1, released=10, filled=4)
    scenario.control("Settle", instrument=0, venue=0, side=2, released=10, filled=9)
    for again in (rise, fall):
        scenario.wait(MS)
        again(scenario)
    return scenario.case()


def _rate() -> Case:
    scenario = Scenario(
        "gate-rate",
        "interval 10,000, tolerance 20,000: a burst of 3, then one per interval, exactly at the boundary",
        Rule.GATE_RATE,
    )
    scenario.set_up(Kind.IMBALANCE)
    scenario.engine_row(rate_interval=10_000, rate_tolerance=20_000)
    for _ in range(4):
        rise(scenario)
    scenario.wait(9_999)
    rise(scenario)
    scenario.wait(1)
    rise(scenario)
    rise(scenario)
    scenario.wait(30_000)
    for _ in range(4):
        rise(scenario)
    return scenario.case()


def _rate_largest_tolerance() -> Case:
    scenario = Scenario(
        "gate-rate-burst",
        "the largest tolerance, 62 intervals of 2,048 ns: 63 triggers at once, not 64",
        Rule.GATE_RATE,
    )
    scenario.set_up(Kind.IMBALANCE)
    scenario.engine_row(rate_interval=2_048, rate_tolerance=62 * 2_048)
    for _ in range(64):
        rise(scenario)
    return scenario.case()


def _order() -> Case:
    scenario = Scenario(
        "gate-order",
        "everything fails; each next rise mends the check that counted",
        Rule.GATE_ORDER,
        Rule.GATE_KILL,
        Rule.GATE_LEASE,
        Rule.GATE_INSTRUMENT,
        Rule.GATE_COOLDOWN,
        Rule.GATE_COLLAR,
        Rule.GATE_POSITION,
        Rule.GATE_RATE,
    )
    scenario.set_up(Kind.IMBALANCE, cooldown=50_000)
    scenario.engine_row(rate_interval=100_000, lease=1_000)
    scenario.control("Heartbeat")
    rise(scenario)
    scenario.wait(2_000)
    closed = {"cooldown": 50_000, "priceHigh": 1_000, "positionLimit": 9}
    scenario.instrument_row(Kind.IMBALANCE, **(closed | {"enabled": 0}))
    scenario.control("Kill")
    rise(scenario)
    scenario.rearm()
    rise(scenario)
    scenario.engine_row(rate_interval=100_000)
    scenario.control("Heartbeat")
    rise(scenario)
    scenario.instrument_row(Kind.IMBALANCE, **closed)
    rise(scenario)
    scenario.wait(50_000)
    rise(scenario)
    scenario.instrument_row(Kind.IMBALANCE, **(closed | {"priceHigh": 1_001}))
    rise(scenario)
    scenario.instrument_row(Kind.IMBALANCE)
    rise(scenario)
    scenario.wait(50_000)
    rise(scenario)
    return scenario.case()


def _id_wrap() -> Case:
    scenario = Scenario(
        "id-wrap",
        "after id 2^64 - 1 comes 0; the loaded parity is the trigger's",
        Rule.ID_WRAP,
        Rule.LOAD_IDENTITY,
        Rule.PARITY_CHAIN,
    )
    scenario.set_up(Kind.IMBALANCE, armed=False)
    scenario.control("LoadIdentity", id=(1 << 64) - 2, parity=0xDEADBEEF)
    scenario.rearm()
    rise(scenario)
    scenario.wait(MS)
    fall(scenario)
    scenario.set_position(0, 0)
    scenario.control("StatusRequest")
    return scenario.case()
