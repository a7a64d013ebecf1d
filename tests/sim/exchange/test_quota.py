"""Request weights, order counts and bans."""

from __future__ import annotations

import pytest

from sim.exchange.answers import ApiError
from sim.exchange.quota import Interval, Limits, Quota

SECOND_NS = 10**9
LIMITS = Limits(
    weight=Interval("MINUTE", 1, 100),
    orders=(Interval("SECOND", 10, 3), Interval("DAY", 1, 5)),
    patience=2,
    ban_ns=120 * SECOND_NS,
)
HERE, THERE = "127.0.0.1", "127.0.0.2"


def refusal(act: object, *words: object) -> ApiError:
    with pytest.raises(ApiError) as caught:
        act(*words)  # type: ignore[operator]
    return caught.value


def test_weight_is_counted_by_address_and_minute() -> None:
    quota = Quota(LIMITS)
    quota.spend(HERE, 60, 5 * SECOND_NS)
    quota.spend(HERE, 40, 59 * SECOND_NS)
    assert quota.headers(HERE, "", 59 * SECOND_NS, orders=False) == {"X-MBX-USED-WEIGHT-1M": "100"}
    quota.spend(THERE, 100, 59 * SECOND_NS)
    refused = refusal(quota.spend, HERE, 1, 59 * SECOND_NS)
    assert (refused.status, refused.code, refused.headers) == (429, -1003, {"Retry-After": "1"})
    quota.spend(HERE, 100, 60 * SECOND_NS)


def test_who_does_not_stop_is_banned() -> None:
    quota = Quota(LIMITS)
    quota.spend(HERE, 100, 0)
    statuses = [refusal(quota.spend, HERE, 1, 0).status for _ in range(4)]
    assert statuses == [429, 429, 418, 418]
    banned = refusal(quota.spend, HERE, 1, 119 * SECOND_NS)
    assert "IP banned until 120000" in banned.message
    assert banned.data == {"serverTime": 119_000, "retryAfter": 120_000}
    assert banned.headers == {"Retry-After": "1"}
    quota.spend(HERE, 1, 120 * SECOND_NS)


def test_orders_are_counted_by_account_and_interval() -> None:
    quota = Quota(LIMITS)
    quota.order("ada", 2, 0)
    refused = refusal(quota.order, "ada", 2, 9 * SECOND_NS)
    assert (refused.status, refused.code) == (429, -1015)
    assert "3 orders per 10 SECOND" in refused.message
    quota.order("ada", 1, 9 * SECOND_NS)
    quota.order("ben", 3, 9 * SECOND_NS)
    quota.order("ada", 2, 10 * SECOND_NS)
    refused = refusal(quota.order, "ada", 1, 20 * SECOND_NS)
    assert "5 orders per 1 DAY" in refused.message
    assert quota.headers(HERE, "ada", 20 * SECOND_NS, orders=True) == {
        "X-MBX-USED-WEIGHT-1M": "0",
        "X-MBX-ORDER-COUNT-10S": "0",
        "X-MBX-ORDER-COUNT-1D": "5",
    }


def test_limits_are_described() -> None:
    kinds = [(row["rateLimitType"], row["limit"]) for row in LIMITS.described() if isinstance(row, dict)]
    assert kinds == [("REQUEST_WEIGHT", 100), ("ORDERS", 3), ("ORDERS", 5)]
    counts = [row["count"] for row in Quota(LIMITS).listed(HERE, "ada", 0, orders=True) if isinstance(row, dict)]
    assert counts == [0, 0, 0]
