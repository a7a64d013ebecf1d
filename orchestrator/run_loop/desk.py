"""Carries out what strategies want, and books what gateways report."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from market.errors import DataGap, Fatal, Rejected, Retry
from market.instruments import Catalogue
from market.orders.cause import Origin
from market.orders.events import CancelRefused, CancelRequested, OrderEvent, OutcomeUnknown, Refused, Sent
from market.orders.kinds import OrderState
from market.orders.machine import Verdict
from market.orders.order import Order, OrderIntent
from market.orders.reports import AccountReport, GatewayReport, OrderUpdate
from market.protocols import Clock, Gateway, Journal, MarketView, OcoIntent, OrderChanged, PreTradeCheck
from orchestrator.run_loop.ledger import Ledger
from orchestrator.run_loop.questions import Questions
from orchestrator.run_loop.settlement import Settlement
from orchestrator.run_loop.summary import RunCounts


class Desk:
    """Every order goes out here and every report comes in here.

    Parameters
    ----------
    checks: rules of the run, asked in turn after the listing's own; the first refusal counts.
    listen: gets the reports that are about no single order, once they are journalled.

    Members
    -------
    changes: what strategies have not been told yet, oldest first; drained by the loop.
    questions: about orders of unknown outcome.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        clock: Clock,
        catalogue: Catalogue,
        checks: Sequence[PreTradeCheck],
        view: MarketView,
        ledger: Ledger,
        settlement: Settlement,
        journal: Journal,
        counts: RunCounts,
        listen: Callable[[AccountReport], None],
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._catalogue = catalogue
        self._checks = tuple(checks)
        self._view = view
        self._ledger = ledger
        self._settlement = settlement
        self._journal = journal
        self._counts = counts
        self._listen = listen
        self.questions = Questions(gateway, ledger, counts)
        self.changes: deque[OrderChanged] = deque()
        self._half_pairs: set[str] = set()

    def place(self, intent: OrderIntent, strategy: str) -> None:
        """Write an order down, check it and send it; one of the same cause as before changes nothing.

        Raises Fatal when the intent bears another strategy's tag.
        """
        self._place((intent,), strategy, lambda orders: self._gateway.submit(*orders))

    def place_oco(self, intent: OcoIntent, strategy: str) -> None:
        """Write a pair down, check both orders and send them together; one that is refused refuses the other.

        Raises as ``place``.
        """
        self._place((intent.limit, intent.stop), strategy, lambda orders: self._gateway.submit_oco(*orders))

    def _place(self, intents: Sequence[OrderIntent], strategy: str, submit: Callable[[Sequence[Order]], None]) -> None:
        for intent in intents:
            if intent.cause.strategy != strategy:
                raise Fatal(f"strategy {strategy} placed {intent.client_order_id}; expected its own tag in the cause")
        if any(self._ledger.knows(intent) for intent in intents):
            self._counts.repeated += 1
            return
        for intent in intents:
            self._journal.intent(intent)
        orders = [self._ledger.add(intent) for intent in intents]
        now_ns = self._clock.now_ns()
        try:
            for intent in intents:
                self._check(intent)
        except Rejected as refusal:
            self._refuse(orders, refusal, now_ns, settles=False)
            return
        for order in orders:
            self._settlement.placed(order, now_ns)
        try:
            submit(orders)
        except (Rejected, Retry) as refusal:
            self._refuse(orders, refusal, now_ns, settles=True)
            return
        self._counts.placed += len(orders)
        for order in orders:
            self._apply(order.client_order_id, Sent(time_ns=now_ns))

    def _refuse(self, orders: Sequence[Order], refusal: Exception, now_ns: int, *, settles: bool) -> None:
        self._counts.refused += len(orders)
        self._counts.note(str(refusal))
        for order in orders:
            self._apply(order.client_order_id, Refused(time_ns=now_ns, reason=str(refusal)), settles=settles)

    def end_half_pairs(self) -> None:
        """Cancel what still works of a pair whose other order was filled or has ended; with every heartbeat.

        Venues and gateways do so at once: this is for those that could not, and for pairs of an earlier run. What is
        found for the first time may only be on its way.
        """
        found = {
            order.client_order_id: order
            for order in self._ledger.working()
            if order.intent.partner and self._is_half(order)
        }
        for name in found.keys() & self._half_pairs:
            self._cancel(found[name])
        self._half_pairs = set(found)

    def _is_half(self, order: Order) -> bool:
        partner = self._ledger.order(order.intent.partner)
        return partner is None or not partner.is_working or partner.filled > 0

    def cancel(self, client_order_id: str, strategy: str) -> None:
        """Ask for an order's cancellation; nothing happens when that was done or the order has ended.

        Raises Rejected for an order that is not the strategy's.
        """
        order = self._ledger.order(client_order_id)
        if order is None or order.intent.cause.strategy != strategy:
            raise Rejected(f"strategy {strategy} cancels {client_order_id!r}; expected one of its own orders")
        self._cancel(order)

    def cancel_any(self, client_order_id: str) -> None:
        """The same for whichever strategy the order is of; raises Rejected for one that is not of this run."""
        self._cancel(self._known(client_order_id))

    def doubt(self, client_order_id: str, reason: str) -> None:
        """Make an order's outcome unknown and ask for it; one that is so already or has ended is only asked about.

        Raises Rejected for an order that is not of this run.
        """
        order = self._known(client_order_id)
        if order.state.is_terminal or order.state is OrderState.UNKNOWN:
            self.questions.ask(order)
        else:
            self._apply(client_order_id, OutcomeUnknown(time_ns=self._clock.now_ns(), reason=reason))

    def _known(self, client_order_id: str) -> Order:
        order = self._ledger.order(client_order_id)
        if order is None:
            raise Rejected(f"order {client_order_id!r} was named; expected one of this run")
        return order

    def _cancel(self, order: Order) -> None:
        client_order_id = order.client_order_id
        if order.state.is_terminal or order.state is OrderState.CANCEL_REQUESTED:
            return
        now_ns = self._clock.now_ns()
        self._apply(client_order_id, CancelRequested(time_ns=now_ns))
        try:
            self._gateway.cancel(order)
        except (Rejected, Retry) as refusal:
            self._counts.note(str(refusal))
            self._apply(client_order_id, CancelRefused(time_ns=now_ns, reason=str(refusal)))

    def take_reports(self, until_ns: int) -> None:
        """Book what the gateway reports up to a time; a broken stream makes every working order's outcome unknown."""
        try:
            reports = self._gateway.take(until_ns)
        except DataGap as gap:
            self._counts.data_gaps += 1
            self._counts.note(str(gap))
            for order in self._ledger.working():
                self._apply(order.client_order_id, OutcomeUnknown(time_ns=self._clock.now_ns(), reason=str(gap)))
            return
        for report in reports:
            self._take_report(report)

    def _check(self, intent: OrderIntent) -> None:
        """Raises Rejected for an order that must not be sent."""
        listing = self._catalogue.listing(intent.instrument, intent.venue)
        listing.check_quantity(intent.quantity)
        if intent.limit_price:
            listing.check(intent.limit_price, intent.quantity)
        if intent.stop_price:
            listing.check_price(intent.stop_price)
        for check in self._checks:
            check(intent, self._view)
        if intent.cause.origin is Origin.TRIGGER:
            self._settlement.claim(intent)

    def _take_report(self, report: GatewayReport) -> None:
        if not isinstance(report, OrderUpdate):
            self._journal.report(report)
            self._listen(report)
            return
        try:
            self._apply(report.client_order_id, report.event)
        except Rejected as contradiction:
            self._counts.contradictions += 1
            self._counts.note(str(contradiction))
            self._journal.report(report)
        self.questions.heard(report)

    def _apply(self, client_order_id: str, event: OrderEvent, *, settles: bool = True) -> None:
        """Apply an event to an order and all that hangs on it; raises Rejected as ``Ledger.apply``."""
        before, after, verdict = self._ledger.apply(client_order_id, event)
        if isinstance(event, OutcomeUnknown) and after.state is OrderState.UNKNOWN:
            self._ask_soon(before, after)
        if verdict is Verdict.DUPLICATE:
            self._counts.duplicates += 1
            return
        self._counts.late_fills += verdict is Verdict.LATE_FILL
        self._journal.event(client_order_id, event)
        if settles:
            self._settlement.changed(before, after, verdict, self._clock.now_ns())
        self.changes.append(OrderChanged(order=after, event=event))

    def _ask_soon(self, before: Order, after: Order) -> None:
        """Ask at once about a new uncertainty, and later about one that an answer left."""
        if before.state is OrderState.UNKNOWN:
            self.questions.ask_later(after)
        else:
            self.questions.ask(after)
