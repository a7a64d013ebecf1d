"""The trade journal as files, and the report of losing trades."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from config.storage import Durability
from market.errors import MissingInput
from market.orders.events import OrderEvent
from market.orders.kinds import Side
from orchestrator.storage.database import Database
from orchestrator.storage.export import Content, Format, export
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.names import time_text
from orchestrator.storage.post_mortem import LossCause, groups, losses, report_text
from orchestrator.storage.projector import Projector
from orchestrator.storage.records import CandleClosed, JournalRecord
from orchestrator.storage.replayed import ReplayedSession, taken_over
from orchestrator.storage.repositories.trades import TradeFilter
from orchestrator.storage.trade_journal import TradeJournal
from tests.orchestrator.storage.worlds import MS, S, T, fill, intent, opened, order_records, sent, started


def candle(second: int) -> CandleClosed:
    """From 0.01 below the entry of second 0 to 0.1 above it for every second since, or before."""
    low, high = 6_000_000 - abs(second), 6_000_000 + 10 * abs(second)
    return CandleClosed(
        instrument=0,
        venue=0,
        start_ns=T + second * S,
        duration_ns=S,
        open=low,
        high=high,
        low=low,
        close=high,
        volume=5,
    )


def session() -> list[JournalRecord]:
    """A trade that wins, one that loses by price while the market moved both ways, one that loses by its fees."""
    records: list[JournalRecord] = [started(), taken_over(ReplayedSession().recovered(0))]
    records += [candle(second) for second in range(-90, 20, 5)]
    legs = [
        (1, Side.BUY, 0, 6_000_000, 100), (2, Side.SELL, 2, 6_001_000, 100),
        (3, Side.BUY, 4, 6_000_000, 0), (4, Side.SELL, 12, 5_999_000, 0),
        (5, Side.SELL, 14, 6_000_000, 60_000_000), (6, Side.BUY, 15, 5_990_000, 60_000_000),
    ]  # fmt: skip
    for number, side, second, price, fee in legs:
        wanted = intent(
            number, side=side, price=price, quantity=300, decided_ns=T + second * S, why=f"target {number} | moved"
        )
        at_ns = T + second * S
        events: list[OrderEvent] = [
            sent(at_ns + MS),
            opened(at_ns + 2 * MS),
            fill(300, price, fee=fee, time_ns=at_ns + 3 * MS),
        ]
        records += order_records(wanted, events)
    return records


@pytest.fixture
def connection(database: Database, tmp_path: Path) -> Iterator[sa.Connection]:
    folder = tmp_path / "journal"
    folder.mkdir()
    journal = JournalFile(journal_path(folder, 1), 1, Durability.PROCESS)
    for record in session():
        journal.write(record)
    journal.close()
    projector = Projector(database, folder, 1_000)
    while projector.advance():
        pass
    projector.close()
    with database.read() as reading:
        yield reading


def test_trades_are_written_as_csv_with_exact_decimals_reasons_and_candles(
    connection: sa.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "trades.csv"
    assert export(connection, Content.TRADES, path, Format.CSV) == 3
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = rows[0]
    assert (first["instrument"], first["side"], first["entry_venue"]) == ("BTC", "BUY", "binance-spot")
    assert (first["quantity"], first["entry_price"], first["exit_price"]) == ("0.00300", "60000.00", "60010.00")
    assert (first["gross"], first["fees"], first["net"]) == ("0.0300000", "0.0000200", "0.0299800")
    assert (first["entry_reason"], first["exit_reason"]) == ("target 1 | moved", "target 2 | moved")
    assert first["opened_ns"] == time_text(T + 3 * MS) == "2023-11-14T22:13:20.003000000Z"
    candles = json.loads(first["entry_candles"])
    # From 60 s before the fill at 0.003 s to its own second.
    assert len(candles) == 12
    assert (candles[-1]["start_ns"], candles[-1]["low"]) == (time_text(T), "60000.00")


def test_trades_are_written_as_parquet_with_types(connection: sa.Connection, tmp_path: Path) -> None:
    path = tmp_path / "trades.parquet"
    assert export(connection, Content.TRADES, path, Format.PARQUET) == 3
    rows = pq.read_table(path).to_pylist()
    assert [row["net"] for row in rows] == [Decimal("0.02998"), Decimal("-0.03"), Decimal("-11.7")]
    assert [row["opened_ns"] for row in rows] == [T + 3 * MS, T + 4 * S + 3 * MS, T + 14 * S + 3 * MS]
    assert rows[0]["held_ms"] == 2_000
    last = rows[0]["exit_candles"][-1]
    assert (last["start_ns"], last["high"]) == (T, Decimal(60_000))


@pytest.mark.parametrize("kind", list(Format), ids=str)
@pytest.mark.parametrize(("content", "count"), [(Content.ORDERS, 6), (Content.FILLS, 6)], ids=str)
def test_orders_and_fills_are_written(
    connection: sa.Connection, tmp_path: Path, content: Content, count: int, kind: Format
) -> None:
    path = tmp_path / f"{content}.{kind}"
    assert export(connection, content, path, kind) == count
    assert path.stat().st_size > 0


@pytest.mark.parametrize("content", list(Content), ids=str)
def test_nothing_is_written_with_the_same_columns_and_types(
    connection: sa.Connection, tmp_path: Path, content: Content
) -> None:
    for kind in Format:
        assert export(connection, content, tmp_path / f"none.{kind}", kind, epoch=99) == 0
    export(connection, content, tmp_path / "all.parquet", Format.PARQUET)
    nothing, everything = (pq.read_schema(tmp_path / f"{name}.parquet") for name in ("none", "all"))
    assert nothing.names == everything.names
    for name in nothing.names:
        same = nothing.field(name).type == everything.field(name).type
        assert same or str(everything.field(name).type).startswith("decimal")
    with (tmp_path / "none.csv").open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == nothing.names


def test_a_file_that_cannot_be_written_is_told(connection: sa.Connection, tmp_path: Path) -> None:
    for kind in Format:
        with pytest.raises(MissingInput, match="No such file"):
            export(connection, Content.TRADES, tmp_path / "none" / "file", kind)


def test_losses_say_what_they_were_made_of_and_how_their_orders_went(connection: sa.Connection) -> None:
    by_fees, by_price = losses(connection)
    assert (by_fees.cause, by_price.cause) == (LossCause.FEES, LossCause.PRICE)
    assert (by_fees.entry.gross, by_fees.entry.net) == (Decimal("0.3"), Decimal("-11.7"))
    # Open from 4.003 s to 12.003 s, with candles at 5 s and 10 s: 0.1 below and 1 above the entry, for 0.003 BTC.
    assert (by_price.worst, by_price.best) == (Decimal("0.0003"), Decimal("0.003"))
    assert (by_fees.worst, by_fees.best) == (Decimal("0.0045"), Decimal("0.00045"))
    (first, second) = by_price.orders
    assert (first.sent_ms, first.acknowledged_ms, first.first_fill_ms, first.slippage_bps) == (1.0, 2.0, 3.0, 0.0)
    assert second.client_order_id == by_price.entry.exit_order


def test_losses_are_grouped_by_strategy_and_kind_of_reason(connection: sa.Connection) -> None:
    (group,) = groups(losses(connection))
    assert (group.strategy, group.reason, group.trades) == ("arb", "target | moved", 2)
    assert group.net == {"BTC": Decimal("-11.73")}


def test_the_report_is_readable(connection: sa.Connection) -> None:
    text = report_text(losses(connection))
    assert "| arb | target \\| moved | 2 | -11.7300000 (BTC) |" in text
    assert "## 2. arb, BTC: -0.0300000" in text
    assert "- lost by price: -0.0300000 by price, 0.0000000 fees, -1.7 bps" in text
    assert "- while it was open: at most 0.0003000 against it, 0.0030000 for it" in text
    assert "sent 1.000 ms, acknowledged 2.000 ms, first fill 3.000 ms after the decision; slippage 0.00 bps" in text
    assert report_text([]) == "# Losing trades\n\nNone.\n"


def test_a_trade_without_candles_and_of_an_unknown_session_is_still_told(connection: sa.Connection) -> None:
    (entry, *_) = TradeJournal(connection).entries(TradeFilter(), most=1)
    assert entry.exit_candles
    names = TradeJournal(connection).names(99)
    assert (names.instrument(3), names.venue(3, 1), names.symbol(3, 1)) == ("3", "1", "")
    assert names.price(3, 5) == 5
    assert time_text(0) == ""
