"""``tickwire vpin``: order-flow toxicity of recordings and of files of trades."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from gpu.backend import Backend
from gpu.classification import Distribution, Rule
from market.errors import MissingInput
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.replay.plan import parse_source, session_settings
from orchestrator.research.recorded_trades import RecordedTrades
from orchestrator.research.trade_files import COLUMNS, TradeFile
from orchestrator.research.trade_parts import TradedMarket, TradeSource
from orchestrator.research.vpin_plots import plot_vpin, require_plots
from orchestrator.research.vpin_result import SeriesFile, StudyPlan, show_vpin, vpin_result
from orchestrator.research.vpin_run import BarLength, VpinOutcome, VpinPlan, compute_vpin, first_reading

_CLASSIFIERS: Final = (*(rule.value for rule in Rule), *(f"bulk-{kind.value}" for kind in Distribution))
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_POSITIVE: Final = click.FloatRange(min=0, min_open=True)


@click.command()
@click.option("--source", "sources", multiple=True, metavar="NAME=FILE", help="A venue's recording.")
@click.option("--trades", "files", multiple=True, metavar="NAME=FILE", help="A market's trades: Parquet or CSV.")
@click.option("--price-decimals", default=2, show_default=True, type=click.IntRange(0, 12), help="Ticks of --trades.")
@click.option("--quantity-decimals", default=8, show_default=True, type=click.IntRange(0, 12), help="Its lots.")
@click.option("--column", "columns", multiple=True, metavar="NAME=COLUMN", help="A column of --trades by its own name.")
@profile_option
@click.option("--bucket", "buckets", multiple=True, type=_POSITIVE, help="Volume of a bucket; may be repeated.")
@click.option("--share", default=200, show_default=True, type=click.IntRange(1), help="Without --bucket: their number.")
@click.option("--window", "windows", multiple=True, type=click.IntRange(1), help="Buckets of a mean (50); repeated.")
@click.option("--classifier", "names", multiple=True, type=click.Choice(_CLASSIFIERS), help="Who bought (flag).")
@click.option("--bar", "bars", multiple=True, help="Bars of bulk classifiers: 500ms, 60s, 1m, or 10v of volume (60s).")
@click.option("--degrees", default=0.25, show_default=True, type=float, help="Of freedom of Student's t.")
@click.option("--sigma-ticks", type=click.FloatRange(min=0), help="Of the bars' changes; else the sample's own.")
@click.option("--top", default=0.1, show_default=True, type=click.FloatRange(0, 1, True, True), help="The top part.")
@click.option("--horizon", default=300.0, show_default=True, type=_POSITIVE, help="Seconds to look ahead after it.")
@click.option("--past-only", is_flag=True, help="Judge the top part by the past alone.")
@click.option("--backend", default="auto", type=click.Choice(["auto", "cpu", "gpu"]), help="Fills buckets; auto: cpu.")
@click.option("--threads", type=click.IntRange(1), help="Threads of the CPU; results do not depend on it.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for result.json and vpin.parquet."
)
@click.option("--plots", is_flag=True, help="Also draw plots into the folder of --out.")
@with_output
def vpin(output: Output, /, out: Path | None, plots: bool, **words: Any) -> None:
    """Order-flow toxicity of recordings and of files of trades, in the style of VPIN.

    Buckets of equal volume, trades split at their edges; VPIN is the mean imbalance of the last n. Every classifier,
    bar, bucket volume and window is combined with every market. Files may be larger than memory. Ends with 0, with 1
    when a recording was damaged.

    \b
    tickwire vpin --source binance-spot=spot_btcusdt.gz --classifier flag --classifier bulk-normal --bar 5s
    tickwire vpin --trades BTC=trades.parquet --bucket 100 --bucket 1000 --window 50 --out toxicity --plots
    """
    if plots and out is None:
        raise click.UsageError("--plots needs --out, the folder to draw into")
    if plots:
        require_plots()
    plan, study = _plan(words), StudyPlan(words["top"], words["horizon"], words["past_only"])
    recordings = _recordings(words["profile"], words["sources"])
    sources: list[TradeSource] = [*recordings, *_files(words)]
    if not sources:
        raise click.UsageError("name what to read: --source NAME=FILE or --trades NAME=FILE")
    file = SeriesFile(out) if out is not None else None
    try:
        outcome = _compute(output, sources, plan, file)
        result = vpin_result(outcome, study)
    except BaseException:
        if file is not None:
            file.drop()
        raise
    damage = sum(recording.damage for recording in recordings)
    result |= {"damage": damage, "plots": []}
    if out is not None and file is not None:
        file.finish()
        result["plots"] = [path.name for path in plot_vpin(outcome, study, out)] if plots else []
        (out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    show_vpin(output, result)
    output.emit(result)
    if damage:
        raise click.exceptions.Exit(1)


def _compute(output: Output, sources: list[TradeSource], plan: VpinPlan, file: SeriesFile | None) -> VpinOutcome:
    with output.progress("reading trades") as progress:
        samples = first_reading(sources, plan, lambda count: progress.show(f"{count:,}"))
    if not samples:
        raise MissingInput(f"{', '.join(str(source.path) for source in sources)}: no trades in there")
    with output.progress("filling buckets", announce=False) as progress:
        return compute_vpin(
            sources,
            samples,
            plan,
            file.write if file is not None else lambda market, found: None,
            lambda count: progress.show(f"{count:,} of {sum(sample.trades for sample in samples.values()):,} trades"),
        )


def _plan(words: dict[str, Any]) -> VpinPlan:
    names = words["names"] or (Rule.FLAG.value,)
    kinds = [name.removeprefix("bulk-") for name in names if name.startswith("bulk-")]
    return VpinPlan(
        volumes=words["buckets"],
        share=words["share"],
        windows=words["windows"] or (50,),
        rules=tuple(Rule(name) for name in names if not name.startswith("bulk-")),
        distributions=tuple(Distribution(kind) for kind in kinds),
        bars=tuple(_bar(text) for text in words["bars"] or ("60s",)),
        degrees=words["degrees"],
        sigma_ticks=words["sigma_ticks"],
        backend=Backend(words["backend"]),
        threads=words["threads"],
    )


def _bar(text: str) -> BarLength:
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(number) :]
    try:
        length = float(number)
    except ValueError:
        length = 0.0
    if not 0.0 < length < 1e12 or (unit != "v" and unit not in _SECONDS):
        raise click.UsageError(
            f"--bar was {text!r}: must be a time such as 500ms, 60s, 1m, 1h, or a volume such as 10v"
        )
    return BarLength(volume=length) if unit == "v" else BarLength(seconds=length * _SECONDS[unit])


def _recordings(profile: str, sources: tuple[str, ...]) -> list[RecordedTrades]:
    if not sources:
        return []
    files = [parse_source(source) for source in sources]
    planned = session_settings(load_profile(profile).settings, files)
    return [RecordedTrades(source) for source in planned.sources]


def _files(words: dict[str, Any]) -> list[TradeFile]:
    columns: dict[str, str] = {}
    for text in words["columns"]:
        name, _, column = text.partition("=")
        if name not in COLUMNS or not column:
            raise click.UsageError(f"--column was {text!r}: must be NAME=COLUMN, NAME one of {', '.join(COLUMNS)}")
        columns[name] = column
    found: dict[str, TradeFile] = {}
    for text in words["files"]:
        name, _, path = text.partition("=")
        if not name or not path or name in found:
            raise click.UsageError(f"--trades was {text!r}: must be NAME=FILE, each market once")
        market = TradedMarket(name, words["price_decimals"], words["quantity_decimals"])
        found[name] = TradeFile(Path(path), market, columns)
    return list(found.values())
