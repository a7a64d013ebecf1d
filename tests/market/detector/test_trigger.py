"""For how long the trigger has held, and which seconds make up the baselines of what it is compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.detector import Detector
from market.detector.layout import MET_SINCE, NONE, NOW, Words, new_state
from market.detector.settings import SECOND_NS, DetectorSettings
from market.detector.states import Cause, Counter, Reading, State
from market.detector.trigger import held_ns, take_trigger
from market.native.kernel import entry
from market.native.memory import address_of
from tests.market.detector.streams import SELL, START, Row, array, at, book, crash, trade

PATIENT = DetectorSettings(minimum_liquidity=1_000)
STRICT = replace(PATIENT, break_ns=0, left_out_seconds=0)
SHORTEST_NS = 100
"""A break of this, or longer, begins the confirmation anew, in the tests of intervals."""


@entry("int64(int64[::1], int64)")
def _told(state: Words, holds: int) -> int:
    take_trigger(address_of(state), holds != 0)
    return held_ns(address_of(state))


def held(told: list[tuple[int, bool]], longest_ns: int) -> tuple[int, int]:
    """For how long it has held and since when, from all that was told: NONE for both when it has not."""
    stretches: list[list[int]] = []
    before = False
    for time_ns, holds in told:
        if holds and not before:
            stretches.append([time_ns, time_ns])
        elif before:
            stretches[-1][1] = time_ns
        before = holds
    now = told[-1][0]
    total, since, end = 0, NONE, now
    for start, stop in reversed(stretches):
        is_open = before and stop == stretches[-1][1] and start == stretches[-1][0]
        if not is_open and end - stop >= longest_ns:
            break
        total, since, end = total + stop - start, start, start
    return (NONE, NONE) if since == NONE else (total, since)


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 20, 60, 99, 100, 101, 250]), st.booleans()), min_size=1, max_size=60),
    st.sampled_from([0, 1, SHORTEST_NS]),
)
@settings(derandomize=True, deadline=None, max_examples=400)
def test_what_was_held_is_added_up_over_short_breaks(steps: list[tuple[int, bool]], longest_ns: int) -> None:
    state, told, now = new_state(replace(STRICT, break_ns=longest_ns)), list[tuple[int, bool]](), 1_000
    for step, holds in steps:
        now += step
        told.append((now, holds))
        state[NOW] = now
        own = _told(state, int(holds))
        assert (own, int(state[MET_SINCE])) == held(told, longest_ns)


def flickering(quiet_ns: int) -> list[Row]:
    """A crash whose spread is narrow again for a moment twice in each second."""
    rows = crash(calm=80)
    found: list[Row] = []
    for one in rows:
        found.append(one)
        second, part = divmod(one[1] - START, SECOND_NS)
        if 80 <= second < 85 and part % (SECOND_NS // 2) == 0 and one[0] == 2:
            found.append(book(one[1] + 1, one[3], one[3] + 10, (100, 100), 10**9))
            found.append(book(one[1] + quiet_ns, one[3], one[3] + 400, (10, 100), 10**9))
    return sorted(found, key=lambda one: one[1])


def confirmations(chosen: DetectorSettings, rows: list[Row]) -> int:
    _, transitions = Detector(chosen).update(array(rows))
    return sum(one.cause is Cause.CONFIRMED for one in transitions)


def test_a_moment_without_the_trigger_does_not_undo_what_was_seen() -> None:
    rows = flickering(10_000_000)
    strict, patient = (replace(one, message_multiplier=1e6, volatility_multiplier=1e6) for one in (STRICT, PATIENT))
    assert confirmations(strict, rows) == 0
    assert confirmations(patient, rows) == 1


def test_the_moments_themselves_do_not_count() -> None:
    _, transitions = Detector(PATIENT).update(array(flickering(10_000_000)))
    for one in transitions:
        if one.cause is Cause.CONFIRMED:
            assert one.values[Reading.MET_NS] > PATIENT.confirm_ns
            assert one.values[Reading.MET_NS] <= one.time_ns - one.met_since_ns


def test_a_crash_is_compared_with_what_was_before_it() -> None:
    rows = crash()
    detectors = [Detector(chosen) for chosen in (replace(PATIENT, left_out_seconds=0), PATIENT)]
    studies = [detector.study(array(rows))[0] for detector in detectors]
    before = studies[0][80 * 40, [Reading.SPREAD_BASELINE, Reading.VOLUME_SIGMA]]
    taken, left = (study[-1, [Reading.SPREAD_BASELINE, Reading.VOLUME_SIGMA]] for study in studies)
    assert (taken > 2 * before).all()
    assert (left < 1.5 * before).all()
    assert detectors[0].counters()[Counter.LEFT_OUT] == 0
    assert 5 <= detectors[1].counters()[Counter.LEFT_OUT] < 30


def test_what_lasts_becomes_the_new_baseline() -> None:
    """Wide, falling and imbalanced for good: an event without end may hold the baselines up only for so long."""
    chosen = replace(PATIENT, baseline_seconds=60, left_out_seconds=20)
    rows, price = [at(START)], 10_000_000
    for step in range(200 * 10):
        now, wild = START + step * SECOND_NS // 10, step >= 70 * 10
        price -= 200 if wild else step % 2 * 2 - 1
        depth = (10, 100) if wild else (100, 100)
        rows.append(book(now, price, price + (400 if wild else 10), depth, 10**9))
        rows.append(trade(now, price, 9 if wild else 1 + step % 3, SELL if wild else 1 + step % 2))
    detector = Detector(chosen)
    readings, _ = detector.study(array(rows))
    spreads = readings[:, Reading.SPREAD_BASELINE]
    assert State.ACTIVE in readings[:, Reading.STATE]
    assert spreads[-1] > 30 * spreads[69 * 20]
    left = detector.counters()[Counter.LEFT_OUT]
    assert 20 <= left <= 20 + (detector.counters()[Counter.SECONDS] - left)
    np.testing.assert_array_equal(Detector.restore(chosen, detector.save()).state, detector.state)
