"""Trades of Parquet and CSV files, larger than memory or not.

Columns: ``time_ns``, ``time_us`` or ``time_ms`` (whole numbers since the epoch, or a timestamp under any of these
names); ``price``; ``quantity``; and, if there are any, ``aggressor`` (0, 1, 2 or none, buy, sell) or ``is_buyer_maker``
(true: the seller was the aggressor), ``bid`` and ``ask`` (0 or missing: none).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gpu.columns import Integers, Sides, Trades
from market.errors import MissingInput, Rejected
from orchestrator.research.trade_parts import TradedMarket

TIME_UNITS: Final = {"time_ns": 1, "time_us": 1_000, "time_ms": 1_000_000}
OTHERS: Final = ("price", "quantity", "aggressor", "is_buyer_maker", "bid", "ask")
COLUMNS: Final = (*TIME_UNITS, *OTHERS)
PART_ROWS: Final = 1 << 20
_CSV_BLOCK: Final = 1 << 24
_SIDES: Final = {"none": 0, "buy": 1, "sell": 2, "0": 0, "1": 1, "2": 2}
_LARGEST_FLOAT: Final = 2.0**53


@dataclass(frozen=True)
class TradeFile:
    """A file of one market's trades.

    Parameters
    ----------
    columns: names in the file of the columns whose names differ. part_rows: rows that are held at once (Parquet).
    """

    path: Path
    market: TradedMarket
    columns: Mapping[str, str] = field(default_factory=dict)
    part_rows: int = PART_ROWS
    csv_block_bytes: int = _CSV_BLOCK

    def parts(self) -> Iterator[tuple[TradedMarket, Trades]]:
        """See ``TradeSource``."""
        row = 0
        try:
            for table in self._tables():
                if table.num_rows:
                    yield self.market, self._trades(table)
                row += table.num_rows
        except Rejected as error:
            raise Rejected(f"{self.path}, part from row {row} on: {error}") from error
        except FileNotFoundError:
            raise MissingInput(f"{self.path} is not there") from None
        except (OSError, pa.ArrowException) as error:
            raise MissingInput(f"{self.path} cannot be read: {error}") from error

    def _tables(self) -> Iterator[pa.RecordBatch]:
        if self.path.suffix == ".parquet":
            # Reading ahead would hold the bytes of the whole file.
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                names = self._chosen(file.schema_arrow.names)
                yield from file.iter_batches(batch_size=self.part_rows, columns=names)
            return
        options = pyarrow.csv.ReadOptions(block_size=self.csv_block_bytes)
        with pyarrow.csv.open_csv(self.path, read_options=options) as reader:
            names = self._chosen(reader.schema.names)
            for batch in reader:
                yield batch.select(names)

    def _chosen(self, names: list[str]) -> list[str]:
        """The columns of the file that are read; raises Rejected when one that must be there is missing."""
        found = {column: self.columns.get(column, column) for column in COLUMNS}
        unknown = [name for name in self.columns.values() if name not in names]
        if unknown:
            raise Rejected(f"there is no column {unknown[0]!r}; there are {', '.join(names)}")
        times = [unit for unit in TIME_UNITS if found[unit] in names]
        missing = [column for column in ("price", "quantity") if found[column] not in names]
        if len(times) != 1 or missing:
            wanted = missing[0] if missing else "time_ns, time_us or time_ms"
            raise Rejected(f"needs one column {wanted}; there are {', '.join(names)}: name it with --column")
        return [name for name in found.values() if name in names]

    def _trades(self, table: pa.RecordBatch) -> Trades:
        def column(name: str) -> Any:
            label = self.columns.get(name, name)
            return table.column(label) if label in table.schema.names else None

        [unit] = [unit for unit in TIME_UNITS if column(unit) is not None]
        market = self.market
        bids, asks = column("bid"), column("ask")
        return Trades(
            times_ns=_times(unit, column(unit)),
            prices=_counts("price", column("price"), market.price_decimals),
            quantities=_counts("quantity", column("quantity"), market.quantity_decimals),
            aggressors=_aggressors(column("aggressor"), column("is_buyer_maker")),
            bids=None if bids is None else _counts("bid", bids, market.price_decimals, missing=0),
            asks=None if asks is None else _counts("ask", asks, market.price_decimals, missing=0),
        )


def _times(unit: str, values: Any) -> Integers:
    _refuse_missing(unit, values)
    if pa.types.is_timestamp(values.type):
        stamps: Integers = values.cast(pa.timestamp("ns")).cast(pa.int64()).to_numpy(zero_copy_only=False)
        return stamps
    if not pa.types.is_integer(values.type):
        raise Rejected(f"{unit} must be whole numbers or a timestamp, was {values.type}")
    times: Integers = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
    if len(times) and int(times.max()) > (1 << 62) // TIME_UNITS[unit]:
        raise Rejected(f"{unit}[{int(times.argmax())}] is {times.max()}: too large for {unit}; is the unit right?")
    return times * np.int64(TIME_UNITS[unit])


def _counts(name: str, values: Any, decimals: int, missing: int | None = None) -> Integers:
    """Ticks or lots of a column: whole numbers are multiplied, others must have at most so many decimals."""
    if missing is None:
        _refuse_missing(name, values)
    else:
        values = pc.fill_null(values, pa.scalar(missing, type=values.type))
    factor = 10**decimals
    if pa.types.is_integer(values.type):
        whole: Integers = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if len(whole) and max(abs(int(whole.max())), abs(int(whole.min()))) > ((1 << 62) // factor):
            raise Rejected(f"{name} is too large for {decimals} decimals")
        return whole * np.int64(factor)
    if not (pa.types.is_floating(values.type) or pa.types.is_decimal(values.type)):
        raise Rejected(f"{name} must be numbers, was {values.type}")
    numbers: NDArray[np.float64] = values.cast(pa.float64()).to_numpy(zero_copy_only=False) * factor
    rounded = np.rint(numbers)
    # What a double of a decimal number is off by, and a little more.
    off = ~(np.abs(numbers - rounded) <= 1e-6 + 4e-16 * np.abs(numbers)) | ~(np.abs(numbers) < _LARGEST_FLOAT)
    if off.any():
        row = int(np.argmax(off))
        raise Rejected(f"{name}[{row}] is {numbers[row] / factor}: must be a number of at most {decimals} decimals")
    counts: Integers = rounded.astype(np.int64)
    return counts


def _refuse_missing(name: str, values: Any) -> None:
    if values.null_count:
        row = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
        raise Rejected(f"{name}[{row}] is missing")


def _aggressors(values: Any, buyer_is_maker: Any) -> Sides | None:
    if values is not None:
        return _sides(values)
    if buyer_is_maker is None:
        return None
    _refuse_missing("is_buyer_maker", buyer_is_maker)
    if not pa.types.is_boolean(buyer_is_maker.type):
        raise Rejected(f"is_buyer_maker must be true or false, was {buyer_is_maker.type}")
    flags: NDArray[np.bool_] = buyer_is_maker.to_numpy(zero_copy_only=False)
    sides: Sides = np.where(flags, 2, 1).astype(np.int8)
    return sides


def _sides(values: Any) -> Sides:
    _refuse_missing("aggressor", values)
    if pa.types.is_integer(values.type):
        numbers = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
        wrong = (numbers < 0) | (numbers > 2)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise Rejected(f"aggressor[{row}] is {numbers[row]}: must be 0 (unknown), 1 (buy) or 2 (sell)")
        sides: Sides = numbers.astype(np.int8)
        return sides
    names = [str(name).lower() for name in values.to_pylist()]
    unknown = next((row for row, name in enumerate(names) if name not in _SIDES), None)
    if unknown is not None:
        raise Rejected(f"aggressor[{unknown}] is {names[unknown]!r}: must be none, buy or sell")
    return np.array([_SIDES[name] for name in names], dtype=np.int8)
