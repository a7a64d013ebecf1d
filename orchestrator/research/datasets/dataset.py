"""A dataset as it lies in its folder: a header, and memory-mapped arrays of each market."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.errors import MissingInput, Rejected
from market.wire.records import Rows, Words
from orchestrator.research.datasets.features import Form, raw_features, rows_before
from orchestrator.research.datasets.header import Header, MarketHeader, read_header
from orchestrator.research.datasets.labels import Classes, Floats, classify
from orchestrator.research.datasets.parts import Part, Parts, Reach

ARRAYS: Final = {"book": "<i8", "times_ns": "<i8", "segments": "<i8", "moves": "<f8", "labels": "|i1", "parts": "|i1"}
"""Arrays of each market, and how their values are written."""
DETECTOR: Final = "detector"
CRASH_ARRAYS: Final = {**ARRAYS, DETECTOR: "|i1"}
"""Those of a dataset of crashes: also what the detector said."""


def array_file(number: int, name: str) -> str:
    """Name of the file of an array; markets are numbered as in the header."""
    return f"market-{number}-{name}.npy"


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class DatasetMarket:
    """The rows of one market, in order of time.

    Parameters
    ----------
    book: int64[n, 4 * levels], see ``book_rows.BookRows``. times_ns, segments: int64[n].
    moves: float64[n], smoothed moves, NaN without. labels: int8[n], ``labels.Move`` or ``crash_labels.Coming``, or -1.
    parts: int8[n], ``parts.Part`` of the sample that ends at the row.
    detector: int8[n], ``market.detector.states.State`` before the row's time; None where labels are of moves.
    """

    header: MarketHeader
    form: Form
    reach: Reach
    book: Rows
    times_ns: Words
    segments: Words
    moves: Floats
    labels: Classes
    parts: Parts
    detector: Classes | None = None

    @property
    def name(self) -> str:
        """Venue and symbol."""
        return self.header.name

    def labels_by(self, alpha: float | None = None) -> Classes:
        """int8[n]: labels of moves by another alpha than that of the header; others are what they are."""
        if self.detector is not None:
            return np.asarray(self.labels)
        return classify(np.asarray(self.moves), self.header.alpha if alpha is None else alpha)

    def samples(self, part: Part) -> Words:
        """Rows whose samples are of a part."""
        found: Words = np.flatnonzero(self.parts == part)
        return found

    def windows(self, rows: Words) -> Floats:
        """Inputs of samples: float64[len(rows), window, 4 * levels], z-scores, oldest row first."""
        chosen = rows[:, None] + np.arange(1 - self.reach.window, 1)
        if len(rows) and int(chosen.min()) < 0:
            raise Rejected(f"row {int(rows.min())} has no window of {self.reach.window} rows")
        found: Floats = self.features(chosen.reshape(-1)).reshape(*chosen.shape, -1)
        return found

    def features(self, rows: Words) -> Floats:
        """float64[len(rows), 4 * levels], z-scores of single rows."""
        return self.header.normalisation.apply(self.raw_features(rows))

    def raw_features(self, rows: Words) -> Floats:
        """The same before they are normalised."""
        before = rows_before(self.segments, rows)
        return raw_features(np.asarray(self.book[rows]), np.asarray(self.book[before]), self.form)


@dataclass(frozen=True)
class Dataset:
    """A whole dataset."""

    path: Path
    header: Header
    markets: tuple[DatasetMarket, ...]

    def market(self, name: str) -> DatasetMarket:
        """A market by name; raises Rejected when there is none."""
        for market in self.markets:
            if market.name == name:
                return market
        known = ", ".join(repr(market.name) for market in self.markets)
        raise Rejected(f"{self.path} has no market {name!r}: it has {known}")


def open_dataset(folder: Path, *, verify: bool = True) -> Dataset:
    """Open a dataset; arrays are mapped, not read.

    Parameters
    ----------
    verify: compare every file with its digest in the header.

    Raises MissingInput when a file is missing, Rejected when one is not what the header says.
    """
    header = read_header(folder)
    markets = tuple(_market(folder, header, number, verify) for number in range(len(header.markets)))
    return Dataset(folder, header, markets)


def _market(folder: Path, header: Header, number: int, verify: bool) -> DatasetMarket:
    described = header.markets[number]
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind in (ARRAYS if header.crash is None else CRASH_ARRAYS).items():
        shape = (described.rows, 4 * header.levels) if name == "book" else (described.rows,)
        path = folder / array_file(number, name)
        if verify and path.is_file() and file_digest(path) != described.digests.get(name):
            raise Rejected(f"{path} has changed: its SHA-256 is not that of the header's digests.{name}; build it anew")
        arrays[name] = _mapped(path, kind, shape)
    return DatasetMarket(header=described, form=header.form, reach=Reach(header.window, header.horizon), **arrays)


def _mapped(path: Path, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r" if shape[0] else None, allow_pickle=False)
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error}") from error
    except ValueError as error:
        raise Rejected(f"{path} is no array file: {error}") from error
    if array.dtype != np.dtype(kind) or array.shape != shape:
        raise Rejected(f"{path} holds {array.dtype}{list(array.shape)}: the header says {np.dtype(kind)}{list(shape)}")
    return array
