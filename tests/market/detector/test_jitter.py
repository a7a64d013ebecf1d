"""Gaps, silence, and messages that are late, repeated or stamped in the future never cause a trigger."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.layout import FIRST_CLOSE, TRAILING_MESSAGES
from market.detector.settings import SECOND_NS, DetectorSettings
from market.detector.states import CORE, Cause, Counter, Permission, Reading, State
from tests.market.detector.streams import (
    BUY,
    LOOSE,
    SELL,
    START,
    Row,
    array,
    at,
    book,
    crash,
    row,
    top,
    trade,
)

MS = 1_000_000
README = DetectorSettings(minimum_liquidity=1_000)


def run(rows: list[Row], chosen: DetectorSettings = README) -> Detector:
    detector = Detector(chosen)
    detector.update(array(rows))
    return detector


def quiet(seconds: int = 70, start: int = START) -> list[Row]:
    """Ten messages a second, price and depth at rest but for a tick."""
    rows = [at(start)]
    for step in range(10 * seconds):
        now = start + step * 100 * MS
        rows.append(book(now, 100_000 + step % 2, 100_010 + step % 2, worth=10**9))
        rows.append(trade(now, 100_000, 1 + step % 3, BUY if step % 2 else SELL))
    return rows


def test_the_first_message_needs_a_second_one() -> None:
    detector = run([top(START, 10, 12), top(START + MS, 10, 12)])
    assert detector.counters()[Counter.MESSAGES] == 1
    assert detector.now_ns == START + MS


def test_a_stamp_from_the_future_is_not_followed() -> None:
    rows = quiet(5)
    last = rows[-1][1]
    detector = run([*rows, top(last + 3_600 * SECOND_NS, 1, 2), top(last + MS, 100_000, 100_010)])
    assert detector.now_ns == last + MS
    assert detector.counters()[Counter.FUTURE] == 1
    assert detector.read()[Reading.PRICE] == 100_005


def test_stamps_from_the_future_do_not_support_each_other_when_they_are_far_apart() -> None:
    rows = quiet(5)
    last = rows[-1][1]
    odd = [top(last + hours * 3_600 * SECOND_NS, 1, 2) for hours in (1, 2, 3)]
    detector = run([*rows, *odd, top(last + MS, 100_000, 100_010)])
    assert (detector.now_ns, detector.counters()[Counter.FUTURE]) == (last + MS, 3)


def test_a_late_message_states_nothing_but_is_one() -> None:
    rows = quiet(5)
    last = rows[-1][1]
    before = run(rows)
    detector = run([*rows, book(last - MS, 50_000, 50_001, (1, 1)), trade(last - MS, 50_000, 7, SELL)])
    names = (Reading.PRICE, Reading.IMBALANCE, Reading.SPREAD, Reading.RANGE)
    assert [detector.read()[name] for name in names] == [before.read()[name] for name in names]
    assert detector.counters()[Counter.LATE] == 2
    assert detector.read()[Reading.MESSAGES] == before.read()[Reading.MESSAGES] + 2
    assert detector.read()[Reading.VOLUME_DELTA] == before.read()[Reading.VOLUME_DELTA] - 7


def test_what_is_later_than_the_buffer_is_dropped() -> None:
    rows = quiet(5)
    detector, before = run([*rows, trade(rows[-1][1] - 1_501 * MS, 50_000, 7, SELL)]), run(rows)
    assert detector.counters() == {**before.counters(), Counter.TOO_LATE: 1}
    assert repr(detector.read()) == repr(before.read())


def test_a_repeated_trade_counts_once() -> None:
    rows = [*quiet(2), trade(START + 2 * SECOND_NS, 100_000, 5, SELL, number=7)]
    detector, before = run([*rows, rows[-1], trade(START + 2 * SECOND_NS, 1, 5, SELL, number=6)]), run(rows)
    assert detector.counters() == {**before.counters(), Counter.REPEATED: 2}
    assert repr(detector.read()) == repr(before.read())


def test_no_return_reaches_over_a_silence() -> None:
    rows = quiet()
    later = rows[-1][1] + 1_600 * MS
    detector = run([*rows, book(later, 50_000, 50_001), book(later, 50_000, 50_001)])
    assert detector.counters()[Counter.SILENCES] == 1
    assert detector.signals & CORE == 0
    assert np.isnan(detector.read()[Reading.VOLATILITY])
    assert detector.state[FIRST_CLOSE : FIRST_CLOSE + 3].tolist() == [0, 0, 0]
    assert detector.state[TRAILING_MESSAGES] == 1
    assert detector.read()[Reading.SPREAD_BASELINE] > 0


def test_a_silence_shorter_than_the_buffer_is_none() -> None:
    rows = quiet()
    detector = run([*rows, book(rows[-1][1] + 1_500 * MS, 100_000, 100_010)])
    assert detector.counters()[Counter.SILENCES] == 0
    assert not np.isnan(detector.read()[Reading.VOLATILITY])


def test_time_alone_makes_a_silence() -> None:
    rows = quiet()
    last = rows[-1][1]
    detector = run([*rows, at(last + 1_400 * MS)])
    assert detector.counters()[Counter.SILENCES] == 0
    detector.update(array([at(last + 1_501 * MS)]))
    assert detector.counters()[Counter.SILENCES] == 1
    assert np.isnan(detector.read()[Reading.PRICE])


def test_a_crash_is_seen_and_ends() -> None:
    transitions = Detector(README).update(array(crash()))[1]
    assert [(passed.after, passed.cause) for passed in transitions] == [
        (State.ALERT, Cause.TRIGGERED),
        (State.ACTIVE, Cause.CONFIRMED),
        (State.RECOVERY, Cause.CALMED),
        (State.SLEEP, Cause.CALMED),
    ]
    alert, active = transitions[0].time_ns, transitions[1].time_ns
    assert START + 80 * SECOND_NS < alert < active - 2 * SECOND_NS < START + 83 * SECOND_NS


@pytest.mark.parametrize("kind", [EventKind.GAP, EventKind.TIME])
def test_a_lost_feed_ends_an_event(kind: EventKind) -> None:
    rows = crash()
    states = Detector(README).update(array(rows))[0]
    active = int(np.flatnonzero(states == State.ACTIVE)[0]) + 100
    detector = run(rows[:active])
    assert detector.permissions & Permission.ENTER
    passed = detector.take(kind, rows[active][1] + 2 * SECOND_NS)
    assert [(step.after, step.cause) for step in passed] == [(State.RECOVERY, Cause.LOST)]
    assert not detector.permissions & Permission.ENTER


def test_within_the_debounce_nothing_may_be_opened_on_a_lost_feed() -> None:
    rows = crash()
    states = Detector(README).update(array(rows))[0]
    first = int(np.flatnonzero(states == State.ACTIVE)[0])
    detector = run(rows[: first + 1])
    assert detector.take(EventKind.GAP) == []
    assert (detector.standing, detector.permissions & Permission.ENTER) == (State.ACTIVE, 0)


def _late(rows: list[Row], draw: Callable[[int], int]) -> list[Row]:
    """Some messages come after those that follow them."""
    ordered = sorted(range(len(rows)), key=lambda index: index + (draw(9) if draw(8) == 0 else 0))
    return [rows[index] for index in ordered]


def _wrong(rows: list[Row], draw: Callable[[int], int]) -> list[Row]:
    """Messages with old or future stamps and wild contents between the others, and each other one twice."""
    out = []
    for number, one in enumerate(rows):
        out.append(one)
        if draw(6) == 0:
            away = (-3_600, -30, -2, 2, 30, 3_600)[draw(6)] * SECOND_NS * (1 + draw(50))
            out.append(book(max(one[1] + away, 0), 1 + draw(90_000), 100_000 + draw(9), (1, 10**6)))
        if number % 2 and one[2] >= 0:
            out.append(one)
    return out


def _holes(rows: list[Row], draw: Callable[[int], int]) -> list[Row]:
    """Stretches are missing, some of them said to be."""
    out, index = list[Row](), 0
    while index < len(rows):
        kept = 20 + draw(200)
        out += rows[index : index + kept]
        if draw(2):
            out.append(row(EventKind.GAP, 0))
        index += kept + draw(120)
    return out


@given(st.sampled_from([_late, _wrong, _holes]), st.integers(0, 2**32))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_quiet_market_sleeps_through_every_fault(
    fault: Callable[[list[Row], Callable[[int], int]], list[Row]], seed: int
) -> None:
    chance = np.random.Generator(np.random.PCG64(seed))

    def draw(below: int) -> int:
        return int(chance.integers(below))

    rows = [[*one[:2], number, *one[3:]] if one[0] == EventKind.TRADE else one for number, one in enumerate(quiet())]
    detector = Detector(README)
    states, _ = detector.update(array([rows[0], *fault(rows[1:], draw)]))
    assert set(states.tolist()) <= {State.SLEEP, State.ALERT}
    assert detector.counters()[Counter.MESSAGES] > 200


@given(st.integers(0, 2**32))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_holes_in_a_crash_never_shorten_the_confirmation(seed: int) -> None:
    chance = np.random.Generator(np.random.PCG64(seed))
    rows = crash(seconds=20, calm=20)
    transitions = Detector(LOOSE).update(
        array([rows[0], *_holes(rows[1:], lambda below: int(chance.integers(below)))])
    )[1]
    for passed in transitions:
        if passed.after is State.ACTIVE:
            assert passed.time_ns - passed.met_since_ns > LOOSE.confirm_ns
            assert int(passed.signals & CORE).bit_count() >= passed.values[Reading.REQUIRED]
