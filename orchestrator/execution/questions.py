"""What became of an order: asked of the venue, by our own id, before anything is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

from market.errors import Rejected, Retry
from market.instruments import Listing
from market.orders.events import Expired, OrderEvent, OutcomeUnknown, Refused
from market.orders.order import Order
from market.orders.reports import OrderUpdate
from orchestrator.execution.answers import Answer, Refusal, Reply
from orchestrator.execution.order_text import STOPS, order_request
from orchestrator.execution.reading import Reader
from orchestrator.execution.requests import Ask, MarketKind, Request

Asker = Callable[[Request], Awaitable[Answer]]
"""Sends a request and waits for its answer; raises Retry when a limit forbids it."""

MISREAD: Final = (Rejected, KeyError, TypeError, ValueError, ArithmeticError)
"""What reading a message raises that is not as documented."""


_PAUSE_S: Final = 0.2


class Questions:
    """Asks about orders of one market.

    Parameters
    ----------
    ask: sends a request. now_ns: our time.
    """

    def __init__(self, reader: Reader, kind: MarketKind, ask: Asker, now_ns: Callable[[], int]) -> None:
        self._reader = reader
        self._kind = kind
        self._ask = ask
        self._now_ns = now_ns

    async def about(self, order: Order, listing: Listing, valid_until_ms: int) -> Sequence[OrderUpdate]:
        """Updates that say what an order is now.

        An order that the venue does not know may still be on its way to it. Only when the venue, by its own clock,
        would refuse it as too late, and then still does not know it, has it never arrived; until then its outcome is
        unknown. Not knowing is said after a pause, as it is followed by the same question.

        Parameters
        ----------
        valid_until_ms: the last time, by the venue's clock, at which it would take the order.
        """
        try:
            updates = await self._about(order, listing, valid_until_ms)
        except Retry as refusal:
            updates = self._unknown(order, str(refusal))
        except MISREAD as error:
            updates = self._unknown(order, f"the venue's answer was not understood ({type(error).__name__}: {error})")
        if isinstance(updates[-1].event, OutcomeUnknown):
            await asyncio.sleep(_PAUSE_S)
        return updates

    async def _about(self, order: Order, listing: Listing, valid_until_ms: int) -> Sequence[OrderUpdate]:
        request = order_request(order.intent, listing, self._kind)
        answer = await self._ask(request)
        if isinstance(answer, Refusal) and answer.is_unknown_order:
            time = await self._ask(Request(ask=Ask.TIME, parameters={}))
            if not isinstance(time, Reply) or int(time.body["serverTime"]) <= valid_until_ms:
                return self._unknown(order, "the venue does not know it yet, and may still take it")
            answer = await self._ask(request)
            if isinstance(answer, Refusal) and answer.is_unknown_order:
                return [self._update(order, self._never(order))]
        if not isinstance(answer, Reply):
            return self._unknown(order, f"asking what became of it: {answer.reason}")
        if self._kind is MarketKind.USD_MARGINED and order.intent.type in STOPS:
            return await self._stop(order, listing, answer)
        return await self._state(order, listing, answer)

    async def _stop(self, order: Order, listing: Listing, answer: Reply) -> Sequence[OrderUpdate]:
        """A stop on futures: it waits, has ended, or has become an order of another id."""
        if not answer.body.get("actualOrderId"):
            return self._reader.stop_state(answer.body, self._now_ns())
        became = {"symbol": listing.symbol, "orderId": str(answer.body["actualOrderId"])}
        found = await self._ask(Request(ask=Ask.ORDER, parameters=became))
        if not isinstance(found, Reply):
            return self._unknown(order, f"asking what became of the stop's order: {found.reason}")
        return await self._state(order, listing, found, order.client_order_id)

    async def _state(self, order: Order, listing: Listing, answer: Reply, name: str = "") -> Sequence[OrderUpdate]:
        trades: Answer = Reply([])
        if Decimal(answer.body["executedQty"]):
            wanted = {"symbol": listing.symbol, "orderId": str(answer.body["orderId"])}
            trades = await self._ask(Request(ask=Ask.TRADES, parameters=wanted))
        if not isinstance(trades, Reply):
            return self._unknown(order, f"asking for its trades: {trades.reason}")
        return self._reader.state(answer.body, trades.body, self._now_ns(), name)

    def _never(self, order: Order) -> OrderEvent:
        if order.acknowledged_ns or order.fills:
            return Expired(time_ns=self._now_ns(), reason="the venue no longer knows it")
        return Refused(
            time_ns=self._now_ns(), reason="never arrived: the venue does not know it and would not take it now"
        )

    def _unknown(self, order: Order, reason: str) -> Sequence[OrderUpdate]:
        return [self._update(order, OutcomeUnknown(time_ns=self._now_ns(), reason=reason))]

    def _update(self, order: Order, event: OrderEvent) -> OrderUpdate:
        return OrderUpdate(client_order_id=order.client_order_id, event=event)
