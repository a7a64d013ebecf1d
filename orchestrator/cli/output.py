"""What commands print: tables and colours on a terminal, plain text elsewhere, or one JSON object.

Results go to standard output; notes, progress and errors go to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import click

P = ParamSpec("P")
R = TypeVar("R")


class Progress(Protocol):
    """A running progress display."""

    def advance(self, text: str = "") -> None:
        """One more step is done; ``text`` says which."""

    def show(self, text: str) -> None:
        """Say how far a run of unknown length has come."""


class Output:
    """Where one command prints.

    Parameters
    ----------
    as_json: print one JSON object at the end and nothing else on standard output.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.emitted = False

    def emit(self, result: Mapping[str, Any]) -> None:
        """Print the result as the command's one JSON object; nothing happens for people."""
        if not self.as_json:
            return
        if self.emitted:
            raise RuntimeError("a command prints one JSON object, this is the second one")
        self.emitted = True
        click.echo(json.dumps(result, default=_plain, ensure_ascii=False, allow_nan=False))

    def say(self, text: str) -> None:
        """A line of the result for people."""
        if not self.as_json:
            click.echo(text)

    def note(self, text: str) -> None:
        """A line beside the result: standard error, also with JSON."""
        click.echo(text, err=True)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()
    ) -> None:
        """A table for people; the columns named in ``right`` are aligned to the right."""
        if self.as_json:
            return
        cells = [[str(cell) for cell in row] for row in rows]
        if is_terminal(sys.stdout):
            _rich_table(title, columns, cells, right)
        else:
            click.echo(plain_table(title, columns, cells, right))

    @contextmanager
    def progress(self, description: str, total: int | None = None, *, announce: bool = False) -> Iterator[Progress]:
        """A progress bar on standard error while the block runs.

        Where that is not a terminal, the description stands there once if ``announce`` says so, and nothing else.
        """
        if not is_terminal(sys.stderr):
            if announce:
                self.note(description)
            yield _Silent()
            return
        from rich.console import Console
        from rich.progress import Progress as Bar

        with Bar(console=Console(stderr=True), transient=True) as bar:
            yield _Bar(bar, bar.add_task(description, total=total), description)


class _Silent:
    def advance(self, text: str = "") -> None:
        """Nothing to show."""

    def show(self, text: str) -> None:
        """Nothing to show."""


class _Bar:
    def __init__(self, bar: Any, task: Any, description: str) -> None:
        self.bar, self.task, self.description = bar, task, description

    def advance(self, text: str = "") -> None:
        """One step further; the text stands beside the description."""
        self.bar.update(self.task, advance=1, description=f"{self.description} {text}".rstrip())

    def show(self, text: str) -> None:
        """The text beside the description; the bar pulses."""
        self.bar.update(self.task, description=f"{self.description} {text}")


def is_terminal(stream: IO[Any]) -> bool:
    """Whether a person looks at the stream through a terminal that understands control codes."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> str:
    """A table as plain text: two spaces between columns, no lines, no colours."""
    widths = [max(len(line[index]) for line in (columns, *rows)) for index in range(len(columns))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([*([title] if title else []), line(columns), *(line(row) for row in rows)])


def _rich_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _plain(value: object) -> object:
    """JSON for what results contain beside JSON's own types."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@dataclass(slots=True)
class Session:
    """One run of the command line: the Output of its command, once that has begun."""

    output: Output | None = None


def with_output(function: Callable[Concatenate[Output, P], R]) -> Callable[P, R]:
    """Give a command the option ``--json`` and, as its first argument, the Output that follows it."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
    @click.pass_obj
    @wraps(function)
    def command(session: Session, /, *args: Any, as_json: bool, **kwargs: Any) -> R:
        session.output = Output(as_json=as_json)
        return function(session.output, *args, **kwargs)

    return cast("Callable[P, R]", command)
