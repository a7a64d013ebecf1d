"""Whether a venue may be asked: its rate limits and its circuit breaker, shared by two threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from config.execution import BreakerSettings, ExecutionSettings, RequestLimits
from market.errors import Retry
from orchestrator.execution.answers import Answer, Limited, Lost, NotSent
from orchestrator.execution.circuit_breaker import BreakerLimits, BreakerState, CircuitBreaker
from orchestrator.execution.rate_limit import Cost, Counted, Limit, RateLimiter
from orchestrator.execution.requests import MarketKind

_MS_NS: Final = 10**6
_SECOND_NS: Final = 10**9
_LEAST: Final = 2
"""The smallest limit that a bucket can keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    """What a guard keeps to."""

    limits: tuple[Limit, ...]
    reserve_percent: int
    breaker: BreakerLimits


def guard_limits(settings: ExecutionSettings, kind: MarketKind) -> GuardLimits:
    """The limits that the settings give a market."""
    requests = settings.spot_limits if kind is MarketKind.SPOT else settings.futures_limits
    return GuardLimits(
        limits=tuple(_limits(requests)),
        reserve_percent=settings.reserve_percent,
        breaker=_breaker_limits(settings.breaker),
    )


class Guard:
    """Rate limiter and circuit breaker of one venue; every method may be called from any thread."""

    def __init__(self, name: str, limits: GuardLimits) -> None:
        self._name = name
        self._limiter = RateLimiter(limits.limits, limits.reserve_percent)
        self._breaker = CircuitBreaker(limits.breaker)
        self._lock = threading.Lock()

    def admit_order(self, cost: Cost, now_ns: int) -> None:
        """Let a new order pass; raises Retry while the breaker is open or a limit is reached."""
        with self._lock:
            if self._breaker.state(now_ns) is BreakerState.OPEN:
                raise self._broken()
            self._take(cost, now_ns, urgent=False)
            if not self._breaker.allows(now_ns):
                raise self._broken()

    def admit(self, cost: Cost, now_ns: int) -> None:
        """Let a cancellation or a question pass, whatever the breaker says; raises Retry when a limit is reached."""
        with self._lock:
            self._take(cost, now_ns, urgent=True)

    def record(self, answer: Answer, now_ns: int) -> None:
        """Learn from an answer: whether the venue answers, and whether it wants us to be silent."""
        with self._lock:
            self._breaker.record(succeeded=not isinstance(answer, Lost | NotSent), now_ns=now_ns)
            if isinstance(answer, Limited):
                self._limiter.ban(max(now_ns + answer.pause_ms * _MS_NS, answer.until_ms * _MS_NS))

    def observe(self, counted: Counted, interval_ns: int, used: int, now_ns: int) -> None:
        """Learn how much of a limit is used in the venue's count."""
        with self._lock:
            self._limiter.observe(counted, interval_ns, used, now_ns)

    def state(self, now_ns: int) -> BreakerState:
        """State of the circuit breaker."""
        with self._lock:
            return self._breaker.state(now_ns)

    def _take(self, cost: Cost, now_ns: int, *, urgent: bool) -> None:
        wait_ns = self._limiter.take(cost, now_ns, urgent=urgent)
        if wait_ns:
            cause = "the venue's ban" if self._limiter.banned_until_ns > now_ns else "the rate limit"
            raise Retry(f"{self._name}: {cause} allows the next such request in {wait_ns // _MS_NS + 1} ms")

    def _broken(self) -> Retry:
        return Retry(f"{self._name}: the circuit breaker is open, too many requests had no answer; no new orders")


def _limits(requests: RequestLimits) -> Iterator[Limit]:
    for counted, count, seconds in (
        (Counted.ORDERS, requests.orders_10s, 10),
        (Counted.ORDERS, requests.orders_minute, 60),
        (Counted.ORDERS, requests.orders_day, 86_400),
        (Counted.WEIGHT, requests.weight_minute, 60),
        (Counted.MESSAGES, requests.messages_second, 1),
    ):
        if count:
            yield Limit(counted, max(count, _LEAST), seconds * _SECOND_NS)


def _breaker_limits(settings: BreakerSettings) -> BreakerLimits:
    return BreakerLimits(
        window_ns=settings.window_ms * _MS_NS,
        least_calls=settings.least_calls,
        failure_percent=settings.failure_percent,
        pause_ns=settings.pause_ms * _MS_NS,
        trials=settings.trials,
    )
