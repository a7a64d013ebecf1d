"""The clock of a live run loop waits for a time or an arrival, and never goes back."""

from __future__ import annotations

import threading
import time

import pytest

from orchestrator.clock import WakingClock

FAR_NS = 60 * 10**9
IDLE_NS = [0, 100_000, 10 * FAR_NS]
"""Never, more often than any wait here is long, less often than all."""


@pytest.mark.parametrize("idle_every_ns", IDLE_NS)
def test_a_wait_ends_when_its_time_has_come(idle_every_ns: int) -> None:
    clock = WakingClock(lambda: None, idle_every_ns)
    due_ns = clock.now_ns() + 1_000_000
    while (now_ns := clock.wait_until(due_ns)) < due_ns:
        pass
    assert now_ns >= due_ns


@pytest.mark.parametrize("idle_every_ns", IDLE_NS)
def test_an_arrival_ends_the_wait_early_and_only_once(idle_every_ns: int) -> None:
    clock = WakingClock(lambda: None, idle_every_ns)
    far_ns = clock.now_ns() + FAR_NS
    threading.Timer(0.01, clock.wake).start()
    assert clock.wait_until(far_ns) < far_ns
    due_ns = clock.now_ns() + 5_000_000
    assert clock.wait_until(due_ns) >= due_ns - 1_000_000


@pytest.mark.parametrize("idle_every_ns", IDLE_NS)
def test_an_arrival_before_the_wait_is_not_lost(idle_every_ns: int) -> None:
    clock = WakingClock(lambda: None, idle_every_ns)
    clock.wake()
    far_ns = clock.now_ns() + FAR_NS
    assert clock.wait_until(far_ns) < far_ns


def test_time_stands_still_while_the_wall_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WakingClock()
    before_ns = clock.now_ns()
    monkeypatch.setattr(time, "time_ns", lambda: before_ns - FAR_NS)
    assert clock.now_ns() == before_ns


def test_what_is_to_be_done_meanwhile_is_done_while_it_waits_and_not_after_an_arrival() -> None:
    done: list[int] = []

    def idle() -> None:
        done.append(len(done))
        if len(done) == 5:
            clock.wake()

    clock = WakingClock(idle, 1_000)
    far_ns = clock.now_ns() + FAR_NS
    assert clock.wait_until(far_ns) < far_ns
    assert len(done) == 5
    assert clock.wait_until(clock.now_ns() - 1) < far_ns
    assert len(done) == 5
