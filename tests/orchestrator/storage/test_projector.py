"""From the journal into the database: everything once, whatever stops and whenever."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from config.storage import Durability
from market.errors import Retry
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Kind
from market.orders.cause import Origin
from market.orders.kinds import OrderState, Side
from market.orders.order import Order
from market.wire.sbe import encode
from orchestrator.storage.database import Database
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_folder import JournalFolder, journal_path
from orchestrator.storage.journal_format import UnreadableJournal
from orchestrator.storage.matching import Result
from orchestrator.storage.projector import Projector, ProjectorThread
from orchestrator.storage.records import (
    Area,
    Audited,
    CandleClosed,
    ComponentSaved,
    DecisionsWritten,
    EventWritten,
    JournalRecord,
    OrderRecalled,
    OrdersForgotten,
    Outcome,
    SessionEnded,
    StateChanged,
)
from orchestrator.storage.replayed import ReplayedSession, taken_over
from orchestrator.storage.repositories.observations import Observations
from orchestrator.storage.repositories.orders import OrderFilter, Orders
from orchestrator.storage.repositories.positions import Positions
from orchestrator.storage.repositories.sessions import SessionReport, Sessions
from orchestrator.storage.repositories.trades import TradeFilter, Trades
from orchestrator.storage.schema import METADATA, SessionState
from tests.orchestrator.storage.postgres import Server
from tests.orchestrator.storage.worlds import (
    CATALOGUE,
    MARKETS,
    S,
    T,
    cancelled,
    fill,
    intent,
    opened,
    order_records,
    sent,
    started,
)

TRIGGER = encode(
    SCHEMA,
    "Trigger",
    dict.fromkeys(SCHEMA.message("Trigger").fields, 0)
    | {"epoch": 1, "id": 5, "kind": int(Kind.ARB), "instrument": 0, "edge": 42, "firstVenue": 0, "firstSide": 1,
     "firstPrice": 6_000_000, "firstQuantity": 500, "secondVenue": 1, "secondSide": 2, "secondPrice": 6_000_042,
     "secondQuantity": 500},
)  # fmt: skip
CANDLE = CandleClosed(instrument=0, venue=0, start_ns=T, duration_ns=S, open=2, high=3, low=1, close=2, volume=9)
STATE = StateChanged(time_ns=T, area=Area.DETECTOR, source="vpin/BTC", before="calm", after="toxic", detail="0.8")


def first_session() -> list[JournalRecord]:
    """Bought in two parts and sold at a profit; two legs of a trigger at a loss; one rests; one of each observation."""
    bought = intent(1, quantity=1_000, price=6_000_000)
    sold = intent(2, quantity=600, price=6_100_000, side=Side.SELL)
    leg = {"origin": Origin.TRIGGER, "quantity": 500, "tag": "cross"}
    return [
        started(),
        taken_over(ReplayedSession().recovered(0)),
        *order_records(bought, [sent(), opened(), fill(400, fee=11), fill(600, fill_id="2", fee=13)]),
        *order_records(sold, [sent(), fill(600, 6_100_000, fee=17, time_ns=T + 9 * S)]),
        DecisionsWritten(payloads=(TRIGGER,)),
        *order_records(intent(5, **leg), [sent(), fill(500, 6_000_000)]),  # type: ignore[arg-type]
        *order_records(intent(5, leg=1, venue=1, side=Side.SELL, **leg), [sent(), fill(500, 5_999_999)]),  # type: ignore[arg-type]
        *order_records(intent(7, decided_ns=T + S), [sent(), opened()]),
        ComponentSaved(time_ns=T, component="vpin", body=b"\0\1"),
        ComponentSaved(time_ns=T + S, component="vpin", body=b"\0\2"),
        STATE,
        Audited(time_ns=T, actor="operator", action="halt", detail="why not"),
        CANDLE,
    ]


def write(folder: Path, session: int, records: Sequence[JournalRecord]) -> JournalFile:
    folder.mkdir(exist_ok=True)
    journal = JournalFile(journal_path(folder, session), session, Durability.PROCESS)
    for record in records:
        journal.write(record)
    return journal


def project(database: Database, folder: Path, batch_records: int = 1_000) -> None:
    projector = Projector(database, folder, batch_records)
    while projector.advance():
        pass
    projector.close()


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database."""
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_orders_fills_and_positions_are_as_the_journal_tells_them(database: Database, folder: Path) -> None:
    write(folder, 1, first_session()).close()
    project(database, folder)
    replayed = ReplayedSession()
    replayed.take_all(first_session())
    with database.read() as connection:
        orders = Orders(connection)
        kept = {order.client_order_id: order for order in orders.find()}
        for order in replayed.ledger.orders:
            why = orders.why(order.client_order_id)
            known = kept[order.client_order_id]
            assert msgspec.structs.replace(known, intent=order.intent) == order
            assert msgspec.structs.replace(known.intent, why="") == order.intent
            assert (
                known.intent.why == why == ("trigger 5, arb, edge 42" if order.intent.cause.strategy == "cross" else "")
            )
        (working,) = orders.find(OrderFilter(working=True))
        assert working.state is OrderState.OPEN
        assert orders.get(working.client_order_id) == working
        assert orders.get("none-d1-1-0") is None
        assert [order.intent.cause.number for order in orders.find(OrderFilter(strategy="arb"), most=2)] == [7, 1]
        assert len(orders.find(OrderFilter(venue=1))) == len(orders.find(OrderFilter(decided_from_ns=T + S))) == 1
        positions = Positions(connection).all()
    assert {key: held for (owner, key), held in positions.items() if owner is None} == replayed.ledger.positions
    assert positions["arb", (0, 0)] == replayed.ledger.position((0, 0), "arb")


