"""Token buckets and the limits of a venue: never more than allowed, never idle longer than needed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from orchestrator.execution.rate_limit import Cost, Counted, Limit, RateLimiter
from orchestrator.execution.token_bucket import TokenBucket

SECOND_NS = 10**9

steps = st.lists(st.tuples(st.integers(0, 3 * SECOND_NS), st.integers(0, 8)), max_size=60)


@given(limit=st.integers(2, 40), interval_ns=st.integers(1, 5 * SECOND_NS), asked=steps)
@settings(derandomize=True, deadline=None)
def test_no_window_of_one_interval_grants_more_than_the_limit(
    limit: int, interval_ns: int, asked: list[tuple[int, int]]
) -> None:
    bucket = TokenBucket.within(limit, interval_ns)
    now_ns = 10**18
    granted: list[tuple[int, int]] = []
    for pause_ns, count in asked:
        now_ns += pause_ns
        if bucket.take(count, now_ns):
            granted.append((now_ns, count))
        assert sum(n for at_ns, n in granted if at_ns > now_ns - interval_ns) <= limit


@given(limit=st.integers(2, 40), asked=steps, count=st.integers(1, 20), keep=st.integers(0, 5))
@settings(derandomize=True, deadline=None)
def test_the_wait_is_exact(limit: int, asked: list[tuple[int, int]], count: int, keep: int) -> None:
    bucket = TokenBucket.within(limit, SECOND_NS)
    now_ns = 0
    for pause_ns, taken in asked:
        now_ns += pause_ns
        bucket.take(taken, now_ns)
    if count + keep > bucket.burst:
        return
    wait_ns = bucket.wait_ns(count, now_ns, keep)
    if wait_ns:
        assert bucket.available(now_ns + wait_ns - 1) < count + keep
    assert bucket.take(count, now_ns + wait_ns, keep)


def test_time_that_goes_back_brings_no_tokens() -> None:
    bucket = TokenBucket.within(2, SECOND_NS)
    assert bucket.take(1, 5 * SECOND_NS)
    assert not bucket.take(1, 0)
    assert not bucket.take(1, 5 * SECOND_NS)
    assert bucket.take(1, 6 * SECOND_NS)


@pytest.mark.parametrize("limit", [0, 1, -3])
def test_a_limit_that_cannot_be_split_is_refused(limit: int) -> None:
    with pytest.raises(Fatal, match="token bucket"):
        TokenBucket.within(limit, SECOND_NS)


def limiter(reserve_percent: int = 0) -> RateLimiter:
    return RateLimiter([Limit(Counted.ORDERS, 10, SECOND_NS), Limit(Counted.WEIGHT, 100, SECOND_NS)], reserve_percent)


def test_a_request_takes_from_all_limits_or_from_none() -> None:
    limits = limiter()
    assert limits.take(Cost(weight=50, orders=1), 0) == 0
    assert limits.take(Cost(weight=1, orders=1), 0) == SECOND_NS // 50
    assert limits.available(Counted.ORDERS, 0) == 4
    assert limits.take(Cost(weight=0, orders=4), 0) == 0
    assert limits.take(Cost(weight=0, orders=1), 0) == SECOND_NS // 5


def test_cancellations_may_use_the_reserve() -> None:
    limits = limiter(reserve_percent=20)
    granted = sum(limits.take(Cost(weight=1, orders=1), 0) == 0 for _ in range(10))
    assert granted == 4
    assert limits.take(Cost(weight=40, orders=0), 0) > 0
    assert limits.take(Cost(weight=40, orders=0), 0, urgent=True) == 0


def test_what_the_venue_counted_is_believed() -> None:
    limits = limiter()
    limits.observe(Counted.WEIGHT, SECOND_NS, 97, 0)
    assert limits.available(Counted.WEIGHT, 0) == 3
    limits.observe(Counted.WEIGHT, SECOND_NS, 120, 0)
    assert limits.available(Counted.WEIGHT, 0) == 0
    limits.observe(Counted.WEIGHT, SECOND_NS, 0, 0)
    assert limits.available(Counted.WEIGHT, 0) == 0, "only time brings tokens back"
    limits.observe(Counted.WEIGHT, 60 * SECOND_NS, 1_000, 0)
    assert limits.available(Counted.ORDERS, 0) == 5
    assert limits.available(Counted.MESSAGES, 0) is None


def test_a_ban_holds_for_everything_and_never_gets_shorter() -> None:
    limits = limiter()
    limits.ban(3 * SECOND_NS)
    limits.ban(2 * SECOND_NS)
    assert limits.take(Cost(weight=1), 0, urgent=True) == 3 * SECOND_NS
    assert limits.take(Cost(weight=1), 3 * SECOND_NS - 1) == 1
    assert limits.take(Cost(weight=1), 3 * SECOND_NS) == 0
