"""What ends at once and is not heard to end is asked for, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from market.orders.events import Acknowledged, Cancelled, Expired, Filled, OrderEvent, OutcomeUnknown, Refused
from market.orders.kinds import Liquidity, OrderType, TimeInForce
from market.orders.order import Fill, Order
from market.orders.reports import OrderUpdate
from orchestrator.execution import awaited_ends
from orchestrator.execution.awaited_ends import AwaitedEnds
from tests.orchestrator.execution import samples

IOC = {"time_in_force": TimeInForce.IOC, "quantity": 500_000}
THERE = Acknowledged(time_ns=1, venue_order_id="7")


def filled(number: int, quantity: int) -> Filled:
    return Filled(
        fill=Fill(
            fill_id=str(number),
            price=1,
            quantity=quantity,
            fee=0,
            liquidity=Liquidity.TAKER,
            venue_ns=1,
            receive_ns=1,
        )
    )


def asked_about(monkeypatch: pytest.MonkeyPatch, order: Order, *events: OrderEvent) -> list[OrderUpdate]:
    """What is reported once patience has ended."""
    monkeypatch.setattr(awaited_ends, "_PATIENCE_S", 0.0)
    reported: list[OrderUpdate] = []

    def report(updates: Iterable[OrderUpdate]) -> None:
        reported.extend(updates)

    async def scene() -> None:
        ends = AwaitedEnds(lambda: 9, report)
        ends.sent(order)
        ends.hear([OrderUpdate(client_order_id=order.client_order_id, event=event) for event in events])
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(scene())
    return reported


@pytest.mark.parametrize(
    "changes", [IOC, {**IOC, "time_in_force": TimeInForce.FOK}, {**IOC, "type": OrderType.MARKET, "limit_price": 0}]
)
@pytest.mark.parametrize("events", [[THERE], [THERE, THERE], [THERE, filled(1, 200_000), filled(1, 200_000)]])
def test_it_is_unknown_once_and_may_then_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], events: list[OrderEvent]
) -> None:
    [update] = asked_about(monkeypatch, samples.order(1, **changes), *events)
    assert isinstance(update.event, OutcomeUnknown)
    assert update.event.time_ns == 9


@pytest.mark.parametrize(
    "events",
    [
        [],
        [THERE, filled(1, 500_000)],
        [filled(1, 200_000), THERE, filled(2, 300_000)],
        [THERE, Expired(time_ns=2)],
        [THERE, filled(1, 200_000), Cancelled(time_ns=2)],
        [THERE, Refused(time_ns=2, reason="no")],
        [THERE, OutcomeUnknown(time_ns=2, reason="the stream broke")],
    ],
)
def test_one_that_has_ended_or_is_asked_for_already_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, events: list[OrderEvent]
) -> None:
    assert asked_about(monkeypatch, samples.order(1, **IOC), *events) == []


@pytest.mark.parametrize("changes", [{}, {"type": OrderType.STOP, "limit_price": 0, "stop_price": 6_010_000}])
def test_what_may_rest_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]) -> None:
    assert asked_about(monkeypatch, samples.order(1, **changes), THERE) == []
