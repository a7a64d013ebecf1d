"""No order before every venue has said what is held there: a pair of legs goes out whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from market.errors import Rejected, Retry
from market.orders.order import OrderIntent
from market.orders.reports import AccountReport, Balances
from market.protocols import Gateway, MarketView
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_ASK_EVERY_NS: Final = 1_000_000_000


class Readiness:
    """Waits for the first report of balances of each venue, and asks again while it does not come.

    Parameters
    ----------
    venues: numbers of those that orders may go to. gateway: what is asked.
    """

    def __init__(self, venues: Iterable[int], gateway: Gateway) -> None:
        self._missing = set(venues)
        self._gateway = gateway

    @property
    def is_ready(self) -> bool:
        """Whether every venue has reported."""
        return not self._missing

    @property
    def task(self) -> PeriodicTask:
        """Asks the venues that have not reported: an answer may have been lost."""
        return PeriodicTask("readiness", _ASK_EVERY_NS, self._ask)

    def _ask(self, run: RunAccess, now_ns: int) -> None:
        for venue in sorted(self._missing):
            try:
                self._gateway.request_balances(venue)
            except Retry:
                continue  # asked again at the next look

    def listen(self, run: RunAccess, report: AccountReport) -> None:
        """A ``ReportListener``."""
        if isinstance(report, Balances):
            self._missing.discard(report.venue)

    def check(self, intent: OrderIntent, view: MarketView) -> None:
        """A ``PreTradeCheck``: raises Rejected while a venue has not reported, whichever the order is for."""
        if self._missing:
            waits = ", ".join(map(str, sorted(self._missing)))
            raise Rejected(f"order {intent.client_order_id}: the balances of venues {waits} are not known yet")
