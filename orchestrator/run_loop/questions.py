"""Questions to venues about orders whose outcome is not known."""

from __future__ import annotations

from collections.abc import Sequence

from market.errors import Retry
from market.orders.events import Filled, OutcomeUnknown
from market.orders.kinds import OrderState
from market.orders.order import Order
from market.orders.reports import OrderUpdate
from market.protocols import Gateway
from orchestrator.run_loop.ledger import Ledger
from orchestrator.run_loop.summary import RunCounts


class Questions:
    """Asks what became of orders, again until it is known."""

    def __init__(self, gateway: Gateway, ledger: Ledger, counts: RunCounts) -> None:
        self._gateway = gateway
        self._ledger = ledger
        self._counts = counts
        self._again: dict[str, None] = {}
        self._awaited: dict[str, None] = {}

    @property
    def awaited(self) -> Sequence[str]:
        """Orders whose answers the start of the run waits for, in the order in which they were asked about."""
        return tuple(self._awaited)

    def ask(self, order: Order) -> None:
        """Ask now; later, if that cannot be done now."""
        try:
            self._gateway.query(order)
        except Retry as refusal:
            self._counts.note(str(refusal))
            self._again[order.client_order_id] = None

    def ask_later(self, order: Order) -> None:
        """Ask with the next heartbeat: the last answer was that it is not known yet."""
        self._again[order.client_order_id] = None

    def ask_again(self) -> None:
        """Ask what could not be asked or was not answered, as far as it still has to be known."""
        waiting, self._again = self._again, {}
        for name in waiting:
            order = self._ledger.order(name)
            if order is not None and (order.state is OrderState.UNKNOWN or name in self._awaited):
                self.ask(order)

    def wait_for(self, order: Order) -> None:
        """Let the start of the run wait for an answer about an order."""
        self._awaited[order.client_order_id] = None

    def heard(self, update: OrderUpdate) -> None:
        """A venue said something of an order, which is booked; is that the answer that the start waits for?

        A fill alone does not tell what the order is now, unless it leaves nothing; nor does what contradicts the order.
        """
        name = update.client_order_id
        order = self._ledger.order(name)
        if order is None or name not in self._awaited:
            return
        if isinstance(update.event, OutcomeUnknown) or order.state is OrderState.UNKNOWN:
            self._again[name] = None
        elif not isinstance(update.event, Filled) or order.state is OrderState.FILLED:
            del self._awaited[name]
