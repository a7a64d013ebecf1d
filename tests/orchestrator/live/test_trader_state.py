"""A trader's state and its detector's transitions reach the journal, and the next run goes on with them."""

from __future__ import annotations

from typing import cast

import pytest

from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.settings import DetectorSettings
from market.detector.states import Reading, State
from market.detector.transitions import Transition
from market.protocols import Clock
from orchestrator.live.trader_state import component, restore_traders, trader_tasks
from orchestrator.run_loop.access import RunAccess
from orchestrator.storage.records import Area, StateChanged
from orchestrator.strategies.flash_crash.trader import FlashCrash
from tests.orchestrator.strategies.desk import SECOND, START
from tests.orchestrator.strategies.flash_crash.rig import Rig, active

RUN = cast(RunAccess, None)
"""The task looks at nothing of the run."""


class FixedClock:
    """Stands still."""

    def now_ns(self) -> int:
        return START

    def wait_until(self, time_ns: int) -> int:
        return START


def shut_down() -> Transition:
    """A transition as the detector makes it."""
    detector = Detector(DetectorSettings(minimum_liquidity=1))
    detector.take(EventKind.TIME, START)
    [transition] = detector.shut_down()
    return transition


class Kept:
    """What a journal would have."""

    def __init__(self, trader: FlashCrash, every_ms: int = 60_000) -> None:
        self.saved: list[tuple[str, int, bytes]] = []
        self.changes: list[StateChanged] = []
        [self.task] = trader_tasks([trader], every_ms, lambda *what: self.saved.append(what), self.changes.append)


def test_states_are_saved_at_intervals_and_every_second_while_something_is_held() -> None:
    rig = Rig()
    rig.begin()
    kept = Kept(rig.trader)
    for second in range(61):
        kept.task.action(RUN, START + second * SECOND)
    assert [time_ns - START for _, time_ns, _ in kept.saved] == [0, 60 * SECOND]
    rig.activate()
    rig.enter()
    for second in range(61, 64):
        kept.task.action(RUN, START + second * SECOND)
    assert len(kept.saved) == 5


def test_a_transition_is_written_down_with_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    rig.begin()
    kept = Kept(rig.trader)
    kept.task.action(RUN, START)
    monkeypatch.setattr(rig.watch, "take_time", lambda time_ns: [shut_down()])
    rig.desk.pass_time(SECOND // 10)
    kept.task.action(RUN, START + SECOND)
    [change] = kept.changes
    assert (change.area, change.source, change.time_ns) == (Area.DETECTOR, "crash", START)
    assert (change.before, change.after) == ("SLEEP", "SHUTDOWN")
    assert change.detail.startswith("COMMANDED; ")
    assert all(f" {reading.name.lower()}=" in change.detail for reading in Reading)
    assert len(kept.saved) == 2, "a transition is worth saving at once"


def test_the_next_run_goes_on_and_a_state_that_does_not_fit_is_told() -> None:
    before = active()
    before.enter()
    name = component(before.trader)
    after, changes = Rig(), list[StateChanged]()
    restore_traders([after.trader], {name: before.trader.save()}, cast(Clock, FixedClock()), changes.append)
    assert after.trader.standing is State.ACTIVE
    assert after.trader.is_trading
    assert not changes
    restore_traders([after.trader], {name: b"else"}, cast(Clock, FixedClock()), changes.append)
    assert [(change.before, change.after) for change in changes] == [("saved", "ACTIVE")]
    assert "damaged" in changes[0].detail


def test_a_run_without_a_trader_has_no_task() -> None:
    assert not trader_tasks([], 1_000, lambda *what: None, lambda change: None)
