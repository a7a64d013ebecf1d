"""A session's records as changes of the database's tables."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import sqlalchemy as sa

from market.fastpath.layout import TEMPLATE_TRIGGER
from market.orders.cause import Origin
from market.orders.kinds import Side
from market.orders.order import Order, OrderIntent
from orchestrator.run_loop.fast_loop import decode_trigger
from orchestrator.run_loop.recovered import Owned
from orchestrator.storage.journal_format import UnreadableJournal
from orchestrator.storage.matching import Book, ClosedTrade, Lot, ProfitTracker, Result
from orchestrator.storage.records import (
    Audited,
    CandleClosed,
    ComponentSaved,
    DecisionsWritten,
    EventWritten,
    IntentWritten,
    JournalRecord,
    OrderRecalled,
    OrdersForgotten,
    Outcome,
    SessionEnded,
    SessionStarted,
    StateChanged,
    TakenOver,
)
from orchestrator.storage.replayed import ReplayedSession
from orchestrator.storage.repositories.observations import Observations
from orchestrator.storage.repositories.orders import Orders
from orchestrator.storage.repositories.positions import Positions
from orchestrator.storage.repositories.sessions import Session, Sessions
from orchestrator.storage.repositories.trades import Trades
from orchestrator.storage.schema import SessionState

_STATES: Final = {
    Outcome.FINISHED: SessionState.FINISHED,
    Outcome.INTERRUPTED: SessionState.INTERRUPTED,
    Outcome.FAILED: SessionState.FAILED,
}
_TEMPLATE: Final = slice(2, 4)
_TRIGGERS_KEPT: Final = 1_000
"""Orders answer a trigger at once, so that its reason is not needed for long."""


@dataclass
class _Changes:
    """What the next transaction writes."""

    orders: dict[str, None] = field(default_factory=dict)
    filled: dict[str, None] = field(default_factory=dict)
    positions: set[Owned] = field(default_factory=set)
    books: set[Book] = field(default_factory=set)
    trades: list[ClosedTrade] = field(default_factory=list)
    snapshots: dict[int, ComponentSaved] = field(default_factory=dict)
    states: dict[int, StateChanged] = field(default_factory=dict)
    audits: dict[int, Audited] = field(default_factory=dict)
    candles: list[CandleClosed] = field(default_factory=list)
    forgotten: dict[str, None] = field(default_factory=dict)
    begins: bool = False


class Projection:
    """One session on its way from the journal into the database.

    Parameters
    ----------
    lots: what is open when the session begins, from the database.
    restates: whether the database lacks what came before this session, so that the positions that it takes over are
        all that is known of it.
    """

    def __init__(self, lots: Mapping[Book, Sequence[Lot]], *, restates: bool) -> None:
        self._replayed = ReplayedSession()
        self._tracker = ProfitTracker()
        self._tracker.restore(lots)
        self._restates = restates
        self._results: dict[Book, Result] = {}
        self._why: dict[str, str] = {}
        self._triggers: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._session: Session | None = None
        self._orders = self._fills = 0
        self._changes = _Changes()

    @property
    def session(self) -> Session:
        """The session as far as it was read; raises UnreadableJournal before its first record."""
        if self._session is None:
            raise UnreadableJournal("the journal does not begin with the start of a session")
        return self._session

    @property
    def is_ended(self) -> bool:
        """Whether its last record was read."""
        return self._replayed.ended is not None

    @property
    def is_crashed(self) -> bool:
        """Whether it was found to have no end."""
        return self.session.state is SessionState.CRASHED

    def resume(self, session: Session, results: Mapping[Book, Result]) -> None:
        """Go on after records that the database holds already, which ``follow`` has taken."""
        self._session = session
        self._orders, self._fills = session.orders, session.fills
        self._results = dict(results)

    def follow(self, record: JournalRecord) -> None:
        """Take a record whose effect the database holds already."""
        self._replayed.take(record)
        self._remember(record)
        if isinstance(record, OrdersForgotten):
            self._forget(order.client_order_id for order in record.orders)
        if isinstance(record, SessionStarted):
            self._session = _session(record)

    def take(self, record: JournalRecord, place: int) -> None:
        """Take the next record; ``place`` is its end in the journal."""
        if isinstance(record, EventWritten):
            self._take_event(record)
        elif isinstance(record, OrdersForgotten):
            # Not before they are written: what happened to them may be of this very batch.
            self._changes.forgotten |= dict.fromkeys(order.client_order_id for order in record.orders)
        else:
            self._replayed.take(record)
            self._remember(record)
        if isinstance(record, IntentWritten):
            self._changes.orders[record.intent.client_order_id] = None
            self._orders += 1
        elif isinstance(record, SessionStarted):
            self._session = _session(record)
            self._changes.begins = True
        elif isinstance(record, TakenOver):
            self._take_over(record)
        elif isinstance(record, SessionEnded):
            state = _STATES[record.outcome]
            self._session = replace(self.session, state=state, ended_ns=record.time_ns, reason=record.reason)
        elif isinstance(record, ComponentSaved):
            self._changes.snapshots[place] = record
        elif isinstance(record, StateChanged):
            self._changes.states[place] = record
        elif isinstance(record, Audited):
            self._changes.audits[place] = record
        elif isinstance(record, CandleClosed):
            self._changes.candles.append(record)

    def crash(self) -> None:
        """Another session follows, and this one has no end."""
        latest_ns = max(self._replayed.latest_ns, self.session.started_ns)
        reason = "the process ended without writing it down"
        self._session = replace(self.session, state=SessionState.CRASHED, ended_ns=latest_ns, reason=reason)

    def write(self, connection: sa.Connection, journal_bytes: int) -> None:
        """Write what has changed, and how far the journal is read; to be called again if the transaction fails."""
        changes, epoch, ledger = self._changes, self.session.epoch, self._replayed.ledger
        sessions, orders = Sessions(connection), Orders(connection)
        sessions.put(replace(self.session, orders=self._orders, fills=self._fills, journal_bytes=journal_bytes))
        if changes.begins:
            sessions.put_markets(epoch, self._replayed.markets)
        orders.put([self._order(name) for name in changes.orders], epoch, self._why)
        orders.put_fills([self._order(name) for name in changes.filled], epoch)
        held = {(owner, key): ledger.position(key, owner) for owner, key in changes.positions}
        Positions(connection).put(held, epoch)
        trades = Trades(connection)
        trades.add(changes.trades)
        trades.put_lots({book: self._tracker.lots(book) for book in changes.books})
        trades.put_results({book: self._results.get(book, Result()) for book in changes.books}, epoch)
        observations = Observations(connection)
        observations.put_snapshots(changes.snapshots, epoch)
        observations.put_changes(changes.states, epoch)
        observations.put_audits(changes.audits, epoch)
        observations.put_candles(changes.candles, epoch)

    def written(self) -> None:
        """The transaction is done."""
        self._forget(self._changes.forgotten)
        self._changes = _Changes()

    def _forget(self, names: Iterable[str]) -> None:
        names = tuple(names)
        self._replayed.ledger.discard(names)
        for name in names:
            self._why.pop(name, None)

    def _take_event(self, record: EventWritten) -> None:
        name = record.client_order_id
        before = self._replayed.ledger.order(name)
        self._replayed.take(record)
        after = self._order(name)
        self._changes.orders[name] = None
        known = 0 if before is None else len(before.fills)
        if len(after.fills) == known:
            return
        intent = after.intent
        book = (intent.cause.strategy, intent.instrument)
        result = self._results.setdefault(book, Result())
        for fill in after.fills[known:]:
            parts = self._tracker.book(after, fill, self.session.epoch, self._reason(after))
            result.realised += sum(part.gross for part in parts)
            result.fees += fill.fee
            self._changes.trades += parts
        self._changes.filled[name] = None
        self._changes.books.add(book)
        key = (intent.instrument, intent.venue)
        self._changes.positions |= {(None, key), (intent.cause.strategy, key)}
        self._fills += len(after.fills) - known

    def _take_over(self, record: TakenOver) -> None:
        for order in record.orders:
            self._changes.orders[order.client_order_id] = None
            if order.fills:
                self._changes.filled[order.client_order_id] = None
        for held in record.positions:
            self._changes.positions.add((held.strategy, (held.instrument, held.venue)))
        if self._restates:
            self._tracker.restore(carried_lots(record, self.session.started_ns))
            self._changes.books |= set(self._tracker.books)

    def _remember(self, record: JournalRecord) -> None:
        """Keep what reasons are made of."""
        if isinstance(record, DecisionsWritten):
            for payload in record.payloads:
                if int.from_bytes(payload[_TEMPLATE], "little") == TEMPLATE_TRIGGER:
                    trigger = decode_trigger(payload)
                    text = f"trigger {trigger.id}, {trigger.kind.name.lower()}, edge {trigger.edge}"
                    self._triggers[trigger.epoch, trigger.id] = text
            while len(self._triggers) > _TRIGGERS_KEPT:
                self._triggers.popitem(last=False)
        elif isinstance(record, IntentWritten):
            self._remember_why(record.intent)
        elif isinstance(record, OrderRecalled):
            self._changes.forgotten.pop(record.order.client_order_id, None)
            if record.order.client_order_id not in self._why:
                self._remember_why(record.order.intent)

    def _remember_why(self, intent: OrderIntent) -> None:
        why, cause = intent.why, intent.cause
        if not why and cause.origin is Origin.TRIGGER:
            why = self._triggers.get((cause.epoch, cause.number), f"trigger {cause.number}")
        if why:
            self._why[intent.client_order_id] = why

    def _order(self, name: str) -> Order:
        found = self._replayed.ledger.order(name)
        if found is None:
            raise UnreadableJournal(f"order {name} was changed before it was written down")
        return found

    def _reason(self, order: Order) -> str:
        return self._why.get(order.client_order_id, order.intent.why)


def carried_lots(record: TakenOver, time_ns: int) -> Mapping[Book, list[Lot]]:
    """Positions as lots, at their average costs: all that is known of them when earlier journals are lost."""
    lots: dict[Book, list[Lot]] = {}
    for held in record.positions:
        if held.strategy is None or not held.quantity:
            continue
        side = Side.BUY if held.quantity > 0 else Side.SELL
        lot = Lot(
            entry_order="",
            venue=held.venue,
            side=side,
            quantity=abs(held.quantity),
            notional=abs(held.cost),
            fee=0,
            opened_ns=time_ns,
            reason="held before",
        )
        lots.setdefault((held.strategy, held.instrument), []).append(lot)
    return lots


def _session(record: SessionStarted) -> Session:
    return Session(
        epoch=record.epoch,
        number=record.session,
        mode=record.mode,
        state=SessionState.RUNNING,
        started_ns=record.time_ns,
        recovers=record.crashed,
    )
