"""The database's tables: made, kept, refused when newer; the same in SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from market.errors import Fatal, MissingInput, Retry
from orchestrator.storage.database import Database
from orchestrator.storage.migrating import current_version, newest_version
from orchestrator.storage.records import Area, Audited
from orchestrator.storage.repositories.observations import Observations
from orchestrator.storage.repositories.sessions import Session, Sessions
from orchestrator.storage.schema import CANDLES, FILLS, METADATA, ORDERS, SESSIONS, STATE_CHANGES, SessionState
from tests.orchestrator.storage.postgres import Server
from tests.orchestrator.storage.worlds import T


def session(epoch: int = 1) -> Session:
    return Session(epoch=epoch, number=epoch, mode="paper", state=SessionState.RUNNING, started_ns=T)


def test_the_migrations_make_the_tables_of_this_version(url: str) -> None:
    database = Database.open(url)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert current_version(connection) == newest_version()
    database.close()


def test_opening_again_changes_nothing(database: Database, tables_url: str) -> None:
    with database.write() as connection:
        Sessions(connection).put(session())
    again = Database.open(tables_url)
    with again.read() as connection:
        assert Sessions(connection).latest() == session()
    again.close()


def test_newer_tables_are_refused_naming_both(database: Database, tables_url: str) -> None:
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Fatal, match=rf"version 9999; expected {newest_version()} or an older one"):
        Database.open(tables_url)


def test_two_that_open_an_empty_database_at_once_make_the_tables_once(url: str) -> None:
    errors: list[BaseException] = []
    together = threading.Barrier(2)

    def make() -> None:
        try:
            together.wait()
            Database.open(url).close()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (SESSIONS, {"epoch": 2, "number": 1, "mode": "", "state": "RUNNING", "started_ns": 5, "ended_ns": 4,
                    "reason": "", "recovers": 0, "orders": 0, "fills": 0, "journal_bytes": 0}),
        (STATE_CHANGES, {"epoch": 7, "place": 1, "time_ns": 1, "area": "RISK", "source": "", "before": "", "after": "",
                         "detail": ""}),
        (CANDLES, {"epoch": 1, "instrument": 0, "venue": 0, "start_ns": 0, "duration_ns": 1, "open": 5, "high": 4,
                   "low": 1, "close": 2, "volume": 0}),
    ],
)  # fmt: skip
def test_constraints_refuse_what_cannot_be(database: Database, table: sa.Table, row: dict[str, object]) -> None:
    with database.write() as connection:
        Sessions(connection).put(session())
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(sa.insert(table), [row])


def test_names_of_enumerations_are_checked_by_the_database(database: Database) -> None:
    with database.write() as connection:
        Sessions(connection).put(session())
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(sa.text("UPDATE sessions SET state = 'ASLEEP'"))


def test_what_is_looked_for_often_has_an_index(database: Database) -> None:
    with database.read() as connection:
        inspector = sa.inspect(connection)
        for table in (ORDERS, FILLS):
            found = {tuple(index["column_names"]) for index in inspector.get_indexes(table.name)}
            wanted = {tuple(column.name for column in index.columns) for index in table.indexes}
            assert wanted
            assert wanted <= found


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            Sessions(connection).put(session())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.read() as connection:
        assert Sessions(connection).latest() is None


def test_readers_and_the_writer_do_not_wait_for_each_other(database: Database) -> None:
    """A reader sees one moment, while others are written; each thread has its own connection."""
    with database.write() as connection:
        Sessions(connection).put(session())
    with database.read() as reading:
        before = Observations(reading).audits()
        with database.write() as writing:
            Observations(writing).put_audits({10: Audited(time_ns=T, actor="operator", action="halt")}, 1)
        if reading.dialect.name == "sqlite":
            assert Observations(reading).audits() == before == []
    with database.read() as connection:
        assert [audit.action for audit in Observations(connection).audits()] == ["halt"]


def test_many_threads_read_and_write(database: Database) -> None:
    errors: list[BaseException] = []
    with database.write() as connection:
        Sessions(connection).put(session())

    def work(thread: int) -> None:
        try:
            for turn in range(10):
                audit = Audited(time_ns=T + turn, actor=f"thread {thread}", action="look")
                with database.write() as connection:
                    Observations(connection).put_audits({thread * 100 + turn: audit}, 1)
                with database.read() as connection:
                    assert Sessions(connection).latest() == session()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.read() as connection:
        assert len(Observations(connection).audits()) == 40


def test_text_that_a_venue_sent_is_kept_whatever_it_holds(database: Database) -> None:
    odd = "zero \0, quote ' \", line\n, \N{GRINNING FACE}, " + "long " * 1_000
    with database.write() as connection:
        Sessions(connection).put(session())
        Observations(connection).put_audits({1: Audited(time_ns=T, actor=odd, action=odd, detail=odd)}, 1)
    with database.read() as connection:
        (kept,) = Observations(connection).audits()
    assert kept.detail == odd.replace("\0", "\N{REPLACEMENT CHARACTER}")


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(Fatal, match="begins with mysql; expected sqlite or postgresql"):
        Database("mysql://root@localhost/x")


def test_a_database_that_is_not_there_is_missing_input_and_its_password_is_not_told(tmp_path: Path) -> None:
    url = f"postgresql://someone:geheim@/nothing?host={tmp_path}"
    with pytest.raises(MissingInput, match="the database postgresql") as refusal:
        Database.open(url)
    assert "geheim" not in str(refusal.value)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(MissingInput, match="the database sqlite"):
        Database.open(f"sqlite:///{tmp_path}/file/tickwire.db")


def test_a_server_that_went_away_is_a_passing_fault(server: Server) -> None:
    database = Database.open(server.new_database())
    with database.write() as connection:
        Sessions(connection).put(session())
    server.end()
    try:
        with pytest.raises(Retry, match="the database postgresql"), database.read() as connection:
            Sessions(connection).latest()
    finally:
        server.begin()
    with database.read() as connection:
        assert Sessions(connection).latest() == session()
    database.close()


def test_areas_are_read_as_they_were_written(database: Database) -> None:
    with database.write() as connection:
        Sessions(connection).put(session())
        for area in Area:
            connection.execute(
                sa.insert(STATE_CHANGES),
                [{"epoch": 1, "place": len(area.name), "time_ns": T, "area": area, "source": area.value, "before": "a",
                  "after": "b", "detail": ""}],
            )  # fmt: skip
            connection.execute(sa.delete(STATE_CHANGES).where(STATE_CHANGES.c.area != area))
            (change,) = Observations(connection).changes(area=area)
            assert change.area is area
