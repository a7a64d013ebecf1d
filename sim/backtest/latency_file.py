"""Measured latencies from a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np

from market.errors import MissingInput, Rejected
from market.wire.records import Rows
from sim.backtest.latency import Latency

COLUMNS: Final = ("sent_ns", "processed_ns", "answered_ns")
_LARGEST: Final = 1 << 62


def read_latency(path: Path) -> Latency:
    """The latencies of a CSV file; raises MissingInput naming file and line for what is none.

    Its columns are ``sent_ns``, ``processed_ns`` and ``answered_ns``: when a request was sent, when the venue processed
    it (0: it was too busy), when the answer came, on one clock, in order of sending.
    """
    rows: list[list[int]] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            if tuple(head) != COLUMNS:
                raise MissingInput(f"{path} has columns {', '.join(head) or 'none'}; expected {', '.join(COLUMNS)}")
            rows = [_sample(path, number, cells) for number, cells in enumerate(reader, 2)]
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MissingInput(f"{path} is not a CSV file: {error}") from error
    try:
        return Latency(samples=np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS)))
    except Rejected as error:
        raise MissingInput(f"{path}: {error}") from error


def _sample(path: Path, line: int, cells: list[str]) -> list[int]:
    try:
        values = [int(cell) for cell in cells]
    except ValueError:
        values = []
    if len(values) != len(COLUMNS) or not all(0 <= value < _LARGEST for value in values):
        raise MissingInput(f"{path}, line {line}: was {','.join(cells)!r}; expected three times in ns")
    return values


def placed_samples(latency: Latency, first_ns: int, last_ns: int) -> tuple[Latency, int]:
    """Samples that were measured at another time, moved so that the first is at a recording's beginning.

    Those that lie within the recording stay. Gives what they were moved by.
    """
    samples = latency.samples
    if samples is None or (samples[-1, 0] >= first_ns and samples[0, 0] <= last_ns):
        return latency, 0
    moved_ns = first_ns - int(samples[0, 0])
    moved: Rows = np.where(samples == 0, 0, samples + moved_ns)
    return Latency(samples=np.ascontiguousarray(moved)), moved_ns
