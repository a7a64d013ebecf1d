"""``tickwire simulate``: a generated session as a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from config.scenarios import ScenarioKind
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, MissingInput
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.detection.spliced import ending_of
from sim.scenarios.plan import SessionPlan, draw_plan
from sim.scenarios.recording import recording_name, session_lines, write_lines
from sim.scenarios.splice import Ending, spliced_lines

_VENUE = VenueName.BINANCE_USDM
_SHORTEST_S = 120
_DAY_S = 86_400
_KINDS = [kind.value for kind in ScenarioKind]


@click.command(name="simulate")
@click.argument("kind", type=click.Choice(_KINDS))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write into.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 10**12), help="Same seed, same bytes.")
@click.option("--duration", type=click.IntRange(_SHORTEST_S, _DAY_S), metavar="S", help="[default: the profile's]")
@click.option("--price", type=click.IntRange(20_000, 1_000_000), help="At the start.  [default: the profile's]")
@click.option("--onto", type=click.Path(path_type=Path, dir_okay=False), help="Go on where this recording of a USD-M "
              "market ends: its lines come first.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@profile_option
@with_output
def simulate(output: Output, /, kind: str, out: Path, overwrite: bool, onto: Path | None, **words: Any) -> None:
    """Generate a session of USD-M Bitcoin: quiet, volatile, or a crash of a published shape.

    Writes a recording, which `tickwire replay` and `tickwire backtest` take as `--source binance-usdm=FILE`, and beside
    it what was drawn. All of it is SYNTHETIC, and file names say so.

    \b
    tickwire simulate cascade-2025 --seed 7 --out crash
    tickwire simulate air-pocket --onto usdm.gz --out spliced
    """
    settings = load_profile(words["profile"]).settings
    plan = _plan(settings, ScenarioKind(kind), words, is_spliced=onto is not None)
    ending = None if onto is None else ending_of(settings, onto)
    path = out / recording_name(plan, None if ending is None else ending.symbol)
    about = path.with_suffix(".json")
    for file in (path, about):
        if file.exists() and not overwrite:
            raise MissingInput(f"{file} exists: name another --out, or give --overwrite")
    try:
        parts = session_lines(plan) if ending is None else spliced_lines(plan, ending)
        out.mkdir(parents=True, exist_ok=True)
        with output.progress(f"generating {plan.duration_ms // 1_000:,} s", announce=True):
            written = write_lines(path, parts)
        result = _result(plan, path, written, ending)
        about.write_text(json.dumps(result, indent=2, default=str) + "\n", encoding="utf-8")
    except OSError as error:
        raise MissingInput(f"{path} cannot be written: {error.strerror}") from error
    except KeyboardInterrupt:
        raise Interrupted("nothing was written") from None
    _show(output, result)
    output.emit(result)


def _plan(settings: Settings, kind: ScenarioKind, words: dict[str, Any], *, is_spliced: bool) -> SessionPlan:
    chosen = {"duration_s": words["duration"], "price": words["price"]}
    scenarios = settings.scenarios.model_copy(
        update={name: value for name, value in chosen.items() if value is not None}
    )
    try:
        return draw_plan(scenarios, kind, words["seed"], is_spliced=is_spliced)
    except Fatal as error:
        raise click.UsageError(str(error)) from error


def _result(plan: SessionPlan, path: Path, written: int, ending: Ending | None) -> dict[str, Any]:
    crash = plan.crash
    return {
        "synthetic": True,
        "kind": plan.kind.value,
        "seed": plan.seed,
        "venue": _VENUE.value,
        "symbol": "BTCUSDT" if ending is None else ending.symbol,
        "duration_s": plan.duration_ms / 1_000,
        "price": plan.price_ticks / 10 if ending is None else ending.bid / 10**ending.price_decimals,
        "file": str(path),
        "bytes_of_text": written,
        "spliced_onto": None if ending is None else str(ending.path),
        "activity": round(plan.activity, 4),
        "chop_bps": round(plan.chop * 10_000, 2),
        "liquidation_bps": round(plan.liquidation * 10_000, 2),
        "faults": [{"begin_ms": begin, "end_ms": end, "fault": fault} for begin, end, fault in plan.faults.tolist()],
        "crash": None
        if crash is None
        else {
            "begin_s": crash.begin_ms / 1_000,
            "bottom_s": crash.bottom_ms / 1_000,
            "end_s": crash.end_ms / 1_000,
            "drop_pct": round(100 * crash.drop, 2),
        },
    }


def _show(output: Output, result: dict[str, Any]) -> None:
    crash = result["crash"]
    rows = [
        (
            "session",
            f"{result['kind']}, seed {result['seed']}, {result['duration_s']:,.0f} s from {result['price']:,.1f}",
        ),
        ("recording", result["file"]),
        ("text", f"{result['bytes_of_text']:,} bytes"),
    ]
    if crash is not None:
        rows.append(
            ("crash", f"{crash['drop_pct']} % from {crash['begin_s']:,.1f} s, bottom at {crash['bottom_s']:,.1f} s")
        )
    output.table("Generated, SYNTHETIC", ("what", "value"), rows)
