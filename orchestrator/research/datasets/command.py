"""``tickwire dataset``: rows, labels and parts of recordings, for models."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.replay.plan import parse_source, session_settings
from orchestrator.research.datasets.book_rows import MOST_LEVELS, RecordedRows, Sampling
from orchestrator.research.datasets.build import DatasetPlan, build_dataset
from orchestrator.research.datasets.features import Form
from orchestrator.research.datasets.header import Header
from orchestrator.research.datasets.parts import Reach

_SHARE: Final = click.FloatRange(0, 1, min_open=True, max_open=True)
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


class _Alpha(click.ParamType[float | None]):
    name = "NUMBER|balanced"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """A number of at least 0, or None for the word."""
        if value in (None, "balanced"):
            return None
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0.0 <= number < 1.0:
            self.fail(f"{value!r} must be a relative move from 0 to 1 such as 0.0001, or balanced", param, ctx)
        return number


@click.command()
@click.option("--source", "sources", multiple=True, required=True, metavar="NAME=FILE", help="A venue's recording.")
@profile_option
@click.option(
    "--market", "markets", multiple=True, metavar="MARKET", help="Only this one, as tables name it; repeated."
)
@click.option("--levels", default=10, show_default=True, type=click.IntRange(1, MOST_LEVELS), help="Of each side.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="Book events per row.")
@click.option("--grid-ms", type=click.IntRange(1), help="A row at each multiple of this time instead.")
@click.option("--silence-s", default=10.0, show_default=True, type=click.FloatRange(0.001), help="It ends a segment.")
@click.option("--window", default=100, show_default=True, type=click.IntRange(2), help="Rows that a sample sees.")
@click.option("--horizon", default=10, show_default=True, type=click.IntRange(1), help="Rows that a label looks ahead.")
@click.option("--alpha", default="balanced", show_default=True, type=_Alpha(), help="Smallest move that is up or down.")
@click.option("--form", default="relative", type=click.Choice([form.value for form in Form]), help="Of features.")
@click.option("--training", default=0.6, show_default=True, type=_SHARE, help="Share of the rows, in time.")
@click.option("--validation", default=0.2, show_default=True, type=_SHARE, help="Share after it; the rest: test.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@with_output
def dataset(output: Output, /, sources: tuple[str, ...], out: Path, **words: Any) -> None:
    """Make a dataset of recordings: rows of the rebuilt books, labels of what the mid does next.

    Rows are taken while a book is known. A label compares the mean mid of the next rows with the mid of its own.
    Training, validation and test part follow one another in time, and no row serves two of them. Ends with 0, with 1
    when a recording was damaged.

    \b
    tickwire dataset --source binance-usdm=usdm_btcusdt.gz --horizon 20 --out btc
    tickwire dataset --source binance-spot=spot.gz --grid-ms 100 --window 10 --alpha 0.0001 --out spot
    """
    if words["training"] + words["validation"] >= 1.0:
        raise click.UsageError("--training and --validation leave nothing for the test: together they must be below 1")
    plan = _plan(words)
    planned = session_settings(load_profile(words["profile"]).settings, [parse_source(source) for source in sources])
    recordings = _chosen([RecordedRows(source, plan.sampling, words["markets"]) for source in planned.sources], words)
    with output.progress("rebuilding books") as progress:
        header = build_dataset(recordings, plan, out, lambda rows: progress.show(f"{rows:,} rows"))
    damage = sum(recording.damage for recording in recordings)
    _show(output, header, out)
    output.emit({"out": str(out), "damage": damage, "header": header.model_dump(mode="json")})
    if damage:
        raise click.exceptions.Exit(1)


def _chosen(recordings: list[RecordedRows], words: dict[str, Any]) -> list[RecordedRows]:
    """The recordings that hold a market that is asked for."""
    names = [name for recording in recordings for name in recording.names]
    unknown = next((name for name in words["markets"] if name not in names), None)
    if unknown is not None:
        raise click.UsageError(f"--market was {unknown!r}: must be one of {', '.join(map(repr, names))}")
    return [each for each in recordings if not words["markets"] or set(each.names) & set(words["markets"])]


def _plan(words: dict[str, Any]) -> DatasetPlan:
    return DatasetPlan(
        sampling=Sampling(
            levels=words["levels"],
            every=words["every"],
            grid_ns=(words["grid_ms"] or 0) * _NS_PER_MS,
            silence_ns=round(words["silence_s"] * _NS_PER_S),
        ),
        reach=Reach(words["window"], words["horizon"]),
        form=Form(words["form"]),
        alpha=words["alpha"],
        training=words["training"],
        validation=words["validation"],
    )


def _show(output: Output, header: Header, out: Path) -> None:
    columns = ("market", "rows", "segments", "training", "validation", "test", "alpha, bps", "down", "same", "up")
    rows = [
        (
            market.name,
            f"{market.rows:,}",
            market.segments,
            *(f"{market.parts[part]:,}" for part in ("training", "validation", "test")),
            f"{market.alpha * 1e4:.4f}",
            *(_share(count, sum(market.classes)) for count in market.classes),
        )
        for market in header.markets
    ]
    output.table(f"{out}: samples, and classes of the training part", columns, rows, right=columns[1:])
    names = ("validation", "test")
    times = (header.split.validation_ns, header.split.test_ns)
    begins = [
        f"{name} {datetime.fromtimestamp(time / 1e9, UTC):%Y-%m-%d %H:%M:%S}"
        for name, time in zip(names, times, strict=True)
    ]
    output.say(f"begin (UTC): {', '.join(begins)}")


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else "-"
