"""A run as its operator commands it: over its access, its risk supervisor, and a strategy for the operator's orders."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from market.errors import Rejected, Retry
from market.instruments import Catalogue
from market.orders.cause import Cause, Origin, parse_client_order_id
from market.orders.events import Refused, Sent
from market.orders.order import Order, OrderIntent
from market.protocols import Intent, MarketView, OrderChanged, Started, TimerFired, TimerIntent, WakeCause, Wakes
from orchestrator.bus.operator import RunReport
from orchestrator.bus.records import (
    NewOrder,
    OrderRecord,
    PositionRecord,
    find_listing,
    order_intent,
    order_record,
    plain,
    position_record,
)
from orchestrator.risk.commitments import Marks
from orchestrator.risk.equity import equity
from orchestrator.risk.limits import RiskLimits, capital_amount
from orchestrator.risk.supervisor import Supervisor
from orchestrator.run_loop.access import PeriodicTask, RunAccess

OPERATOR_TAG: Final = "operator"
_TIMER: Final = 1
_NS_PER_MS: Final = 1_000_000

Done = Callable[[OrderRecord], None]


class OperatorOrders:
    """The strategy that sends what the operator wants, and tells what became of it.

    Parameters
    ----------
    every_ms: how often it looks whether anything waits.
    """

    def __init__(self, catalogue: Catalogue, every_ms: int = 10) -> None:
        self._catalogue = catalogue
        self._every_ns = every_ms * _NS_PER_MS
        self._waiting: deque[OrderIntent] = deque()
        self._told: dict[str, Done] = {}
        self._number = 0

    @property
    def tag(self) -> str:
        """Of the operator's orders."""
        return OPERATOR_TAG

    @property
    def wakes(self) -> Wakes:
        """Its own timer and orders alone."""
        return Wakes()

    def add(self, order: NewOrder, view: MarketView, done: Done) -> None:
        """Have an order sent at the next look; raises Rejected for one that makes no sense."""
        listing = find_listing(self._catalogue, order.symbol, order.venue)
        cause = self._cause(order.client_order_id, view.epoch)
        known = view.order(cause.client_order_id)
        if known is not None:
            done(order_record(known, listing))
            return
        if cause.client_order_id in self._told:
            raise Rejected(f"order {cause.client_order_id} is on its way already; expected another id")
        intent = order_intent(order, cause, listing, view.now_ns)
        self._number = max(self._number, cause.number)
        self._told[intent.client_order_id] = done
        self._waiting.append(intent)

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        """The orders that wait."""
        if isinstance(cause, OrderChanged):
            self._tell(cause)
        if isinstance(cause, Started | TimerFired):
            yield TimerIntent(at_ns=view.now_ns + self._every_ns, number=_TIMER)
            while self._waiting:
                yield self._waiting.popleft()

    def _tell(self, change: OrderChanged) -> None:
        if isinstance(change.event, Sent | Refused):
            done = self._told.pop(change.order.client_order_id, None)
            if done is not None:
                intent = change.order.intent
                done(order_record(change.order, self._catalogue.listing(intent.instrument, intent.venue)))

    def _cause(self, client_order_id: str, epoch: int) -> Cause:
        """What an order is for: the next number, or what its id says."""
        if not client_order_id:
            return Cause(strategy=OPERATOR_TAG, origin=Origin.DECISION, epoch=epoch, number=self._number + 1)
        cause = parse_client_order_id(client_order_id)
        if (cause.strategy, cause.origin) != (OPERATOR_TAG, Origin.DECISION):
            raise Rejected(
                f"client order id was {client_order_id!r}; expected none, or one that begins with {OPERATOR_TAG}-d"
            )
        return cause


