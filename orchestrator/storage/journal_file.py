"""A session's journal while it is written."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from config.storage import Durability
from market.errors import Fatal
from market.orders.events import OrderEvent
from market.orders.order import Order, OrderIntent
from market.orders.reports import GatewayReport
from orchestrator.storage.journal_format import encode_frame, encode_header
from orchestrator.storage.journal_reader import JournalTail
from orchestrator.storage.order_index import OrderIndex
from orchestrator.storage.records import (
    Area,
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
    ReportWritten,
    SessionEnded,
    StateChanged,
)


class JournalFile:
    """A ``market.protocols.Journal`` and the run's archive in a file, and whatever else a session writes down.

    Each call is one ``write`` that is done when the call returns: what was written survives the death of the process.
    With ``Durability.FSYNC`` the file is opened so that a write returns when the disk has it, and survives power loss.
    For any thread. Every method raises Fatal when the disk did not take the record; nothing of it is kept then.

    Parameters
    ----------
    path: must not exist.
    """

    def __init__(self, path: Path, session: int, durability: Durability) -> None:
        self._path = path
        self._durability = durability
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        if durability is Durability.FSYNC:
            flags |= os.O_DSYNC
        self._descriptor = os.open(path, flags, 0o600)
        self._size = 0
        self._unsure_end = 0
        self._lock = threading.Lock()
        self._forgotten = OrderIndex()
        self._append(encode_header(session))

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return self._size

    def rename(self, path: Path) -> None:
        """Give the file its name; the folder's entry is as durable as what is written."""
        os.rename(self._path, path)
        self._path = path
        if self._durability is Durability.FSYNC:
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def intent(self, intent: OrderIntent) -> None:
        """An order that is about to be sent or refused."""
        self.write(IntentWritten(intent=intent))

    def event(self, client_order_id: str, event: OrderEvent) -> None:
        """Something that changed an order."""
        self.write(EventWritten(client_order_id=client_order_id, event=event))

    def forget(self, orders: Sequence[Order]) -> None:
        """Keep ended orders that the run does not hold in memory any more."""
        place = self._put(OrdersForgotten(orders=tuple(orders)))
        self._forgotten.add((order.client_order_id for order in orders), place)

    def recall(self, client_order_id: str) -> Order | None:
        """An order that was forgotten, as it stood then; the journal says that the run holds it again."""
        for place in self._forgotten.places(client_order_id):
            for order in self._forgotten_at(place):
                if order.client_order_id == client_order_id:
                    self.write(OrderRecalled(order=order))
                    return order
        return None

    def _forgotten_at(self, place: int) -> Sequence[Order]:
        tail = JournalTail(self._path, place)
        try:
            record = next(tail.read(1), None)
        finally:
            tail.close()
        if not isinstance(record, OrdersForgotten):
            raise Fatal(
                f"the journal {self._path} holds {type(record).__name__} at byte {place}; expected the orders that "
                "this run wrote there: something else changes the file"
            )
        return record.orders

    def report(self, report: GatewayReport) -> None:
        """A report that is not about an order of the run, or contradicts what is known of it."""
        self.write(ReportWritten(report=report))

    def decisions(self, payloads: Sequence[bytes]) -> None:
        """What the fast loop sent."""
        self.write(DecisionsWritten(payloads=tuple(payloads)))

    def save(self, component: str, time_ns: int, body: bytes) -> None:
        """State of a component, for the run that comes after a crash."""
        self.write(ComponentSaved(time_ns=time_ns, component=component, body=body))

    def changed(self, time_ns: int, area: Area, source: str, before: str, after: str, detail: str = "") -> None:
        """A detector, breaker or other part went from one state to another."""
        self.write(StateChanged(time_ns=time_ns, area=area, source=source, before=before, after=after, detail=detail))

    def audit(self, time_ns: int, actor: str, action: str, detail: str = "") -> None:
        """Somebody intervened."""
        self.write(Audited(time_ns=time_ns, actor=actor, action=action, detail=detail))

    def candle(self, candle: CandleClosed) -> None:
        """A candle was closed."""
        self.write(candle)

    def end(self, time_ns: int, outcome: Outcome, reason: str = "") -> None:
        """The session's end; a journal without one counts as that of a crash."""
        self.write(SessionEnded(time_ns=time_ns, outcome=outcome, reason=reason))

    def write(self, record: JournalRecord) -> None:
        """Append a record."""
        self._put(record)

    def _put(self, record: JournalRecord) -> int:
        """Append a record; returns its place."""
        with self._lock:
            if self._unsure_end:
                self._settle()
            place = self._size
            self._append(encode_frame(record, place))
            return place

    def close(self) -> None:
        """Close the file; no more can be written."""
        os.close(self._descriptor)
        self._descriptor = -1

    def _append(self, data: bytes) -> None:
        self._unsure_end = self._size + len(data)
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            raise Fatal(f"the journal {self._path} could not be written: {error.strerror or error}") from error
        if written != len(data):
            os.ftruncate(self._descriptor, self._size)
            raise Fatal(
                f"the journal {self._path} took {written} of {len(data)} bytes; expected all: is the disk full?"
            )
        self._size = self._unsure_end
        self._unsure_end = 0

    def _settle(self) -> None:
        """Find out what became of a write that did not return as it should: it failed, or a signal came in between."""
        if os.fstat(self._descriptor).st_size == self._unsure_end:
            self._size = self._unsure_end
        else:
            os.ftruncate(self._descriptor, self._size)
        self._unsure_end = 0
