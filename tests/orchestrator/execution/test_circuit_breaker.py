"""The circuit breaker: closed, open, half open, and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from orchestrator.execution.circuit_breaker import BreakerLimits, BreakerState, CircuitBreaker

LIMITS = BreakerLimits(window_ns=100, least_calls=4, failure_percent=50, pause_ns=10, trials=2)


def opened(at_ns: int = 0) -> CircuitBreaker:
    breaker = CircuitBreaker(LIMITS)
    for _ in range(4):
        breaker.record(succeeded=False, now_ns=at_ns)
    assert breaker.state(at_ns) is BreakerState.OPEN
    return breaker


def test_it_opens_at_the_share_of_failures_and_not_on_few_calls() -> None:
    breaker = CircuitBreaker(LIMITS)
    for succeeded in (False, True, True):
        breaker.record(succeeded=succeeded, now_ns=1)
        assert breaker.allows(1)
    assert breaker.failure_percent(1) == 33
    breaker.record(succeeded=False, now_ns=1)
    assert breaker.state(1) is BreakerState.OPEN
    assert not breaker.allows(10)
    assert breaker.openings == 1


def test_old_outcomes_are_forgotten() -> None:
    breaker = CircuitBreaker(LIMITS)
    for _ in range(3):
        breaker.record(succeeded=False, now_ns=0)
    for _ in range(4):
        breaker.record(succeeded=True, now_ns=100)
    assert (breaker.failure_percent(100), breaker.state(100)) == (0, BreakerState.CLOSED)


def test_as_many_trials_as_are_needed_pass_and_close_it() -> None:
    breaker = opened()
    assert breaker.state(10) is BreakerState.HALF_OPEN
    assert [breaker.allows(10) for _ in range(3)] == [True, True, False]
    breaker.record(succeeded=True, now_ns=11)
    assert not breaker.allows(11)
    breaker.record(succeeded=True, now_ns=12)
    assert breaker.state(12) is BreakerState.CLOSED
    assert breaker.failure_percent(12) == 0


def test_a_failed_trial_opens_it_again() -> None:
    breaker = opened()
    assert breaker.allows(10)
    breaker.record(succeeded=False, now_ns=15)
    assert breaker.state(24) is BreakerState.OPEN
    assert breaker.state(25) is BreakerState.HALF_OPEN
    assert breaker.openings == 2


def test_a_trial_that_never_ended_makes_room() -> None:
    breaker = opened()
    assert [breaker.allows(10) for _ in range(3)] == [True, True, False]
    assert [breaker.allows(20) for _ in range(3)] == [True, True, False]


def test_what_ends_while_it_is_open_says_nothing() -> None:
    breaker = opened()
    breaker.record(succeeded=True, now_ns=1)
    breaker.record(succeeded=False, now_ns=9)
    assert breaker.state(10) is BreakerState.HALF_OPEN


@given(steps=st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.booleans()), max_size=80))
@settings(derandomize=True, deadline=None)
def test_open_nothing_passes_and_half_open_only_trials(steps: list[tuple[int, bool, bool]]) -> None:
    breaker = CircuitBreaker(LIMITS)
    now_ns = 0
    for pause_ns, asks, succeeded in steps:
        now_ns += pause_ns
        state = breaker.state(now_ns)
        if asks:
            allowed = breaker.allows(now_ns)
            assert allowed or state is not BreakerState.CLOSED
            assert not allowed or state is not BreakerState.OPEN
            continue
        breaker.record(succeeded=succeeded, now_ns=now_ns)
        if succeeded:
            assert breaker.state(now_ns) in (state, BreakerState.CLOSED)
        elif state is BreakerState.HALF_OPEN:
            assert breaker.state(now_ns) is BreakerState.OPEN


@pytest.mark.parametrize(
    "change", [{"window_ns": 0}, {"least_calls": 0}, {"failure_percent": 101}, {"pause_ns": 0}, {"trials": 0}]
)
def test_limits_that_mean_nothing_are_refused(change: dict[str, int]) -> None:
    values = {"window_ns": 1, "least_calls": 1, "failure_percent": 50, "pause_ns": 1, "trials": 1}
    with pytest.raises(Fatal, match="circuit breaker"):
        BreakerLimits(**{**values, **change})
