"""An orderly end: no new orders, those that work are cancelled, then the run stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from market.errors import Rejected
from market.orders.kinds import OrderState
from market.orders.order import OrderIntent
from market.protocols import MarketView
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_LOOK_NS: Final = 50_000_000
_PATIENCE_NS: Final = 5_000_000_000


class Ending:
    """Ends a run when it is asked to, from any thread, or when its time is over.

    Parameters
    ----------
    lasts_ns: how long the run lasts from its start; None for no such time.
    cancels: whether working orders are cancelled first; it waits for that for 5 s.

    Attributes
    ----------
    reason: why the run ends, empty while it goes on. heard: what somebody asked for, of whom the run does not know.
    """

    def __init__(self, lasts_ns: int | None = None, *, cancels: bool = True) -> None:
        self.reason = ""
        self.heard: Callable[[], str] = lambda: self._asked
        self._asked = ""
        self._lasts_ns = lasts_ns
        self._until_ns: int | None = None
        self._cancels = cancels
        self._began_ns: int | None = None

    def ask(self, reason: str) -> None:
        """Let the run end, soon."""
        self._asked = self._asked or reason

    @property
    def task(self) -> PeriodicTask:
        """The look at whether the run ends."""
        return PeriodicTask("ending", _LOOK_NS, self._look)

    def check(self, intent: OrderIntent, view: MarketView) -> None:
        """A ``PreTradeCheck``: raises Rejected for any new order once the run ends."""
        if self.reason:
            raise Rejected(f"order {intent.client_order_id}: the run ends, {self.reason}")

    def _look(self, run: RunAccess, now_ns: int) -> None:
        if self._lasts_ns is not None and self._until_ns is None:
            self._until_ns = now_ns + self._lasts_ns
        if self._until_ns is not None and now_ns >= self._until_ns:
            self.reason = self.reason or "its time is over"
        self.reason = self.reason or self.heard()
        if not self.reason:
            return
        if self._began_ns is None:
            self._began_ns = now_ns
        working = run.working_orders if self._cancels else ()
        if not working or now_ns - self._began_ns > _PATIENCE_NS:
            run.stop()
        for order in working:
            if order.state is not OrderState.CANCEL_REQUESTED:
                run.cancel(order.client_order_id)
