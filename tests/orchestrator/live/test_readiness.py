"""Balances are asked for until every venue has stated them; before that nothing is sent anywhere."""

from __future__ import annotations

from typing import Any, cast

import pytest

from market.errors import Rejected, Retry
from market.orders.reports import Balances
from orchestrator.live.readiness import Readiness
from tests.orchestrator.live.test_venue_gateways import Noted, order

RUN: Any = None


class Busy(Noted):
    """A gateway that cannot be asked now."""

    def request_balances(self, venue: int) -> None:
        super().request_balances(venue)
        raise Retry("too many requests")


@pytest.mark.parametrize("gateway", [Noted(), Busy()])
def test_venues_are_asked_until_they_answer(gateway: Noted) -> None:
    readiness = Readiness({0, 1}, gateway)
    readiness.task.action(RUN, 1)
    readiness.listen(RUN, Balances(time_ns=1, venue=0, balances=()))
    readiness.task.action(RUN, 2)
    assert gateway.asked == [("balances", 0), ("balances", 1), ("balances", 1)]
    with pytest.raises(Rejected, match="balances of venues 1 are not known yet"):
        readiness.check(order(0).intent, cast(Any, None))
    readiness.listen(RUN, Balances(time_ns=2, venue=1, balances=()))
    readiness.check(order(0).intent, cast(Any, None))
    assert readiness.is_ready
