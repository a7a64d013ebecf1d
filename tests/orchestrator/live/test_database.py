"""A database that cannot be filled is told of and does not end the run; it is made whole by a later one."""

from __future__ import annotations

from pathlib import Path

from config.credentials import read_credentials
from config.execution import Mode
from orchestrator.live.session import RunPlan, live_session
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.storage.database import Database
from orchestrator.storage.journal_folder import JournalFolder, journal_path
from orchestrator.storage.records import Outcome
from orchestrator.storage.repositories.sessions import Sessions
from tests.orchestrator.live.exchange_world import ExchangeWorld, exchange_world


def run(world: ExchangeWorld) -> list[str]:
    """A short run; returns what it said of the database."""
    notes: list[str] = []
    plan = RunPlan(mode=Mode.LIVE, seconds=0.5)
    with live_session(world.loaded("native").settings, read_credentials(world.environment), plan, notes.append) as one:
        one.run()
    assert one.ending.reason == "its time is over"
    return [note for note in notes if "database" in note.lower()]


def earlier_sessions(world: ExchangeWorld, count: int) -> None:
    """Sessions that began and ended and did nothing."""
    settings = world.loaded("native").settings
    storage = settings.storage
    for _ in range(count):
        with JournalFolder(storage.journal, storage.durability, 0) as folder:
            now_ns = world.clock.now_ns()
            opened = folder.begin(mode=Mode.LIVE.value, catalogue=catalogue(settings), now_ns=now_ns)
            opened.journal.end(now_ns, Outcome.FINISHED, "")


def test_a_journal_that_cannot_be_read_ends_the_filling_and_not_the_run(tmp_path: Path) -> None:
    file = tmp_path / "tickwire.db"
    damaged = journal_path(tmp_path / "journal", 1)
    with exchange_world(tmp_path) as world:
        earlier_sessions(world, 2)
        sound = damaged.read_bytes()
        middle = len(sound) // 2
        damaged.write_bytes(sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :])
        (said,) = run(world)
        assert said.startswith("DATABASE: nothing more is written to it in this session: UnreadableJournal")
        damaged.write_bytes(sound)
        assert run(world) == []
    database = Database.open(f"sqlite:///{file}")
    with database.read() as connection:
        latest = Sessions(connection).latest()
        assert latest is not None
        assert latest.number == 4
    database.close()
