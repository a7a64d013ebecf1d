"""Orders that end at once: one of which the venue says that it is there, and then nothing more, is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from market.orders.events import Acknowledged, Cancelled, Expired, Filled, OutcomeUnknown, Refused
from market.orders.kinds import OrderType, TimeInForce
from market.orders.order import Order, OrderIntent
from market.orders.reports import OrderUpdate
from orchestrator.execution.order_text import STOPS

_PATIENCE_S: Final = 1.0
"""Longest from the acknowledgement to the last report; what is later costs a question."""


@dataclass
class _Awaited:
    quantity: int
    fills: dict[str, int] = field(default_factory=dict)
    is_timed: bool = False


class AwaitedEnds:
    """What was sent to be filled or to end at once, until it has.

    The user data stream numbers nothing: a last report that is lost, and followed by none, is missed by nobody else.

    Parameters
    ----------
    report: takes what is to be told to the run.
    """

    def __init__(self, now_ns: Callable[[], int], report: Callable[[Iterable[OrderUpdate]], None]) -> None:
        self._now_ns = now_ns
        self._report = report
        self._awaited: dict[str, _Awaited] = {}

    def sent(self, order: Order) -> None:
        """An order leaves; in any thread."""
        if _ends_at_once(order.intent):
            self._awaited[order.client_order_id] = _Awaited(order.remaining)

    def hear(self, updates: Iterable[OrderUpdate]) -> None:
        """Something is reported; acknowledgements in the network's thread alone."""
        for update in updates:
            awaited, event = self._awaited.get(update.client_order_id), update.event
            if awaited is None:
                continue
            if isinstance(event, Acknowledged) and not awaited.is_timed:
                awaited.is_timed = True
                asyncio.get_running_loop().call_later(_PATIENCE_S, self._ask, update.client_order_id)
            elif isinstance(event, Filled):
                awaited.fills[event.fill.fill_id] = event.fill.quantity
            is_filled = sum(awaited.fills.values()) >= awaited.quantity
            if is_filled or isinstance(event, Cancelled | Expired | Refused | OutcomeUnknown):
                self._awaited.pop(update.client_order_id, None)

    def _ask(self, client_order_id: str) -> None:
        """Report one that has not ended as unknown, which makes the run ask for it."""
        if self._awaited.pop(client_order_id, None) is not None:
            reason = f"nothing was heard of its end within {_PATIENCE_S:g} s"
            unknown = OutcomeUnknown(time_ns=self._now_ns(), reason=reason)
            self._report([OrderUpdate(client_order_id=client_order_id, event=unknown)])


def _ends_at_once(intent: OrderIntent) -> bool:
    is_immediate = intent.type is OrderType.MARKET or intent.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    return is_immediate and intent.type not in STOPS
