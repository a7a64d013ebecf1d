"""Files in the layout of FI-2010, for those who have them; nothing is ever downloaded.

149 rows of text by as many columns as there are events: 40 of the book (of ten levels, best first: ask price, ask
quantity, bid price, bid quantity), 104 of features, 5 of labels for the horizons 10, 20, 30, 50 and 100 (Ntakaris,
Magris, Kanniainen, Gabbouj and Iosifidis, "Benchmark Dataset for Mid-Price Forecasting of Limit Order Book Data",
Journal of Forecasting 37(8), 2018). The files' own normalisation stays as it is. Stocks follow one another without a
mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from market.errors import MissingInput, Rejected
from orchestrator.research.datasets.dataset import file_digest
from orchestrator.research.datasets.labels import Classes, Floats, Move

HORIZONS: Final = (10, 20, 30, 50, 100)
BOOK_ROWS: Final = 40
FEATURE_ROWS: Final = 144
FILE_ROWS: Final = FEATURE_ROWS + len(HORIZONS)
_MOVES: Final = {1: Move.UP, 2: Move.SAME, 3: Move.DOWN}
"""What the files' labels mean."""


@dataclass(frozen=True)
class Fi2010:
    """One file.

    Parameters
    ----------
    features: float64[events, 144], of which the first 40 are the book's.
    labels: int8[events, 5], ``labels.Move`` by horizon.
    digest: SHA-256 of the file.
    """

    path: Path
    features: Floats
    labels: Classes
    digest: str

    @property
    def book(self) -> Floats:
        """float64[events, 40]: of each level ask price, ask quantity, bid price, bid quantity."""
        return self.features[:, :BOOK_ROWS]

    def labels_of(self, horizon: int) -> Classes:
        """int8[events]; raises Rejected for a horizon that the files do not have."""
        if horizon not in HORIZONS:
            raise Rejected(f"horizon was {horizon}: {self.path} has labels for {', '.join(map(str, HORIZONS))}")
        return self.labels[:, HORIZONS.index(horizon)]


def load_fi2010(path: Path) -> Fi2010:
    """Read one file; it must fit into memory, the largest takes about 300 MB.

    Raises MissingInput when it cannot be read, Rejected when it has another layout.
    """
    rows: list[Floats] = []
    try:
        with path.open(encoding="ascii") as file:
            for number, line in enumerate(file, start=1):
                if number > FILE_ROWS:
                    raise Rejected(f"{path} has more than {FILE_ROWS} rows: it is not in the layout of FI-2010")
                rows.append(_numbers(path, number, line))
                if len(rows[-1]) != len(rows[0]):
                    raise Rejected(f"{path}, row {number}: {len(rows[-1])} events, the rows before have {len(rows[0])}")
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror}; FI-2010 is not downloaded for you") from error
    except UnicodeDecodeError as error:
        raise Rejected(f"{path} is no text file") from error
    if len(rows) != FILE_ROWS or not len(rows[0]):
        raise Rejected(f"{path} has {len(rows)} rows: the layout of FI-2010 has {FILE_ROWS}, with at least one event")
    labels = np.stack([_labels(path, number + 1, rows[number]) for number in range(FEATURE_ROWS, FILE_ROWS)], axis=1)
    return Fi2010(path, np.stack(rows[:FEATURE_ROWS], axis=1), labels, file_digest(path))


def _numbers(path: Path, number: int, line: str) -> Floats:
    try:
        numbers: Floats = np.array(line.split(), dtype=np.float64)
    except ValueError as error:
        raise Rejected(f"{path}, row {number}: {error}") from error
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise Rejected(f"{path}, row {number}, event {wrong[0] + 1}: {numbers[wrong[0]]} is no finite number")
    return numbers


def _labels(path: Path, number: int, numbers: Floats) -> Classes:
    labels: Classes = np.full(len(numbers), -1, dtype=np.int8)
    for value, move in _MOVES.items():
        labels[numbers == value] = move
    wrong = np.flatnonzero(labels < 0)
    if len(wrong):
        raise Rejected(
            f"{path}, row {number}, event {wrong[0] + 1}: the label is {numbers[wrong[0]]:g}, must be 1, 2 or 3"
        )
    return labels
