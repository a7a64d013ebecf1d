"""``tickwire optimize``: parameters of strategies over recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from pydantic import ValidationError

from config.optimizer import Objective, Search
from config.settings import Settings
from market.errors import Rejected
from orchestrator.backtest.files import write_text
from orchestrator.backtest.options import active_strategies, run_options
from orchestrator.backtest.plan import read_plan
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.clock import SystemClock
from orchestrator.optimizer.best import profile_text
from orchestrator.optimizer.folder import BEST_FILE, RESULTS_FILE
from orchestrator.optimizer.optimize import optimize as search_all
from orchestrator.optimizer.optimize import task_of
from orchestrator.optimizer.result import doubts, optimizer_result, show_result
from orchestrator.optimizer.study import Trial
from orchestrator.replay.plan import parse_source
from sim.generator.recording import is_synthetic

R = TypeVar("R")
_NS_PER_S: Final = 1_000_000_000
_LARGEST_SEED: Final = 2**32 - 1


@click.command()
@run_options
@profile_option
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the study; one that is there goes on.")  # fmt: skip
@click.option("--search", type=click.Choice([each.value for each in Search]), help="How parameters are drawn.")
@click.option("--objective", type=click.Choice([each.value for each in Objective]), help="What is to be high.")
@click.option("--trials", type=click.IntRange(1, 1_000_000), metavar="N", help="Trials of each search.")
@click.option("--seed", type=click.IntRange(0, _LARGEST_SEED), metavar="N", help="Of the draws.")
@click.option("--workers", type=click.IntRange(1, 1_024), metavar="N", help="Processes that run trials.")
@click.option("--cluster", metavar="ADDRESS", help="A Dask scheduler whose workers run them, as tcp://HOST:PORT.")
@click.option("--save-best", is_flag=True, help="Write the winner's parameters to best_params.toml, a profile.")
@with_output
def optimize(
    output: Output,
    /,
    sources: tuple[str, ...],
    names: tuple[str, ...],
    profile: str,
    out: Path,
    save_best: bool,
    **chosen: Any,
) -> None:
    """Search parameters of strategies over recordings, judged on data that did not choose them.

    What is searched, and everything that has no option here, is [optimizer] in the profile: docs/optimiser.md. Ends
    with 0 when there is a winner, with 1 when there is none, or when a recording lost a book or is damaged. After an
    interruption the same command goes on.
    """
    clock = SystemClock()
    start_ns = clock.monotonic_ns()
    loaded = load_profile(profile)
    settings = _overridden(loaded.settings, names, chosen)
    files = [parse_source(source) for source in sources]
    with output.progress("reading recordings"):
        plan = read_plan(settings, files)
    task = _checked(lambda: task_of(loaded, settings, plan, files))
    done, best = 0, float("-inf")
    try:
        with output.progress("optimizing", task.trials) as progress:

            def tell(trial: Trial) -> None:
                nonlocal done, best
                done += 1
                if trial.fits and trial.objective is not None:
                    best = max(best, trial.objective)
                progress.advance(f"best {best:.4g}" if best > float("-inf") else "")

            found = search_all(task, out, tell)
    except KeyboardInterrupt:
        raise Interrupted(f"{done:,} of {task.trials:,} trials are finished; the same command goes on") from None
    seconds = (clock.monotonic_ns() - start_ns) / _NS_PER_S
    result = optimizer_result(task, found, seconds=seconds, synthetic=any(is_synthetic(file.path) for file in files))
    write_text(out / RESULTS_FILE, json.dumps(result, indent=1) + "\n")
    winner = result["best"]["winner"]
    if save_best and found.best.winner is not None:
        remarks = [
            f"Found by tickwire optimize: {settings.optimizer.search.value} search, objective "
            f"{settings.optimizer.objective.value}, draw {winner['draw']}.",
            *(f"{text[0].upper()}{text[1:]}." for text in doubts(winner)),
        ]
        values = {each.setting: found.best.winner.trial.values[each.name] for each in task.parameters}
        write_text(out / BEST_FILE, profile_text(profile, settings.strategies.active, values, remarks))
    show_result(output, result)
    output.emit(result)
    if winner is None or result["gaps"] or result["damage"]:
        raise click.exceptions.Exit(1)


def _overridden(settings: Settings, names: tuple[str, ...], chosen: dict[str, Any]) -> Settings:
    """The settings with what the command line says laid over them; raises UsageError for what they lack."""
    active = active_strategies(settings, names)
    if not active:
        raise click.UsageError("no strategy runs: name one with --strategy, or in [strategies] active of the profile")
    tables = settings.model_dump()
    tables["strategies"]["active"] = active
    tables["optimizer"] |= {name: value for name, value in chosen.items() if value is not None}
    return _checked(lambda: Settings.model_validate(tables))


def _checked(make: Callable[[], R]) -> R:
    """What is made of settings; raises UsageError where they do not fit."""
    try:
        return make()
    except ValidationError as error:
        texts = [
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
            + ("" if isinstance(one["input"], dict) else f", was {one['input']!r}")
            for one in error.errors(include_url=False)
        ]
        raise click.UsageError("; ".join(texts)) from None
    except Rejected as error:
        raise click.UsageError(str(error)) from None
