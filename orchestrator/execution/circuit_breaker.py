"""The circuit breaker: stops sending orders to a venue that does not answer. Pure: the time is an argument."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from market.errors import Fatal


class BreakerState(IntEnum):
    """Whether orders pass."""

    CLOSED = 1
    """They pass."""
    OPEN = 2
    """None passes until the pause is over."""
    HALF_OPEN = 3
    """A few pass as trials; if all succeed the breaker closes, if one fails it opens again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """When a breaker opens and closes; raises Fatal for values that contradict each other.

    Parameters
    ----------
    window_ns: outcomes older than this do not count. least_calls: no opening on fewer outcomes than these.
    failure_percent: share of failures that opens it. pause_ns: how long it stays open. trials: how many calls must
        succeed before it closes.
    """

    window_ns: int
    least_calls: int
    failure_percent: int
    pause_ns: int
    trials: int

    def __post_init__(self) -> None:
        if (
            min(self.window_ns, self.least_calls, self.pause_ns, self.trials) < 1
            or not 1 <= self.failure_percent <= 100
        ):
            raise Fatal(f"a circuit breaker had {self}; expected numbers from 1, and a share of 1 to 100 percent")


class CircuitBreaker:
    """Counts how calls end: ``allows`` is asked before each order, ``record`` told of every end; only failures open it.

    A failure is a call without an answer: a timeout, a lost connection, an error of the server. An order that the venue
    refused is a success: the venue answered.
    """

    def __init__(self, limits: BreakerLimits) -> None:
        self._limits = limits
        self._outcomes: deque[tuple[int, bool]] = deque()
        self._failures = 0
        self._opened_ns: int | None = None
        self._trials: list[int] = []
        self._succeeded = 0
        self.openings = 0

    def state(self, now_ns: int) -> BreakerState:
        """Whether orders pass at a time."""
        if self._opened_ns is None:
            return BreakerState.CLOSED
        is_over = now_ns >= self._opened_ns + self._limits.pause_ns
        return BreakerState.HALF_OPEN if is_over else BreakerState.OPEN

    def failure_percent(self, now_ns: int) -> int:
        """Share of failures among the outcomes in the window, rounded down; 0 without any."""
        self._forget(now_ns)
        return 100 * self._failures // len(self._outcomes) if self._outcomes else 0

    def allows(self, now_ns: int) -> bool:
        """Whether an order may be sent now; half open, a True is one of the trials.

        A trial whose outcome was not recorded within the pause makes room for another.
        """
        state = self.state(now_ns)
        if state is BreakerState.CLOSED:
            return True
        if state is BreakerState.OPEN:
            return False
        self._trials = [sent_ns for sent_ns in self._trials if now_ns < sent_ns + self._limits.pause_ns]
        if len(self._trials) + self._succeeded >= self._limits.trials:
            return False
        self._trials.append(now_ns)
        return True

    def record(self, *, succeeded: bool, now_ns: int) -> None:
        """A call has ended. What ends while the breaker is open says nothing new."""
        state = self.state(now_ns)
        if state is BreakerState.HALF_OPEN:
            self._end_trial(succeeded, now_ns)
        elif state is BreakerState.CLOSED:
            self._outcomes.append((now_ns, succeeded))
            self._failures += not succeeded
            self._forget(now_ns)
            failed = 100 * self._failures >= self._limits.failure_percent * len(self._outcomes)
            if failed and not succeeded and len(self._outcomes) >= self._limits.least_calls:
                self._open(now_ns)

    def _end_trial(self, succeeded: bool, now_ns: int) -> None:
        if not succeeded:
            self._open(now_ns)
            return
        if self._trials:
            self._trials.pop(0)
        self._succeeded += 1
        if self._succeeded >= self._limits.trials:
            self._opened_ns = None
            self._reset()

    def _open(self, now_ns: int) -> None:
        self._opened_ns = now_ns
        self.openings += 1
        self._reset()

    def _reset(self) -> None:
        self._outcomes.clear()
        self._failures = 0
        self._trials.clear()
        self._succeeded = 0

    def _forget(self, now_ns: int) -> None:
        while self._outcomes and self._outcomes[0][0] <= now_ns - self._limits.window_ns:
            _, succeeded = self._outcomes.popleft()
            self._failures -= not succeeded
