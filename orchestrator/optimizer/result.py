"""What a search found, as one JSON object and as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from config.optimizer import OptimizerSettings
from orchestrator.cli.output import Output
from orchestrator.optimizer.folds import Grid, Span
from orchestrator.optimizer.judgement import Judged, Judgement, Winner
from orchestrator.optimizer.optimize import Task
from orchestrator.optimizer.scores import Scores
from orchestrator.optimizer.study import State, Trial
from sim.backtest.layout import TAPE_KIND, TapeKind

FORMAT: Final = "tickwire optimization 1"
"""Says what results.json is; another number for another meaning."""
_LEAST_PROBABILITY: Final = 0.95
_MOST_OVERFITTING: Final = 0.5


def optimizer_result(task: Task, found: Judgement, *, seconds: float, synthetic: bool) -> dict[str, Any]:
    """Everything that people and programs ask for at the end; ``seconds``: how long it took this time."""
    settings = task.settings.optimizer
    return {
        "format": FORMAT,
        "synthetic": synthetic,
        "sources": {file.venue.value: str(file.path) for file in task.files},
        "gaps": int((task.plan.tape.rows[:, TAPE_KIND] == TapeKind.GAP).sum()),
        "damage": [
            {"source": name, "reason": damage.reason.value, "line": damage.line, "detail": damage.detail}
            for name, damage in task.plan.tape.damage
        ],
        "strategies": [name.value for name in task.settings.strategies.active],
        "search": settings.search.value,
        "seed": settings.seed,
        "objective": settings.objective.value,
        "currency": task.currency,
        "constraints": {
            "minimum_trades": settings.minimum_trades,
            "maximum_drawdown": f"{settings.maximum_drawdown:f}" if settings.maximum_drawdown else None,
        },
        "validation": settings.validation.value,
        "samples": task.grid.count,
        "sample_s": task.grid.interval_ns / 1e9,
        "space": {each.name: {"setting": each.setting, "values": list(map(str, each.choices))}
                  for each in task.parameters},
        "best": _search(task, found.best),
        "folds": [_search(task, judged) for judged in found.searches],
        "out_of_sample": _scores(found.out_of_sample),
        "as_it_is": _scores(found.as_it_is),
        "as_it_is_tested": _scores(found.as_it_is_tested),
        "as_it_is_problem": found.as_it_is_problem,
        "why_no_winner": why_none(settings, found.best),
        "seconds": round(seconds, 3),
    }  # fmt: skip


def _search(task: Task, judged: Judged) -> dict[str, Any]:
    fold = judged.fold
    return {
        "name": fold.name,
        "train": [_span(task.grid, span) for span in fold.train],
        "test": None if fold.test is None else _span(task.grid, fold.test),
        "counts": {state.value: judged.count(state) for state in State},
        "distinct": judged.distinct,
        "winner": None if judged.winner is None else _winner(task, judged.winner),
        "trials": [_trial(trial) for trial in judged.trials],
    }


def _span(grid: Grid, span: Span) -> dict[str, int]:
    return {"from_ns": grid.end_ns(span.start - 1), "until_ns": grid.end_ns(span.end - 1), "samples": span.length}


def _winner(task: Task, winner: Winner) -> dict[str, Any]:
    values = winner.trial.values
    return {
        "draw": winner.trial.draw,
        "parameters": {each.setting: f"{values[each.name].normalize():f}" for each in task.parameters},
        "train": _scores(winner.train),
        "test": _scores(winner.test),
        "deflated_sharpe": None if winner.deflated is None else asdict(winner.deflated),
        "overfitting": None if winner.overfitting is None else asdict(winner.overfitting),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {**asdict(trial), "values": {name: f"{value:f}" for name, value in trial.values.items()}}


def _scores(found: Scores | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def why_none(settings: OptimizerSettings, judged: Judged) -> str:
    """Why a search has no winner; empty when it has one."""
    if judged.winner is not None:
        return ""
    complete = [trial for trial in judged.trials if trial.state is State.COMPLETE]
    if not complete:
        problems = Counter(trial.problem for trial in judged.trials if trial.problem)
        often = problems.most_common(1)[0][0] if problems else "all were ended early"
        return f"no trial of {len(judged.trials):,} ran to its end: {often}"
    if not judged.traded:
        return (
            f"there was no trade at all: in none of {len(complete):,} trials was any order filled. The strategy saw "
            "nothing to trade in these recordings, or risk refused it; run tickwire backtest on them to see why"
        )
    short = sum((trial.trades or 0) < settings.minimum_trades for trial in complete)
    deep = sum(
        bool(settings.maximum_drawdown) and Decimal(trial.drawdown or 0) > settings.maximum_drawdown
        for trial in complete
    )
    return (
        f"none of {len(complete):,} trials meets the constraints: {short:,} closed less than "
        f"optimizer.minimum_trades = {settings.minimum_trades}, {deep:,} fell by more than "
        f"optimizer.maximum_drawdown = {settings.maximum_drawdown}"
    )


def show_result(output: Output, result: Mapping[str, Any]) -> None:
    """The same for people."""
    if result["synthetic"]:
        output.say("SYNTHETIC MARKET: generated, not recorded")
    for damage in result["damage"]:
        output.say(f"{damage['source']} is damaged: {damage['reason']}, {damage['detail']}")
    rows = [_row(each) for each in (*result["folds"], result["best"])]
    columns = ("search", "trials", "pruned", "failed", "train", "test", "Sharpe/y test", "trades", "deflated", "PBO")
    output.table(f"winners by {result['objective']}, {result['currency']}", columns, rows, right=columns[1:])
    outer = [("winners of the folds, on their tests", result["out_of_sample"])]
    outer += [("settings as they are, same tests", result["as_it_is_tested"])]
    outer += [("settings as they are, everything", result["as_it_is"])]
    named = ("gain", "drawdown", "sharpe_per_year", "trades", "samples")
    cells = [[text, *(_number(found, name) for name in named)] for text, found in outer]
    output.table("out of sample", ("", "gain", "largest fall", "Sharpe/y", "trades", "samples"), cells,
                 right=("gain", "largest fall", "Sharpe/y", "trades", "samples"))  # fmt: skip
    if result["as_it_is_problem"]:
        output.say(f"the settings as they are failed: {result['as_it_is_problem']}")
    winner = result["best"]["winner"]
    if winner is None:
        output.say(f"no winner: {result['why_no_winner']}")
        return
    output.table("best parameters", ("setting", "value"), list(winner["parameters"].items()), right=("value",))
    for text in doubts(winner):
        output.say(text)


def _row(judged: Mapping[str, Any]) -> list[str]:
    counts, winner = judged["counts"], judged["winner"]
    row = [judged["name"], *(f"{count:,}" for count in (sum(counts.values()), counts["pruned"], counts["failed"]))]
    if winner is None:
        return [*row, *["-"] * 6]
    test, deflated, overfitting = winner["test"], winner["deflated_sharpe"], winner["overfitting"]
    return [
        *row,
        _number(winner["train"], "objective"),
        _number(test, "objective"),
        _number(test, "sharpe_per_year"),
        _number(test, "trades"),
        _probability(deflated),
        _probability(overfitting),
    ]


def _number(found: Mapping[str, Any] | None, name: str) -> str:
    if found is None:
        return "?"
    value = found[name]
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _probability(found: Mapping[str, Any] | None) -> str:
    return "?" if found is None else f"{found['probability']:.3f}"


def doubts(winner: Mapping[str, Any]) -> list[str]:
    """What speaks against a winner, as lines."""
    deflated, overfitting = winner["deflated_sharpe"], winner["overfitting"]
    said: list[str] = []
    if winner["train"]["gain"] <= 0:
        said.append("even the best of these parameters loses, on the very data that chose them")
    if deflated is not None:
        verdict = "as asked for" if deflated["probability"] >= _LEAST_PROBABILITY else "0.95 is usually asked for"
        said.append(
            f"deflated Sharpe ratio {deflated['probability']:.3f} after {deflated['trials']:,} different trials: "
            f"{verdict}"
        )
    if overfitting is None:
        said.append("probability of overfitting: too few different trials or samples to say")
    else:
        verdict = "the choice says nothing" if overfitting["probability"] >= _MOST_OVERFITTING else "below a half"
        said.append(f"probability of overfitting {overfitting['probability']:.3f}: {verdict}")
    return said
