"""The folder of a system's journals: one file per session, one process at a time."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from config.storage import Durability
from market.errors import Fatal, MissingInput
from market.instruments import Catalogue
from orchestrator.run_loop.recovered import Recovered
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_format import UnreadableJournal
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import Market, SessionStarted
from orchestrator.storage.replayed import ReplayedSession, taken_over

_NAME: Final = re.compile(r"(\d{6})\.journal")
_NS_PER_S: Final = 1_000_000_000
_LOCK: Final = "lock"


class JournalInUse(Fatal):
    """Another process holds the folder."""


def journal_path(folder: Path, session: int) -> Path:
    """Where a session's journal is."""
    return folder / f"{session:06d}.journal"


def session_numbers(folder: Path) -> Sequence[int]:
    """The sessions whose journals are in a folder, oldest first; none when there is no such folder."""
    if not folder.is_dir():
        return ()
    found = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match.group(1)) for match in found if match is not None)


@dataclass(frozen=True)
class EarlierSession:
    """The session before.

    Parameters
    ----------
    crashed: whether its journal has no end. torn_bytes: what was cut off it, left by a write that was cut short.
    latest_ns: the latest time in it.
    """

    session: int
    crashed: bool
    torn_bytes: int
    latest_ns: int
    recovered: Recovered

    @property
    def text(self) -> str:
        """For people; empty when there is nothing to tell."""
        parts = []
        if self.crashed:
            working = sum(order.is_working for order in self.recovered.orders)
            parts.append(f"session {self.session} crashed and left {working} orders whose state is to be asked for")
        if self.torn_bytes:
            parts.append(f"{self.torn_bytes} bytes of a record that was cut short were removed from its journal")
        return "; ".join(parts)


@dataclass(frozen=True)
class OpenSession:
    """A session that is being written.

    Parameters
    ----------
    epoch: for ``RunSettings``. recovered: for ``RunLoop``. earlier: None for the first session of a folder.
    """

    session: int
    epoch: int
    journal: JournalFile
    recovered: Recovered
    earlier: EarlierSession | None


class JournalFolder:
    """A folder of journals, to be used as a context: inside it no other process can write there.

    Parameters
    ----------
    folder: made when missing.
    late_fills_ns: orders that ended within so long before the end of a session are asked about by the next.

    Entering raises JournalInUse when another process holds the folder, and MissingInput when it cannot be made.
    """

    def __init__(self, folder: Path, durability: Durability, late_fills_ns: int) -> None:
        self._folder = folder
        self._durability = durability
        self._late_fills_ns = late_fills_ns
        self._lock = -1
        self._journal: JournalFile | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise MissingInput(f"the journal's folder {self._folder}: {error.strerror or error}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise JournalInUse(
                f"the journal's folder {self._folder} is in use by process {holder}; expected no other run: "
                "stop it, or set storage.journal to another folder"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode("ascii"), 0)
        self._lock = lock
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        os.close(self._lock)
        self._lock = -1

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder

    def earlier(self) -> EarlierSession | None:
        """The last session, its torn end cut off; None for a fresh folder. Raises UnreadableJournal."""
        return self._earlier()[0]

    def begin(self, *, mode: str, catalogue: Catalogue, now_ns: int) -> OpenSession:
        """Begin a session: its journal holds what it takes over, so that the earlier ones are not needed any more.

        The epoch is the time in seconds, or one more than any before: it does not repeat even if the journals are lost.

        Raises Fatal when the session before left orders or positions in markets whose numbers mean something else now,
        and UnreadableJournal when its journal cannot be trusted.
        """
        earlier, before = self._earlier()
        recovered = Recovered() if earlier is None else earlier.recovered
        markets = _markets(catalogue)
        _check_meanings(before.markets, markets, recovered)
        session = 1 if earlier is None else earlier.session + 1
        epoch = max(recovered.epoch + 1, now_ns // _NS_PER_S)
        started = SessionStarted(
            session=session,
            epoch=epoch,
            mode=mode,
            time_ns=now_ns,
            markets=markets,
            crashed=earlier.session if earlier is not None and earlier.crashed else 0,
        )
        self._journal = self._write(session, started, recovered)
        return OpenSession(session, epoch, self._journal, recovered, earlier)

    def _write(self, session: int, started: SessionStarted, recovered: Recovered) -> JournalFile:
        """Make the journal under another name first: a session has its beginning whole, or is not there."""
        final = journal_path(self._folder, session)
        unfinished = final.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        journal = JournalFile(unfinished, session, self._durability)
        journal.write(started)
        journal.write(taken_over(recovered))
        journal.rename(final)
        return journal

    def _earlier(self) -> tuple[EarlierSession | None, ReplayedSession]:
        if self._lock < 0:
            raise Fatal(f"the journal's folder {self._folder} was not entered; expected 'with JournalFolder(...)'")
        replayed = ReplayedSession()
        numbers = session_numbers(self._folder)
        if not numbers:
            return None, replayed
        path = journal_path(self._folder, numbers[-1])
        journal = read_journal(path)
        if journal.session != numbers[-1]:
            raise UnreadableJournal(f"{path} is of session {journal.session}; expected {numbers[-1]}, as its name says")
        if journal.torn_bytes:
            os.truncate(path, journal.whole_bytes)
        replayed.take_all(journal.records)
        found = EarlierSession(
            session=journal.session,
            crashed=replayed.ended is None,
            torn_bytes=journal.torn_bytes,
            latest_ns=replayed.latest_ns,
            recovered=replayed.recovered(self._late_fills_ns),
        )
        return found, replayed


def _markets(catalogue: Catalogue) -> tuple[Market, ...]:
    return tuple(
        Market(
            instrument=listing.instrument.number,
            venue=listing.venue,
            instrument_name=listing.instrument.name,
            venue_name=listing.venue_name,
            symbol=listing.symbol,
            price_exponent=listing.instrument.price_scale.exponent,
            quantity_exponent=listing.instrument.quantity_scale.exponent,
        )
        for listing in catalogue.listings
    )


def _check_meanings(before: Sequence[Market], now: Sequence[Market], recovered: Recovered) -> None:
    """Raises Fatal when a market in which something is held or works has another meaning now."""
    by_key = {(market.instrument, market.venue): market for market in now}
    used = set(recovered.standings)
    for market in before:
        key = (market.instrument, market.venue)
        if key in used and by_key.get(key) != market:
            raise Fatal(
                f"the session before left orders or a position in {market}, which is {by_key.get(key)} now; expected "
                "the same instrument, venue and exponents under the same numbers: keep the order of venues and "
                "instruments in the settings, add new ones at the end"
            )
