"""Transitions carry what caused them, and the detector is the same after a restart."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.layout import TRANSITION_ROOM, VERSION
from market.detector.settings import SECOND_NS, DetectorSettings
from market.detector.states import CORE, Cause, Counter, Permission, Reading, Signal, State
from market.detector.transitions import Transition
from market.errors import Fatal, Rejected
from tests.market.detector.streams import LOOSE, SMALL, START, Row, array, clean_streams, crash

README = DetectorSettings(minimum_liquidity=1_000)


def justified(passed: Transition, chosen: DetectorSettings) -> bool:
    """Whether a transition's own values satisfy its rule."""
    values = passed.values
    firing = int(passed.signals & CORE).bit_count()
    needed = 2 if Signal.MESSAGE_VELOCITY in passed.signals else 3
    dwelt = passed.entered_ns < 0 or passed.time_ns - passed.entered_ns >= chosen.debounce_ns
    consistent = (values[Reading.SIGNALS], values[Reading.REQUIRED]) == (passed.signals, needed)
    consistent &= values[Reading.STATE] == passed.before
    if passed.cause is Cause.COMMANDED:
        return consistent
    rule = {
        Cause.TRIGGERED: firing >= needed and 0 <= passed.met_since_ns <= passed.time_ns,
        Cause.FADED: passed.met_since_ns < 0,
        Cause.CONFIRMED: firing >= needed and values[Reading.MET_NS] > chosen.confirm_ns,
        Cause.CALMED: values[Reading.CALM_NS] > chosen.recovery_ns and Signal.VIOLENT_RANGE not in passed.signals,
        Cause.LOST: not values[Reading.MET_NS] > chosen.confirm_ns,
    }
    return bool(consistent and dwelt and rule[passed.cause])


@given(clean_streams(200), st.lists(st.integers(2, 200), max_size=3))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_every_transition_is_justified_by_its_values(rows: list[Row], gaps: list[int]) -> None:
    for place in sorted(gaps, reverse=True):
        rows.insert(min(place, len(rows)), [EventKind.GAP, *[0] * 12])
    _, transitions = Detector(LOOSE).update(array(rows))
    state = State.SLEEP
    for passed in transitions:
        assert passed.before is state
        assert justified(passed, LOOSE), passed
        state = passed.after


def test_a_crash_is_carried_by_its_values() -> None:
    detector = Detector(README)
    states, transitions = detector.update(array(crash()))
    assert all(justified(passed, README) for passed in transitions)
    confirmed = transitions[1].values
    assert confirmed[Reading.VOLATILITY] > 5 * confirmed[Reading.VOLATILITY_BASELINE]
    assert confirmed[Reading.SPREAD] > 4 * confirmed[Reading.SPREAD_BASELINE]
    assert states[-1] == detector.standing
    assert detector.counters()[Counter.TRANSITIONS] == len(transitions)


def test_more_transitions_than_the_ring_holds_all_arrive() -> None:
    rows = [[EventKind.SHUTDOWN, *[0] * 12], [EventKind.RESTART, *[0] * 12]] * TRANSITION_ROOM
    _, transitions = Detector(SMALL).update(array(rows))
    assert [passed.after for passed in transitions] == [State.SHUTDOWN, State.SLEEP] * TRANSITION_ROOM


def test_nothing_may_be_opened_without_liquidity_or_outside_active() -> None:
    rows = crash()
    detector = Detector(README)
    readings, _ = detector.study(array(rows))
    may_enter = readings[:, Reading.PERMISSIONS].astype(int) & Permission.ENTER != 0
    active = readings[:, Reading.STATE] == State.ACTIVE
    assert may_enter.any()
    assert (may_enter <= active).all()
    poor = Detector(replace(README, minimum_liquidity=10**10)).study(array(rows))[0]
    np.testing.assert_array_equal(poor[:, Reading.STATE], readings[:, Reading.STATE])
    assert not (poor[:, Reading.PERMISSIONS].astype(int) & Permission.ENTER).any()


def test_shutdown_is_left_by_restart_only() -> None:
    detector, rows = Detector(README), crash()
    detector.update(array(rows[:100]))
    (passed,) = detector.shut_down()
    assert (passed.after, passed.cause) == (State.SHUTDOWN, Cause.COMMANDED)
    assert detector.shut_down() == []
    states, _ = detector.update(array(rows[100:]))
    assert set(states.tolist()) == {State.SHUTDOWN}
    assert [step.after for step in detector.restart()] == [State.SLEEP]
    assert detector.restart() == []


@given(st.integers(0, 12_000))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_saved_and_restored_it_goes_on_to_the_last_bit(place: int) -> None:
    rows = array(crash())
    whole, first = Detector(README), Detector(README)
    states, transitions = whole.update(rows)
    earlier = first.update(rows[:place])
    second = Detector.restore(README, first.save())
    later = second.update(rows[place:])
    assert [*earlier[0], *later[0]] == states.tolist()
    assert repr(earlier[1] + later[1]) == repr(transitions)
    assert second.save() == whole.save()


def test_restored_after_a_while_it_does_not_go_on_trading() -> None:
    rows = crash()
    states = Detector(README).update(array(rows))[0]
    active = int(np.flatnonzero(states == State.ACTIVE)[0]) + 100
    before = Detector(README)
    before.update(array(rows[:active]))
    detector = Detector.restore(README, before.save())
    assert detector.standing is State.ACTIVE
    later = [[one[0], one[1] + 600 * SECOND_NS, *one[2:]] for one in rows[active : active + 3] if one[0] != 3]
    _, transitions = detector.update(array(later))
    assert [(passed.after, passed.cause) for passed in transitions] == [(State.RECOVERY, Cause.LOST)]


def test_what_was_not_saved_by_this_version_is_refused() -> None:
    content = Detector(README).save()
    with pytest.raises(Rejected, match=f"has version {VERSION + 1}, this program reads version {VERSION}"):
        Detector.restore(README, content[:8] + struct.pack("<Q", VERSION + 1) + content[16:])
    with pytest.raises(Rejected, match="not the start of a saved detector"):
        Detector.restore(README, b"something else entirely, long enough")
    with pytest.raises(Rejected, match="not the start"):
        Detector.restore(README, b"")
    for damaged in (content[:-1], content[:-1] + b"\1", content + b"\0"):
        with pytest.raises(Rejected, match="damaged"):
            Detector.restore(README, damaged)
    with pytest.raises(Rejected, match="other settings"):
        Detector.restore(replace(README, baseline_seconds=301), content)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minimum_liquidity", -1),
        ("volatility_multiplier", float("nan")),
        ("acceleration", 0.001),
        ("imbalance", -1.5),
        ("baseline_seconds", 1_025),
        ("warm_up_seconds", 301),
        ("imbalance_levels", 21),
        ("jitter_ns", 2 * SECOND_NS + 1),
        ("jitter_ns", SECOND_NS - 1),
        ("confirm_ns", SECOND_NS),
        ("depth_levels", True),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: float) -> None:
    with pytest.raises(Fatal, match=f"detector {name} must be"):
        DetectorSettings(**{"minimum_liquidity": 1, name: value})  # type: ignore[arg-type]


def test_time_alone_is_no_event() -> None:
    detector = Detector(SMALL)
    detector.update(array([[EventKind.TIME, START, *[0] * 11]]))
    assert (detector.now_ns, detector.standing, detector.signals) == (START, State.SLEEP, Signal(0))