def test_a_session_knows_its_profit_and_win_rate(database: Database, folder: Path) -> None:
    write(folder, 1, [*first_session(), SessionEnded(time_ns=T + 60 * S, outcome=Outcome.FINISHED)]).close()
    project(database, folder)
    report = session_report(database)
    session = report.session
    assert (session.state, session.ended_ns, session.mode) == (SessionState.FINISHED, T + 60 * S, "paper")
    assert (session.orders, session.fills, report.trades, report.wins, report.win_rate) == (5, 5, 2, 1, 0.5)
    assert report.results == {("arb", 0): Result(600 * 100_000, 41), ("cross", 0): Result(-500, 0)}


def session_report(database: Database) -> SessionReport:
    with database.read() as connection:
        latest = Sessions(connection).latest()
        assert latest is not None
        report = Sessions(connection).report(latest.epoch)
        assert report is not None
        assert list(Sessions(connection).markets(latest.epoch)) == sorted(
            MARKETS, key=lambda market: (market.instrument, market.venue)
        )
    return report


def test_closed_trades_have_reasons_and_fees(database: Database, folder: Path) -> None:
    write(folder, 1, first_session()).close()
    project(database, folder)
    with database.read() as connection:
        trades = Trades(connection)
        lost = trades.find(TradeFilter(won=False))
        won = trades.find(TradeFilter(strategy="arb", closed_from_ns=T, closed_to_ns=T + 10 * S))
        lots = trades.lots()
    assert [(trade.strategy, trade.net) for trade in lost] == [("cross", -500)]
    assert (lost[0].entry_venue, lost[0].exit_venue) == (0, 1)
    assert lost[0].entry_reason == lost[0].exit_reason == "trigger 5, arb, edge 42"
    # 400 of the first fill with its fee of 11, and 200 of the 600 of the second, with a third of 13.
    assert [(trade.quantity, trade.gross, trade.fees) for trade in won] == [(600, 60_000_000, 11 + 4 + 17)]
    assert {book: [(lot.quantity, lot.fee) for lot in open_lots] for book, open_lots in lots.items()} == {
        ("arb", 0): [(400, 9)]
    }


def test_what_was_observed_is_kept(database: Database, folder: Path) -> None:
    write(folder, 1, first_session()).close()
    project(database, folder)
    with database.read() as connection:
        seen = Observations(connection)
        assert seen.latest_snapshots() == {"vpin": ComponentSaved(time_ns=T + S, component="vpin", body=b"\0\2")}
        assert seen.changes(area=Area.DETECTOR) == [STATE]
        assert seen.changes(area=Area.BREAKER) == []
        assert seen.audits() == [Audited(time_ns=T, actor="operator", action="halt", detail="why not")]
        assert seen.candles(0, 0, T, T + S) == [CANDLE]
        assert seen.candles(0, 0, T + 1, T + S) == []


def second_session(before: Sequence[JournalRecord]) -> list[JournalRecord]:
    """What follows a crash: the open order is filled late, and the rest of what was held is sold."""
    replayed = ReplayedSession()
    replayed.take_all(before)
    recovered = replayed.recovered(60 * S)
    resting = intent(7, decided_ns=T + S)
    sold = intent(1, epoch=2, quantity=1_400, side=Side.SELL, price=6_000_100)
    return [
        started(2, 2, crashed=1, time_ns=T + 100 * S),
        taken_over(recovered),
        *order_records(resting, [fill(1_000, time_ns=T + 101 * S), cancelled(T + 102 * S)])[1:2],
        *order_records(sold, [sent(), fill(1_400, 6_000_100, time_ns=T + 103 * S)]),
        SessionEnded(time_ns=T + 104 * S, outcome=Outcome.INTERRUPTED, reason="by hand"),
    ]


def test_profit_goes_on_over_a_crash(database: Database, folder: Path) -> None:
    write(folder, 1, first_session()).close()
    write(folder, 2, second_session(first_session())).close()
    project(database, folder)
    with database.read() as connection:
        first, second = (Sessions(connection).get(epoch) for epoch in (1, 2))
        assert first is not None
        assert second is not None
        assert (first.state, first.ended_ns) == (SessionState.CRASHED, T + 9 * S)
        assert (second.state, second.recovers, second.reason) == (SessionState.INTERRUPTED, 1, "by hand")
        assert Trades(connection).lots() == {}
        assert Trades(connection).results(2) == {("arb", 0): Result(1_400 * 100, 0)}
        held = Positions(connection).all()["arb", (0, 0)]
    assert (held.quantity, held.realised) == (0, 600 * 100_000 + 1_400 * 100)


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
