"""Pairs of orders at a venue that is given single ones: one is cancelled when something becomes of the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from market.errors import Rejected, Retry
from market.orders.order import Order
from market.orders.pairs import OcoPairs, check_pair
from market.orders.reports import OrderUpdate


class EmulatedPairs:
    """The pairs of one gateway.

    Parameters
    ----------
    submit, cancel: of the gateway. refuse: reports that an order was not sent, and why.
    """

    def __init__(
        self,
        submit: Callable[[Order], None],
        cancel: Callable[[Order], None],
        refuse: Callable[[Order, str], None],
    ) -> None:
        self._submit = submit
        self._cancel = cancel
        self._refuse = refuse
        self._pairs = OcoPairs()

    def submit(self, limit: Order, stop: Order) -> None:
        """Send both; raises Rejected and Retry when the first was not sent."""
        check_pair(limit.intent, stop.intent)
        self._pairs.add(limit, stop)
        try:
            self._submit(limit)
        except (Rejected, Retry):
            self._pairs.forget(limit)
            raise
        try:
            self._submit(stop)
        except (Rejected, Retry) as refusal:
            self._refuse(stop, str(refusal))

    def heard(self, update: OrderUpdate) -> None:
        """Something became of an order; a cancellation that cannot be asked for now is left to the run's own look."""
        partner = self._pairs.to_cancel(update)
        if partner is not None:
            with contextlib.suppress(Retry):
                self._cancel(partner)
