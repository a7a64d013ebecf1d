"""What a run decided and heard, each with the newest record then: the clock that a run and its backtest share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from market.errors import Rejected
from market.orders.events import CancelRequested, Filled, OrderEvent
from market.orders.machine import advance
from market.orders.order import Fill, Order, OrderIntent, new_order
from market.orders.reports import Balances
from market.protocols import Clock
from market.wire.records import Words
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.recovered import Recovered


class WatchedClock:
    """A clock that remembers the newest record that the loop has gone to.

    Parameters
    ----------
    receipts: int64[n], receive times of all records; the loop goes to each before it looks at it.

    Members
    -------
    record_ns: receive time of that record, 0 before the first. looked_ns: when each record had been
    looked at. said_ns: the last time that was asked for.
    """

    def __init__(self, clock: Clock, receipts: Words) -> None:
        self._clock = clock
        self._receipts = frozenset(receipts.tolist())
        self.record_ns = 0
        self.said_ns = 0
        self._is_looking = False
        self.looked_ns: dict[int, int] = {}

    def now_ns(self) -> int:
        """The time."""
        self.said_ns = self._clock.now_ns()
        if self._is_looking:
            self.looked_ns[self.record_ns] = self.said_ns
        return self.said_ns

    def wait_until(self, time_ns: int) -> int:
        """Wait as the clock does."""
        reached_ns = self._clock.wait_until(time_ns)
        self._is_looking = time_ns in self._receipts
        if self._is_looking:
            self.record_ns = time_ns
            self.looked_ns[time_ns] = reached_ns
        return reached_ns


class LateClock:
    """A clock of events that comes to each record as late as another run did.

    Parameters
    ----------
    looked_ns: see ``WatchedClock``.
    """

    def __init__(self, clock: Clock, looked_ns: Mapping[int, int]) -> None:
        self._clock = clock
        self._looked_ns = looked_ns

    def now_ns(self) -> int:
        """The time."""
        return self._clock.now_ns()

    def wait_until(self, time_ns: int) -> int:
        """Go to a time, or to when a record of that time was looked at."""
        return self._clock.wait_until(max(time_ns, self._looked_ns.get(time_ns, 0)))


@dataclass(frozen=True)
class Line:
    """One event of an order.

    Parameters
    ----------
    place: in the order of the run. record_ns: receive time of the newest record then. is_last: whether the run was
        ending.
    """

    place: int
    record_ns: int
    event: OrderEvent
    is_last: bool = False


@dataclass(frozen=True)
class Told:
    """One order of a run.

    Parameters
    ----------
    order: as it was at the end. place, record_ns: of the decision, as in ``Line``. lines: what happened to it.
    before: as it was when this run took it over from an earlier one; None: this run decided it.
    """

    order: Order
    place: int
    record_ns: int
    lines: Sequence[Line]
    before: Order | None = None

    @property
    def is_taken_over(self) -> bool:
        """Whether an earlier run decided it."""
        return self.before is not None

    @property
    def intent(self) -> OrderIntent:
        """What was wanted."""
        return self.order.intent

    @property
    def fills(self) -> Sequence[Fill]:
        """All fills, in the order in which they were heard."""
        return self.order.fills

    @property
    def was_sent(self) -> bool:
        """Whether it left the run."""
        return self.order.sent_ns > 0

    @property
    def cancel(self) -> Line | None:
        """When its cancellation was first asked for."""
        return next((line for line in self.lines if isinstance(line.event, CancelRequested)), None)


@dataclass(frozen=True)
class Story:
    """Everything that a run decided and heard.

    Parameters
    ----------
    orders: in the order of decision; those taken over first. began_ns: records from before this made books alone; 0:
    there were none. ended_ns: of the newest record at the end. looked_ns: when each record was looked at. balances: the
    first of each venue.
    """

    orders: Sequence[Told]
    began_ns: int
    ended_ns: int
    looked_ns: Mapping[int, int]
    balances: Mapping[int, Balances]

    @property
    def fills(self) -> int:
        """How many fills there were."""
        return sum(len(told.fills) for told in self.orders)


@dataclass
class _Order:
    place: int
    record_ns: int
    lines: list[Line] = field(default_factory=list)


class StoryJournal(MemoryJournal):
    """A journal that tells a run's story; watch the run's clock with ``watched``.

    Parameters
    ----------
    receipts: see ``WatchedClock``. before: orders that the run takes over.
    """

    def __init__(self, receipts: Words, before: Sequence[Order] = ()) -> None:
        super().__init__()
        self.is_ending: Callable[[], bool] = lambda: False
        self._receipts = receipts
        self._clock: WatchedClock | None = None
        self._before = {order.client_order_id: order for order in before}
        self._told: dict[str, _Order] = {name: _Order(-1, 0) for name in self._before}
        self._place = 0
        self._began_ns = 0

    def watched(self, clock: Clock) -> Clock:
        """The run's clock, looked at."""
        self._clock = WatchedClock(clock, self._receipts)
        return self._clock

    def take_over(self, orders: Sequence[Order]) -> None:
        """Know orders of earlier runs; before the run begins."""
        self._before.update((order.client_order_id, order) for order in orders)
        self._told.update((order.client_order_id, _Order(-1, 0)) for order in orders)

    def decisions(self, payloads: Sequence[bytes]) -> None:
        """The first payloads are the answers of the fast loop that is armed: the run begins."""
        if not self.payloads and self._clock is not None and any(map(_is_asked_about, self._before.values())):
            self._began_ns = self._clock.said_ns
        super().decisions(payloads)

    def intent(self, intent: OrderIntent) -> None:
        """Keep an intent."""
        super().intent(intent)
        self._place += 1
        self._told[intent.client_order_id] = _Order(self._place, self._record_ns)

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Keep an order event."""
        super().event(client_order_id, event)
        self._place += 1
        line = Line(self._place, self._record_ns, event, self.is_ending())
        self._told[client_order_id].lines.append(line)

    @property
    def _record_ns(self) -> int:
        return 0 if self._clock is None else self._clock.record_ns

    def story(self) -> Story:
        """What the run has told so far."""
        wanted = {intent.client_order_id: new_order(intent) for intent in self.intents}
        orders = [
            Told(
                _ended({**self._before, **wanted}[name], told.lines),
                told.place,
                told.record_ns,
                tuple(told.lines),
                None if name in wanted else self._before[name],
            )
            for name, told in self._told.items()
        ]
        balances: dict[int, Balances] = {}
        for report in self.reports:
            if isinstance(report, Balances):
                balances.setdefault(report.venue, report)
        looked_ns = {} if self._clock is None else self._clock.looked_ns
        return Story(sorted(orders, key=lambda told: told.place), self._began_ns, self._record_ns, looked_ns, balances)


def _is_asked_about(order: Order) -> bool:
    return bool(Recovered(orders=(order,)).to_ask)


def _ended(order: Order, lines: Sequence[Line]) -> Order:
    for line in lines:
        try:
            order = advance(order, line.event)
        except Rejected as contradiction:
            raise Rejected(
                f"the tape tells {order.client_order_id} otherwise than the run: {contradiction}"
            ) from contradiction
    return order


def new_fills(told: Told) -> Sequence[Fill]:
    """The fills of an order that this run heard of; those before it was taken over are of another one."""
    known = {line.event.fill.fill_id for line in told.lines if isinstance(line.event, Filled)}
    return [fill for fill in told.fills if fill.fill_id in known]


def newest_before(receipts: Words, time_ns: int) -> int:
    """Receive time of the newest record at a time, 0 before the first."""
    place = int(np.searchsorted(receipts, time_ns, side="right")) - 1
    return 0 if place < 0 else int(receipts[place])
