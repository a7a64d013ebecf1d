"""From recordings to a dataset: rows are written as they are read, labels and parts follow when all times are known."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.errors import MissingInput, Rejected
from market.wire.records import Rows, Words
from orchestrator.research.datasets.book_rows import VALUES_PER_LEVEL, RecordedRows, Sampling
from orchestrator.research.datasets.dataset import CRASH_ARRAYS, DETECTOR, array_file, file_digest
from orchestrator.research.datasets.features import Form, fit_normalisation
from orchestrator.research.datasets.growing_array import GrowingArray
from orchestrator.research.datasets.header import HEADER_FILE, Header, MarketHeader, SamplingHeader, SplitHeader
from orchestrator.research.datasets.labels import (
    CLASSES,
    NO_LABEL,
    Classes,
    balanced_alpha,
    classify,
    double_mids,
    smoothed_moves,
)
from orchestrator.research.datasets.parts import Part, Reach, assign_parts, cut_times

_GROWN: Final = ("book", "times_ns", "segments")
_ROWS_AT_ONCE: Final = 1 << 16


@dataclass(frozen=True, kw_only=True)
class DatasetPlan:
    """What to build.

    Parameters
    ----------
    alpha: threshold of labels; None: chosen for each market so that its training part is balanced.
    training, validation: shares of all rows, in time; the rest is for the test.
    """

    sampling: Sampling
    reach: Reach
    form: Form = Form.RELATIVE
    alpha: float | None = None
    training: float = 0.6
    validation: float = 0.2


@dataclass(frozen=True)
class GatheredRows:
    """One market's rows in their files, in order of time."""

    name: str
    file: str
    price_decimals: int
    quantity_decimals: int
    book: Rows
    times_ns: Words
    segments: Words


@dataclass(frozen=True, eq=False)
class KnownLabels:
    """Labels that do not follow from the rows: ``crash_labels.Coming`` int8[n], and what the detector said, int8[n]."""

    labels: Classes
    detector: Classes


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """The folder that a dataset is written into; it takes its name at the end, and nothing stays of a failure.

    Raises Rejected where something is there already.
    """
    if folder.exists():
        raise Rejected(f"{folder} is there already: name another folder, or remove it")
    part = folder.with_name(folder.name + ".part")
    if part.exists():
        raise Rejected(f"{part} is there already, left by a build that was ended: remove it")
    part.mkdir(parents=True)
    try:
        yield part
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part)
        raise


def build_dataset(
    sources: Sequence[RecordedRows], plan: DatasetPlan, folder: Path, advance: Callable[[int], None]
) -> Header:
    """Write a dataset; it takes its name when it is whole, and nothing stays when it cannot be.

    Parameters
    ----------
    folder: must not be there yet. advance: told how many rows have been read so far.

    Raises Rejected for an impossible plan or an existing folder, MissingInput for recordings without rows.
    """
    with new_folder(folder) as part:
        gathered = _gather(sources, plan.sampling.levels, part, advance)
        header = _describe(gathered, plan, part)
        (part / HEADER_FILE).write_text(header.text(), encoding="utf-8")
    return header


def _gather(
    sources: Sequence[RecordedRows], levels: int, folder: Path, advance: Callable[[int], None]
) -> list[GatheredRows]:
    gathered: list[GatheredRows] = []
    rows = 0
    for source in sources:
        files: dict[int, tuple[int, list[GrowingArray]]] = {}
        try:
            for found in source.parts():
                if found.market not in files:
                    number = len(gathered) + len(files)
                    files[found.market] = (number, grown_files(folder, number, levels))
                for file, values in zip(
                    files[found.market][1], (found.book, found.times_ns, found.segments), strict=True
                ):
                    file.append(values)
                rows += len(found.times_ns)
                advance(rows)
        finally:
            for _, grown in files.values():
                for file in grown:
                    file.close()
        if not files:
            raise MissingInput(
                f"{source.settings.path}: no book in there was ever known with {levels} levels on both sides; "
                "`tickwire inspect` shows what is in a file"
            )
        gathered += [gathered_rows(source, market, number, folder) for market, (number, _) in files.items()]
    return gathered


def grown_files(folder: Path, number: int, levels: int) -> list[GrowingArray]:
    """Files of book, times and segments of a market, to append to."""
    widths = (VALUES_PER_LEVEL * levels, 0, 0)
    return [GrowingArray(folder / array_file(number, name), width) for name, width in zip(_GROWN, widths, strict=True)]


