"""What is wrong with settings, said so that a person can put it right."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Parameters
    ----------
    source: the file or environment variable that holds it; several are joined by " + ".
    key: dotted path of the setting, empty when a whole file is meant.
    message: what was seen, what is allowed and what to do.
    """

    source: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.key} {self.message}" if self.key else f"{self.source}: {self.message}"


class SettingsError(Exception):
    """Settings that cannot be used; the text has one line per problem."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
