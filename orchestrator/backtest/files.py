"""Rows of a backtest as files: exact decimals in CSV, float64 in Parquet; a file is there whole or not at all."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from market.errors import MissingInput

Rows = Sequence[Mapping[str, Any]]


def write_rows(folder: Path, name: str, columns: Sequence[str], rows: Rows) -> None:
    """Write ``name.csv`` and ``name.parquet``; raises MissingInput when that cannot be."""
    _whole(folder / f"{name}.csv", lambda path: _write_csv(path, columns, rows))
    _whole(folder / f"{name}.parquet", lambda path: _write_parquet(path, columns, rows))


def write_text(path: Path, text: str) -> None:
    """Write a file of text; raises MissingInput when that cannot be."""
    _whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except OSError as error:
        raise MissingInput(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _write_csv(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_text(row[column]) for column in columns] for row in rows)


def _text(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _write_parquet(path: Path, columns: Sequence[str], rows: Rows) -> None:
    arrays: dict[str, Any] = {column: pa.array(_numbers(column, rows)) for column in columns}
    pq.write_table(pa.table(arrays), path, compression="zstd")


def _numbers(column: str, rows: Rows) -> list[Any]:
    values = (row[column] for row in rows)
    return [float(value) if isinstance(value, Decimal) else value for value in values]
