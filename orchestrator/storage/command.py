"""``tickwire history``: what earlier and running sessions did, from the database that is made of their journals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from config.storage import StorageSettings
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.storage.database import Database
from orchestrator.storage.export import Content, Format, export
from orchestrator.storage.journal_folder import JournalFolder, JournalInUse
from orchestrator.storage.names import Names, time_text
from orchestrator.storage.post_mortem import groups, losses, report_text
from orchestrator.storage.projector import Projector
from orchestrator.storage.repositories.observations import Observations
from orchestrator.storage.repositories.sessions import Sessions
from orchestrator.storage.repositories.trades import TradeFilter
from orchestrator.storage.trade_journal import TradeJournal

_NS_PER_MS: Final = 1_000_000


class Subject(StrEnum):
    """What is asked for."""

    TRADES = "trades"
    SESSIONS = "sessions"
    LOSSES = "losses"
    EVENTS = "events"
    AUDIT = "audit"


@click.group()
def history() -> None:
    """Show and export what sessions did."""


@history.command()
@profile_option
@click.argument("subject", type=click.Choice([subject.value for subject in Subject]), default=Subject.TRADES.value)
@click.option("--most", default=50, show_default=True, type=click.IntRange(1), help="The latest so many.")
@click.option("--session", type=click.IntRange(0), help="Only of this session, by its epoch.")
@click.option("--strategy", help="Only trades of this strategy.")
@with_output
def show(output: Output, profile: str, subject: str, most: int, session: int | None, strategy: str | None) -> None:
    """Show closed trades, sessions, losing trades, changes of state or interventions."""
    wanted = Subject(subject)
    with _database(profile) as database, database.read() as connection:
        if wanted is Subject.TRADES:
            _show_trades(output, TradeJournal(connection), TradeFilter(epoch=session, strategy=strategy), most)
        elif wanted is Subject.SESSIONS:
            _show_sessions(output, Sessions(connection), most)
        elif wanted is Subject.LOSSES:
            found = losses(connection, epoch=session, most=most)
            output.say(report_text(found).rstrip("\n"))
            output.emit({"losses": [asdict(loss) for loss in found], "groups": [asdict(one) for one in groups(found)]})
        elif wanted is Subject.EVENTS:
            _show_records(output, "events", Observations(connection).changes(most=most))
        else:
            _show_records(output, "audit", Observations(connection).audits(most=most))


@history.command("export")
@profile_option
@click.argument("content", type=click.Choice([content.value for content in Content]))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--session", type=click.IntRange(0), help="Only of this session, by its epoch.")
@with_output
def export_command(output: Output, profile: str, content: str, out: Path, session: int | None) -> None:
    """Write trades, orders or fills to OUT, a .csv or .parquet file."""
    suffix = out.suffix.removeprefix(".")
    if suffix not in list(Format):
        raise click.UsageError(f"OUT was {out}: must end in {' or '.join(f'.{kind}' for kind in Format)}")
    with _database(profile) as database, database.read() as connection:
        rows = export(connection, Content(content), out, Format(suffix), epoch=session)
    output.say(f"{rows:,} {content} in {out}")
    output.emit({"content": content, "rows": rows, "file": str(out)})


@contextmanager
def _database(profile: str) -> Iterator[Database]:
    """The database, with all that the journals hold; while a run is on, as far as that has brought it."""
    settings = load_profile(profile).settings.storage
    database = Database.open(settings.database_url)
    try:
        _catch_up(database, settings)
        yield database
    finally:
        database.close()


def _catch_up(database: Database, settings: StorageSettings) -> None:
    if not settings.journal.is_dir():
        return
    try:
        with JournalFolder(settings.journal, settings.durability, settings.late_fills_ms * _NS_PER_MS):
            projector = Projector(database, settings.journal, settings.batch_records)
            try:
                while projector.advance():
                    pass
            finally:
                projector.close()
    except JournalInUse:
        # A run is on, and its own thread does this.
        return


def _show_trades(output: Output, journal: TradeJournal, wanted: TradeFilter, most: int) -> None:
    entries = journal.entries(wanted, most=most)
    columns = ("closed", "strategy", "instrument", "side", "quantity", "in", "out", "net", "bps", "ms", "why")
    rows = [
        (
            time_text(entry.closed_ns)[:23],
            entry.strategy,
            entry.instrument,
            entry.side.name,
            f"{entry.quantity:f}",
            f"{entry.entry_price:f} {entry.entry_venue}",
            f"{entry.exit_price:f} {entry.exit_venue}",
            f"{entry.net:f}",
            f"{entry.return_bps:,.2f}",
            f"{entry.held_ms:,.0f}",
            entry.entry_reason,
        )
        for entry in entries
    ]
    output.table("Closed trades", columns, rows, right=("quantity", "net", "bps", "ms"))
    output.emit({"trades": [asdict(entry) | {"side": entry.side.name} for entry in entries]})


def _show_sessions(output: Output, sessions: Sessions, most: int) -> None:
    reports = [report for one in sessions.find(most=most) if (report := sessions.report(one.epoch)) is not None]
    columns = ("session", "mode", "state", "started", "ended", "orders", "fills", "trades", "won")
    rows = [
        (
            report.session.epoch,
            report.session.mode,
            report.session.state.value,
            time_text(report.session.started_ns)[:19],
            time_text(report.session.ended_ns or 0)[:19],
            report.session.orders,
            report.session.fills,
            report.trades,
            "" if report.win_rate is None else f"{report.win_rate:.0%}",
        )
        for report in reports
    ]
    output.table("Sessions", columns, rows, right=("orders", "fills", "trades", "won"))
    output.emit(
        {
            "sessions": [
                asdict(report.session)
                | {"trades": report.trades, "wins": report.wins, "win_rate": report.win_rate}
                | {"results": _results(report.results, sessions, report.session.epoch)}
                for report in reports
            ]
        }
    )


def _results(results: Mapping[tuple[str, int], Any], sessions: Sessions, epoch: int) -> list[dict[str, Any]]:
    names = Names(sessions.markets(epoch))
    return [
        {
            "strategy": strategy,
            "instrument": names.instrument(instrument),
            "realised": names.money(instrument, result.realised),
            "fees": names.money(instrument, result.fees),
        }
        for (strategy, instrument), result in results.items()
    ]


def _show_records(output: Output, title: str, records: Sequence[msgspec.Struct]) -> None:
    found = [{name: getattr(record, name) for name in record.__struct_fields__} for record in records]
    columns = tuple(found[0]) if found else ("time_ns",)
    rows = [[time_text(row["time_ns"])[:23], *list(row.values())[1:]] for row in found]
    output.table(title.capitalize(), ("time", *columns[1:]), rows)
    output.emit({title: found})
