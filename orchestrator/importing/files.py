"""The files of an import: they grow under other names, and are there whole, all of them, or not at all."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from market.errors import MissingInput
from sim.archive.bars import Bar
from sim.archive.rows import Column, Integers
from sim.generator.recording import SYNTHETIC

_COMPRESSION: Final = 6
_DIGITS: Final = 18
_DECIMAL_WORDS: Final = 2


class ImportFiles:
    """Trades, bars and, if asked for, a recording with a synthetic book; use as a context.

    Leaving the context without ``finish`` takes everything back. Raises MissingInput for a file that is there already
    and must not be replaced, and when one cannot be written.

    Parameters
    ----------
    market: what stands in the metadata of the Parquet files: venue, symbol, price_decimals, quantity_decimals.
    """

    def __init__(self, folder: Path, market: Mapping[str, Any], *, with_book: bool, overwrite: bool) -> None:
        symbol = market["symbol"]
        self.trades = folder / f"{symbol}-trades.parquet"
        self.bars = folder / f"{symbol}-bars-1s.parquet"
        self.recording = folder / f"{SYNTHETIC}-{market['venue']}-{symbol}.gz" if with_book else None
        self.result = folder / f"{symbol}-import.json"
        self._overwrite, self._folder, self._market = overwrite, folder, market
        self._prices, self._quantities = int(market["price_decimals"]), int(market["quantity_decimals"])
        self._schemas = _schemas(self._prices, self._quantities)
        self._made_folder = False
        self._parts: list[Path] = []

    @property
    def all(self) -> list[Path]:
        """What is written."""
        return [path for path in (self.trades, self.bars, self.recording, self.result) if path is not None]

    def __enter__(self) -> Self:
        if not self._overwrite and (there := [path for path in self.all if path.exists()]):
            raise MissingInput(f"{there[0]} is there already: choose another --out, or --overwrite")
        try:
            self._made_folder = not self._folder.exists()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            self._drop()
            raise MissingInput(f"--out {self._folder} cannot be written: {error.strerror or error}") from error
        return self

    def _open(self) -> None:
        labels = {f"tickwire.{name}": str(value) for name, value in self._market.items()}
        self._writers = [
            pq.ParquetWriter(
                self._part(path), schema.with_metadata(labels), compression="zstd", store_decimal_as_integer=True
            )
            for path, schema in zip((self.trades, self.bars), self._schemas, strict=True)
        ]
        self._raw = self._part(self.recording).open("wb") if self.recording is not None else None
        # The name in the header says synthetic as well; there is no time in it, so that bytes repeat.
        self._lines = (
            gzip.GzipFile(self.recording.name, "wb", _COMPRESSION, self._raw, mtime=0)
            if self.recording is not None and self._raw is not None
            else None
        )

    def write_trades(self, rows: Integers) -> None:
        """Append trades, int64[n, len(Column)]."""
        self._write(0, {
            "time_ns": pa.array(rows[:, Column.TIME_NS]),
            "price": _decimals(rows[:, Column.PRICE], self._prices),
            "quantity": _decimals(rows[:, Column.QUANTITY], self._quantities),
            "aggressor": pa.array((1 + rows[:, Column.IS_SELL]).astype(np.int8)),
            "id": pa.array(rows[:, Column.ID]),
            "first_trade_id": pa.array(rows[:, Column.FIRST_ID]),
            "last_trade_id": pa.array(rows[:, Column.LAST_ID]),
        })  # fmt: skip

    def write_bars(self, bars: Integers) -> None:
        """Append bars, int64[n, len(Bar)]."""
        if len(bars):
            columns: dict[str, Any] = {"time_ns": pa.array(bars[:, Bar.TIME_NS])}
            for column in (Bar.OPEN, Bar.HIGH, Bar.LOW, Bar.CLOSE):
                columns[column.name.lower()] = _decimals(bars[:, column], self._prices)
            for column in (Bar.VOLUME, Bar.BOUGHT):
                columns[column.name.lower()] = _decimals(bars[:, column], self._quantities)
            self._write(1, columns | {"trades": pa.array(bars[:, Bar.TRADES])})

    def write_lines(self, lines: Iterable[str]) -> None:
        """Append lines to the recording, if there is one."""
        if self._lines is not None:
            try:
                self._lines.write("".join(lines).encode("ascii"))
            except OSError as error:
                raise MissingInput(f"{self.recording} cannot be written: {error.strerror or error}") from error

    def finish(self, result: Mapping[str, Any]) -> None:
        """Make all files whole and put them where they belong."""
        try:
            self._close()
            self._part(self.result).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            for part, path in zip(self._parts, self.all, strict=True):
                part.replace(path)
        except OSError as error:
            raise MissingInput(f"--out {self._folder} cannot be written: {error.strerror or error}") from error
        self._parts = []
        self._made_folder = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close()
        except OSError:
            if error is None:
                raise
        finally:
            self._drop()

    def _write(self, number: int, columns: Mapping[str, Any]) -> None:
        writer = self._writers[number]
        try:
            writer.write_table(pa.table(dict(columns), schema=self._schemas[number]))
        except OSError as error:
            raise MissingInput(f"{self._folder} cannot be written: {error.strerror or error}") from error

    def _part(self, path: Path) -> Path:
        part = path.with_name(f".{path.name}.part")
        self._parts.append(part)
        return part

    def _close(self) -> None:
        for closing in (*self._writers, self._lines, self._raw):
            if closing is not None:
                closing.close()

    def _drop(self) -> None:
        for part in self._parts:
            part.unlink(missing_ok=True)
        self._parts = []
        if self._made_folder and self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()


def _schemas(price_decimals: int, quantity_decimals: int) -> tuple[pa.Schema, pa.Schema]:
    price, quantity = pa.decimal128(_DIGITS, price_decimals), pa.decimal128(_DIGITS, quantity_decimals)
    ids: list[tuple[str, pa.DataType]] = [(name, pa.int64()) for name in ("id", "first_trade_id", "last_trade_id")]
    trades: list[tuple[str, pa.DataType]] = [
        ("time_ns", pa.int64()),
        ("price", price),
        ("quantity", quantity),
        ("aggressor", pa.int8()),
        *ids,
    ]
    prices: list[tuple[str, pa.DataType]] = [(name, price) for name in ("open", "high", "low", "close")]
    bars: list[tuple[str, pa.DataType]] = [
        ("time_ns", pa.int64()),
        *prices,
        ("volume", quantity),
        ("bought", quantity),
        ("trades", pa.int64()),
    ]
    return pa.schema(trades), pa.schema(bars)


def _decimals(values: Integers, decimals: int) -> pa.Array[Any]:
    """Ticks or lots as numbers of so many decimals: integers with their scale, exactly."""
    words = np.empty((len(values), _DECIMAL_WORDS), np.int64)
    words[:, 0] = values
    words[:, 1] = values >> 63
    return pa.Array.from_buffers(pa.decimal128(_DIGITS, decimals), len(values), [None, pa.py_buffer(words.tobytes())])
