"""``tickwire detection``: how soon crashes are found, how often falsely, and what the trader does in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from config.scenarios import ScenarioKind
from config.settings import Settings
from market.errors import Fatal, MissingInput
from orchestrator.cli.exits import ExitCode, Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile
from orchestrator.detection.cases import Seeds, cases
from orchestrator.detection.play import traded_market
from orchestrator.detection.plot import draw
from orchestrator.detection.run import Verdicts, fingerprint, run_cases
from orchestrator.detection.spliced import read_bases
from orchestrator.detection.summary import summary
from orchestrator.research.vpin_plots import require_plots

_MOST_JOBS: Final = 256
_SEEDS: Final = [seeds.value for seeds in Seeds]
_KINDS: Final = [kind.value for kind in ScenarioKind]


@click.command(name="detection")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the verdicts.")
@click.option("--sessions", type=click.IntRange(1, 1_000_000), help="How many.  [default: the profile's]")
@click.option("--seeds", default=Seeds.EVALUATION.value, show_default=True, type=click.Choice(_SEEDS),
              help="Unseen ones, or those that may be tuned on.")  # fmt: skip
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    help="Sessions of one kind in place of the mixture.",
)
@click.option("--onto", multiple=True, type=click.Path(path_type=Path, dir_okay=False), help="Splice the sessions onto "
              "this recording of a USD-M market; repeatable: in turn.")  # fmt: skip
@click.option("--profile", default="flash-crash", show_default=True, help="Settings: a profile or a TOML file.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, _MOST_JOBS), help="Processes.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the statistics: PNG or SVG.")
@with_output
def detection(
    output: Output,
    /,
    out: Path,
    sessions: int | None,
    seeds: str,
    kind: str | None,
    onto: tuple[Path, ...],
    profile: str,
    jobs: int,
    plot: Path | None,
) -> None:
    """Measure the flash-crash detector and trader over generated sessions.

    Generates a session, lets the detector hear it, plays the trader where it wakes, and writes down what was found;
    begun again with the same folder it goes on where it was. All of it is SYNTHETIC. Ends with 0, with 1 when something
    is missed that is asked for.

    \b
    tickwire detection --out detection --jobs 2 --plot detection.png
    tickwire detection --out spliced --sessions 40 --onto usdm_btc.gz --onto usdm_eth.gz --plot spliced.png
    """
    settings = load_profile(profile).settings
    chosen, only = Seeds(seeds), None if kind is None else ScenarioKind(kind)
    count = settings.scenarios.sessions if sessions is None else sessions
    if count > settings.scenarios.sessions:
        raise click.UsageError(
            f"--sessions {count} is more than scenarios.sessions = {settings.scenarios.sessions}: both ranges of seeds "
            "are that long"
        )
    if plot is not None:
        _check_plot(plot)
    _check_market(settings)
    wanted = cases(settings.scenarios, chosen, count, only)
    bases = read_bases(settings, onto)
    verdicts = Verdicts(out, fingerprint(settings, chosen, only, bases))
    try:
        with output.progress("judging sessions", len(wanted), announce=True) as progress:
            for _ in range(sum(case.number in verdicts.found for case in wanted)):
                progress.advance()
            found = run_cases(
                settings, wanted, verdicts, jobs, lambda verdict: progress.advance(verdict.kind.value), bases
            )
    except KeyboardInterrupt:
        raise Interrupted(f"{len(verdicts.found)} verdicts are in {out}: the same command goes on there") from None
    length_s = settings.scenarios.duration_s + round(sum(base.seconds for base in bases) / max(len(bases), 1))
    result = summary(found, length_s) | {"synthetic": True, "seeds": chosen.value, "spliced_onto": [*map(str, onto)]}
    if plot is not None:
        draw(plot, found, [path.name for path in onto])
    _show(output, result)
    output.emit(result)
    if not all(result["checks"].values()):
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def _check_market(settings: Settings) -> None:
    try:
        traded_market(settings)
    except Fatal as error:
        raise click.UsageError(str(error)) from error


def _check_plot(path: Path) -> None:
    require_plots()
    if path.suffix not in (".png", ".svg"):
        raise click.UsageError(f"--plot {path} must end with .png or .svg")
    if not path.absolute().parent.is_dir():
        raise MissingInput(f"{path.absolute().parent} is no folder: nothing can be drawn there")


def _show(output: Output, result: dict[str, Any]) -> None:
    rows = [
        *(("behind the recording", path) for path in result["spliced_onto"]),
        ("sessions, SYNTHETIC", f"{result['sessions']:,} of {result['session_s']:,} s, {result['seeds']} seeds"),
        ("crashes found", _share(result["recall"])),
        ("before half of the fall", _share(result["recall_early"])),
        ("precision", _share(result["precision"])),
        ("delay in s", _quantiles(result["delay_s"])),
        ("part of the fall by then in %", _quantiles(result["fallen_pct"])),
        ("false alarms per day without crashes", _number(result["false_per_day"])),
        ("false alarms per volatile session", _number(result["false_per_volatile_session"])),
        ("crashes entered", _share(result["entered"])),
        ("entries, trades, of these won", f"{result['entries']}, {result['trades']}, {result['wins']}"),
        ("gain in quote currency", f"{result['gain_quote']:,.2f}"),
        ("orders to buy on quiet, volatile days", f"{result['quiet_orders']}, {result['volatile_orders']}"),
        ("orders to buy outside ACTIVE", str(result["outside"])),
        ("sessions with something held after RECOVERY", str(result["held_after"])),
    ]
    output.table("Detection", ("what", "found"), rows)
    columns = (
        "kind",
        "sessions",
        "found",
        "early",
        "fall %",
        "delay s",
        "false",
        "entered",
        "orders",
        "trades",
        "gain",
    )
    output.table(
        "By kind", columns, [_kind_row(name, kind) for name, kind in result["kinds"].items()], right=columns[1:]
    )
    missed = [name for name, holds in result["checks"].items() if not holds]
    output.say("all that is asked for holds" if not missed else f"missed: {', '.join(missed)}")


def _kind_row(name: str, kind: dict[str, Any]) -> tuple[str, ...]:
    middle = [kind[what]["p50"] if kind[what] else "" for what in ("fall_pct", "delay_s")]
    counts = [kind[what] for what in ("false_actives", "entered", "orders", "trades", "gain_quote")]
    return (name, *map(str, (kind["sessions"], kind["detected"], kind["early"], *middle, *counts)))


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _quantiles(values: dict[str, float] | None) -> str:
    return "none" if values is None else ", ".join(f"{name} {value:g}" for name, value in values.items())
