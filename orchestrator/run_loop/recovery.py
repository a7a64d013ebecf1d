"""The start of a run that follows another one: nothing is traded before every open question is answered."""

from __future__ import annotations

from collections.abc import Sequence

from market.errors import Fatal
from market.orders.order import Order
from market.protocols import FOREVER
from orchestrator.run_loop.desk import Desk
from orchestrator.run_loop.recovered import Recovered

REASON = "the run that placed it has ended"


class Recovery:
    """Asks about the orders that were taken over, and knows when all answers are in.

    Parameters
    ----------
    timeout_ns: from the first question to the last answer.
    again_every_ns: after which questions are asked again that could not be asked or were answered by not knowing.
    """

    def __init__(self, recovered: Recovered, desk: Desk, *, timeout_ns: int, again_every_ns: int) -> None:
        self._orders: Sequence[Order] = recovered.to_ask
        self._desk = desk
        self._timeout_ns = timeout_ns
        self._again_every_ns = again_every_ns
        self._deadline_ns = FOREVER
        self._again_ns = FOREVER

    @property
    def is_over(self) -> bool:
        """Whether every question was answered."""
        return not self._desk.questions.awaited

    @property
    def next_ns(self) -> int:
        """When ``check`` has to be called again."""
        return FOREVER if self.is_over else min(self._deadline_ns, self._again_ns)

    def ask(self, now_ns: int) -> None:
        """Make every order that has not ended UNKNOWN, and ask about it and those that ended a short while ago."""
        self._deadline_ns = now_ns + self._timeout_ns
        self._again_ns = now_ns + self._again_every_ns
        for order in self._orders:
            self._desk.questions.wait_for(order)
        for order in self._orders:
            self._desk.doubt(order.client_order_id, REASON)

    def check(self, now_ns: int) -> None:
        """Ask again what is due; raises Fatal with the list of orders when the time is over."""
        if self.is_over:
            return
        if now_ns >= self._deadline_ns:
            open_orders = ", ".join(self._desk.questions.awaited)
            raise Fatal(
                f"after {self._timeout_ns / 1e9:g} s it was still unknown what became of {open_orders}; expected an "
                "answer of the venue to each: look there whether they work or were filled, then start again"
            )
        if now_ns >= self._again_ns:
            self._again_ns = now_ns + self._again_every_ns
            self._desk.questions.ask_again()
