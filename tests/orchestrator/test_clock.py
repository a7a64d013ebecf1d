"""The clock of a live run loop waits for a time or an arrival, and never goes back."""

from __future__ import annotations

import threading
import time

import pytest

from orchestrator.clock import WakingClock

FAR_NS = 60 * 10**9
SPINS = [0, 1_000, 10 * FAR_NS]
"""Not at all, shorter than any wait here, longer than all."""


@pytest.mark.parametrize("spin_ns", SPINS)
def test_a_wait_ends_when_its_time_has_come(spin_ns: int) -> None:
    clock = WakingClock(spin_ns)
    due_ns = clock.now_ns() + 1_000_000
    while (now_ns := clock.wait_until(due_ns)) < due_ns:
        pass
    assert now_ns >= due_ns


@pytest.mark.parametrize("spin_ns", SPINS)
def test_an_arrival_ends_the_wait_early_and_only_once(spin_ns: int) -> None:
    clock = WakingClock(spin_ns)
    far_ns = clock.now_ns() + FAR_NS
    threading.Timer(0.01, clock.wake).start()
    assert clock.wait_until(far_ns) < far_ns
    due_ns = clock.now_ns() + 5_000_000
    assert clock.wait_until(due_ns) >= due_ns - 1_000_000


@pytest.mark.parametrize("spin_ns", SPINS)
def test_an_arrival_before_the_wait_is_not_lost(spin_ns: int) -> None:
    clock = WakingClock(spin_ns)
    clock.wake()
    far_ns = clock.now_ns() + FAR_NS
    assert clock.wait_until(far_ns) < far_ns


def test_time_stands_still_while_the_wall_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WakingClock()
    before_ns = clock.now_ns()
    monkeypatch.setattr(time, "time_ns", lambda: before_ns - FAR_NS)
    assert clock.now_ns() == before_ns
