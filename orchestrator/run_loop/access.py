"""What is done beside trading: at intervals, and when a venue's lists of orders and balances come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from market.errors import Fatal
from market.orders.order import Order
from market.orders.reports import AccountReport
from market.protocols import FOREVER, MarketKey, MarketView
from market.risk.position import Position
from orchestrator.run_loop.desk import Desk
from orchestrator.run_loop.fast_loop import FastLoop
from orchestrator.run_loop.ledger import Ledger


class RunAccess(Protocol):
    """A run, as periodic tasks and listeners see it; to be used in the loop's own thread."""

    @property
    def view(self) -> MarketView:
        """What strategies see, of all of them."""

    @property
    def orders(self) -> Sequence[Order]:
        """Orders of the run and those that it took over, oldest first; forgotten ones only ``view.order`` has."""

    @property
    def working_orders(self) -> Sequence[Order]:
        """The orders that have not ended, of all strategies, oldest first."""

    @property
    def positions(self) -> Mapping[MarketKey, Position]:
        """What is held, over all strategies."""

    @property
    def positions_by_strategy(self) -> Mapping[tuple[str, MarketKey], Position]:
        """What each strategy holds."""

    def doubt(self, client_order_id: str, reason: str) -> None:
        """Make an order's outcome unknown, so that the venue is asked; one that is so or has ended is only asked about.

        Raises Rejected for an order that is not of this run.
        """

    def cancel(self, client_order_id: str) -> None:
        """Ask for the cancellation of any strategy's order, as it would itself; raises Rejected for an unknown one."""

    def state_row(self, name: str, row: Mapping[str, Any]) -> None:
        """State a table row of the fast loop anew, by the name of its message; see ``orchestrator.engine.tables``."""

    def stop(self) -> None:
        """End the run after the step that it is in."""


class LoopAccess:
    """The access to a run loop, over its parts."""

    def __init__(
        self, view: MarketView, ledger: Ledger, desk: Desk, fast_loop: FastLoop, stop: Callable[[], None]
    ) -> None:
        self._fast_loop = fast_loop
        self._view = view
        self._ledger = ledger
        self._desk = desk
        self._stop = stop

    @property
    def view(self) -> MarketView:
        """What strategies see, of all of them."""
        return self._view

    @property
    def orders(self) -> Sequence[Order]:
        """All orders that are remembered, oldest first."""
        return self._ledger.orders

    @property
    def working_orders(self) -> Sequence[Order]:
        """All orders that have not ended, oldest first."""
        return self._ledger.working()

    @property
    def positions(self) -> Mapping[MarketKey, Position]:
        """What is held, over all strategies."""
        return self._ledger.positions

    @property
    def positions_by_strategy(self) -> Mapping[tuple[str, MarketKey], Position]:
        """What each strategy holds."""
        return self._ledger.positions_by_strategy

    def doubt(self, client_order_id: str, reason: str) -> None:
        """Ask the venue about an order."""
        self._desk.doubt(client_order_id, reason)

    def cancel(self, client_order_id: str) -> None:
        """Ask for an order's cancellation."""
        self._desk.cancel_any(client_order_id)

    def state_row(self, name: str, row: Mapping[str, Any]) -> None:
        """State a table row anew."""
        self._fast_loop.state_row(name, row, self._view.now_ns)

    def stop(self) -> None:
        """End the run."""
        self._stop()


ReportListener: TypeAlias = Callable[[RunAccess, AccountReport], None]
"""Gets every list of orders, balances and positions, in the loop's thread, after the journal.

What it raises ends the run."""


@dataclass(frozen=True)
class PeriodicTask:
    """Something that a run does again and again, first when it starts.

    Parameters
    ----------
    name: for people.
    every_ns: from one call to the next; a call that comes late is not made up for.
    action: gets the run and the time; must not wait. What it raises ends the run.
    """

    name: str
    every_ns: int
    action: Callable[[RunAccess, int], None]

    def __post_init__(self) -> None:
        if self.every_ns < 1:
            raise Fatal(f"task {self.name} was to be done every {self.every_ns} ns; expected at least 1")


class Schedule:
    """Which periodic task is due next; those due at the same time in the order in which they were given."""

    def __init__(self, tasks: Sequence[PeriodicTask]) -> None:
        self._tasks = tuple(tasks)
        self._due_ns = [FOREVER] * len(self._tasks)

    def start(self, time_ns: int) -> None:
        """All tasks are due."""
        self._due_ns = [time_ns] * len(self._tasks)

    @property
    def next_ns(self) -> int:
        """When the next task is due, ``FOREVER`` when none will be."""
        return min(self._due_ns, default=FOREVER)

    def take(self, time_ns: int) -> PeriodicTask:
        """The task that is due first; its next time is counted from now."""
        index = self._due_ns.index(min(self._due_ns))
        task = self._tasks[index]
        self._due_ns[index] = time_ns + task.every_ns
        return task
