"""From the journal into the database: everything once, whatever stops and whenever."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from config.storage import Durability
from market.errors import Retry
from market.orders.order import Order
from orchestrator.storage.database import Database
from orchestrator.storage.journal_folder import JournalFolder, journal_path
from orchestrator.storage.journal_format import UnreadableJournal
from orchestrator.storage.projector import Projector, ProjectorThread
from orchestrator.storage.records import (
    EventWritten,
    JournalRecord,
    OrderRecalled,
    OrdersForgotten,
    Outcome,
    SessionEnded,
)
from orchestrator.storage.replayed import ReplayedSession
from orchestrator.storage.repositories.orders import Orders
from orchestrator.storage.repositories.positions import Positions
from orchestrator.storage.repositories.sessions import Sessions
from orchestrator.storage.repositories.trades import Trades
from tests.orchestrator.storage.postgres import Server
from tests.orchestrator.storage.sessions import first_session, project, rows, second_session, write
from tests.orchestrator.storage.worlds import CATALOGUE, S, T, cancelled, fill, intent, opened, order_records, sent


@pytest.mark.parametrize("batch_records", [1, 2, 7])
def test_it_makes_no_difference_where_batches_end_and_where_it_stops(
    database: Database, tables_url: str, folder: Path, tmp_path: Path, batch_records: int
) -> None:
    """A new projector for every batch, as after a crash each time; and records that come while it works."""
    whole = [first_session(), second_session(first_session())]
    reference = Database.open(f"sqlite:///{tmp_path}/reference.db")
    for session, records in enumerate(whole, 1):
        write(tmp_path / "reference", session, records).close()
    project(reference, tmp_path / "reference")
    for session, records in enumerate(whole, 1):
        journal = write(folder, session, [])
        for turn, record in enumerate(records):
            journal.write(record)
            if turn % batch_records == batch_records - 1:
                projector = Projector(database, folder, batch_records)
                projector.advance()
                projector.close()
        journal.close()
    project(database, folder, batch_records)
    assert rows(database) == rows(reference)
    before = rows(database)
    project(database, folder)
    assert rows(database) == before
    reference.close()


def forgetful(records: Sequence[JournalRecord]) -> list[JournalRecord]:
    """The same session by a run that holds no ended order longer than a record, and takes it back when it must."""
    told: list[JournalRecord] = []
    replayed = ReplayedSession()
    forgotten: dict[str, Order] = {}
    for record in records:
        if isinstance(record, EventWritten) and record.client_order_id in forgotten:
            told.append(OrderRecalled(order=forgotten.pop(record.client_order_id)))
        told.append(record)
        replayed.take(record)
        ended = [
            order
            for order in replayed.ledger.orders
            if order.state.is_terminal and forgotten.get(order.client_order_id) != order
        ]
        if ended:
            told.append(OrdersForgotten(orders=tuple(ended)))
            forgotten |= {order.client_order_id: order for order in ended}
    return told


@pytest.mark.parametrize("batch_records", [1, 2, 3, 1_000])
def test_forgotten_orders_are_in_the_database_as_ever(
    database: Database, folder: Path, tmp_path: Path, batch_records: int
) -> None:
    bought = intent(11, quantity=1_000, price=6_000_000)
    late = [
        EventWritten(client_order_id=bought.client_order_id, event=fill(600, fill_id="late", time_ns=T + 20 * S)),
        EventWritten(client_order_id=bought.client_order_id, event=fill(400, fill_id="last", time_ns=T + 21 * S)),
    ]
    whole = [*first_session(), *order_records(bought, [sent(), opened(), cancelled()]), *order_records(intent(12),
             [sent(), cancelled()]), *late]  # fmt: skip
    told = forgetful(whole)
    assert sum(isinstance(record, OrderRecalled) for record in told) == 2
    journal = write(folder, 1, [])
    for record in told:
        journal.write(record)
        projector = Projector(database, folder, batch_records)
        projector.advance()
        projector.close()
    project(database, folder, batch_records)
    reference = Database.open(f"sqlite:///{tmp_path}/reference.db")
    write(tmp_path / "reference", 1, whole).close()
    project(reference, tmp_path / "reference")
    journal.close()
    ours, theirs = rows(database), rows(reference)
    # Others are numbered by their places in the journal, which are other ones.
    for table in ("orders", "fills", "positions", "trades", "lots", "results", "candles"):
        assert ours[table] == theirs[table], table
    with database.read() as connection, reference.read() as expected:
        session, wanted = Sessions(connection).get(1), Sessions(expected).get(1)
    assert session is not None
    assert wanted is not None
    assert (session.orders, session.fills) == (wanted.orders, wanted.fills) == (7, 7)
    reference.close()


def test_a_database_that_is_lost_is_made_again_from_the_journals(database: Database, folder: Path) -> None:
    """Of the first session only what the second took over is known when its journal is gone, too."""
    write(folder, 1, first_session()).close()
    write(folder, 2, second_session(first_session())).close()
    journal_path(folder, 1).unlink()
    project(database, folder)
    with database.read() as connection:
        # 400 were held at an average of 6,000,000; their fees are in the positions only.
        carried, late = sorted(Trades(connection).find(), key=lambda trade: trade.quantity)
        assert (carried.entry_order, carried.entry_reason, carried.quantity) == ("", "held before", 400)
        assert late.quantity == 1_000
        assert Positions(connection).all()["arb", (0, 0)].realised == 600 * 100_000 + 1_400 * 100


def test_sessions_whose_journals_were_deleted_stay(database: Database, folder: Path, tmp_path: Path) -> None:
    write(folder, 1, first_session()).close()
    project(database, folder)
    with JournalFolder(tmp_path / "another", Durability.PROCESS, 0) as journals:
        opened_session = journals.begin(mode="paper", catalogue=CATALOGUE, now_ns=T)
        project(database, journals.folder)
    with database.read() as connection:
        assert [session.epoch for session in Sessions(connection).find()] == [opened_session.epoch, 1]
        assert len(Orders(connection).find()) == 5


def test_a_journal_shorter_than_what_the_database_holds_is_refused(database: Database, folder: Path) -> None:
    write(folder, 1, first_session()).close()
    project(database, folder)
    journal_path(folder, 1).unlink()
    write(folder, 1, first_session()[:-3]).close()
    with pytest.raises(UnreadableJournal, match="expected the journal to be no shorter than before"):
        project(database, folder)


def test_a_database_that_cannot_be_reached_loses_nothing(server: Server, folder: Path) -> None:
    database = Database.open(server.new_database())
    journal = write(folder, 1, first_session())
    projector = Projector(database, folder, 3)
    assert projector.advance()
    server.end()
    for _ in range(3):
        with pytest.raises(Retry):
            projector.advance()
    journal.write(SessionEnded(time_ns=T + S, outcome=Outcome.FINISHED))
    lagging = projector.lag_bytes
    server.begin()
    while projector.advance():
        pass
    assert lagging > projector.lag_bytes == 0
    with database.read() as connection:
        assert len(Orders(connection).find()) == 5
    projector.close()
    journal.close()
    database.close()


def test_two_that_fill_the_same_database_write_everything_once(
    database: Database, folder: Path, tmp_path: Path
) -> None:
    for session, records in enumerate((first_session(), second_session(first_session())), 1):
        write(folder, session, records).close()
    projectors = [Projector(database, folder, 5) for _ in range(2)]
    while projectors[0].advance():
        projectors[1].advance()
    for projector in projectors:
        projector.close()
    reference = Database.open(f"sqlite:///{tmp_path}/reference.db")
    project(reference, folder)
    assert rows(database) == rows(reference)
    reference.close()


def test_the_thread_projects_what_is_written_until_it_ends(database: Database, folder: Path) -> None:
    problems: list[Exception] = []
    journal = write(folder, 1, first_session()[:2])
    projector = Projector(database, folder, 4)
    with ProjectorThread(projector, 1, problems.append, problems.append):
        for record in first_session()[2:]:
            journal.write(record)
    journal.close()
    assert problems == []
    with database.read() as connection:
        assert len(Orders(connection).find()) == 5


def test_the_thread_tells_of_a_broken_journal_and_ends(database: Database, folder: Path) -> None:
    told = threading.Event()
    errors: list[Exception] = []

    def on_error(error: Exception) -> None:
        errors.append(error)
        told.set()

    journal = write(folder, 1, [*first_session(), first_session()[2]])
    with ProjectorThread(Projector(database, folder, 100), 1, errors.append, on_error):
        assert told.wait(30)
    journal.close()
    assert [type(error) for error in errors] == [UnreadableJournal]
