"""The database of a live run: made of its journals, in a thread of its own, and never a reason to stop trading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.storage import StorageSettings
from orchestrator.storage.database import Database
from orchestrator.storage.projector import Projector, ProjectorThread


@contextmanager
def filled_database(storage: StorageSettings, journals: Path, say: Callable[[str], None]) -> Iterator[Projector]:
    """Fill the database from a folder of journals while the block runs.

    A database that cannot be reached is told once and catches up by itself. Anything else that goes wrong with it ends
    the filling, loudly, and not the run: the journal is the truth, and a later session goes on from where this one was.

    Raises as ``Database.open``: a run does not begin with a database that it could never fill.
    """

    def give_up(error: Exception) -> None:
        say(
            f"DATABASE: nothing more is written to it in this session: {type(error).__name__}: {error}; trading goes "
            "on, the journal has everything, and a session that can write goes on from there"
        )

    database = Database.open(storage.database_url)
    try:
        projector = Projector(database, journals, storage.batch_records)
        every_ms = storage.batch_every_ms
        with ProjectorThread(projector, every_ms, lambda problem: say(f"database: {problem}"), give_up):
            yield projector
    finally:
        database.close()
