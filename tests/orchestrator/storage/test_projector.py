"""From the journal into the database: what the journal tells is what is kept."""

from __future__ import annotations

from pathlib import Path

import msgspec

from market.orders.kinds import OrderState
from orchestrator.storage.database import Database
from orchestrator.storage.matching import Result
from orchestrator.storage.records import Area, Audited, ComponentSaved, Outcome, SessionEnded
from orchestrator.storage.replayed import ReplayedSession
from orchestrator.storage.repositories.observations import Observations
from orchestrator.storage.repositories.orders import OrderFilter, Orders
from orchestrator.storage.repositories.positions import Positions
from orchestrator.storage.repositories.sessions import SessionReport, Sessions
from orchestrator.storage.repositories.trades import TradeFilter, Trades
from orchestrator.storage.schema import SessionState
from tests.orchestrator.storage.sessions import CANDLE, STATE, first_session, project, second_session, write
from tests.orchestrator.storage.worlds import MARKETS, S, T


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
