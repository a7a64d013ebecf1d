"""What the venue's answers to orders and cancellations mean for these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from market.instruments import Listing
from market.orders.events import Cancelled, CancelRefused, OrderEvent, OutcomeUnknown, Refused
from market.orders.order import Order
from market.orders.reports import OrderUpdate
from orchestrator.execution.answers import Answer, Lost, Refusal, Reply
from orchestrator.execution.order_text import STOPS
from orchestrator.execution.questions import MISREAD
from orchestrator.execution.reading import Reader


class Outcomes:
    """Turns answers into reports, in the network's thread.

    Parameters
    ----------
    listing: that of an order. report: takes what is to be told to the run.
    """

    def __init__(
        self,
        reader: Reader,
        listing: Callable[[Order], Listing],
        now_ns: Callable[[], int],
        report: Callable[[Iterable[OrderUpdate]], None],
    ) -> None:
        self._reader = reader
        self._listing = listing
        self._now_ns = now_ns
        self._report = report

    def tell(self, client_order_id: str, event: OrderEvent) -> None:
        """Report one event."""
        self._report([OrderUpdate(client_order_id=client_order_id, event=event)])

    def placed(self, client_order_id: str, answer: Answer) -> None:
        """The answer to a new order."""
        now_ns = self._now_ns()
        if isinstance(answer, Lost) or (isinstance(answer, Refusal) and answer.is_duplicate):
            self.tell(client_order_id, OutcomeUnknown(time_ns=now_ns, reason=answer.reason))
        elif isinstance(answer, Reply):
            self._read_placed(client_order_id, answer)
        else:
            self.tell(client_order_id, Refused(time_ns=now_ns, reason=answer.reason))

    def _read_placed(self, client_order_id: str, answer: Reply) -> None:
        now_ns = self._now_ns()
        try:
            updates = self._reader.placed(answer.body, now_ns)
        except MISREAD as error:
            reason = f"the venue's answer was not understood ({type(error).__name__}: {error})"
            self.tell(client_order_id, OutcomeUnknown(time_ns=now_ns, reason=reason))
            return
        self._report(updates)

    def placed_pair(self, limit: str, stop: str, answer: Answer) -> None:
        """The answer to a pair of orders."""
        orders = answer.body.get("orderReports", ()) if isinstance(answer, Reply) else ()
        by_name = {str(order.get("clientOrderId")): order for order in orders}
        for name in (limit, stop):
            if isinstance(answer, Reply) and name not in by_name:
                self.placed(name, Lost("the answer does not name it"))
            else:
                self.placed(name, Reply(by_name[name]) if by_name else answer)

    def cancelled(self, order: Order, answer: Answer) -> None:
        """The answer to a cancellation."""
        name, now_ns = order.client_order_id, self._now_ns()
        if isinstance(answer, Lost):
            self.tell(name, OutcomeUnknown(time_ns=now_ns, reason=answer.reason))
        elif not isinstance(answer, Reply):
            self.tell(name, CancelRefused(time_ns=now_ns, reason=answer.reason))
            if isinstance(answer, Refusal) and answer.is_unknown_order:
                self.tell(name, OutcomeUnknown(time_ns=now_ns, reason=answer.reason))
        elif self._has_all_fills(order, answer.body):
            executed = order.filled if "executedQty" in answer.body else None
            self.tell(name, Cancelled(time_ns=now_ns, executed=executed))

    def _has_all_fills(self, order: Order, body: Mapping[str, Any]) -> bool:
        """Whether nothing was filled that the stream is still to tell; the end comes after it, then."""
        if order.intent.type in STOPS and "executedQty" not in body:
            return True
        try:
            executed = self._listing(order).instrument.quantity_scale.count(body["executedQty"])
        except MISREAD:
            return False
        return executed == order.filled
