"""Trades, orders and fills as CSV and Parquet: exact decimals, names in place of numbers."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from market.errors import MissingInput
from market.orders.order import Order
from orchestrator.storage.names import Names, time_text
from orchestrator.storage.repositories.orders import OrderFilter, Orders
from orchestrator.storage.repositories.trades import TradeFilter
from orchestrator.storage.trade_journal import COLUMNS, Candle, TradeJournal, candle_columns

MOST_ROWS: Final = 1_000_000
Rows = Sequence[Mapping[str, Any]]


class Format(StrEnum):
    """Kind of file."""

    CSV = "csv"
    PARQUET = "parquet"


class Content(StrEnum):
    """What is exported."""

    TRADES = "trades"
    ORDERS = "orders"
    FILLS = "fills"


def export(connection: sa.Connection, content: Content, path: Path, kind: Format, *, epoch: int | None = None) -> int:
    """Write one content into a file, oldest first; returns the number of rows.

    Raises MissingInput when the file cannot be written. Times are nanoseconds in Parquet, UTC text in CSV; candles are
    lists in Parquet, JSON in CSV.

    Parameters
    ----------
    epoch: of one session; None: all.
    """
    rows = _ROWS[content](connection, epoch)
    try:
        if kind is Format.CSV:
            _write_csv(path, _COLUMNS[content], rows)
        else:
            _write_parquet(path, _COLUMNS[content], rows)
    except OSError as error:
        raise MissingInput(f"{path}: {error.strerror or error}") from error
    return len(rows)


def _trade_rows(connection: sa.Connection, epoch: int | None) -> Rows:
    entries = TradeJournal(connection).entries(TradeFilter(epoch=epoch), most=MOST_ROWS)
    return [{name: getattr(entry, name) for name in COLUMNS} for entry in reversed(entries)]


def _order_rows(connection: sa.Connection, epoch: int | None) -> Rows:
    journal = TradeJournal(connection)
    orders = Orders(connection).find(OrderFilter(epoch=epoch), most=MOST_ROWS)
    return [_order_row(order, journal.names(order.intent.cause.epoch)) for order in reversed(orders)]


def _order_row(order: Order, names: Names) -> Mapping[str, Any]:
    intent = order.intent
    number = intent.instrument
    return {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "strategy": intent.cause.strategy,
        "instrument": names.instrument(number),
        "venue": names.venue(number, intent.venue),
        "symbol": names.symbol(number, intent.venue),
        "side": intent.side,
        "type": intent.type,
        "time_in_force": intent.time_in_force,
        "quantity": names.quantity(number, intent.quantity),
        "limit_price": names.price(number, intent.limit_price),
        "stop_price": names.price(number, intent.stop_price),
        "state": order.state,
        "filled": names.quantity(number, order.filled),
        "notional": names.money(number, order.notional),
        "fee": names.money(number, order.fee),
        "decided_ns": intent.decided_ns,
        "sent_ns": order.sent_ns,
        "acknowledged_ns": order.acknowledged_ns,
        "ended_ns": order.ended_ns,
        "why": intent.why,
        "reason": order.reason,
        "session": intent.cause.epoch,
    }


def _fill_rows(connection: sa.Connection, epoch: int | None) -> Rows:
    journal = TradeJournal(connection)
    rows = []
    for order in reversed(Orders(connection).find(OrderFilter(epoch=epoch), most=MOST_ROWS)):
        names, number = journal.names(order.intent.cause.epoch), order.intent.instrument
        rows += [
            {
                "client_order_id": order.client_order_id,
                "fill_id": fill.fill_id,
                "instrument": names.instrument(number),
                "venue": names.venue(number, order.intent.venue),
                "side": order.intent.side,
                "price": names.price(number, fill.price),
                "quantity": names.quantity(number, fill.quantity),
                "fee": names.money(number, fill.fee),
                "fee_base": names.quantity(number, fill.fee_base),
                "fee_unpriced": fill.fee_unpriced,
                "liquidity": fill.liquidity,
                "venue_ns": fill.venue_ns,
                "receive_ns": fill.receive_ns,
            }
            for fill in order.fills
        ]
    return rows


_ROWS: Final[Mapping[Content, Callable[[sa.Connection, int | None], Rows]]] = {
    Content.TRADES: _trade_rows,
    Content.ORDERS: _order_rows,
    Content.FILLS: _fill_rows,
}
_COLUMNS: Final[Mapping[Content, Sequence[str]]] = {
    Content.TRADES: COLUMNS,
    Content.ORDERS: (
        "client_order_id", "venue_order_id", "strategy", "instrument", "venue", "symbol", "side", "type",
        "time_in_force", "quantity", "limit_price", "stop_price", "state", "filled", "notional", "fee", "decided_ns",
        "sent_ns", "acknowledged_ns", "ended_ns", "why", "reason", "session",
    ),
    Content.FILLS: (
        "client_order_id", "fill_id", "instrument", "venue", "side", "price", "quantity", "fee", "fee_base",
        "fee_unpriced", "liquidity", "venue_ns", "receive_ns",
    ),
}  # fmt: skip


_FLOATS: Final = frozenset({"return_bps", "held_ms"})
_DECIMALS: Final = frozenset(
    {"quantity", "entry_price", "exit_price", "gross", "fees", "net", "limit_price", "stop_price", "filled", "notional",
     "fee", "price", "fee_base"}
)  # fmt: skip
_NARROW: Final = 38
_COUNT: Final = pa.decimal128(_NARROW, 18)
_CANDLE: Final = pa.struct(
    [("start_ns", pa.int64()), *((name, _COUNT) for name in ("open", "high", "low", "close", "volume"))]
)


def _write_csv(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(name, row[name]) for name in columns] for row in rows)


def _cell(name: str, value: object) -> object:
    if name.endswith("_ns") and isinstance(value, int):
        return time_text(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple):
        return json.dumps([_candle_cells(candle) for candle in value]) if value else ""
    return value


def _candle_cells(candle: Candle) -> Mapping[str, object]:
    return {name: _cell(name, value) for name, value in candle_columns(candle).items()}


def _write_parquet(path: Path, columns: Sequence[str], rows: Rows) -> None:
    values = {name: [_plain(row[name]) for row in rows] for name in columns}
    schema = pa.schema([(name, _type(name, values[name])) for name in columns])
    pq.write_table(pa.table(values, schema=schema), path, compression="zstd")


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.name
    return [dict(candle_columns(candle)) for candle in value] if isinstance(value, tuple) else value


def _type(name: str, values: Sequence[Any]) -> pa.DataType:
    """The type of a column: by its name, so that it is the same without rows; decimals as wide as they need."""
    if name.endswith("_ns") or name == "session":
        return pa.int64()
    if name in _FLOATS:
        return pa.float64()
    if name.endswith("_candles"):
        return pa.list_(_CANDLE)
    if name not in _DECIMALS:
        return pa.string()
    digits = [value.as_tuple() for value in values]
    scale = max((-int(number.exponent) for number in digits), default=0)
    whole = max((len(number.digits) + int(number.exponent) for number in digits), default=0)
    scale = max(scale, 0)
    return pa.decimal128(_NARROW, scale) if whole + scale <= _NARROW else pa.decimal256(2 * _NARROW, scale)
