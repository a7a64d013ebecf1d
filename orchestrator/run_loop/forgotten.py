"""Ended orders that a run does not hold in memory any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from market.errors import Rejected
from market.orders.cause import Cause, Origin, parse_client_order_id
from market.orders.kinds import OrderState
from market.orders.order import Order


class Archive(Protocol):
    """Where they are kept instead."""

    def forget(self, orders: Sequence[Order]) -> None:
        """Keep ended orders as they stand; durable when the call returns. From then on only ``recall`` has them."""

    def recall(self, client_order_id: str) -> Order | None:
        """An order that was forgotten, as it stood then, and a note that the run holds it again; None for any other."""


class ForgottenOrders:
    """Counts what is in an archive, and asks it for nothing that cannot be there.

    Members
    -------
    states: forgotten orders by state. fills: of all of them.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._newest: dict[tuple[str, Origin, int], int] = {}
        self.states: Counter[OrderState] = Counter()
        self.fills = 0

    def keep(self, orders: Sequence[Order]) -> None:
        """Hand ended orders to the archive."""
        self._archive.forget(orders)
        for order in orders:
            cause = order.intent.cause
            kind = (cause.strategy, cause.origin, cause.epoch)
            self._newest[kind] = max(self._newest.get(kind, 0), cause.number)
            self.states[order.state] += 1
            self.fills += len(order.fills)

    def may_hold(self, cause: Cause) -> bool:
        """Whether a decision so old was forgotten: numbers of causes grow, so that new orders are not looked for."""
        return cause.number <= self._newest.get((cause.strategy, cause.origin, cause.epoch), -1)

    def recall(self, client_order_id: str) -> Order | None:
        """Take an order back; None when it is not there."""
        try:
            cause = parse_client_order_id(client_order_id)
        except Rejected:
            return None
        order = self._archive.recall(client_order_id) if self.may_hold(cause) else None
        if order is not None:
            self.states[order.state] -= 1
            self.fills -= len(order.fills)
        return order
