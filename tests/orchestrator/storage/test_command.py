"""``tickwire history``."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from config.storage import Durability
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_folder import JournalFolder, journal_path
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.storage.sessions import first_session


@pytest.fixture
def traded(terminal: Terminal) -> Terminal:
    """A folder with the journal of a session that crashed, and no database."""
    folder = terminal.folder / "out" / "journal"
    folder.mkdir(parents=True)
    journal = JournalFile(journal_path(folder, 1), 1, Durability.PROCESS)
    for record in first_session():
        journal.write(record)
    journal.close()
    return terminal


def test_trades_are_shown_for_people_and_programs(traded: Terminal) -> None:
    shown = traded.run("history", "show")
    assert shown.code == 0
    assert "trigger 5, arb, edge 42" in shown.out
    trades = traded.run("history", "show", "trades", "--json").json["trades"]
    assert [(trade["strategy"], trade["net"]) for trade in trades] == [("arb", 5.9999968), ("cross", -0.00005)]
    only = traded.run("history", "show", "--strategy", "cross", "--json").json["trades"]
    assert [trade["side"] for trade in only] == ["BUY"]


def test_sessions_are_shown_with_profit_and_win_rate(traded: Terminal) -> None:
    assert "running" in traded.run("history", "show", "sessions").out
    (session,) = traded.run("history", "show", "sessions", "--json").json["sessions"]
    assert (session["epoch"], session["orders"], session["trades"], session["win_rate"]) == (1, 5, 2, 0.5)
    assert session["results"][0] == {
        "strategy": "arb", "instrument": "BTC", "realised": 6, "fees": 4.1e-06,
    }  # fmt: skip


def test_losses_events_and_interventions_are_shown(traded: Terminal) -> None:
    assert "# Losing trades" in traded.run("history", "show", "losses").out
    assert len(traded.run("history", "show", "losses", "--json").json["losses"]) == 1
    assert "vpin/BTC" in traded.run("history", "show", "events").out
    assert traded.run("history", "show", "audit", "--json").json["audit"][0]["action"] == "halt"


def test_trades_are_exported(traded: Terminal) -> None:
    done = traded.run("history", "export", "trades", "trades.parquet", "--json")
    assert done.json == {"content": "trades", "rows": 2, "file": "trades.parquet"}
    assert pq.read_table(traded.folder / "trades.parquet").num_rows == 2
    refused = traded.run("history", "export", "trades", "trades.xlsx")
    assert (refused.code, "must end in .csv or .parquet" in refused.err) == (2, True)


def test_while_a_run_is_on_the_database_is_read_as_it_is(traded: Terminal) -> None:
    with JournalFolder(traded.folder / "out" / "journal", Durability.PROCESS, 0):
        assert traded.run("history", "show", "--json").json == {"trades": []}
    assert len(traded.run("history", "show", "--json").json["trades"]) == 2


def test_nothing_to_show_is_shown(terminal: Terminal) -> None:
    for subject in ("trades", "sessions", "losses", "events", "audit"):
        assert terminal.run("history", "show", subject).code == 0
