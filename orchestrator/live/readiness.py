"""No order before every venue has said what is held there: a pair of legs goes out whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable

from market.errors import Rejected
from market.orders.order import OrderIntent
from market.orders.reports import Balances, OpenOrders
from market.protocols import MarketView
from orchestrator.run_loop.access import RunAccess


class Readiness:
    """Waits for the first report of balances of each venue.

    Parameters
    ----------
    venues: numbers of those that orders may go to.
    """

    def __init__(self, venues: Iterable[int]) -> None:
        self._missing = set(venues)

    @property
    def is_ready(self) -> bool:
        """Whether every venue has reported."""
        return not self._missing

    def listen(self, run: RunAccess, report: OpenOrders | Balances) -> None:
        """A ``ReportListener``."""
        if isinstance(report, Balances):
            self._missing.discard(report.venue)

    def check(self, intent: OrderIntent, view: MarketView) -> None:
        """A ``PreTradeCheck``: raises Rejected while a venue has not reported, whichever the order is for."""
        if self._missing:
            waits = ", ".join(map(str, sorted(self._missing)))
            raise Rejected(f"order {intent.client_order_id}: the balances of venues {waits} are not known yet")
