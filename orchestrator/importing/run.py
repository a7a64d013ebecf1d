"""From archived files to trades, bars and a recording, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from config.venues import VenueName
from market.errors import MissingInput
from orchestrator.importing.files import ImportFiles
from sim.archive.bars import BarMaker
from sim.archive.book_rule import BookRule
from sim.archive.dialect import Dialect
from sim.archive.files import ArchiveFile, is_coin_margined, verify_checksum
from sim.archive.reader import RowCount, TradeReader
from sim.archive.recording import SyntheticRecording
from sim.archive.rows import SPOT_COLUMNS, Column, Integers

_NS_PER_S: Final = 1_000_000_000
_NS_PER_DAY: Final = 86_400 * _NS_PER_S
_LATEST_NS: Final = 1 << 62
SOURCE: Final = "Binance public archive, aggTrades"
BOOK_LABEL: Final = "synthetic: made by a rule from trades, nobody recorded it"


@dataclass(frozen=True, kw_only=True)
class ImportPlan:
    """What is imported and how.

    Parameters
    ----------
    first_day, last_day: UTC, both included; trades of other days are left out. book: None for no recording.
    feed_ns: from a moment at the exchange to its receipt, in the recording.
    """

    files: tuple[ArchiveFile, ...]
    venue: VenueName
    symbol: str
    price_decimals: int
    quantity_decimals: int
    first_day: date | None
    last_day: date | None
    book: BookRule | None
    feed_ns: int
    folder: Path
    overwrite: bool

    @property
    def market(self) -> dict[str, Any]:
        """What labels every output."""
        return {
            "source": SOURCE,
            "venue": self.venue.value,
            "symbol": self.symbol,
            "price_decimals": self.price_decimals,
            "quantity_decimals": self.quantity_decimals,
        }


class _Totals:
    def __init__(self) -> None:
        self.trades = self.bars = self.first_ns = self.last_ns = 0

    def add(self, rows: Integers) -> None:
        self.first_ns = self.first_ns or int(rows[0, Column.TIME_NS])
        self.last_ns = int(rows[-1, Column.TIME_NS])
        self.trades += len(rows)


def run_import(plan: ImportPlan, tell: Callable[[int], object]) -> dict[str, Any]:
    """Import and return the result; ``tell`` is told the bytes of text so far.

    Raises MissingInput for files that cannot be used or written; then nothing is written.
    """
    checksums = [(file.path.name, verify_checksum(file)) for file in plan.files]
    reader, bar_maker, totals = TradeReader(plan.price_decimals, plan.quantity_decimals), BarMaker(), _Totals()
    dialect = Dialect(plan.venue, plan.symbol, plan.price_decimals, plan.quantity_decimals)
    recording = SyntheticRecording(dialect, plan.book, plan.feed_ns) if plan.book is not None else None
    with ImportFiles(plan.folder, plan.market, with_book=recording is not None, overwrite=plan.overwrite) as files:
        for part in reader.parts(plan.files, tell):
            rows = _in_days(part, plan)
            if not len(rows):
                continue
            totals.add(rows)
            bars = bar_maker.add(rows)
            files.write_trades(rows)
            files.write_bars(bars)
            totals.bars += len(bars)
            if recording is not None:
                files.write_lines(recording.add(rows))
        if not totals.trades:
            raise MissingInput(f"no trade could be read: {_why_none(reader.count, plan)}")
        _refuse_other_market(plan, reader.count)
        bars = bar_maker.finish()
        files.write_bars(bars)
        totals.bars += len(bars)
        if recording is not None:
            files.write_lines(recording.finish())
        result = _result(plan, reader.count, totals, checksums, files.all)
        if recording is not None and plan.book is not None:
            result["synthetic_book"] = {"label": BOOK_LABEL, **asdict(plan.book), "feed_ns": plan.feed_ns}
            result["synthetic_book"]["books"] = recording.books
        files.finish(result)
    return result


def _in_days(rows: Integers, plan: ImportPlan) -> Integers:
    if plan.first_day is None and plan.last_day is None:
        return rows
    times = rows[:, Column.TIME_NS]
    keep = np.ones(len(rows), np.bool_)
    if plan.first_day is not None:
        keep &= times >= _midnight_ns(plan.first_day)
    if plan.last_day is not None:
        keep &= times < _midnight_ns(plan.last_day) + _NS_PER_DAY
    return np.ascontiguousarray(rows[keep])


def _midnight_ns(day: date) -> int:
    midnight_ns = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * _NS_PER_S
    return min(max(midnight_ns, 0), _LATEST_NS)


def _refuse_other_market(plan: ImportPlan, count: RowCount) -> None:
    is_spot = plan.venue is VenueName.BINANCE_SPOT
    if is_spot != (count.columns == SPOT_COLUMNS):
        kind = "spot" if count.columns == SPOT_COLUMNS else "futures"
        raise MissingInput(
            f"the rows have {count.columns} columns, as those of {kind} have, and the venue is {plan.venue.value}: "
            "name the right one with --venue"
        )
    if (plan.venue is VenueName.BINANCE_CM) != is_coin_margined(plan.symbol):
        raise MissingInput(f"{plan.symbol} is no symbol of {plan.venue.value}: name the right one with --venue")


def _why_none(count: RowCount, plan: ImportPlan) -> str:
    if count.rows:
        return f"none of {count.rows:,} is from {plan.first_day or 'the beginning'} to {plan.last_day or 'the end'}"
    refused = "; ".join(f"{reason_name(reason)} at {where}" for reason, where in count.first_refused.items())
    return refused or "the files are empty, but for first lines of names: expected aggTrades of Binance's archive"


def reason_name(reason: Any) -> str:
    """A reason as results name it."""
    return str(reason.name).lower().replace("_", "-")


def _result(
    plan: ImportPlan, count: RowCount, totals: _Totals, checksums: list[tuple[str, bool]], files: list[Path]
) -> dict[str, Any]:
    return plan.market | {
        "files": [{"name": name, "checksum": "verified" if verified else "absent"} for name, verified in checksums],
        "rows": count.rows,
        "trades": totals.trades,
        "bars": totals.bars,
        "first_ns": totals.first_ns,
        "last_ns": totals.last_ns,
        "gaps": count.gaps,
        "missing_ids": count.missing_ids,
        "refused": {
            reason_name(reason): {"rows": rows, "first": count.first_refused[reason]}
            for reason, rows in sorted(count.refused.items())
        },
        "written": [path.name for path in files],
    }
