"""Steps: time, status messages, the event log, batches, build sizes, and the engine's Python face."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from market.errors import Fatal, Rejected
from market.fastpath import engine as engine_module
from market.fastpath import layout, state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import EngineSizes, Kind, Side, StepKind
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import ALL_KINDS, SECOND, UNIT, Driver, control_message

LOW, HIGH = 100 * UNIT, 110 * UNIT
LAST_TIME = (1 << 62) - 1


def random_events(driver: Driver, count: int, seed: int) -> NDArray[np.int64]:
    """Quotes of a random walk, with every kind of bad event among them: ``int64[count, 10]``."""
    random = np.random.default_rng(seed)
    events = np.zeros((count, 10), dtype=np.int64)
    mid = 1_000 * UNIT + np.cumsum(random.integers(-UNIT, UNIT, count))
    events[:, 0] = random.integers(0, 3, count)
    events[:, 1] = random.integers(0, driver.sizes.venues, count)
    events[:, 2:4] = -9
    events[:, 4] = np.arange(count) + 1_000 + random.integers(-3, 3, count)
    events[:, 5] = mid
    events[:, 6] = random.integers(0, UNIT, count) >> random.integers(0, 30, count)
    events[:, 7] = mid + random.integers(-2, 100, count)
    events[:, 8] = random.integers(0, UNIT, count) >> random.integers(0, 30, count)
    events[:, 9] = driver.now + np.cumsum(random.integers(-500, 20_000, count))
    events[random.integers(0, count, count // 50), 2] = -8
    return events


def busy_driver(*, event_log: bool = False) -> Driver:
    """An engine whose conditions, gate and statuses are all at work on ``random_events``."""
    driver = Driver(event_log=event_log)
    conditions: dict[str, Any] = {
        "kinds": ALL_KINDS,
        "minimumEdge": UNIT // 2,
        "basisThreshold": UNIT,
        "imbalanceThreshold": 20_000,
    }
    limits: dict[str, Any] = {"cooldown": 50_000, "positionLimit": 20 * UNIT, "basisInterval": 1_000, "basisShift": 3}
    driver.set_up(instruments=2, **conditions, **limits)
    driver.write_engine(rateInterval=30_000, rateTolerance=90_000, lease=SECOND)
    driver.apply("Heartbeat")
    return driver


def test_time_never_runs_backwards() -> None:
    driver = Driver()
    for time, then, counted in (
        (5, 5, 0),
        (5, 5, 0),
        (4, 5, 1),
        (-1, 5, 2),
        (1 << 62, 5, 3),
        ((1 << 63) - 1, 5, 4),
        (LAST_TIME, LAST_TIME, 4),
        (0, LAST_TIME, 5),
    ):
        driver.quote(0, 1, 2, time=time)
        assert driver.engine.state[state.TIME] == then
        assert driver.count("timeBackwards") == counted


def test_a_late_event_is_taken_at_the_engines_time() -> None:
    driver = Driver()
    driver.set_up(kinds=Kind.ARB.mask)
    driver.quote(1, LOW - 1, LOW)
    (trigger,) = driver.quote(0, HIGH, HIGH + 1, time=driver.now - 5)
    assert trigger["causeTime"] == driver.now


def test_the_first_step_sends_status_one_and_then_every_ten_milliseconds() -> None:
    driver = Driver(now=0)
    times = [0, 1, 9_999_999, 10_000_000, 10_000_001, 19_999_999, 35_000_000, 44_999_999, 45_000_000]
    for time in times:
        driver.now = time
        driver.engine.push_quotes(np.array([driver.event(0, 1, 2, 1, 1)], dtype=np.int64))
    statuses = driver.outputs("Status")
    assert [status["time"] for status in statuses] == [0, 10_000_000, 35_000_000, 45_000_000]
    assert [status["number"] for status in statuses] == [1, 2, 3, 4]
    assert [status["step"] for status in statuses] == [1, 4, 7, 9]
    assert [status["volumeInstrument"] for status in statuses] == [1, 2, 3, 4]


def test_one_status_where_one_is_due_and_one_is_requested() -> None:
    driver = Driver()
    driver.engine.control(control_message("StatusRequest", 1), SECOND)
    assert [message.name for message in driver.decoded()] == ["Acknowledge", "Status"]
    assert driver.engine.state[state.NEXT_STATUS] == SECOND + 10_000_000


def test_a_status_counts_the_message_that_asked_for_it() -> None:
    driver = Driver()
    assert driver.status()["controlApplied"] == 1
    assert driver.status()["controlApplied"] == 2


def test_a_status_reports_the_whole_state() -> None:
    driver = busy_driver()
    driver.engine.push_quotes(random_events(driver, 3_000, 1))
    status = driver.status()
    assert {name: status[name] for name in layout.STATUS_COUNTERS} == driver.engine.counters
    assert status["parity"] == driver.engine.parity != 0
    assert status["id"] == driver.engine.trigger_count > 0
    assert status["epoch"] == 7
    assert len(layout.STATUS_COUNTERS) == state.COUNTER_COUNT


def test_outputs_of_a_step_are_in_order() -> None:
    driver = Driver()
    driver.set_up(kinds=Kind.ARB.mask)
    driver.quote(1, LOW - 1, LOW)
    driver.now += 10_000_000
    driver.engine.outputs()
    driver.engine.push_quotes(np.array([driver.event(0, HIGH, HIGH + 1, UNIT, UNIT)], dtype=np.int64))
    names = [message.name for message in driver.decoded()]
    assert names == ["Trigger", "Status"]


def test_the_counters_of_the_state_are_in_the_status_order() -> None:
    names = [name.replace("_", "").lower() for name in state.Counter.__members__]
    assert names == [name.lower() for name in layout.STATUS_COUNTERS]
    frame = list(SCHEMA.message("FrameCounters").fields)[1:]
    assert [name.replace("_", "").lower() for name in state.FrameCounter.__members__] == [n.lower() for n in frame]


def feed_one_by_one(driver: Driver, events: NDArray[np.int64]) -> None:
    for row in events.tolist():
        driver.engine.push_quote(tuple(row))


def feed_in_pieces(driver: Driver, events: NDArray[np.int64]) -> None:
    for first in range(0, len(events), 7):
        driver.engine.push_quotes(events[first : first + 7])


@pytest.mark.parametrize("feed", [feed_one_by_one, feed_in_pieces])
def test_a_batch_equals_its_events_one_by_one(feed: Any) -> None:
    whole, other = busy_driver(), busy_driver()
    events = random_events(whole, 5_000, 2)
    whole.engine.push_quotes(events)
    feed(other, events)
    assert whole.engine.outputs() == other.engine.outputs()
    assert whole.engine.decision_hash == other.engine.decision_hash
    assert whole.engine.counters == other.engine.counters
    assert whole.engine.trigger_count > 100
    assert (whole.engine.state == other.engine.state)[: state.OUTPUT_USED].all()


def test_a_small_output_area_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = busy_driver(event_log=True)
    events = random_events(whole, 3_000, 3)
    monkeypatch.setattr(engine_module, "OUTPUT_BYTES", 448)
    monkeypatch.setattr(engine_module, "EVENT_LOG_BYTES", 1_536)
    small = busy_driver(event_log=True)
    for driver in (whole, small):
        driver.engine.push_quotes(events)
    assert whole.engine.decision_hash == small.engine.decision_hash
    assert whole.engine.outputs() == small.engine.outputs()
    assert whole.engine.event_log() == small.engine.event_log()


def test_the_decision_hash_is_over_triggers_and_statuses() -> None:
    driver = busy_driver()
    driver.engine.outputs()
    fresh = Driver()
    fresh.engine.push_quotes(np.array([fresh.event(0, 1, 2, 1, 1)], dtype=np.int64))
    (status,) = fresh.engine.outputs()
    assert fresh.engine.decision_hash == hashlib.sha256(status).hexdigest()
    before = driver.engine.decision_hash
    driver.send_bytes(control_message("Kill", 1))
    assert driver.engine.decision_hash == before


def test_a_copy_of_the_state_is_a_copy_of_the_engine() -> None:
    first, second = busy_driver(), Driver()
    events = random_events(first, 2_000, 4)
    first.engine.push_quotes(events[:1_000])
    first.engine.outputs()
    second.engine.state[:] = first.engine.state
    for driver in (first, second):
        driver.engine.push_quotes(events[1_000:])
    assert first.engine.outputs() == second.engine.outputs()


def replay(log: list[bytes], driver: Driver) -> None:
    """Feed an engine with another engine's log of steps."""
    for message in log:
        step = decode(SCHEMA, message)
        time, payload = step.fields["time"], step.data["payload"]
        assert isinstance(payload, bytes)
        if step.fields["kind"] == StepKind.CONTROL:
            driver.engine.control(payload, time)
            continue
        event = decode(SCHEMA, payload)
        if step.fields["kind"] == StepKind.QUOTE:
            driver.engine.push_quote((*event.fields.values(), time))
        else:
            fields = event.fields
            legs = {name: fields[name] for name in ("instrument", "venue", "aggressor", "price", "quantity")}
            exponents = {"price_exponent": fields["priceExponent"], "quantity_exponent": fields["quantityExponent"]}
            driver.engine.trade(**legs, **exponents, time_ns=time)


