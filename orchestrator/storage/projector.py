"""The thread that makes the database of the journals.

The journal is the queue: the run writes it before it acts and never waits for the database; this thread reads it and
writes what is new in one transaction together with the place up to which it has read. So nothing is lost and nothing
is written twice, whatever stops and whenever. If the database is slower than the run, or cannot be reached, the
journal grows on disk and the database lags behind (``lag_bytes``); once it is there again, it catches up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import sqlalchemy as sa

from market.errors import Fatal, Retry
from orchestrator.storage.database import Database
from orchestrator.storage.journal_folder import journal_path, session_numbers
from orchestrator.storage.journal_format import UnreadableJournal
from orchestrator.storage.journal_reader import JournalTail
from orchestrator.storage.matching import Book, Lot
from orchestrator.storage.projection import Projection
from orchestrator.storage.records import SessionStarted
from orchestrator.storage.repositories.sessions import Session, Sessions
from orchestrator.storage.repositories.trades import Trades
from orchestrator.storage.schema import SessionState

_JOIN_S: Final = 30.0
_LOCK: Final = 0x7469636A
"""Whoever fills a PostgreSQL database looks and writes before anybody else does; SQLite's transactions do so anyway."""
_PORTION: Final = 10_000
"""Records that are read at a time while those that the database holds are followed."""


