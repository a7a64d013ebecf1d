"""Time that goes from one thing to the next."""

from __future__ import annotations

import pytest

from market.errors import Fatal
from market.protocols import FOREVER
from sim.virtual.clock import VirtualClock
from sim.virtual.offset import ClockOffset


def test_what_is_on_the_agenda_is_done_at_its_time_in_the_order_of_its_entry() -> None:
    clock = VirtualClock(100)
    seen: list[tuple[str, int]] = []
    for name, time_ns in (("late", 130), ("first", 110), ("second", 110), ("past", 50)):
        clock.at(time_ns, lambda name=name: seen.append((name, clock.now_ns())))  # type: ignore[misc]
    assert clock.wait_until(120) == 120
    assert seen == [("past", 100), ("first", 110), ("second", 110)]


def test_an_arrival_wakes_whoever_waits_at_its_time() -> None:
    clock = VirtualClock(0)
    clock.after(7, clock.wake)
    clock.after(9, lambda: None)
    assert clock.wait_until(FOREVER) == 7
    assert clock.wait_until(20) == 20


def test_what_is_done_may_enter_more() -> None:
    clock = VirtualClock(0)
    clock.after(1, lambda: clock.after(1, clock.wake))
    assert clock.wait_until(10) == 2


def test_an_endless_wait_for_nothing_is_an_error() -> None:
    with pytest.raises(Fatal, match="nothing is on the agenda"):
        VirtualClock(0).wait_until(FOREVER)


def test_time_never_goes_back() -> None:
    clock = VirtualClock(50)
    assert clock.wait_until(10) == 50


def test_only_quick_answers_tell_of_the_venues_clock() -> None:
    offset = ClockOffset(longest_ns=10)
    offset.take(100, 108, 1_104)
    assert offset.offset_ns == 1_000
    offset.take(200, 211, 9_999)
    assert offset.offset_ns == 1_000