def test_a_shadow_that_is_fed_with_the_log_decides_the_same() -> None:
    driver = busy_driver(event_log=True)
    shadow = Driver()
    driver.engine.push_quotes(random_events(driver, 2_000, 5))
    driver.engine.trade(0, 1, -9, -9, Side.SELL, LOW, UNIT, driver.now)
    driver.send("Reset", venue=77)
    driver.engine.push_quotes(random_events(driver, 2_000, 6))
    log = driver.engine.event_log()
    steps = [decode(SCHEMA, message).fields for message in log]
    assert [step["number"] for step in steps] == list(range(1, len(log) + 1))
    assert all(first["time"] <= second["time"] for first, second in pairwise(steps))
    assert steps[-1]["number"] == driver.engine.state[state.STEP]
    replay(log, shadow)
    assert shadow.engine.parity == driver.engine.parity
    assert shadow.engine.trigger_count == driver.engine.trigger_count > 50
    differing = {name for name, count in driver.engine.counters.items() if count != shadow.count(name)}
    assert differing == {"timeBackwards"}


@pytest.mark.parametrize("event", [[70_000], [0, 300], [0, 0, 200], [0, 0, -9, -200], [-1]])
def test_the_log_takes_no_number_that_it_cannot_carry(event: list[int]) -> None:
    row = np.array([event + [0] * (10 - len(event))], dtype=np.int64)
    with pytest.raises(Rejected, match="event log"):
        CpuEngine(event_log=True).push_quotes(row)
    CpuEngine().push_quotes(row)


