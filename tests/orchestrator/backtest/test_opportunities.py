"""Opportunities that were detected against those that were traded."""

from __future__ import annotations

from typing import cast

from market.orders.cause import Cause, Origin
from market.orders.events import Refused, Sent
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.machine import advance
from market.orders.order import Order, OrderIntent, new_order
from market.protocols import Strategy, Wakes
from orchestrator.backtest.opportunities import opportunities
from orchestrator.run_loop.take_triggers import TakeTriggers


def order(number: int, leg: int, *, is_sent: bool, origin: Origin = Origin.TRIGGER) -> Order:
    intent = OrderIntent(
        cause=Cause(strategy="take", origin=origin, epoch=1, number=number, leg=leg),
        decided_ns=1,
        instrument=0,
        venue=0,
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        quantity=1,
        limit_price=1,
    )
    event = Sent(time_ns=2) if is_sent else Refused(time_ns=2, reason="a limit")
    return advance(new_order(intent), event)


def test_a_trigger_counts_once_however_many_legs_it_has() -> None:
    orders = [
        order(1, 0, is_sent=True),
        order(1, 1, is_sent=True),
        order(2, 0, is_sent=False),
        order(9, 0, is_sent=True, origin=Origin.DECISION),
    ]
    (row,) = opportunities([TakeTriggers()], orders, 7)
    assert row == {"strategy": "take", "detected": 7, "wanted": 2, "sent": 1, "filled": 0, "rejected": {}}


def test_a_strategy_that_waits_for_nothing_of_the_kind_has_no_row() -> None:
    class Quoting(TakeTriggers):
        @property
        def wakes(self) -> Wakes:
            return Wakes(quotes=frozenset({(0, 0)}))

    assert opportunities([cast(Strategy, Quoting())], [], 3) == []
