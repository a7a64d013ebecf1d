"""A backtest as it is written to a folder and read back: the result, and the rows beside it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from market.errors import MissingInput
from market.protocols import MarketKey
from orchestrator.backtest.detectors import TRANSITION_COLUMNS, detector_result, transition_rows
from orchestrator.backtest.files import write_rows, write_text
from orchestrator.backtest.middles import CANDLE_COLUMNS, Middles, candle_rows, markouts
from orchestrator.backtest.result import FORMAT
from orchestrator.backtest.run import BacktestRun
from orchestrator.backtest.states import (
    ORDER_COLUMNS,
    STATE_COLUMNS,
    TRADE_COLUMNS,
    Row,
    order_rows,
    trade_rows,
)

RESULT_FILE: Final = "result.json"
_SYNTHETIC: Final = "synthetic"
"""Column that says whether the market, or its book, was made up and not recorded."""
_COLUMNS: Final = {
    "orders": ORDER_COLUMNS,
    "trades": (*TRADE_COLUMNS, _SYNTHETIC),
    "states": (*STATE_COLUMNS, _SYNTHETIC),
    "candles": CANDLE_COLUMNS,
    "transitions": TRANSITION_COLUMNS,
}
_TEXTS: Final = frozenset(
    {"market", "strategy", "order", "side", "liquidity", "type", "time_in_force", "state", "reason", "why"}
    | {"before", "after", "cause", "signals"}
)


@dataclass(frozen=True)
class RunRecord:
    """Everything that is kept of a backtest.

    Parameters
    ----------
    result: see ``backtest_result``; in a record also ``markouts`` and ``detectors``. The rows: int, Decimal, str or
        None by column.
    """

    result: Mapping[str, Any]
    orders: Sequence[Row]
    trades: Sequence[Row]
    states: Sequence[Row]
    candles: Sequence[Row]
    transitions: Sequence[Row]

    def rows(self, name: str) -> Sequence[Row]:
        """The rows of a file without its ending."""
        found: Sequence[Row] = getattr(self, name)
        return found


def run_record(run: BacktestRun, result: dict[str, Any], middles: Mapping[MarketKey, Middles]) -> RunRecord:
    """The record of a run; adds to ``result`` what follows from the middles and the detectors."""
    listings, orders = run.plan.catalogue, run.summary.orders
    transitions = transition_rows(run.strategies, listings)
    times = run.plan.tape.first_ns, run.plan.tape.last_ns
    result["markouts"] = markouts(orders, middles, listings)
    result["detectors"] = detector_result(run.strategies, transitions, listings, *times)
    return RunRecord(
        result=result,
        orders=order_rows(orders, listings),
        trades=_marked(trade_rows(orders, listings), result),
        states=_marked(run.states.rows, result),
        candles=candle_rows(middles, listings),
        transitions=transitions,
    )


def _marked(rows: Sequence[Row], result: Mapping[str, Any]) -> list[Row]:
    generated = {market["market"] for market in result["markets"] if market[_SYNTHETIC]}
    return [{**row, _SYNTHETIC: row["market"] in generated} for row in rows]


def write_record(folder: Path, record: RunRecord) -> None:
    """Write a record; result.json comes last, so that a folder that has one is whole. Raises MissingInput."""
    try:
        (folder / RESULT_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise MissingInput(f"{folder / RESULT_FILE} cannot be replaced: {error.strerror or error}") from error
    for name, columns in _COLUMNS.items():
        write_rows(folder, name, columns, record.rows(name))
    write_text(folder / RESULT_FILE, json.dumps(record.result, indent=1) + "\n")


def read_record(folder: Path) -> RunRecord:
    """The record of a folder; raises MissingInput naming the file for what is missing, damaged or of another format."""
    result = _result(folder)
    return RunRecord(result=result, **{name: _rows(folder / f"{name}.csv", _COLUMNS[name]) for name in _COLUMNS})


def _result(folder: Path) -> dict[str, Any]:
    path = folder / RESULT_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingInput(
            f"{path} is missing: expected a folder that tickwire backtest --out wrote to its end"
        ) from error
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise MissingInput(f"{path} is damaged, run the backtest again: {error}") from error
    stated = found.get("format") if isinstance(found, dict) else None
    if not isinstance(found, dict) or stated != FORMAT:
        raise MissingInput(
            f"{path} says format {stated!r}, expected {FORMAT!r}: it is of another command or version; "
            "run the backtest again with this one"
        )
    return found


def _rows(path: Path, columns: Sequence[str]) -> list[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            if head != list(columns):
                raise MissingInput(f"{path} has columns {', '.join(head) or 'none'}; expected {', '.join(columns)}")
            return [_row(path, number, columns, cells) for number, cells in enumerate(reader, 2)]
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MissingInput(f"{path} is damaged, run the backtest again: {error}") from error


def _row(path: Path, number: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(columns):
        raise MissingInput(
            f"{path}, line {number}: {len(cells)} cells, expected {len(columns)}; run the backtest again"
        )
    row: Row = {}
    for column, cell in zip(columns, cells, strict=True):
        try:
            row[column] = _value(column, cell)
        except (KeyError, ValueError, InvalidOperation) as error:
            raise MissingInput(
                f"{path}, line {number}: {column} was {cell!r}; expected {_expected(column)}; run the backtest again"
            ) from error
    return row


def _expected(column: str) -> str:
    return "True or False" if column == _SYNTHETIC else "a number"


def _value(column: str, cell: str) -> Any:
    if column in _TEXTS:
        return cell
    if column == _SYNTHETIC:
        return {"True": True, "False": False}[cell]
    if column.endswith("_ns") or column == "working_orders":
        return int(cell)
    if not cell:
        return None
    number = Decimal(cell)
    if not number.is_finite():
        raise ValueError(cell)
    return number
