"""``tickwire tape``: a run again, from its tape."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.output import Output, with_output
from orchestrator.live.taped import play


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_output
def tape(output: Output, file: Path) -> None:
    """Run a recorded run again: FILE is what `tickwire live --tape FILE` has kept.

    The same program makes the same decisions, call for call; another one is told at the first call that differs, which
    ends the command with 1. Settings that were added after FILE was made have their defaults, each of which is named.
    """
    defaults: list[str] = []

    def tell(default: str) -> None:
        output.note(f"{file} is older than this setting, which has its default: {default}")
        defaults.append(default)

    summary, journal, calls = play(file, tell)
    result = {
        "calls": calls,
        "decision_hash": summary.decision_hash,
        "parity": f"{summary.parity:08x}",
        "events": summary.counts.events,
        "triggers": summary.counts.triggers,
        "orders": {state.name: count for state, count in summary.totals.states.items()},
        "intents": len(journal.intents),
    }
    output.table("the same decisions", ("", ""), [(name, str(value)) for name, value in result.items()])
    output.emit({**result, "defaults": defaults})
