"""Exit codes, and the one place that turns errors into them.

0 done · 1 a check failed · 2 usage or settings · 3 missing or unusable input · 4 missing extra, device or peer ·
70 unexpected error · 130 interrupted
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import click

from config.errors import SettingsError
from market.errors import DataGap, MissingExtra, MissingInput, Rejected, Retry, TickwireError


class ExitCode(IntEnum):
    """What the caller of the command may rely on."""

    DONE = 0
    CHECK_FAILED = 1
    USAGE = 2
    INPUT = 3
    MISSING = 4
    UNEXPECTED = 70
    INTERRUPTED = 130


class Interrupted(Exception):
    """A command was interrupted and has printed what it had by then; the text says how far it got."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a person is told about an error, and the code that a program gets."""

    code: ExitCode
    message: str


_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (SettingsError, ExitCode.USAGE),
    (MissingInput, ExitCode.INPUT),
    (MissingExtra, ExitCode.MISSING),
    (Rejected, ExitCode.INPUT),
    (DataGap, ExitCode.INPUT),
    (Retry, ExitCode.MISSING),
    (TickwireError, ExitCode.CHECK_FAILED),
)
"""The first class that fits decides; Fatal without a more exact class is a broken invariant: a check that failed."""


def failure_of(error: BaseException) -> Failure | None:
    """How an error ends the command; None for one that nobody foresaw and that needs its traceback."""
    if isinstance(error, click.UsageError):
        return Failure(ExitCode.USAGE, error.format_message())
    if isinstance(error, click.ClickException):
        return Failure(ExitCode.INPUT, error.format_message())
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Failure(ExitCode.INTERRUPTED, "interrupted")
    if isinstance(error, Interrupted):
        return Failure(ExitCode.INTERRUPTED, f"interrupted: {error}")
    for kind, code in _CODES:
        if isinstance(error, kind):
            return Failure(code, str(error) or type(error).__name__)
    return None
