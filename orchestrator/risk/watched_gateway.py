"""A gateway through which everything passes that is sent and heard: the last place where a halt holds, and the first
where it is known what was really sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from market.errors import Rejected
from market.orders.events import Cancelled, Filled, Refused
from market.orders.order import Fill, Order
from market.orders.reports import GatewayReport, OrderUpdate
from market.protocols import Clock, Gateway
from orchestrator.risk.checks.gate import CLOSING_TAG
from orchestrator.risk.checks.rates import FlowRatios, MessageRate
from orchestrator.risk.commitments import Commitments
from orchestrator.risk.guard import Guard

_REMEMBERED_FILLS: Final = 65_536


class FillListener(Protocol):
    """Wants to know of every fill."""

    def filled(self, client_order_id: str, fill: Fill) -> None:
        """A fill was heard of, for the first time; it has not been booked yet."""


class WatchedGateway:
    """Hands everything on to another gateway, and counts it.

    Parameters
    ----------
    guard: gives the guard as it stands.
    fills: told of every fill once. refused: told why venues refused orders.
    """

    def __init__(
        self,
        gateway: Gateway,
        clock: Clock,
        guard: Callable[[], Guard],
        rate: MessageRate,
        ratios: FlowRatios,
        commitments: Commitments,
        fills: Sequence[FillListener] = (),
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._refused = refused
        self._gateway = gateway
        self._clock = clock
        self._guard = guard
        self._rate = rate
        self._ratios = ratios
        self._commitments = commitments
        self._fills = tuple(fills)
        self._heard: OrderedDict[tuple[str, str], None] = OrderedDict()

    def submit(self, order: Order) -> None:
        """Send an order; raises Rejected in a halt and for what the gateway rejects, Retry as the gateway."""
        self._check_halt(order)
        self._gateway.submit(order)
        self._note_orders(order)

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send a pair; raises as ``submit``."""
        self._check_halt(limit)
        self._gateway.submit_oco(limit, stop)
        self._note_orders(limit, stop)

    def cancel(self, order: Order) -> None:
        """Ask for a cancellation; raises as the gateway."""
        self._gateway.cancel(order)
        self._note(order.intent.venue)
        self._ratios.cancel(self._clock.now_ns())

    def query(self, order: Order) -> None:
        """Ask what became of an order; raises as the gateway."""
        self._gateway.query(order)
        self._note(order.intent.venue)

    def request_open_orders(self, venue: int) -> None:
        """Ask for the open orders; raises as the gateway."""
        self._gateway.request_open_orders(venue)
        self._note(venue)

    def request_balances(self, venue: int) -> None:
        """Ask for the balances; raises as the gateway."""
        self._gateway.request_balances(venue)
        self._note(venue)

    def request_positions(self, venue: int) -> None:
        """Ask for the positions; raises as the gateway."""
        self._gateway.request_positions(venue)
        self._note(venue)

    def next_ns(self) -> int | None:
        """Time of the first report that waits, as of the gateway."""
        return self._gateway.next_ns()

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """Reports up to a time, as of the gateway."""
        reports = self._gateway.take(until_ns)
        for report in reports:
            if isinstance(report, OrderUpdate):
                self._hear(report)
        return reports

    def _hear(self, update: OrderUpdate) -> None:
        event = update.event
        if isinstance(event, Refused):
            self._refused(event.reason)
        elif isinstance(event, Cancelled):
            self._commitments.note_cancelled(update.client_order_id, event)
        elif isinstance(event, Filled):
            key = (update.client_order_id, event.fill.fill_id)
            if key in self._heard:
                return
            self._heard[key] = None
            if len(self._heard) > _REMEMBERED_FILLS:
                self._heard.popitem(last=False)
            self._ratios.trade(self._clock.now_ns())
            for listener in self._fills:
                listener.filled(update.client_order_id, event.fill)

    def _check_halt(self, order: Order) -> None:
        halted = self._guard().halted
        if halted is not None and order.intent.cause.strategy != CLOSING_TAG:
            raise Rejected(f"order {order.client_order_id} was not sent: trading was halted, {halted.detail}")

    def _note_orders(self, *orders: Order) -> None:
        for order in orders:
            self._note(order.intent.venue)
            self._ratios.order(self._clock.now_ns())

    def _note(self, venue: int) -> None:
        self._rate.note(venue, self._clock.now_ns())