class RunOperator:
    """An ``Operator`` over a run; ``task`` gives it the run, before which everything is refused with Retry.

    Parameters
    ----------
    mode: of the run, for people. orders: among the strategies of the run.
    snapshot: publishes a market's book; reload: takes over settings that were read anew; None where that cannot be.
    details: further counters for the report.
    """

    def __init__(
        self,
        *,
        mode: str,
        catalogue: Catalogue,
        limits: RiskLimits,
        supervisor: Supervisor,
        orders: OperatorOrders,
        snapshot: Callable[[tuple[int, int], MarketView], None] | None = None,
        reload: Callable[[RunAccess, int], str] | None = None,
        details: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self._mode = mode
        self._catalogue = catalogue
        self._limits = limits
        self._supervisor = supervisor
        self._orders = orders
        self._snapshot = snapshot
        self._reload = reload
        self._details = details
        self._marks = Marks()
        self._started_ns = 0
        self._run: RunAccess | None = None

    def begin(self, run: RunAccess, now_ns: int) -> None:
        """The run has started."""
        if self._run is None:
            self._run, self._started_ns = run, now_ns

    @property
    def task(self) -> PeriodicTask:
        """Gives this operator the run; to be listed before the task that takes commands."""
        return PeriodicTask("operator", _NS_PER_MS * 1_000, self.begin)

    def report(self) -> RunReport:
        """How the run is."""
        run, guard = self._started(), self._supervisor.guard
        reasons = [f"{pause.reason}: {pause.detail}" for pause in guard.pauses.values()]
        if guard.halted is not None:
            reasons.insert(0, f"halted: {guard.halted.detail}")
        return RunReport(
            mode=self._mode,
            epoch=run.view.epoch,
            started_ns=self._started_ns,
            state=guard.state.name.lower(),
            reasons=tuple(reasons),
            closing=self._supervisor.stage.name.lower(),
            working_orders=len(run.working_orders),
            open_positions=sum(position.quantity != 0 for position in run.positions.values()),
            equity=plain(capital_amount(equity(run.view, self._limits, self._marks))),
            details=dict(self._details()) if self._details is not None else {},
        )

    def working_orders(self, symbol: str | None) -> Sequence[OrderRecord]:
        """Orders that have not ended."""
        records = [self._record(order) for order in self._started().working_orders]
        return [record for record in records if symbol in (None, record.symbol)]

    def order(self, client_order_id: str) -> OrderRecord:
        """One order; raises Rejected for one that is not of this run."""
        found = self._started().view.order(client_order_id)
        if found is None:
            raise Rejected(f"order {client_order_id!r} was asked for; expected one of this run")
        return self._record(found)

    def positions(self) -> Sequence[PositionRecord]:
        """What is held."""
        run = self._started()
        return [
            position_record(position, self._catalogue.listing(*key), self._marks.mark(run.view, key))
            for key, position in run.positions.items()
            if position.quantity
        ]

    def place(self, order: NewOrder, done: Done) -> None:
        """Send an order."""
        self._orders.add(order, self._started().view, done)

    def cancel(self, client_order_id: str, symbol: str) -> None:
        """Ask for an order's cancellation; raises Rejected when the order is not of this run or of another symbol."""
        record = self.order(client_order_id)
        if symbol not in ("", record.symbol):
            raise Rejected(f"order {client_order_id} is of {record.symbol}; expected {symbol}, as was asked for")
        self._started().cancel(client_order_id)

    def publish_snapshot(self, symbol: str, venue: str) -> str:
        """Publish a book."""
        listing = find_listing(self._catalogue, symbol, venue)
        if self._snapshot is None:
            raise Rejected("books are not published by this run; switch its data channel on")
        self._snapshot((listing.instrument.number, listing.venue), self._started().view)
        return f"published {listing}"

    def pause(self, reason: str) -> str:
        """Take no new risk."""
        self._supervisor.pause(reason or "asked for by the operator", self._started().view.now_ns)
        return "paused"

    def halt(self, reason: str) -> str:
        """Send nothing more, cancel what works."""
        self._supervisor.halt(reason or "asked for by the operator", self._started().view.now_ns)
        return f"halted; cancelling {len(self._started().working_orders)} orders"

    def close_all(self, reason: str) -> str:
        """Halt, and close all positions."""
        run = self._started()
        self._supervisor.close_all(reason or "asked for by the operator", run.view.now_ns)
        held = sum(position.quantity != 0 for position in run.positions.values())
        return f"halted; cancelling {len(run.working_orders)} orders, then closing {held} positions"

    def resume(self) -> str:
        """Trade on; raises Rejected when nothing waits for a person."""
        self._supervisor.resume(self._started().view.now_ns)
        return f"trading is {self._supervisor.guard.state.name.lower()}"

    def reload_config(self) -> str:
        """Read settings anew."""
        if self._reload is None:
            raise Rejected("settings cannot be read anew in this run; start it again to change them")
        run = self._started()
        return self._reload(run, run.view.now_ns)

    def shut_down(self) -> str:
        """End the run."""
        self._started().stop()
        return "ending"

    def _record(self, order: Order) -> OrderRecord:
        return order_record(order, self._catalogue.listing(order.intent.instrument, order.intent.venue))

    def _started(self) -> RunAccess:
        if self._run is None:
            raise Retry("the run has not started yet; ask again when its first market data has come")
        return self._run
