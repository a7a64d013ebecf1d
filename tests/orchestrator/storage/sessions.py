"""Two sessions as journals tell them, and what a database makes of a folder of journals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from config.storage import Durability
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Kind
from market.orders.cause import Origin
from market.orders.kinds import Side
from market.wire.sbe import encode
from orchestrator.storage.database import Database
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.projector import Projector
from orchestrator.storage.records import (
    Area,
    Audited,
    CandleClosed,
    ComponentSaved,
    DecisionsWritten,
    JournalRecord,
    Outcome,
    SessionEnded,
    StateChanged,
)
from orchestrator.storage.replayed import ReplayedSession, taken_over
from orchestrator.storage.schema import METADATA
from tests.orchestrator.storage.worlds import S, T, cancelled, fill, intent, opened, order_records, sent, started

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
