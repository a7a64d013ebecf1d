"""Steps, time and status."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import Scenario
from market.fastpath.specification import EngineSizes, Kind, Side

TEN_MS = 10_000_000


def cases() -> Iterator[Case]:
    yield _step_numbering()
    yield _time_backwards()
    yield _time_limit()
    yield _first_status_by_event()
    yield _status_interval()
    yield _status_on_request()
    yield _status_volume()
    yield _output_order()
    yield _seen_by_rejected_event()
    yield _seen_by_trade()


def _step_numbering() -> Case:
    scenario = Scenario(
        "step-numbering",
        "events, applied and refused messages are steps; repeated and out-of-order ones are not, and do not move T",
        Rule.STEP_NUMBERING,
        Rule.SEQUENCE_REPEATED,
        Rule.SEQUENCE_AHEAD,
        Rule.SEQUENCE_NEXT,
    )
    scenario.control("Kill")
    scenario.quote(0, 999, 10, 1_001, 10)
    scenario.trade(0, Side.BUY, 1_000, 1)
    scenario.control("Rearm", statusNumber=77)
    scenario.wait(TEN_MS)
    scenario.control("Kill", sequence=2)
    scenario.control("Kill", sequence=1)
    scenario.control("Kill", sequence=0)
    scenario.control("Kill", sequence=4)
    scenario.control("Kill", sequence=(1 << 64) - 1)
    scenario.now -= TEN_MS
    scenario.control("StatusRequest")
    return scenario.case()


def _time_backwards() -> Case:
    scenario = Scenario(
        "time-backwards",
        "T stays where it was, in triggers, cooldowns and status; an equal time is not backwards",
        Rule.TIME_BACKWARDS,
        Rule.GATE_COOLDOWN,
    )
    scenario.set_up(Kind.IMBALANCE, cooldown=5_000)
    scenario.wait(1_000)
    scenario.flat(0)
    scenario.wait(-1)
    scenario.quote(0, 999, 30, 1_001, 10)
    scenario.wait(-500_000_000)
    scenario.control("StatusRequest")
    for wait in (500_005_000, 1):
        scenario.wait(wait)
        scenario.flat(0)
        scenario.quote(0, 999, 30, 1_001, 10)
    return scenario.case()


def _time_limit() -> Case:
    scenario = Scenario(
        "time-limit",
        "2^62 and -1 count as T, 2^62 - 1 is a time",
        Rule.TIME_LIMIT,
        Rule.STATUS_FIRST,
    )
    for time in (1 << 62, -1, (1 << 63) - 1, -(1 << 63), 0, (1 << 62) - 1, 5):
        scenario.now = time
        scenario.control("StatusRequest")
    return scenario.case()


def _first_status_by_event() -> Case:
    scenario = Scenario(
        "first-status-by-event",
        "the end of the first step sends status number 1, also when T is 0 and the event is UNKNOWN",
        Rule.STATUS_FIRST,
        Rule.REJECT_UNKNOWN,
    )
    scenario.now = 0
    scenario.flat(0)
    scenario.flat(0)
    return scenario.case()


def _status_interval() -> Case:
    scenario = Scenario(
        "status-interval",
        "due 10 ms after the last due one, from the time of the step that sent it; none is made up for a silence",
        Rule.STATUS_INTERVAL,
        Rule.UNCHANGED_QUOTE,
    )
    scenario.set_up()
    for wait in (TEN_MS - 1, 1, 7_000_000, TEN_MS - 7_000_000 - 1, 1, 5 * TEN_MS, 0, TEN_MS - 1, 1):
        scenario.wait(wait)
        scenario.flat(0)
    return scenario.case()


def _status_on_request() -> Case:
    scenario = Scenario(
        "status-on-request",
        "heartbeat and request answer at once without moving the next due one; due and requested is one status",
        Rule.STATUS_ON_REQUEST,
        Rule.STATUS_ONCE,
        Rule.STATUS_INTERVAL,
    )
    scenario.control("Kill")
    scenario.wait(TEN_MS - 1)
    scenario.control("StatusRequest")
    scenario.control("Heartbeat")
    scenario.wait(1)
    scenario.control("Kill")
    scenario.wait(TEN_MS)
    scenario.control("StatusRequest")
    scenario.wait(TEN_MS - 1)
    scenario.control("Kill")
    scenario.wait(1)
    scenario.control("Heartbeat")
    return scenario.case()


def _status_volume() -> Case:
    sizes = EngineSizes(venues=2, instruments=3)
    scenario = Scenario(
        "status-volume",
        "status n shows the volumes of instrument n mod 3",
        Rule.STATUS_VOLUME,
        Rule.TRADE_VOLUME,
        sizes=sizes,
    )
    for instrument in range(3):
        scenario.scaling_row(instrument, 0, quantityShift=instrument)
    for instrument in range(3):
        scenario.trade(0, Side.BUY, 1_000, 5 + instrument, instrument=instrument)
        scenario.trade(0, Side.SELL, 1_000, 7, instrument=instrument)
        scenario.trade(0, Side.NONE, 1_000, 9, instrument=instrument)
    for _ in range(4):
        scenario.control("StatusRequest")
    return scenario.case()


def _output_order() -> Case:
    scenario = Scenario(
        "output-order",
        "a trigger before the status of its step, which counts it; an acknowledgement before the status",
        Rule.OUTPUT_ORDER,
        Rule.PARITY_CHAIN,
    )
    scenario.set_up(Kind.IMBALANCE)
    scenario.wait(TEN_MS)
    scenario.quote(0, 999, 30, 1_001, 10)
    scenario.wait(TEN_MS)
    scenario.control("StatusRequest")
    return scenario.case()


def _silence_check(scenario: Scenario) -> None:
    """Venue 1 may be silent for 100 us; its quote is good for an ARB against venue 0."""
    scenario.set_up(Kind.ARB)
    scenario.venue_row(1, maximumSilence=100_000)
    scenario.flat(1)
    scenario.wait(100_001)


def _seen_by_rejected_event() -> Case:
    scenario = Scenario(
        "heard-by-rejected-event",
        "an event that is not admitted makes its venue heard all the same",
        Rule.HEARD,
        Rule.REJECT_OLD_SEQUENCE,
        Rule.REJECT_UNKNOWN,
    )
    _silence_check(scenario)
    scenario.quote(1, 999, 10, 1_001, 10, sequence=0)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.wait(100_001)
    scenario.flat(0)
    scenario.quote(1, 999, 10, 1_001, 10, instrument=7)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()


def _seen_by_trade() -> Case:
    scenario = Scenario("heard-by-trade", "a trade makes its venue heard, also one that is RANGE", Rule.HEARD)
    _silence_check(scenario)
    scenario.trade(1, Side.BUY, 0, 1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    return scenario.case()
