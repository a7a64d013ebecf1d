"""A database that cannot be filled is told of and does not end the run; it is made whole by a later one."""

from __future__ import annotations

from pathlib import Path

from config.credentials import read_credentials
from config.execution import Mode
from orchestrator.live.session import RunPlan, live_session
from orchestrator.storage.database import Database
from orchestrator.storage.journal_folder import journal_path
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


def test_a_journal_that_cannot_be_read_ends_the_filling_and_not_the_run(tmp_path: Path) -> None:
    file = tmp_path / "tickwire.db"
    damaged = journal_path(tmp_path / "journal", 1)
    with exchange_world(tmp_path) as world:
        assert run(world) == []
        assert run(world) == []
        for written in tmp_path.glob("tickwire.db*"):
            written.unlink()
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
