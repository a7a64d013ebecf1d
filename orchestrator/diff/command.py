"""``tickwire diff``: a paper or live run beside its backtest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from config.settings import Settings
from market.errors import MissingInput
from orchestrator.backtest.files import write_rows, write_text
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile
from orchestrator.diff.result import COLUMNS, compare_runs, diff_result, rows_of, show_result
from orchestrator.diff.run import plan_again, read_live, run_again

_RESULT_FILE: Final = "result.json"


@click.command()
@click.argument("run", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--profile", metavar="NAME|FILE", help="Settings of the backtest.  [default: those of the run]")
@click.option("--tolerance-ms", type=click.IntRange(0, 60_000), default=100, show_default=True,
              help="Fills that are at most so far apart are of the same time.")  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for result.json and differences.*."
)
@with_output
def diff(output: Output, run: Path, profile: str | None, tolerance_ms: int, out: Path | None) -> None:
    """Backtest the market data of a paper or live run and explain every difference in decisions and fills.

    RUN is the file that `tickwire live --tape FILE` or `tickwire paper --tape FILE` has kept. docs/diff.md says what is
    compared and how each cause is found. Ends with 1 when a difference is unexplained.
    """
    if out is not None and out.exists() and not out.is_dir():
        raise MissingInput(f"--out {out} is not a folder")
    settings: Settings | None = None if profile is None else load_profile(profile).settings
    with output.progress("playing the run"):
        live = read_live(run)
    for default in live.defaults:
        output.note(f"{run} is older than this setting, which has its default: {default}")
    if live.was_cut:
        output.note(f"{run} ends before the run did: what is compared ends there")
    plan = plan_again(live, live.settings if settings is None else settings)
    with output.progress("backtest") as progress:
        first_ns, span_ns = plan.tape.first_ns, max(plan.tape.last_ns - plan.tape.first_ns, 1)
        again = run_again(live, plan, lambda now_ns: progress.show(f"{100 * (now_ns - first_ns) / span_ns:.0f} %"))
    with output.progress("explaining") as progress:
        found = compare_runs(live, again, tolerance_ms=tolerance_ms, tell=progress.show)
    rows = rows_of(found)
    result = diff_result(found, rows)
    if out is not None:
        write_rows(out, "differences", COLUMNS, rows)
        write_text(out / _RESULT_FILE, json.dumps(result, indent=1) + "\n")
    show_result(output, result, rows)
    output.emit(result)
    if result["unexplained"]:
        raise click.exceptions.Exit(1)