def gathered_rows(source: RecordedRows, market: int, number: int, folder: Path) -> GatheredRows:
    """What lies in them now, of a market of a source."""
    described = source.settings.markets[market]
    book, times_ns, segments = (np.load(folder / array_file(number, name), mmap_mode="r") for name in _GROWN)
    return GatheredRows(
        source.names[market],
        source.settings.path.name,
        described.price_decimals,
        described.quantity_decimals,
        book,
        np.asarray(times_ns),
        np.asarray(segments),
    )


def _describe(gathered: Sequence[GatheredRows], plan: DatasetPlan, folder: Path) -> Header:
    names = [market.name for market in gathered]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Rejected(f"market {twice} is in two recordings: a dataset has each market once")
    shares = (plan.training, plan.training + plan.validation)
    validation_ns, test_ns = cut_times([market.times_ns for market in gathered], shares)
    split = SplitHeader(validation_ns=validation_ns, test_ns=test_ns)
    sampling = plan.sampling
    markets = tuple(market_header(market, number, plan, split, folder) for number, market in enumerate(gathered))
    _require_samples(markets, gathered, plan)
    return Header(
        levels=sampling.levels,
        form=plan.form,
        window=plan.reach.window,
        horizon=plan.reach.horizon,
        balanced=plan.alpha is None,
        sampling=SamplingHeader(every=sampling.every, grid_ns=sampling.grid_ns, silence_ns=sampling.silence_ns),
        split=split,
        markets=markets,
    )


def _require_samples(markets: Sequence[MarketHeader], gathered: Sequence[GatheredRows], plan: DatasetPlan) -> None:
    """Raises Rejected where no market has any."""
    if any(market.parts[part.name.lower()] for market in markets for part in Part if part is not Part.NONE):
        return
    longest = max(int(np.unique(market.segments, return_counts=True)[1].max()) for market in gathered)
    reach, files = plan.reach, ", ".join(market.file for market in gathered)
    raise Rejected(
        f"no sample in {files}: a sample needs {reach.window} rows (--window) and {reach.horizon} behind them "
        f"(--horizon) in one part of one segment, and the longest segment has {longest} rows; "
        "ask for less, or record more"
    )


def market_header(
    market: GatheredRows,
    number: int,
    plan: DatasetPlan,
    split: SplitHeader,
    folder: Path,
    known: KnownLabels | None = None,
) -> MarketHeader:
    """Labels, parts and normalisation of a market, written beside its rows, and its header.

    Parameters
    ----------
    known: in place of labels of moves; a row without one is no sample, nor does it decide about the normalisation.
    """
    times_ns, segments, reach = market.times_ns, market.segments, plan.reach
    moves = smoothed_moves(_mids(market.book), segments, reach.horizon)
    parts = assign_parts(times_ns, segments, reach, split.validation_ns, split.test_ns)
    if known is not None:
        parts[known.labels == NO_LABEL] = Part.NONE
    try:
        alpha = balanced_alpha(moves[parts == Part.TRAINING]) if plan.alpha is None else plan.alpha
        decisive = times_ns < split.validation_ns
        if known is not None:
            decisive &= known.labels != NO_LABEL
        normalisation = fit_normalisation(market.book, segments, np.flatnonzero(decisive), plan.form)
    except Rejected as error:
        raise Rejected(f"market {market.name}, {len(times_ns)} rows of {market.file}: {error}") from error
    labels = classify(moves, alpha) if known is None else known.labels
    arrays: dict[str, NDArray[Any]] = {"moves": moves, "labels": labels, "parts": parts}
    if known is not None:
        arrays[DETECTOR] = known.detector
    for name, values in arrays.items():
        np.save(folder / array_file(number, name), values.astype(CRASH_ARRAYS[name]), allow_pickle=False)
    return MarketHeader(
        name=market.name,
        file=market.file,
        price_decimals=market.price_decimals,
        quantity_decimals=market.quantity_decimals,
        rows=len(times_ns),
        segments=len(np.unique(segments)),
        alpha=alpha,
        parts={part.name.lower(): int((parts == part).sum()) for part in Part},
        classes=_counts(labels[parts == Part.TRAINING]),
        means=normalisation.means,
        deviations=normalisation.deviations,
        digests={name: file_digest(folder / array_file(number, name)) for name in (*_GROWN, *arrays)},
    )


def _mids(book: Rows) -> Words:
    parts = [double_mids(book[first : first + _ROWS_AT_ONCE]) for first in range(0, len(book), _ROWS_AT_ONCE)]
    mids: Words = np.concatenate(parts)
    return mids


def _counts(labels: Classes) -> tuple[int, int, int]:
    down, same, up = np.bincount(labels, minlength=CLASSES).tolist()
    return down, same, up
