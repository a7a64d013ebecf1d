"""``tickwire dataset``: rows, labels and parts of recordings, for models."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from config.scenarios import ScenarioKind
from market.errors import Fatal
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.detection.play import traded_market
from orchestrator.replay.plan import parse_source, session_settings
from orchestrator.research.crashes.build import CrashPlan, build_crash_dataset
from orchestrator.research.crashes.sessions import chosen_sessions
from orchestrator.research.datasets.book_rows import MOST_LEVELS, RecordedRows, Sampling
from orchestrator.research.datasets.build import DatasetPlan, build_dataset
from orchestrator.research.datasets.crash_labels import Coming, CrashTarget, Label, Until
from orchestrator.research.datasets.dataset import open_dataset
from orchestrator.research.datasets.features import Form
from orchestrator.research.datasets.header import Header
from orchestrator.research.datasets.parts import Part, Reach

_SHARE: Final = click.FloatRange(0, 1, min_open=True, max_open=True)
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_OF_CRASHES: Final = ("sessions", "unseen", "within_s")


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
@click.option("--source", "sources", multiple=True, metavar="NAME=FILE", help="A venue's recording; repeated.")
@click.option(
    "--label",
    default=Label.MOVE.value,
    show_default=True,
    type=click.Choice([label.value for label in Label]),
    help="What labels say: what the mid does next, or whether a crash comes.",
)
@click.option("--sessions", type=click.IntRange(2), help="Of crashes: generated sessions to fit and choose on.")
@click.option("--unseen", type=click.IntRange(1), help="Of crashes: generated sessions to judge on.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in ScenarioKind]),
    help="Of crashes: kinds of sessions, in turn; repeated.  [default: those of `tickwire detection`]",
)
@click.option("--within-s", type=click.FloatRange(0, min_open=True), help="Of crashes: how far labels look ahead.")
@click.option(
    "--until",
    default=Until.HALF.value,
    show_default=True,
    type=click.Choice([until.value for until in Until]),
    help="Of crashes: a warning is in time until the fall begins, or until half of it.",
)
@profile_option
@click.option(
    "--market", "markets", multiple=True, metavar="MARKET", help="Only this one, as tables name it; repeated."
)
@click.option("--levels", default=10, show_default=True, type=click.IntRange(1, MOST_LEVELS), help="Of each side.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="Book events per row.")
@click.option("--grid-ms", type=click.IntRange(1), help="A row at each multiple of this time instead.")
@click.option("--silence-s", default=10.0, show_default=True, type=click.FloatRange(0.001), help="It ends a segment.")
@click.option("--window", default=100, show_default=True, type=click.IntRange(2), help="Rows that a sample sees.")
@click.option("--horizon", default=10, show_default=True, type=click.IntRange(1), help="Rows that a move looks ahead.")
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

    With --label crash the rows are those of generated sessions, all SYNTHETIC, and labels say whether a flash crash
    comes. Sessions of tuning seeds are for training and validation, unseen ones for the test.

    \b
    tickwire dataset --source binance-usdm=usdm_btcusdt.gz --horizon 20 --out btc
    tickwire dataset --source binance-spot=spot.gz --grid-ms 100 --window 10 --alpha 0.0001 --out spot
    tickwire dataset --profile flash-crash --label crash --sessions 40 --unseen 30 --grid-ms 1000 --within-s 30 \\
      --window 30 --out crashes
    """
    if words["training"] + words["validation"] >= 1.0:
        raise click.UsageError("--training and --validation leave nothing for the test: together they must be below 1")
    if Label(words["label"]) is Label.CRASH:
        _make_crashes(output, sources, out, words)
        return
    _refuse_crash_words(words)
    if not sources:
        raise click.UsageError("name what to read: --source NAME=FILE, or --label crash and --sessions")
    plan = _plan(words)
    planned = session_settings(load_profile(words["profile"]).settings, [parse_source(source) for source in sources])
    recordings = _chosen([RecordedRows(source, plan.sampling, words["markets"]) for source in planned.sources], words)
    with output.progress("rebuilding books") as progress:
        header = build_dataset(recordings, plan, out, lambda rows: progress.show(f"{rows:,} rows"))
    damage = sum(recording.damage for recording in recordings)
    _show(output, header, out)
    output.emit({"out": str(out), "damage": damage, "header": header.plain()})
    if damage:
        raise click.exceptions.Exit(1)


def _make_crashes(output: Output, sources: tuple[str, ...], out: Path, words: dict[str, Any]) -> None:
    """A dataset of generated sessions."""
    if sources or words["markets"]:
        raise click.UsageError(
            "--label crash needs to know when a crash begins, which no recording says: leave --source and --market out "
            "and give --sessions; a model that was trained on them predicts recordings"
        )
    missing = [f"--{name.replace('_', '-')}" for name in (*_OF_CRASHES, "grid_ms") if words[name] is None]
    if missing:
        raise click.UsageError(f"--label crash needs {', '.join(missing)}")
    within_ns, grid_ns = round(words["within_s"] * _NS_PER_S), words["grid_ms"] * _NS_PER_MS
    if within_ns % grid_ns:
        raise click.UsageError(
            f"--within-s {words['within_s']:g} is no multiple of --grid-ms {words['grid_ms']}: labels look whole rows "
            "ahead"
        )
    settings = load_profile(words["profile"]).settings
    try:
        traded_market(settings)
    except Fatal as error:
        raise click.UsageError(f"--profile {words['profile']}: {error}") from error
    kinds = [ScenarioKind(kind) for kind in words["kinds"]]
    share = words["training"] / (words["training"] + words["validation"])
    plan = CrashPlan(
        rows=_plan(words | {"horizon": within_ns // grid_ns}),
        target=CrashTarget(within_ns, Until(words["until"])),
        sessions=tuple(chosen_sessions(settings.scenarios, words["sessions"], words["unseen"], share, kinds)),
    )
    with output.progress("generating sessions", len(plan.sessions), announce=True) as progress:
        header = build_crash_dataset(plan, settings, out, progress.advance)
    _show_crashes(output, header, out)
    output.emit({"out": str(out), "synthetic": True, "header": header.plain()})


def _refuse_crash_words(words: dict[str, Any]) -> None:
    given = [f"--{name.replace('_', '-')}" for name in _OF_CRASHES if words[name] is not None]
    given += ["--kind"] if words["kinds"] else []
    if given:
        raise click.UsageError(f"{', '.join(given)} are of --label crash: give that too, or leave them out")


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


def _show_crashes(output: Output, header: Header, out: Path) -> None:
    """Samples by part and class, of generated sessions."""
    assert header.crash is not None, "a dataset of crashes"
    [market] = open_dataset(out).markets
    columns = ("part", "sessions", "of these crashes", "samples", "a crash comes")
    rows: list[tuple[str, ...]] = []
    for part in (Part.TRAINING, Part.VALIDATION, Part.TEST):
        sessions = [session for session in header.crash.sessions if session.part == part.name.lower()]
        labels = np.asarray(market.labels)[market.samples(part)]
        crashes = sum(session.fall is not None for session in sessions)
        coming = int((labels == Coming.CRASH).sum())
        rows.append((part.name.lower(), str(len(sessions)), str(crashes), f"{len(labels):,}", f"{coming:,}"))
    output.table(f"{out}: SYNTHETIC sessions of {market.name}", columns, rows, right=columns[1:])


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else "-"
