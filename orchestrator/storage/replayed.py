"""The state that a journal's records leave: what the next session takes over."""

from __future__ import annotations

from collections.abc import Iterable

from market.errors import Rejected
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderState
from market.orders.order import Order
from market.risk.position import Position
from orchestrator.run_loop.ledger import Ledger
from orchestrator.run_loop.recovered import Owned, Recovered
from orchestrator.storage.journal_format import UnreadableJournal
from orchestrator.storage.records import (
    Audited,
    CandleClosed,
    ComponentSaved,
    EventWritten,
    HeldPosition,
    IntentWritten,
    JournalRecord,
    Market,
    OrderRecalled,
    OrdersForgotten,
    SessionEnded,
    SessionStarted,
    StateChanged,
    TakenOver,
)

_MAY_BE_FILLED_LATE = frozenset({OrderState.CANCELLED, OrderState.EXPIRED})


class ReplayedSession:
    """A session as its records tell it, one after the other; pure, so that it is the same after every crash.

    Members
    -------
    started, ended: the records themselves. latest_ns: the latest time that any record names.
    ledger: positions, and the orders that the run held in memory.
    """

    def __init__(self) -> None:
        self.started: SessionStarted | None = None
        self.ended: SessionEnded | None = None
        self.latest_ns = 0
        self.ledger = Ledger()
        self._epoch = 0
        self._decisions: dict[str, int] = {}
        self._components: dict[str, bytes] = {}

    @property
    def markets(self) -> tuple[Market, ...]:
        """What its numbers of instruments and venues mean."""
        return () if self.started is None else self.started.markets

    def take_all(self, records: Iterable[JournalRecord]) -> None:
        """Take records in turn; raises UnreadableJournal as ``take``."""
        for record in records:
            self.take(record)

    def take(self, record: JournalRecord) -> None:
        """Take the next record; raises UnreadableJournal for one that cannot follow those before it."""
        try:
            self._take(record)
        except Rejected as refusal:
            raise UnreadableJournal(
                f"the journal holds a record that cannot follow those before it: {refusal}; expected what a run wrote"
            ) from refusal

    def recovered(self, late_fills_ns: int) -> Recovered:
        """What the next session takes over.

        Parameters
        ----------
        late_fills_ns: orders that ended within so long before the last record are taken over as well.
        """
        since_ns = self.latest_ns - late_fills_ns
        positions: dict[Owned, Position] = {(None, key): held for key, held in self.ledger.positions.items()}
        positions |= {(tag, key): held for (tag, key), held in self.ledger.positions_by_strategy.items()}
        return Recovered(
            orders=tuple(order for order in self.ledger.orders if _is_open(order, since_ns)),
            positions=positions,
            epoch=self._epoch,
            decisions=dict(self._decisions),
            components=dict(self._components),
        )

    def _take(self, record: JournalRecord) -> None:
        if isinstance(record, IntentWritten):
            self.ledger.add(record.intent)
            self._note_cause(record.intent.cause)
            self._note_time(record.intent.decided_ns)
        elif isinstance(record, EventWritten):
            self.ledger.apply(record.client_order_id, record.event)
            self._note_time(record.event.time_ns)
        elif isinstance(record, OrdersForgotten):
            self.ledger.discard(order.client_order_id for order in record.orders)
        elif isinstance(record, OrderRecalled):
            self.ledger.restore([record.order], {})
        elif isinstance(record, SessionStarted):
            self.started = record
            self._epoch = max(self._epoch, record.epoch)
            self._note_time(record.time_ns)
        elif isinstance(record, TakenOver):
            self._take_over(record)
        elif isinstance(record, ComponentSaved):
            self._components[record.component] = record.body
            self._note_time(record.time_ns)
        elif isinstance(record, SessionEnded):
            self.ended = record
            self._note_time(record.time_ns)
        elif isinstance(record, StateChanged | Audited):
            self._note_time(record.time_ns)
        elif isinstance(record, CandleClosed):
            self._note_time(record.start_ns + record.duration_ns)

    def _take_over(self, record: TakenOver) -> None:
        positions = {(held.strategy, (held.instrument, held.venue)): _position(held) for held in record.positions}
        self.ledger.restore(record.orders, positions)
        self._epoch = max(self._epoch, record.epoch)
        self._decisions = {}
        self._components = dict(record.components)

    def _note_cause(self, cause: Cause) -> None:
        if cause.epoch > self._epoch:
            self._epoch = cause.epoch
            self._decisions = {}
        if cause.origin is Origin.DECISION and cause.epoch == self._epoch:
            self._decisions[cause.strategy] = max(self._decisions.get(cause.strategy, 0), cause.number)

    def _note_time(self, time_ns: int) -> None:
        self.latest_ns = max(self.latest_ns, time_ns)


def taken_over(recovered: Recovered) -> TakenOver:
    """What a new journal begins with."""
    positions = sorted(recovered.positions.items(), key=lambda item: (item[0][0] or "", item[0][1]))
    return TakenOver(
        epoch=recovered.epoch,
        orders=recovered.orders,
        positions=tuple(
            HeldPosition(
                strategy=strategy,
                instrument=instrument,
                venue=venue,
                quantity=held.quantity,
                cost=held.cost,
                cash=held.cash,
                realised=held.realised,
                fees=held.fees,
            )
            for (strategy, (instrument, venue)), held in positions
        ),
        decisions=dict(recovered.decisions),
        components=dict(recovered.components),
    )


def _is_open(order: Order, since_ns: int) -> bool:
    return order.is_working or (order.state in _MAY_BE_FILLED_LATE and order.ended_ns >= since_ns)


def _position(held: HeldPosition) -> Position:
    return Position(quantity=held.quantity, cost=held.cost, cash=held.cash, realised=held.realised, fees=held.fees)
