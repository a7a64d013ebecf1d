"""``tickwire sweep``: the detector's indicators over a grid of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from numpy.typing import NDArray

from gpu.indicator_sweep import IndicatorSweep, SweepGrid
from market.errors import MissingInput, Rejected
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.replay.parquet import ParquetFile
from orchestrator.replay.plan import parse_source
from orchestrator.research.sweeps.recorded_events import RecordedEvents
from orchestrator.research.sweeps.thresholds import numbers, whole_numbers

_GRID: Final = {
    "volatility_multipliers": ("--volatility-multiplier", "I1: times its baseline", ("2:8:0.5",)),
    "volatility_absolutes": ("--volatility-absolute", "I1: by itself", ("0.0002", "0.0005", "0.001", "0.002")),
    "accelerations": ("--acceleration", "I2: fires below", ("-0.004:-0.0005:0.0005",)),
    "imbalances": ("--imbalance", "I3: fires below", ("-0.9:-0.5:0.05",)),
    "spread_multipliers": ("--spread-multiplier", "I4: times its baseline", ("2:8:0.5",)),
    "volume_sigmas": ("--volume-sigmas", "I5: sigmas below 0", ("1:6:0.5",)),
    "message_multipliers": ("--message-multiplier", "I6: times its baseline", ("2:6:0.5",)),
}
"""Field of the grid: its option, what it says, and the values that are swept where no threshold is named."""
_COLUMNS: Final = ("market", "indicator", "sets", "fired, least", "fired, most", "began, most")


def _threshold_options(command: Any) -> Any:
    for option, says, _ in reversed(_GRID.values()):
        command = click.option(option, multiple=True, metavar="VALUES", help=f"{says}.")(command)
    return command


@click.command()
@click.option("--source", "sources", multiple=True, required=True, metavar="NAME=FILE", help="A venue's recording.")
@profile_option
@click.option("--volatility-seconds", multiple=True, metavar="VALUES", help="Returns in sigma (10).")
@click.option("--baseline-seconds", multiple=True, metavar="VALUES", help="Of all baselines (60, 120, 300).")
@click.option("--warm-up-seconds", default=60, show_default=True, type=click.IntRange(2), help="A baseline's least.")
@_threshold_options
@click.option("--backend", default="auto", type=click.Choice(["auto", "cpu", "gpu"]), help="What computes.")
@click.option("--threads", type=click.IntRange(1), help="Threads of the CPU; results do not depend on it.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Parquet file, a row per set.")
@with_output
def sweep(output: Output, /, out: Path | None, **words: Any) -> None:
    """How often the crash detector's indicators I1 to I6 fire, for every combination of windows and thresholds.

    VALUES are a number or FIRST:LAST:STEP, and may be repeated. Indicators are swept whose thresholds are named; none
    named: all, over wide ranges. Ends with 0, with 1 when a recording was damaged.

    \b
    tickwire sweep --source binance-spot=spot_btcusdt.gz --baseline-seconds 60 --baseline-seconds 300
    tickwire sweep --source binance-usdm=usdm_btcusdt.gz --spread-multiplier 2:8:0.25 --out spreads.parquet
    """
    grid, settings = _grid(words), load_profile(words["profile"]).settings
    recordings = [RecordedEvents(settings, parse_source(source)) for source in words["sources"]]
    found: list[tuple[str, int, dict[str, NDArray[Any]]]] = []
    for recording in recordings:
        found += _swept(output, recording, grid, words)
    if not any(events for _, events, _ in found):
        raise MissingInput(f"{', '.join(words['sources'])}: no events of books or trades in there")
    if out is not None:
        _write(out, found)
    damage = sum(recording.damage for recording in recordings)
    output.table("sweep", _COLUMNS, [row for market in found for row in _summary(*market)], right=_COLUMNS[2:])
    output.say(f"{len(grid)} sets a market{f'; every one: {out}' if out else '; --out or --json for every one'}")
    output.emit({"sets": len(grid), "damage": damage, "markets": [_listed(*market) for market in found]})
    if damage:
        raise click.exceptions.Exit(1)


def _swept(
    output: Output, recording: RecordedEvents, grid: SweepGrid, words: dict[str, Any]
) -> list[tuple[str, int, dict[str, NDArray[Any]]]]:
    sweeps = [
        IndicatorSweep(market.settings, grid, backend=words["backend"], threads=words["threads"])
        for market in recording.markets
    ]
    with output.progress("sweeping") as progress:
        for number, events in recording.parts():
            sweeps[number].take(events)
            progress.show(f"{sum(sweep.events for sweep in sweeps):,} events")
    names = (market.name for market in recording.markets)
    return [(name, sweep.events, sweep.result()) for name, sweep in zip(names, sweeps, strict=True)]


def _grid(words: dict[str, Any]) -> SweepGrid:
    named = {name: words[option.lstrip("-").replace("-", "_")] for name, (option, _, _) in _GRID.items()}
    if not any(named.values()):
        named = {name: values for name, (_, _, values) in _GRID.items()}
    thresholds: dict[str, Any] = {name: numbers(_GRID[name][0], texts) for name, texts in named.items()}
    warm_up = words["warm_up_seconds"]
    try:
        return SweepGrid(
            volatility_seconds=whole_numbers("--volatility-seconds", words["volatility_seconds"] or ("10",)),
            baseline_seconds=whole_numbers("--baseline-seconds", words["baseline_seconds"] or ("60", "120", "300")),
            warm_up_seconds=warm_up,
            **thresholds,
        )
    except Rejected as wrong:
        raise click.UsageError(str(wrong)) from None


def _summary(market: str, events: int, result: dict[str, NDArray[Any]]) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for indicator in dict.fromkeys(result["indicator"].tolist()):
        own = result["indicator"] == indicator
        parts = result["fired"][own] / max(1, events)
        began = int(result["began"][own].max())
        rows.append((market, indicator, int(own.sum()), f"{parts.min():.2%}", f"{parts.max():.2%}", began))
    return rows


def _listed(market: str, events: int, result: dict[str, NDArray[Any]]) -> dict[str, Any]:
    columns = [column.tolist() for column in result.values()]
    rows = [dict(zip(result, row, strict=True)) for row in zip(*columns, strict=True)]
    return {"market": market, "events": events, "sets": rows}


def _write(out: Path, found: list[tuple[str, int, dict[str, NDArray[Any]]]]) -> None:
    """Write all sets of all markets; the file takes its name when it is whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    file = ParquetFile(part)
    try:
        for market, events, result in found:
            sets = len(result["fired"])
            file.write({"market": np.full(sets, market), **result, "events": np.full(sets, events)})
        file.close()
    except BaseException:
        file.close()
        part.unlink(missing_ok=True)
        raise
    part.replace(out)
