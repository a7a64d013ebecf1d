"""A plan whose recordings are decoded once, into files that any number of processes map into their memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from config.settings import Settings
from market.errors import MissingInput
from market.wire.markets import Market
from market.wire.records import CURSOR_ASKS, CURSOR_BIDS, CURSOR_RECORDS, Batch, Rows, Words
from market.wire.venues import VENUES
from orchestrator.backtest.plan import Plan
from sim.backtest.layout import TAPE_WIDTH
from sim.recording.damage import Damage
from sim.replay.feed import FeedSettings, OwnBooks, Route
from sim.replay.source import BATCHES, RECORDS_PER_BATCH

_TAPE: Final = "tape"
_WHOLE: Final = "whole.json"


@dataclass(frozen=True)
class SharedPlan:
    """A plan without its recordings; small, and the same in every process.

    Parameters
    ----------
    folder: what ``share`` wrote. key: tells one content of the folder from another. plan: with an empty tape.
    """

    folder: Path
    key: str
    plan: Plan

    def open(self, settings: Settings) -> Plan:
        """The whole plan, with other settings of what decides; raises MissingInput without the files."""
        arrays = _opened(self.folder, self.key)
        rows, received, bids, asks = (arrays[f"{_TAPE}-{name}"] for name in _TAPE_ARRAYS)
        tape = replace(self.plan.tape, rows=rows, received=received, bids=bids, asks=asks)
        sources = tuple(replace(source, arrays=arrays) for source in _decoded(self.plan.sources))
        return replace(self.plan, settings=settings, tape=tape, sources=sources)


_TAPE_ARRAYS: Final = ("rows", "received", "bids", "asks")
_BATCH_ARRAYS: Final = ("records", "bids", "asks", "cursors")


@dataclass(frozen=True, eq=False)
class DecodedSource:
    """A recording that was decoded before.

    Parameters
    ----------
    number: of the source in the plan. arrays: of all sources, by name; empty before they are opened.
    """

    name: str
    path: Path
    number: int
    markets: tuple[Market, ...]
    routes: tuple[Route | None, ...]
    arrays: Mapping[str, Rows | Words]

    @property
    def numbered(self) -> bool:
        """Whether update ids never go back, so that they can number quotes elsewhere too."""
        return VENUES[self.name].numbered

    def new_books(self) -> Words:
        """Fresh books, one per market."""
        return VENUES[self.name].new_books(self.markets)

    def open(self) -> DecodedRecording:
        """A recording from its beginning."""
        return DecodedRecording(self)


class DecodedRecording:
    """Batches of a recording, as they came out of the decoder."""

    damage: Sequence[Damage] = ()
    content_bytes = 0
    own_books: OwnBooks | None = None
    transport: Mapping[str, int] = {}

    def __init__(self, settings: DecodedSource) -> None:
        self.settings: FeedSettings = settings
        self._records, self._bids, self._asks, self._cursors = (
            settings.arrays[f"{settings.number}-{name}"] for name in _BATCH_ARRAYS
        )
        self._batches = [Batch(RECORDS_PER_BATCH, VENUES[settings.name].levels) for _ in range(BATCHES)]

    def batches(self) -> Iterator[Batch]:
        """Batches in file order; each stays valid until the one after the next is asked for."""
        record = bid = ask = 0
        for turn, cursor in enumerate(self._cursors):
            batch = self._batches[turn % BATCHES]
            records, bids, asks = (int(cursor[word]) for word in (CURSOR_RECORDS, CURSOR_BIDS, CURSOR_ASKS))
            batch.cursor[:] = cursor
            batch.records[:records] = self._records[record : record + records]
            batch.bids[:bids] = self._bids[bid : bid + bids]
            batch.asks[:asks] = self._asks[ask : ask + asks]
            record, bid, ask = record + records, bid + bids, ask + asks
            yield batch


def share(plan: Plan, folder: Path, key: str) -> SharedPlan:
    """Write a plan's recordings into a new folder, in place of one that is there; raises MissingInput if it cannot."""
    decoded = tuple(
        DecodedSource(source.name, source.path, number, tuple(_markets(source)), tuple(source.routes), {})
        for number, source in enumerate(plan.sources)
    )
    shapes: dict[str, tuple[int, ...]] = {}
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in _TAPE_ARRAYS:
            array = getattr(plan.tape, name)
            array.tofile(folder / f"{_TAPE}-{name}")
            shapes[f"{_TAPE}-{name}"] = array.shape
        for number, source in enumerate(plan.sources):
            shapes |= _write_batches(folder, number, source)
        (folder / _WHOLE).write_text(json.dumps({"key": key, "shapes": shapes}), encoding="utf-8")
    except OSError as error:
        raise MissingInput(f"{folder} cannot be written: {error.strerror or error}") from error
    rows, received, levels = np.zeros((0, TAPE_WIDTH), np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
    tape = replace(plan.tape, rows=rows, received=received, bids=levels, asks=levels)
    return SharedPlan(folder, key, replace(plan, sources=decoded, tape=tape))


def _write_batches(folder: Path, number: int, source: FeedSettings) -> dict[str, tuple[int, ...]]:
    """Write a source's arrays batch by batch, as a day of records need not fit into memory; returns their shapes."""
    shapes: dict[str, tuple[int, ...]] = {}
    with ExitStack() as files:
        out = {name: files.enter_context((folder / f"{number}-{name}").open("wb")) for name in _BATCH_ARRAYS}
        for batch in source.open().batches():
            arrays = {
                "records": batch.filled(),
                "bids": batch.bids[: int(batch.cursor[CURSOR_BIDS])],
                "asks": batch.asks[: int(batch.cursor[CURSOR_ASKS])],
                "cursors": batch.cursor[None, :],
            }
            for name, array in arrays.items():
                array.tofile(out[name])
                before = shapes.get(f"{number}-{name}", (0,))[0]
                shapes[f"{number}-{name}"] = (before + array.shape[0], *array.shape[1:])
    return shapes


@lru_cache(maxsize=1)
def _opened(folder: Path, key: str) -> dict[str, Rows | Words]:
    """All arrays of a folder, mapped; what a process writes into them stays its own."""
    try:
        whole = json.loads((folder / _WHOLE).read_text(encoding="utf-8"))
        if whole["key"] != key:
            raise MissingInput(f"{folder} holds other recordings: it was written by another search")
        return {name: _mapped(folder / name, tuple(shape)) for name, shape in whole["shapes"].items()}
    except (OSError, ValueError) as error:
        raise MissingInput(
            f"{folder} cannot be read: {error}; whoever runs trials must see this folder under the same path"
        ) from error


def _mapped(path: Path, shape: tuple[int, ...]) -> Rows | Words:
    # An empty file cannot be mapped.
    return np.memmap(path, np.int64, "c", shape=shape) if shape[0] else np.zeros(shape, np.int64)


def _decoded(sources: Sequence[FeedSettings]) -> list[DecodedSource]:
    return [source for source in sources if isinstance(source, DecodedSource)]


def _markets(source: FeedSettings) -> list[Market]:
    return [market for market in source.markets if isinstance(market, Market)]
