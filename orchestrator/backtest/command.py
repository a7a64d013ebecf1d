"""``tickwire backtest``: strategies over recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from config.backtest import Queue
from config.settings import Settings
from market.errors import MissingInput
from orchestrator.backtest.files import write_text
from orchestrator.backtest.lookahead import check_lookahead
from orchestrator.backtest.middles import read_middles
from orchestrator.backtest.options import active_strategies, run_options
from orchestrator.backtest.plan import Plan, read_plan
from orchestrator.backtest.record import run_record, write_record
from orchestrator.backtest.report import backtest_page
from orchestrator.backtest.report_command import REPORT_FILE
from orchestrator.backtest.result import backtest_result, show_result
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.clock import SystemClock
from orchestrator.replay.plan import SourceFile, parse_source
from sim.generator.recording import is_synthetic

_NS_PER_S: Final = 1_000_000_000


@click.command()
@run_options
@profile_option
@click.option("--queue", type=click.Choice([queue.value for queue in Queue]), help="Model of the queue position.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for result.json, tables and report.html."
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="HTML file with charts and tables.")
@click.option("--check-lookahead", "cuts", type=click.IntRange(1, 1_000), metavar="N",
              help="Also cut the future at N random moments: nothing before them may change.")  # fmt: skip
@with_output
def backtest(
    output: Output,
    sources: tuple[str, ...],
    names: tuple[str, ...],
    profile: str,
    queue: str | None,
    out: Path | None,
    report: Path | None,
    cuts: int | None,
) -> None:
    """Run strategies over recordings, with the run loop, risk and orders of a live run.

    Own orders are matched against the recorded flow: docs/backtest.md says how, docs/backtest-assumptions.md what that
    leaves out. Ends with 0 when all is done, with 1 when a recording lost a book or
    is damaged, or when looking ahead was found.
    """
    settings = _overridden(load_profile(profile).settings, names, queue)
    files = [parse_source(source) for source in sources]
    if out is not None and out.exists() and not out.is_dir():
        raise MissingInput(f"--out {out} is not a folder")
    plan, run, result = _run(output, settings, files)
    if cuts is not None:
        with output.progress("cutting the future", cuts) as progress:
            found = check_lookahead(plan, run, cuts, lambda: progress.advance())
        result["lookahead"] = {"cuts": cuts, "differences": found}
    if out is not None or report is not None:
        with output.progress("reading middles"):
            middles = read_middles(plan, files)
        record = run_record(run, result, middles)
        text = backtest_page(record)
        if out is not None:
            write_record(out, record)
        for path in (report, None if out is None else out / REPORT_FILE):
            if path is not None:
                write_text(path, text)
    _finish(output, result)


def _run(output: Output, settings: Settings, files: list[SourceFile]) -> tuple[Plan, BacktestRun, dict[str, Any]]:
    clock = SystemClock()
    start_ns = clock.monotonic_ns()
    with output.progress("reading recordings"):
        plan = read_plan(settings, files)
    first_ns, last_ns = plan.tape.first_ns, plan.tape.last_ns
    with output.progress("backtest") as progress:

        def tell(now_ns: int) -> None:
            progress.show(f"{100 * (now_ns - first_ns) / max(last_ns - first_ns, 1):.0f} %")

        run = run_backtest(plan, tell=tell)
    seconds = (clock.monotonic_ns() - start_ns) / _NS_PER_S
    synthetic = [file.venue.value for file in files if is_synthetic(file.path)]
    return plan, run, backtest_result(run, seconds=seconds, synthetic=synthetic)


def _finish(output: Output, result: dict[str, Any]) -> None:
    """Show a result and end with the code that it asks for."""
    show_result(output, result)
    differences = result.get("lookahead", {}).get("differences", [])
    if "lookahead" in result:
        output.say(f"future cut {result['lookahead']['cuts']} times: {len(differences)} runs changed before the cut")
    output.emit(result)
    if result["interrupted"]:
        raise Interrupted("the results so far are shown")
    if result["gaps"] or result["damage"] or differences:
        raise click.exceptions.Exit(1)


def _overridden(settings: Settings, names: tuple[str, ...], queue: str | None) -> Settings:
    """The settings with what the command line says laid over them; raises UsageError for what they lack."""
    active = active_strategies(settings, names)
    backtest = settings.backtest
    if queue is not None:
        backtest = backtest.model_copy(update={"queue": Queue(queue)})
    strategies = settings.strategies.model_copy(update={"active": active})
    return settings.model_copy(update={"backtest": backtest, "strategies": strategies})
