"""The entry point: runs one command and ends with its exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from orchestrator.cli.commands import COMMANDS, LazyGroup
from orchestrator.cli.exits import ExitCode, Failure, failure_of
from orchestrator.cli.output import Output, Session, is_terminal

SUMMARY = """A market-data packet goes in, a risk-checked order comes out.

Every command explains itself with --help and prints one JSON object with --json.
"""
ROOT = LazyGroup(COMMANDS, name="tickwire", help=SUMMARY, context_settings={"help_option_names": ["-h", "--help"]})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Parameters
    ----------
    arguments: words after ``tickwire``; None for those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    session = Session()
    try:
        code = _run(words, session)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has seen enough. Keep Python from flushing into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except BaseException as error:
        failure = failure_of(error)
        if failure is None:
            if not isinstance(error, Exception):
                raise
            traceback.print_exc()
            failure = Failure(ExitCode.UNEXPECTED, f"unexpected {type(error).__name__}: {error}")
        _report(failure, error, session.output, as_json="--json" in words)
        return failure.code
    return code


def _run(words: list[str], session: Session) -> int:
    """The command's own exit code; errors pass through."""
    try:
        with ROOT.make_context("tickwire", words, obj=session) as context:
            ROOT.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return ExitCode.DONE


def _report(failure: Failure, error: BaseException, output: Output | None, *, as_json: bool) -> None:
    """Tell people on standard error, and programs on standard output unless they have their object already."""
    label = click.style("error:", fg="red", bold=True) if _colours() else "error:"
    if failure.code is ExitCode.INTERRUPTED or isinstance(error, click.exceptions.NoArgsIsHelpError):
        label = ""
    for line in failure.message.splitlines() or [""]:
        click.echo(f"{label} {line}" if label else line, err=True)
    if isinstance(error, click.UsageError) and label and error.ctx is not None:
        click.echo(f"see: {error.ctx.command_path} --help", err=True)
    if as_json and (output is None or not output.emitted):
        result = {"error": {"exit_code": int(failure.code), "message": failure.message}}
        (output or Output(as_json=True)).emit(result)


def _colours() -> bool:
    return is_terminal(sys.stderr) and not os.environ.get("NO_COLOR")