class Projector:
    """Reads a folder's journals and brings the database up to date; not for several threads.

    Parameters
    ----------
    batch_records: in one transaction at most.
    """

    def __init__(self, database: Database, folder: Path, batch_records: int) -> None:
        self._database = database
        self._folder = folder
        self._batch_records = batch_records
        self._tail: JournalTail | None = None
        self._number = 0
        self._projection: Projection | None = None
        self._written_bytes = 0
        self._is_pending = False

    @property
    def lag_bytes(self) -> int:
        """Bytes of the journals that the database lacks."""
        later = (number for number in session_numbers(self._folder) if number >= self._number)
        waiting = sum(journal_path(self._folder, number).stat().st_size for number in later)
        return waiting - self._written_bytes

    def advance(self) -> bool:
        """Write the next batch; False when the database has everything. Raises Retry, and loses nothing by it.

        Raises Fatal when a journal cannot be read, or is of a session that the database cannot have.
        """
        if not self._is_pending and not self._read():
            return False
        assert self._projection is not None
        assert self._tail is not None
        with self._database.write() as connection:
            is_in_place = self._is_in_place(connection, self._projection.session.epoch)
            if is_in_place:
                self._projection.write(connection, self._tail.position)
        if not is_in_place:
            self._start_again()
            return True
        self._written_bytes = self._tail.position
        self._projection.written()
        self._is_pending = False
        return True

    def _is_in_place(self, connection: sa.Connection, epoch: int) -> bool:
        """Whether what is written next follows what is there.

        It does not while another process fills the database, such as one that outlives its parent for a moment.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        found = Sessions(connection).get(epoch)
        return self._written_bytes == (0 if found is None else found.journal_bytes)

    def _start_again(self) -> None:
        """Forget everything, and go on from what the database holds."""
        self.close()
        self._projection = None
        self._number = self._written_bytes = 0
        self._is_pending = False

    def close(self) -> None:
        """Close the journal that is read."""
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def _read(self) -> bool:
        """Take the next records, of this session or the next; False when there are none."""
        if self._projection is None and not self._open_first():
            return False
        while True:
            # Looked for before reading: a session that follows means that nothing more is written to this one.
            following = [number for number in session_numbers(self._folder) if number > self._number]
            if self._take_portion():
                return True
            if not following:
                return False
            assert self._tail is not None
            self._tail.check_end()
            if self._end_session():
                return True
            self._open(following[0], None)

    def _take_portion(self) -> bool:
        assert self._projection is not None
        assert self._tail is not None
        for record in self._tail.read(self._batch_records):
            self._projection.take(record, self._tail.position)
            self._is_pending = True
        return self._is_pending

    def _end_session(self) -> bool:
        """Mark a session that has no end; True if that is to be written first."""
        assert self._projection is not None
        if self._projection.is_ended or self._projection.is_crashed:
            return False
        self._projection.crash()
        self._is_pending = True
        return True

    def _open_first(self) -> bool:
        """Find the first journal that the database does not hold whole."""
        with self._database.read() as connection:
            latest = Sessions(connection).latest()
        numbers = session_numbers(self._folder)
        for number in numbers:
            if latest is None or self._epoch(number) > latest.epoch or self._lacks(number, latest):
                self._open(number, latest)
                return True
            self._number = number + 1
        return False

    def _lacks(self, number: int, latest: Session) -> bool:
        """Whether the database lacks something of the latest session that it knows, or the session may go on."""
        if self._epoch(number) != latest.epoch:
            return False
        is_whole = journal_path(self._folder, number).stat().st_size == latest.journal_bytes
        return latest.state is SessionState.RUNNING or not is_whole

    def _open(self, number: int, latest: Session | None) -> None:
        """Begin with a session, after what the database holds of it."""
        with self._database.read() as connection:
            trades = Trades(connection)
            lots: dict[Book, Sequence[Lot]] = dict(trades.lots())
            before = Sessions(connection).latest()
            results = {} if before is None else trades.results(before.epoch)
        self.close()
        self._tail = JournalTail(journal_path(self._folder, number))
        self._number = number
        self._written_bytes = 0
        epoch = self._epoch(number)
        if latest is not None and latest.epoch == epoch:
            self._projection = Projection(lots, restates=False)
            self._follow(latest.journal_bytes)
            self._projection.resume(latest, results)
            self._written_bytes = latest.journal_bytes
        else:
            self._projection = Projection(lots, restates=before is None or before.number != number - 1)

    def _follow(self, journal_bytes: int) -> None:
        """Read again what the database holds, for the state that it left."""
        assert self._projection is not None
        assert self._tail is not None
        while self._tail.position < journal_bytes:
            position = self._tail.position
            for record in self._tail.read(_PORTION):
                self._projection.follow(record)
                if self._tail.position >= journal_bytes:
                    break
            if self._tail.position == position:
                raise UnreadableJournal(
                    f"the database holds {journal_bytes} bytes of {journal_path(self._folder, self._number)}, whose "
                    f"whole records end at {position}; expected the journal to be no shorter than before"
                )

    def _epoch(self, number: int) -> int:
        path = journal_path(self._folder, number)
        tail = JournalTail(path)
        try:
            first = next(tail.read(1), None)
        finally:
            tail.close()
        if not isinstance(first, SessionStarted):
            raise UnreadableJournal(f"{path} begins with {type(first).__name__}; expected the start of a session")
        return first.epoch


class ProjectorThread:
    """A projector at work until the context ends; then everything that was written by then is in the database.

    Parameters
    ----------
    every_ms: how often the journal is looked at.
    on_problem: told from this thread of a database that cannot be reached (once, until it can be again).
    on_error: told of what ended the thread; nothing more is projected then.
    """

    def __init__(
        self,
        projector: Projector,
        every_ms: int,
        on_problem: Callable[[Retry], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._projector = projector
        self._every_s = every_ms / 1e3
        self._on_problem = on_problem
        self._on_error = on_error
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            raise Fatal(f"the database did not take what was waiting within {_JOIN_S:g} s; the next session will")

    def _run(self) -> None:
        is_reachable = True
        try:
            while True:
                # Looked at before working: what was written before the stop is still written.
                stops = self._stop.is_set()
                try:
                    while self._projector.advance():
                        is_reachable = True
                except Retry as problem:
                    if is_reachable:
                        self._on_problem(problem)
                    is_reachable = False
                if stops:
                    return
                self._stop.wait(self._every_s)
        except Exception as error:  # noqa: BLE001
            # Whatever it is, the run has to hear of it: this thread has nobody above it.
            self._on_error(error)
        finally:
            self._projector.close()
