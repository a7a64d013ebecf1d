"""Answers that a scripted venue gives a gateway, and what the gateway then reports."""

from __future__ import annotations

from typing import Any

from market.orders.events import OrderEvent
from orchestrator.execution.answers import Answer
from orchestrator.execution.guard import GuardLimits
from orchestrator.execution.rate_limit import Counted, Limit
from orchestrator.execution.requests import Ask, Request
from tests.orchestrator.execution.scripted_channel import OPEN_LIMITS, SECOND_NS, World


def kinds(events: list[OrderEvent]) -> list[type[OrderEvent]]:
    return [type(event) for event in events]


def heard(small: World, count: int) -> list[OrderEvent]:
    return [update.event for update in small.updates(count)]


def always(answer: Answer | None) -> Any:
    return lambda request: answer


def asked_about(answers: dict[Ask, list[Answer]]) -> Any:
    """Answers per question, the last again and again."""

    def answer(request: Request) -> Answer | None:
        left = answers.get(request.ask, [None])
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def limited(orders: int = 10) -> GuardLimits:
    return GuardLimits(
        limits=(Limit(Counted.ORDERS, orders, 86_400 * SECOND_NS), Limit(Counted.WEIGHT, 100, 86_400 * SECOND_NS)),
        reserve_percent=20,
        breaker=OPEN_LIMITS.breaker,
    )


async def nothing() -> None:
    """Wait until the network's thread has done what it was given before."""
