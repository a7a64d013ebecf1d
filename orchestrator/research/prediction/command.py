"""``tickwire predict``: what a model says of every window of a dataset or recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpu.models.weights import Singles
from market.errors import MissingInput, Rejected
from market.wire.records import Rows, Words
from orchestrator.cli.exits import ExitCode
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.replay.plan import parse_source, session_settings
from orchestrator.research.datasets.book_rows import RecordedRows, Sampling
from orchestrator.research.datasets.crash_labels import Coming
from orchestrator.research.datasets.dataset import open_dataset
from orchestrator.research.datasets.features import Form, Normalisation
from orchestrator.research.datasets.labels import Classes, segment_starts
from orchestrator.research.datasets.parts import Part
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.models.inputs import model_inputs
from orchestrator.research.prediction.computing import Computing, computed_by, computing_options
from orchestrator.research.prediction.stretches import predict_windows

MOVES: Final = ("down", "same", "up")
CRASHES: Final = ("crash",)
"""Columns of probabilities, in the order of classes."""


@dataclass(frozen=True, eq=False)
class _Wanted:
    """Rows of a market, and those whose windows are wanted; labels where they are known."""

    market: str
    book: Rows
    times_ns: Words
    segments: Words
    samples: Words
    form: Form
    normalisation: Normalisation
    labels: Classes | None

    def inputs(self) -> Singles:
        """As the model sees them."""
        return model_inputs(np.asarray(self.book), self.segments, self.form, self.normalisation)


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
@click.option("--dataset", "folder", type=click.Path(path_type=Path), help="Folder of `tickwire dataset`.")
@click.option("--source", "sources", multiple=True, metavar="NAME=FILE", help="Or a venue's recording; repeated.")
@profile_option
@click.option("--market", "markets", multiple=True, metavar="MARKET", help="Only this one; repeated.")
@click.option(
    "--part", default="all", type=click.Choice(["all", "training", "validation", "test"]), help="Of a dataset."
)
@click.option("--as", "normalised_as", metavar="MARKET", help="Normalise as the card does this market.")
@computing_options
@click.option("--threads", type=click.IntRange(1), help="Of the CPU; as many as there are processors.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Parquet file to make.")
@with_output
def predict(output: Output, /, model: Path, folder: Path | None, out: Path, **words: Any) -> None:
    """Write a model's probabilities of down, same and up for every window of a dataset or recording.

    A row of the file is a row of the book at which a whole window ends: market, row, time_ns, down, same, up, and from
    a dataset the label. Of a model of crashes it is market, row, time_ns, crash: the probability that one comes, and
    the label: 1 where one does, 0 where none does. A market is normalised as the model's card says; --as takes another
    market's normalisation. Ends with 0, with 1 when a recording was damaged.

    \b
    tickwire predict btc-50 --dataset usdm-50 --part test --out said.parquet
    tickwire predict btc-50 --source binance-usdm=usdm_btcusdt.gz --out said.parquet
    """
    if (folder is None) == (not words["sources"]):
        raise click.UsageError("name what to predict on: either --dataset FOLDER or --source NAME=FILE")
    if out.exists():
        raise Rejected(f"{out} is there already: name another file, or remove it")
    computing = Computing.of_words(words)
    trained = TrainedModel(model)
    recordings = _recordings(trained, words)
    wanted = _of_dataset(trained, folder, words) if folder is not None else _of_recordings(trained, recordings, words)
    computer = computing.model(trained)
    by = computed_by(computer)
    part = out.with_name(out.name + ".part")
    counts: dict[str, int] = {}
    names = MOVES if trained.card.crash is None else CRASHES
    classes = np.zeros(3, dtype=np.int64)
    try:
        with output.progress("predicting") as progress, pq.ParquetWriter(part, _schema(names)) as writer:
            for each in wanted:
                progress.show(f"{each.market}, {len(each.samples):,} windows")
                found = predict_windows(computer, each.inputs(), each.samples, trained.card.window, words["threads"])
                writer.write_table(_table(each, found, names))
                counts[each.market] = counts.get(each.market, 0) + len(found)
                classes += np.bincount(found.argmax(axis=1), minlength=3)
        if not classes.sum():
            raise MissingInput(
                f"there is nothing to predict: no {trained.card.window} rows of {trained.card.levels} levels follow "
                "one another; `tickwire inspect` shows what is in a file"
            )
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    rows = [(market, f"{count:,}") for market, count in counts.items()]
    output.table(f"{out}: windows", ("market", "windows"), rows, right=("windows",))
    named = dict(zip(MOVES if names is MOVES else ("crash", "none"), classes.tolist(), strict=False))
    output.say(", ".join(f"{name} {count:,}" for name, count in named.items()))
    output.say(f"computed by the {by['backend'].upper()} in {by['precision']}")
    damage = sum(recording.damage for recording in recordings)
    said = {"windows": counts, "most_probable": named, "computed_by": by, "damage": damage}
    output.emit({"out": str(out), "model": str(model)} | said)
    if damage:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def _schema(names: tuple[str, ...]) -> pa.Schema:
    kinds: dict[str, pa.DataType] = {"market": pa.string(), "row": pa.int64(), "time_ns": pa.int64()}
    kinds |= dict.fromkeys(names, pa.float32())
    return pa.schema(kinds | {"label": pa.int8()})


def _table(wanted: _Wanted, found: Singles, names: tuple[str, ...]) -> pa.Table:
    labels = wanted.labels
    if labels is not None and names is CRASHES:
        labels = np.where(labels < 0, labels, labels == Coming.CRASH).astype(np.int8)
    columns: list[pa.Array[Any]] = [
        pa.array([wanted.market] * len(found), pa.string()),
        pa.array(wanted.samples),
        pa.array(np.asarray(wanted.times_ns)[wanted.samples]),
        *(pa.array(np.ascontiguousarray(found[:, number])) for number in range(len(names))),
        pa.nulls(len(found), pa.int8()) if labels is None else pa.array(labels, pa.int8(), mask=labels < 0),
    ]
    return pa.Table.from_arrays(columns, schema=_schema(names))


def _of_dataset(trained: TrainedModel, folder: Path, words: dict[str, Any]) -> Iterator[_Wanted]:
    dataset = open_dataset(folder)
    trained.check_fits(dataset)
    for market in [dataset.market(name) for name in words["markets"]] or dataset.markets:
        segments = np.asarray(market.segments)
        if words["part"] == "all":
            samples = _whole_windows(segments, trained.card.window)
        else:
            samples = market.samples(Part[words["part"].upper()])
        normalisation = trained.card.market(words["normalised_as"] or market.name).normalisation
        labels = np.asarray(market.labels)[samples]
        yield _Wanted(market.name, market.book, market.times_ns, segments, samples, market.form, normalisation, labels)


def _recordings(trained: TrainedModel, words: dict[str, Any]) -> list[RecordedRows]:
    """Those of --source, none without."""
    card = trained.card
    if not words["sources"]:
        return []
    if words["part"] != "all":
        raise click.UsageError("--part is of a dataset: a recording has none")
    sampling = Sampling(card.levels, card.sampling.every, card.sampling.grid_ns, card.sampling.silence_ns)
    planned = session_settings(
        load_profile(words["profile"]).settings, [parse_source(source) for source in words["sources"]]
    )
    recordings = [RecordedRows(source, sampling, words["markets"]) for source in planned.sources]
    names = [name for recording in recordings for name in recording.names]
    for name in words["markets"]:
        if name not in names:
            raise click.UsageError(f"--market was {name!r}: must be one of {', '.join(map(repr, names))}")
    return recordings


def _of_recordings(
    trained: TrainedModel, recordings: Sequence[RecordedRows], words: dict[str, Any]
) -> Iterator[_Wanted]:
    card = trained.card
    for recording in recordings:
        for name, book, times_ns, segments in _gathered(recording):
            normalisation = card.market(words["normalised_as"] or name).normalisation
            samples = _whole_windows(segments, card.window)
            yield _Wanted(name, book, times_ns, segments, samples, card.form, normalisation, None)


def _gathered(recording: RecordedRows) -> Iterator[tuple[str, Rows, Words, Words]]:
    """Name, book, times and segments of each market of a recording."""
    parts: dict[int, list[tuple[Rows, Words, Words]]] = {}
    for found in recording.parts():
        parts.setdefault(found.market, []).append((found.book, found.times_ns, found.segments))
    for market, each in parts.items():
        book, times_ns, segments = (np.concatenate(arrays) for arrays in zip(*each, strict=True))
        yield recording.names[market], book, times_ns, segments


def _whole_windows(segments: Words, window: int) -> Words:
    """Rows at which a window of one segment ends."""
    found: Words = np.flatnonzero(np.arange(len(segments)) - (window - 1) >= segment_starts(segments))
    return found