def test_without_a_log_nothing_is_kept() -> None:
    driver = busy_driver()
    driver.engine.push_quotes(random_events(driver, 100, 7))
    assert driver.engine.event_log() == []


@pytest.mark.parametrize(
    "events",
    [
        np.zeros((3, 9), np.int64),
        np.zeros(10, np.int64),
        np.zeros((3, 10)),
        np.zeros((3, 20), np.int64)[:, ::2],
        np.zeros((10, 3), np.int64).T,
    ],
)
def test_another_array_is_refused(events: NDArray[np.int64]) -> None:
    with pytest.raises(Rejected, match="C-contiguous int64 array of 10 columns"):
        CpuEngine().push_quotes(events)


@pytest.mark.parametrize("sizes", [{"venues": 0}, {"venues": 63}, {"instruments": 0}, {"price_bits": 49}])
def test_sizes_have_ranges(sizes: dict[str, int]) -> None:
    with pytest.raises(Fatal, match="engine size"):
        EngineSizes(**sizes)


@pytest.mark.parametrize("venues", [2, 6, 62])
def test_any_number_of_venues(venues: int) -> None:
    driver = Driver(EngineSizes(venues=venues, instruments=1))
    driver.set_up(kinds=Kind.ARB.mask)
    last = venues - 1
    driver.quote(0, LOW - 1, LOW)
    for seller in range(1, last):
        driver.quote(seller, LOW - 1, LOW + UNIT)
    (trigger,) = driver.quote(last, HIGH, HIGH + 1)
    assert (trigger["firstVenue"], trigger["secondVenue"]) == (last, 0)
    driver.quote(last, 0, 0)
    (trigger,) = driver.quote(last, HIGH, HIGH + 1)
    assert (trigger["firstVenue"], trigger["secondVenue"]) == (last, 0)
    assert driver.status()["volumeInstrument"] == 0


def test_one_venue_has_no_pairs() -> None:
    driver = Driver(EngineSizes(venues=1, instruments=1))
    driver.set_up(kinds=ALL_KINDS, imbalanceThreshold=16_384)
    (trigger,) = driver.quote(0, LOW, LOW + 1, 9, 1)
    assert trigger["kind"] == Kind.IMBALANCE
