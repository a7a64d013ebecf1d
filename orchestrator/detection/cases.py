"""Which sessions the statistics are of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from config.scenarios import ScenarioKind, ScenarioSettings

_TWENTY: Final = (
    ScenarioKind.CASCADE_2025,
    ScenarioKind.QUIET,
    ScenarioKind.VOLATILE,
    ScenarioKind.AIR_POCKET,
    ScenarioKind.VOLATILE,
    ScenarioKind.QUIET,
    ScenarioKind.CAPITULATION_2021,
    ScenarioKind.VOLATILE,
    ScenarioKind.QUIET,
    ScenarioKind.CASCADE_2025,
    ScenarioKind.SELL_PROGRAM_2010,
    ScenarioKind.VOLATILE,
    ScenarioKind.QUIET,
    ScenarioKind.AIR_POCKET,
    ScenarioKind.VOLATILE,
    ScenarioKind.QUIET,
    ScenarioKind.CAPITULATION_2021,
    ScenarioKind.CASCADE_2025,
    ScenarioKind.QUIET,
    ScenarioKind.VOLATILE,
)
"""Kinds of twenty sessions in a row: eight crashes, six volatile, six quiet."""


class Seeds(StrEnum):
    """Which range of seeds."""

    TUNING = "tuning"
    EVALUATION = "evaluation"


@dataclass(frozen=True)
class Case:
    """One session."""

    number: int
    kind: ScenarioKind
    seed: int


def cases(settings: ScenarioSettings, seeds: Seeds, count: int, only: ScenarioKind | None = None) -> list[Case]:
    """The first sessions of a range of seeds, kinds in turn; ``only``: those of one kind, in place of the mixture."""
    first = settings.tuning_seed if seeds is Seeds.TUNING else settings.evaluation_seed
    kinds = _TWENTY if only is None else (only,)
    return [Case(number, kinds[number % len(kinds)], first + number) for number in range(count)]
